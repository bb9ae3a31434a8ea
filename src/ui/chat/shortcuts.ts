// Every key the page listens to, in one table: the code asks it whether a key was meant, the sheet (`?`) lists it.

/** A key, and where it is listened to. */
export interface Shortcut {
  /** As KeyboardEvent.key has it; letters are compared without case. */
  readonly key: string;
  readonly shift?: true;
  /** Ctrl, or Command on a Mac. */
  readonly command?: true;
  /** Where it works. `page`, and `permission` while one is asked for: everywhere but in a text field, unless a command key is held. */
  readonly where: "page" | "permission" | "composer" | "history" | "changes" | "files" | "editor";
}

/** The table; what each does is said in the words (`chatParts.shortcuts.names`). */
export const SHORTCUTS = {
  focusComposer: { key: "k", command: true, where: "page" },
  focusComposerSlash: { key: "/", where: "page" },
  showShortcuts: { key: "?", where: "page" },
  stop: { key: "Escape", where: "page" },
  send: { key: "Enter", where: "composer" },
  newLine: { key: "Enter", shift: true, where: "composer" },
  mention: { key: "@", where: "composer" },
  nextMode: { key: ".", command: true, where: "composer" },
  editLast: { key: "ArrowUp", where: "composer" },
  allowOnce: { key: "y", where: "permission" },
  allowAlways: { key: "a", where: "permission" },
  deny: { key: "n", where: "permission" },
  renameChat: { key: "F2", where: "history" },
  deleteChat: { key: "Delete", where: "history" },
  nextHunk: { key: "j", where: "changes" },
  previousHunk: { key: "k", where: "changes" },
  acceptHunk: { key: "a", where: "changes" },
  rejectHunk: { key: "r", where: "changes" },
  renameFile: { key: "F2", where: "files" },
  deleteFile: { key: "Delete", where: "files" },
  saveFile: { key: "s", command: true, where: "editor" },
  findInFile: { key: "f", command: true, where: "editor" },
} as const satisfies Readonly<Record<string, Shortcut>>;
/** A key of the table. */
export type ShortcutName = keyof typeof SHORTCUTS;

/** Is this key press the shortcut? A plain letter never is while the user writes. */
export function matches(event: KeyboardEvent, name: ShortcutName): boolean {
  const wanted: Shortcut = SHORTCUTS[name];
  const command = event.ctrlKey || event.metaKey;
  if (event.defaultPrevented || event.altKey || event.isComposing) return false;
  if (event.key.toLowerCase() !== wanted.key.toLowerCase() || command !== (wanted.command ?? false)) return false;
  if (wanted.shift && !event.shiftKey) return false;
  const anywhere = wanted.command === true || wanted.key === "Escape" || (wanted.where !== "page" && wanted.where !== "permission");
  return anywhere || !(isWriting(event) || (wanted.where === "permission" && isInPanel(event)));
}

/** How the keys are written on the sheet. */
export function keysOf(name: ShortcutName, mac: boolean): readonly string[] {
  const { key, shift, command }: Shortcut = SHORTCUTS[name];
  return [...(command ? [mac ? "⌘" : "Ctrl"] : []), ...(shift ? [mac ? "⇧" : "Shift"] : []), NAMES[key] ?? key.toUpperCase()];
}

const NAMES: Readonly<Record<string, string>> = { Escape: "Esc", Enter: "Enter", Tab: "Tab", ArrowUp: "↑", Delete: "Del" };

function isWriting(event: KeyboardEvent): boolean {
  const [target] = event.composedPath();
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=file], [type=button])"));
}

/** The panels have letters of their own: `a` accepts a hunk there, and a letter finds a file in the tree. */
function isInPanel(event: KeyboardEvent): boolean {
  return event.composedPath().some((node) => node instanceof Element && node.localName === "tw-work");
}
