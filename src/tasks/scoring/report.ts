// What a run of `npm run eval` found, as data: one record an attempt, and what they come to, by set.
import { bootstrapMean, type Estimate, mcnemar, passAtK, wilson } from "./statistics.ts";

/** Controls of one task; each must be true. */
export interface Controls {
  /** The reference passes. */
  readonly reference: boolean;
  /** The start fails its own tests. */
  readonly brokenStart: boolean;
  /** The start, graded as it is, fails. */
  readonly noOp: boolean;
}

export interface Attempt {
  readonly id: string;
  readonly set: string;
  readonly family: string;
  /** From 1. */
  readonly sample: number;
  readonly controls: Controls;
  readonly solved: boolean;
  /** Why it counts as solved or not: what grading found. */
  readonly verdict: string;
  /** Why the assistant ended: a `done` reason, "error: …", or "not-run". */
  readonly end: string;
  /** Turns of the model. */
  readonly steps: number;
  /** Tokens the model wrote, and those it read for the first time. */
  readonly tokens: number;
  readonly promptTokens: number;
  readonly seconds: number;
  /** Tool calls that it tried to make, and those with a known tool and its parameters. */
  readonly calls: number;
  readonly validCalls: number;
  readonly patch: string;
}

export const REPORT_VERSION = 2;

export interface RunFacts {
  readonly model: string;
  readonly tasks: string;
  readonly samples: number;
  /** Edits that were tried before one was kept; absent: 1. */
  readonly tries?: number;
  /** Absent: the model's own. */
  readonly temperature?: number;
  readonly seed: number;
  /** ISO 8601. */
  readonly started: string;
}

export interface SetSummary {
  readonly set: string;
  readonly tasks: number;
  readonly samples: number;
  /** Tasks whose first attempt was solved; the same as share × tasks where there is one attempt each. */
  readonly solved: number;
  readonly share: number;
  readonly passAt: readonly (Estimate & { readonly k: number })[];
  readonly referencePasses: number;
  readonly brokenFails: number;
  readonly noOpFails: number;
  readonly meanSteps: number;
  readonly meanSeconds: number;
  readonly steps: Estimate;
  readonly tokens: Estimate;
  readonly promptTokens: Estimate;
  readonly seconds: Estimate;
  /** Share of valid tool calls among those that were tried; null where there were none. */
  readonly validCalls: (Estimate & { readonly calls: number }) | null;
  /** Attempts by the reason they ended for. */
  readonly ends: Readonly<Record<string, number>>;
}

export interface Report {
  readonly version: typeof REPORT_VERSION;
  readonly run: RunFacts;
  readonly summary: readonly SetSummary[];
  readonly results: readonly Attempt[];
}

/** Means and intervals by set, and of all where there are several sets. Deterministic. */
export function reportOf(run: RunFacts, results: readonly Attempt[]): Report {
  const sets = [...new Set(results.map((one) => one.set))];
  const groups = sets.map((set): [string, readonly Attempt[]] => [set, results.filter((one) => one.set === set)]);
  if (groups.length > 1) groups.push(["all", results]);
  return { version: REPORT_VERSION, run, summary: groups.map(([set, group]) => summarise(set, group)), results };
}

/** Attempts by task, in the order of the run. */
export function byTask(results: readonly Attempt[]): ReadonlyMap<string, readonly Attempt[]> {
  const tasks = new Map<string, Attempt[]>();
  for (const one of results) {
    const list = tasks.get(one.id);
    if (list) list.push(one);
    else tasks.set(one.id, [one]);
  }
  return tasks;
}

function summarise(set: string, group: readonly Attempt[]): SetSummary {
  const tasks = [...byTask(group).values()];
  const samples = Math.min(...tasks.map((attempts) => attempts.length));
  const solvedOf = (attempts: readonly Attempt[]): number => attempts.filter((one) => one.solved).length;
  const mean = (of: (one: Attempt) => number): Estimate => rounded(bootstrapMean(tasks.map((attempts) => attempts.reduce((sum, one) => sum + of(one), 0) / attempts.length)), 2);
  const first = tasks.filter(([one]) => one!.solved).length;
  const passAt = [...new Set([1, 2, 5, 10, 25, 50, 100, samples])].filter((k) => k <= samples).sort((a, b) => a - b).map((k) => ({
    k,
    // With one attempt a task the share is binomial; with several the tasks are what is drawn.
    ...rounded(samples === 1 ? wilson(first, tasks.length) : bootstrapMean(tasks.map((attempts) => passAtK(attempts.length, solvedOf(attempts), k))), 4),
  }));
  const [calls, valid] = [sum(group, (one) => one.calls), sum(group, (one) => one.validCalls)];
  const ends: Record<string, number> = {};
  for (const { end } of group) ends[end.replace(/^error: .*/s, "error")] = (ends[end.replace(/^error: .*/s, "error")] ?? 0) + 1;
  const steps = mean((one) => one.steps);
  const seconds = mean((one) => one.seconds);
  const controls = (held: keyof Controls): number => tasks.filter(([one]) => one!.controls[held]).length;
  return {
    set, tasks: tasks.length, samples, solved: first, share: passAt[0]!.value, passAt,
    referencePasses: controls("reference"), brokenFails: controls("brokenStart"), noOpFails: controls("noOp"),
    meanSteps: steps.value, meanSeconds: seconds.value, steps, seconds, tokens: mean((one) => one.tokens), promptTokens: mean((one) => one.promptTokens),
    validCalls: calls === 0 ? null : { calls, ...rounded(wilson(valid, calls), 4) }, ends,
  };
}

function sum(group: readonly Attempt[], of: (one: Attempt) => number): number {
  return group.reduce((total, one) => total + of(one), 0);
}

function rounded({ value, low, high }: Estimate, digits: number): Estimate {
  const round = (number: number): number => Number(number.toFixed(digits));
  return { value: round(value), low: round(low), high: round(high) };
}

export function controlsHold({ controls }: Pick<Attempt, "controls">): boolean {
  return controls.reference && controls.brokenStart && controls.noOp;
}

export interface Comparison {
  /** Tasks that both runs attempted. */
  readonly tasks: number;
  readonly first: Estimate;
  readonly second: Estimate;
  /** Second less first, of each task's share of solved attempts: paired. */
  readonly difference: Estimate;
  /** Tasks whose first attempt only one of the two solved. */
  readonly onlyFirst: readonly string[];
  readonly onlySecond: readonly string[];
  /** McNemar's exact probability, over the first attempts. */
  readonly mcnemar: number;
}

/** Two runs over the tasks they share; undefined if they share none. */
export function compareReports(first: Report, second: Report): Comparison | undefined {
  const [a, b] = [byTask(first.results), byTask(second.results)];
  const shared = [...a.keys()].filter((id) => b.has(id));
  if (shared.length === 0) return undefined;
  const share = (attempts: readonly Attempt[]): number => attempts.filter((one) => one.solved).length / attempts.length;
  const [sharesA, sharesB] = [shared.map((id) => share(a.get(id)!)), shared.map((id) => share(b.get(id)!))];
  const onlyFirst = shared.filter((id) => a.get(id)![0]!.solved && !b.get(id)![0]!.solved);
  const onlySecond = shared.filter((id) => !a.get(id)![0]!.solved && b.get(id)![0]!.solved);
  return {
    tasks: shared.length, first: rounded(bootstrapMean(sharesA), 4), second: rounded(bootstrapMean(sharesB), 4),
    difference: rounded(bootstrapMean(sharesB.map((value, i) => value - sharesA[i]!)), 4),
    onlyFirst, onlySecond, mcnemar: Number(mcnemar(onlyFirst.length, onlySecond.length).toPrecision(3)),
  };
}
