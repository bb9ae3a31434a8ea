// The plan the page shows: the last Markdown task list the assistant wrote. No tool is needed for it, and every model
// that writes `- [ ]` can keep one up to date.

export interface PlanItem {
  readonly text: string;
  readonly done: boolean;
}

const ITEM = /^\s*(?:[-*+]|\d+[.)])\s+\[([ xX])\]\s+(.+)$/;

/** The last run of at least two task-list lines in `text`, or undefined. */
export function planOf(text: string): readonly PlanItem[] | undefined {
  let plan: readonly PlanItem[] | undefined;
  let items: PlanItem[] = [];
  const close = (): void => {
    if (items.length > 1) plan = items;
    items = [];
  };
  for (const line of text.split("\n")) {
    const match = ITEM.exec(line);
    if (match) items.push({ text: (match[2] ?? "").trim(), done: match[1] !== " " });
    else if (line.trim() !== "" && !/^\s{2,}/.test(line)) close();
  }
  close();
  return plan;
}
