// The prompt line's history: up goes back through the commands that were run, down comes forward to what was being typed.

interface HistoryPlace {
  /** How many commands back; 0 is the line being typed. */
  readonly back: number;
  /** What was typed before going back. */
  readonly draft: string;
}

/** At the line that is being typed: where each new line begins. */
export const AT_DRAFT: HistoryPlace = { back: 0, draft: "" };

/** Distinct commands, newest first: a repeated one counts where it was last run. */
export function distinctCommands(commands: readonly string[]): readonly string[] {
  return [...new Set([...commands].reverse())];
}

/** The line after an arrow key. At either end nothing changes. */
export function recall(commands: readonly string[], place: HistoryPlace, line: string, step: 1 | -1): { readonly place: HistoryPlace; readonly line: string } {
  const history = distinctCommands(commands);
  const draft = place.back === 0 ? line : place.draft;
  const back = Math.min(Math.max(place.back + step, 0), history.length);
  return { place: { back, draft }, line: back === 0 ? draft : (history[back - 1] ?? draft) };
}
