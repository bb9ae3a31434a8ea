// What `npm run feedback` says of its lines: what tries bring and cost, and how far certainty can be trusted. Markdown.
import { bestCut, type Cut, cuts, type Judged, rankedRight } from "../tasks/scoring/certainty.ts";
import { type Estimate, mcnemar, wilson } from "../tasks/scoring/statistics.ts";
import type { TryReport } from "../agent/tries.ts";

export interface FeedbackLine {
  readonly task: string;
  readonly set: string;
  readonly tries: number;
  readonly solved: boolean;
  readonly end: string;
  readonly steps: number;
  readonly tokens: number;
  readonly seconds: number;
  /** One for each edit, where several were tried. */
  readonly edits: readonly { readonly kept: number; readonly tries: readonly Omit<TryReport, "call" | "problem" | "checkpoint">[] }[];
}

/** Quantiles of the first edits' certainty at which the table has a row. */
const ROWS = 8;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const interval = ({ value, low, high }: Estimate): string => `${percent(value)} (${percent(low)} to ${percent(high)})`;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** By number of tries, over the tasks that were solved with every number. */
export function triesTable(lines: readonly FeedbackLine[]): string {
  const counts = [...new Set(lines.map(({ tries }) => tries))].toSorted((a, b) => a - b);
  const solvedBy = (tries: number): ReadonlyMap<string, FeedbackLine> => new Map(lines.filter((line) => line.tries === tries).map((line) => [line.task, line]));
  const groups = counts.map((tries) => ({ tries, byTask: solvedBy(tries) }));
  const tasks = [...new Set(lines.map(({ task }) => task))].filter((task) => groups.every(({ byTask }) => byTask.has(task)));
  const rows = groups.map(({ tries, byTask }) => {
    const group = tasks.map((task) => byTask.get(task)!);
    const draws = group.flatMap(({ edits }) => edits.flatMap((edit) => edit.tries));
    const reread = draws.reduce((sum, { rereadTokens }) => sum + rereadTokens, 0);
    const solved = group.filter((line) => line.solved);
    return `| ${tries} | ${solved.length} of ${group.length} | ${interval(wilson(solved.length, group.length))} | ${mean(group.map(({ tokens }) => tokens)).toFixed(0)} | ${mean(group.map(({ seconds }) => seconds)).toFixed(0)} s | ${tries === 1 ? "–" : `${draws.length}, ${reread} tokens`} |`;
  });
  const [few, many] = [groups[0], groups.at(-1)];
  const only = (a: typeof few, b: typeof few): number => tasks.filter((task) => a?.byTask.get(task)!.solved && !b?.byTask.get(task)!.solved).length;
  const pairs = few && many && few !== many ? `\nSolved only with ${many.tries}: ${only(many, few)}; only with ${few.tries}: ${only(few, many)}; McNemar's exact test p = ${mcnemar(only(few, many), only(many, few)).toFixed(3)}.\n` : "";
  return `| tries | solved | 95 % | tokens written a task | time a task | draws, prompt computed again |\n|---|---|---|---|---|---|\n${rows.join("\n")}\n${pairs}`;
}

/** First drafts of edits and what the tests said of them. `isFirst`: of each task only its first edit, so that no task counts twice. */
export function firstDrafts(lines: readonly FeedbackLine[], isFirst: boolean): readonly Judged[] {
  return lines.flatMap(({ edits }) =>
    (isFirst ? edits.slice(0, 1) : edits).flatMap(({ tries: [draft] }) => (draft?.meanLogprob === undefined ? [] : [{ certainty: draft.meanLogprob, isRight: draft.verdict === "green" }])),
  );
}

/** How precise trusting a draft is at several thresholds, and the one that Youden's index chooses. */
export function certaintyTable(drafts: readonly Judged[]): string {
  const all = cuts(drafts);
  const best = bestCut(drafts)?.threshold;
  if (best === undefined) return "No draft told how sure it was.\n";
  const shown = new Set([...Array.from({ length: ROWS }, (_, row) => all[Math.round((row * (all.length - 1)) / (ROWS - 1))]!.threshold), best]);
  const row = (cut: Cut): string => `| ${cut.threshold === best ? `**${cut.threshold.toFixed(6)}**` : cut.threshold.toFixed(6)} | ${percent(cut.trusted)} | ${interval(cut.precision)} | ${percent(cut.truePositives)} | ${percent(cut.falsePositives)} |`;
  const area = rankedRight(drafts);
  return [
    "| mean log-probability at least | drafts trusted | of them right | of the right ones | of the wrong ones |",
    "|---|---|---|---|---|",
    ...all.filter(({ threshold }) => shown.has(threshold)).map(row),
    "",
    `${drafts.length} drafts, ${drafts.filter(({ isRight }) => isRight).length} right; area under the ROC curve ${area === undefined ? "–" : area.toFixed(2)}.`,
    "",
  ].join("\n");
}
