// What keys do to the line: Node's, which are Emacs's.
import type { InterfaceObject } from "./interface.ts";
import type { Key } from "./keypress.ts";

type Action = (reader: InterfaceObject, last: Key | undefined) => void;

/** How many code units a character before or after the cursor has. */
const leftOf = ({ line, cursor }: InterfaceObject): number => Array.from(line.slice(0, cursor)).at(-1)?.length ?? 0;
const rightOf = ({ line, cursor }: InterfaceObject): number => Array.from(line.slice(cursor))[0]?.length ?? 0;
/** Blanks and then a word, or other signs, backwards. */
const wordLeft = ({ line, cursor }: InterfaceObject): number => /(?:[^\w\s]+|\w+)?\s*$/.exec(line.slice(0, cursor))?.[0].length ?? 0;
const wordRight = ({ line, cursor }: InterfaceObject): number => /^(?:\s+|[^\w\s]+|\w+)\s*/.exec(line.slice(cursor))?.[0].length ?? 0;
const wordToDelete = ({ line, cursor }: InterfaceObject): number => /^(?:\s+|\W+|\w+)\s*/.exec(line.slice(cursor))?.[0].length ?? 0;

const deleteLeft: Action = (r) => r._cut(r.cursor - leftOf(r), r.cursor, false);
const deleteRight: Action = (r) => r._cut(r.cursor, r.cursor + rightOf(r), false);
const deleteWordLeft: Action = (r) => r._cut(r.cursor - wordLeft(r), r.cursor, false);
const deleteWordRight: Action = (r) => r._cut(r.cursor, r.cursor + wordToDelete(r), false);
const left: Action = (r) => r._moveCursor(-leftOf(r));
const right: Action = (r) => r._moveCursor(rightOf(r));
const byWordLeft: Action = (r) => r._moveCursor(-wordLeft(r));
const byWordRight: Action = (r) => r._moveCursor(wordRight(r));
const home: Action = (r) => r._moveCursor(Number.NEGATIVE_INFINITY);
const end: Action = (r) => r._moveCursor(Number.POSITIVE_INFINITY);
const older: Action = (r) => r._recall(1);
const newer: Action = (r) => r._recall(-1);

const told = (event: string, otherwise: Action): Action => (reader, last) => {
  if (reader.listenerCount(event) > 0) reader.emit(event);
  else otherwise(reader, last);
};

const BINDINGS: Readonly<Record<string, Action>> = {
  "c-s-backspace": (r) => r._cut(0, r.cursor, true), "c-s-delete": (r) => r._cut(r.cursor, r.line.length, true),
  "c-c": told("SIGINT", (r) => r.close()), "c-z": told("SIGTSTP", (r) => r._suspend()),
  "c-h": deleteLeft, "c-d": (r, last) => (r.cursor === 0 && r.line.length === 0 ? r.close() : r.cursor < r.line.length ? deleteRight(r, last) : undefined),
  "c-u": (r) => r._cut(0, r.cursor, true), "c-k": (r) => r._cut(r.cursor, r.line.length, true), "c-a": home, "c-e": end, "c-b": left, "c-f": right,
  "c-l": (r) => {
    r.output?.write("\u001b[1;1H");
    r.output?.write("\u001b[0J");
    r._refreshLine();
  },
  "c-n": newer, "c-p": older, "c-w": deleteWordLeft, "c-backspace": deleteWordLeft, "c-delete": deleteWordRight, "c-left": byWordLeft, "c-right": byWordRight, "c-y": (r) => r._yank(),
  "m-b": byWordLeft, "m-f": byWordRight, "m-d": deleteWordRight, "m-delete": deleteWordRight, "m-backspace": deleteWordLeft, "m-y": (r) => r._yankPop(),
  backspace: deleteLeft, delete: deleteRight, left, right, home, end, up: older, down: newer,
};

/** Undefined: it is text, or nothing. */
export function actionFor(key: Partial<Key>): Action | undefined {
  if (key.sequence === "\u001f") return (reader) => reader._undo();
  if (key.sequence === "\u001e") return (reader) => reader._redo();
  const { name = "" } = key;
  if (name === "escape") return () => undefined;
  if (key.ctrl && key.shift) return BINDINGS[`c-s-${name}`] ?? (() => undefined);
  if (key.ctrl) return BINDINGS[`c-${name}`];
  if (key.meta) return BINDINGS[`m-${name}`];
  return /^[a-z]+$/.test(name) && name.length > 1 ? BINDINGS[name] : undefined;
}
