// Saves of one file that follow each other, folded into the last of them, and edits that were tried into the one that was kept:
// the timeline stays readable while somebody types or something tries.
import type { TimelineEntry } from "../session/session-state.ts";

/** An entry with those that are folded into it. */
export interface TimelineGroup {
  readonly entry: TimelineEntry;
  /** Earlier saves of the same edit, or other tries, newest first; each can still be gone back to. */
  readonly earlier: readonly TimelineEntry[];
}

/** Newest first, from entries that are oldest first. The state that is current is never folded away. */
export function timelineGroups(entries: readonly TimelineEntry[]): readonly TimelineGroup[] {
  const groups: { entry: TimelineEntry; earlier: TimelineEntry[] }[] = [];
  for (const entry of [...entries].reverse()) {
    const last = groups.at(-1);
    const isSave = entry.kind === "edit" && last?.entry.kind === "edit" && entry.label === last.entry.label;
    const isTry = entry.kind === "try" && last?.entry.kind === "step";
    if (last && (isSave || isTry) && !entry.current) last.earlier.push(entry);
    else groups.push({ entry, earlier: [] });
  }
  return groups;
}
