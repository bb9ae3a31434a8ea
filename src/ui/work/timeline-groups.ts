// Saves of one file that follow each other, folded into the last of them: the timeline stays readable while somebody types.
import type { TimelineEntry } from "../session/session-state.ts";

/** An entry with those that are folded into it. */
export interface TimelineGroup {
  readonly entry: TimelineEntry;
  /** Earlier saves of the same edit, newest first; each can still be gone back to. */
  readonly earlier: readonly TimelineEntry[];
}

/** Newest first, from entries that are oldest first. The state that is current is never folded away. */
export function timelineGroups(entries: readonly TimelineEntry[]): readonly TimelineGroup[] {
  const groups: { entry: TimelineEntry; earlier: TimelineEntry[] }[] = [];
  for (const entry of [...entries].reverse()) {
    const last = groups.at(-1);
    if (last && entry.kind === "edit" && last.entry.kind === "edit" && entry.label === last.entry.label && !entry.current) last.earlier.push(entry);
    else groups.push({ entry, earlier: [] });
  }
  return groups;
}
