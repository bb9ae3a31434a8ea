// Best of n, with the project's tests as the judge. An edit is made on a fork of the project and tested; while it is red, other
// edits are drawn from the same place in the conversation, and the best is kept. A fork is the page's own copy of the files: to
// try an edit writes one file, to leave it writes that file back, so n tries need one container and one set of packages. What
// the model holds is forked by its state at the end of the prompt (src/engine/sequence.ts): a draw computes no prompt again.
import { AppError } from "../base/errors.ts";
import { findTestCommand } from "../project/test-command.ts";
import type { FileTree } from "../project/tree.ts";
import { sameBytes } from "../project/changed-paths.ts";
import type { Fork } from "../engine/api.ts";
import type { Workshop } from "./act.ts";
import type { AgentEvent } from "./events.ts";
import { ForkSearch } from "./forks.ts";
import { decide } from "./permission.ts";
import { stopWatch } from "./streams.ts";
import { parseTestOutput } from "./test-output.ts";
import { outcomeOf } from "./test-report.ts";
import { resolveCall } from "./tool-specs.ts";
import { runTool } from "./tools.ts";
import { certainty, type Turn, unheard } from "./turn.ts";

/** `unusable`: no edit, or one that could not be made. `blind`: the command proved nothing, because no test ran. */
export type TryVerdict = "green" | "red" | "blind" | "unusable";

/** One draw of an edit, what the tests made of it, and what it cost. */
export interface TryReport {
  /** From 1, the model's own first choice. */
  readonly number: number;
  readonly verdict: TryVerdict;
  /** The edit as the agent understood it; absent where the draw held none. */
  readonly call?: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> };
  /** Of the test run, where it was understood. */
  readonly passed?: number;
  readonly failed?: number;
  /** An earlier try made the same file: its verdict holds for this one, and no test was run. */
  readonly sameAs?: number;
  /** Why it is unusable. */
  readonly problem?: string;
  /** Written by the model. */
  readonly tokens: number;
  /** Of the prompt, computed for this draw although the try before had it already. The last token, which the draw begins with, does not count. */
  readonly rereadTokens: number;
  readonly drawMs: number;
  /** Making the edit, running the tests, putting the project back. */
  readonly judgeMs: number;
  /** Mean natural logarithm of the probabilities of its tokens; absent where the model does not tell. */
  readonly meanLogprob?: number;
  /** The checkpoint that holds the project as this try left it; absent for the one that is kept, which is the next step's. */
  readonly checkpoint?: string;
}

export interface TriesPlan {
  /** How many draws at most, the first included. */
  readonly tries: number;
  readonly shop: Workshop;
  /** Without forks, where no place to fork at is known, simply more freely. */
  readonly draw: (number: number, forks: readonly Fork[]) => AsyncGenerator<AgentEvent, Turn, void>;
  /** What a test run may take; undefined where it is not known how long one takes. */
  readonly judgeMs: number | undefined;
  /** May another draw be made, after so many tokens written here? */
  readonly mayGoOn: (tokens: number) => boolean;
}

export interface Tried {
  /** The turn to go on with. */
  readonly turn: Turn;
  readonly number: number;
  /** How many were made. */
  readonly of: number;
  /** Written by the draws after the first. */
  readonly tokens: number;
  readonly stopped: boolean;
}

interface Attempt {
  readonly turn: Turn;
  readonly report: TryReport;
  readonly wrote?: { readonly path: string; readonly bytes: Uint8Array };
}

/**
 * Judges the edit of `first` and draws others while it is red. A turn that edits nothing, an edit or a test run that must be asked
 * for, and a project without a test command are left as they are. The project is as before when it returns; the kept edit is
 * for the caller to make.
 */
export async function* bestOfTries(first: Turn, plan: TriesPlan, signal: AbortSignal): AsyncGenerator<AgentEvent, Tried, void> {
  const { shop, tries } = plan;
  const alone: Tried = { turn: first, number: 1, of: 1, tokens: 0, stopped: false };
  if (!isFreeEdit(first, shop)) return alone;
  const before = await shop.sandbox.snapshot();
  const command = judgeOf(before, shop);
  if (command === undefined) return alone;

  const attempts: Attempt[] = [];
  let turn = first;
  let forks: readonly Fork[] = [];
  let tokens = 0;
  const search = new ForkSearch();
  for (let number = 1; ; number++) {
    yield { type: "try", number, of: tries, phase: "test" };
    const attempt = await judge(turn, number, { before, command, attempts, ...plan }, signal);
    if (!attempt) return { ...alone, tokens, stopped: true };
    attempts.push(attempt);
    const { verdict } = attempt.report;
    if (verdict === "green" || verdict === "blind" || number >= tries || !plan.mayGoOn(tokens)) break;
    yield { type: "try", number: number + 1, of: tries, phase: "draw" };
    search.add(forks, turn.logprobs);
    forks = search.next() ?? [];
    turn = yield* unheard(plan.draw(number + 1, forks));
    tokens += turn.tokens;
    if (turn.stopped) return { ...alone, tokens, stopped: true };
  }
  const kept = attempts[bestTry(attempts.map(({ report }) => report))]!;
  yield { type: "tries", command, kept: kept.report.number, of: tries, words: kept.turn.words, tries: await keepAside(attempts, kept, before, shop) };
  return { turn: kept.turn, number: kept.report.number, of: attempts.length, tokens, stopped: false };
}

/** Index of the try to keep: green, else the one with most tests passed, then fewest failed; of equals the first. */
export function bestTry(reports: readonly Pick<TryReport, "verdict" | "passed" | "failed">[]): number {
  const worth = ({ verdict, passed, failed }: (typeof reports)[number]): readonly number[] => [
    ["unusable", "blind", "red", "green"].indexOf(verdict),
    passed ?? -1,
    -(failed ?? Number.POSITIVE_INFINITY),
  ];
  let best = 0;
  for (const [index, report] of reports.entries()) {
    const [a, b] = [worth(report), worth(reports[best]!)];
    const at = a.findIndex((value, i) => value !== b[i]);
    if (at >= 0 && a[at]! > b[at]!) best = index;
  }
  return best;
}

/** An edit that happens without anybody being asked. */
function isFreeEdit({ call }: Turn, { mode, rules }: Workshop): boolean {
  const resolved = call && resolveCall(call.name, call.arguments);
  if (!resolved?.ok || (resolved.name !== "edit" && resolved.name !== "write_file")) return false;
  return decide(resolved, mode, rules) === "allow";
}

/** The project's own test command, if it may be run without asking. */
function judgeOf(files: FileTree, { mode, rules }: Workshop): string | undefined {
  try {
    const command = findTestCommand(files);
    return decide({ name: "run_shell_command", arguments: { command } }, mode, rules) === "allow" ? command : undefined;
  } catch (error) {
    if (error instanceof AppError && error.code === "project/no-test-command") return undefined;
    throw error;
  }
}

interface Court extends Pick<TriesPlan, "shop" | "judgeMs"> {
  readonly before: FileTree;
  readonly command: string;
  readonly attempts: readonly Attempt[];
}

/** Undefined when it was stopped; the project is put back then, too. */
async function judge(turn: Turn, number: number, court: Court, signal: AbortSignal): Promise<Attempt | undefined> {
  const { clock } = court.shop;
  const watch = stopWatch(signal, clock);
  const started = clock.now();
  const working = work(turn, court, signal);
  working.catch(() => undefined); // awaited below, unless it is given up
  try {
    const found = await Promise.race([working, watch.late]);
    if (found === "late" || signal.aborted) return undefined;
    const { wrote, ...verdict } = found;
    const rereadTokens = number === 1 || !turn.stats ? 0 : Math.max(0, turn.stats.promptTokens - turn.stats.reusedTokens - 1);
    const meanLogprob = certainty(turn);
    const report: TryReport = {
      number,
      ...verdict,
      tokens: turn.tokens,
      rereadTokens,
      drawMs: turn.ms,
      judgeMs: clock.now() - started,
      ...(meanLogprob === undefined ? {} : { meanLogprob }),
    };
    return { turn, report, ...(wrote ? { wrote } : {}) };
  } finally {
    watch.close();
  }
}

type Verdict = Pick<TryReport, "verdict" | "call" | "passed" | "failed" | "sameAs" | "problem"> & Pick<Attempt, "wrote">;

async function work(turn: Turn, { before, command, attempts, shop, judgeMs }: Court, signal: AbortSignal): Promise<Verdict> {
  const { sandbox } = shop;
  if (!turn.call) return { verdict: "unusable", problem: turn.malformed ?? "no edit" };
  const call = resolveCall(turn.call.name, turn.call.arguments);
  if (!call.ok) return { verdict: "unusable", call: turn.call, problem: call.message };
  const drawn = { call: { name: call.name, arguments: call.arguments } };
  if (call.name !== "edit" && call.name !== "write_file") return { verdict: "unusable", ...drawn, problem: "no edit" };
  try {
    const { wrote, result } = await runTool(call.name, call.arguments, { sandbox, unlockTests: shop.unlockTests, created: new Set(shop.created), before }, () => undefined, signal);
    if (!wrote) return { verdict: "unusable", ...drawn, problem: result };
    const same = attempts.find((other) => other.wrote?.path === wrote.path && sameBytes(other.wrote.bytes, wrote.bytes));
    if (same) {
      const { verdict, passed, failed, sameAs, number } = same.report;
      return { verdict, ...drawn, wrote, sameAs: sameAs ?? number, ...(passed === undefined ? {} : { passed }), ...(failed === undefined ? {} : { failed }) };
    }
    const { output, exitCode, end } = await sandbox.run(command, judgeMs === undefined ? {} : { timeoutMs: judgeMs }, signal);
    const report = parseTestOutput(output, [...before.keys()]);
    const outcome = report ? outcomeOf(report, end === "exit" ? exitCode : null) : exitCode === 0 ? "none" : "failed";
    const verdict = outcome === "passed" ? "green" : outcome === "none" ? "blind" : "red";
    return { verdict, ...drawn, wrote, ...(report ? { passed: report.passed, failed: report.failed } : {}) };
  } finally {
    await sandbox.restore(before);
  }
}

/** The tries that are not kept become states of the project beside it, to be looked at, compared and gone back to. */
async function keepAside(attempts: readonly Attempt[], kept: Attempt, before: FileTree, { checkpoints }: Workshop): Promise<readonly TryReport[]> {
  if (!checkpoints) return attempts.map(({ report }) => report);
  const reports: TryReport[] = [];
  if (attempts.length > 1) await checkpoints.record(before, "Before a change");
  for (const { report, wrote } of attempts) {
    if (report === kept.report || !wrote || report.sameAs !== undefined) reports.push(report);
    else {
      const { id } = await checkpoints.keepAside(new Map(before).set(wrote.path, wrote.bytes), `Try ${report.number}: ${resultOf(report)}`, "try");
      reports.push({ ...report, checkpoint: id });
    }
  }
  return reports;
}

function resultOf({ verdict, failed }: TryReport): string {
  return verdict === "red" && failed !== undefined ? `${failed} failed` : verdict;
}
