// One episode: a broken project, the real agent loop, the oracle as its model. Kept only when the tests end green.
import { transcriptOf, type AgentEvent } from "../agent/events.ts";
import { runAgent } from "../agent/loop.ts";
import { systemPrompt } from "../agent/prompts.ts";
import type { ChatMessage } from "../engine/api.ts";
import { drawChat } from "./chat-lines.ts";
import type { Family } from "./draft.ts";
import { FastSandbox } from "./fast-sandbox.ts";
import { occurrences } from "./fix.ts";
import { applyMutation, mutations } from "./mutate.ts";
import { type Answer, Oracle, type OraclePlan, type Slip } from "./oracle.ts";
import { callSafely, loadFunction, parses } from "./program.ts";
import { makeProblem, type Problem } from "./problem.ts";
import { type Placed, placeProblems, projectTree, sourcePath } from "./project.ts";
import { OPENINGS, PLAIN_PROMPTS, POINTED_PROMPTS } from "./prompts.ts";
import type { Random } from "./random.ts";
import { isPlain, showValue } from "./values.ts";
import type { WordSource } from "./words.ts";

export type EpisodeKind = "fix" | "multi" | "recover" | "review" | "chat";

/** One line of a corpus, but for `system`: the bundled model's template renders that from `tools` alone. */
export interface Episode {
  readonly id: string;
  readonly kind: EpisodeKind;
  readonly family: string;
  readonly messages: readonly EpisodeMessage[];
  readonly tools: boolean;
  /** What the agent tells a model at the start. */
  readonly system?: string;
}

export interface EpisodeMessage {
  readonly role: "user" | "assistant" | "tool";
  readonly content: string;
  /** True for a deliberate mistake: it is context, not something to learn. */
  readonly skip?: true;
}

export interface EpisodeSource {
  readonly pickFamily: (random: Random) => Family;
  readonly words: WordSource;
}

/** Undefined where the loop did not end green: the caller draws again. */
export async function makeEpisode(kind: Exclude<EpisodeKind, "chat">, id: string, source: EpisodeSource, random: Random): Promise<Episode | undefined> {
  const multi = kind === "multi";
  const count = multi ? random.pick([2, 2, 3]) : random.chance(0.08) ? 2 : 1;
  const problems: Problem[] = [];
  while (problems.length < count) {
    const problem = makeProblem(source.pickFamily, { side: "train", words: source.words, hiddenCases: 0 }, random);
    if (problems.every((one) => one.rendered.fileName !== problem.rendered.fileName)) problems.push(problem);
  }
  const broken = multi ? random.pick([1, 1, 2, 3]) : 1;
  const placed = placeProblems(problems, Math.min(broken, count), multi, () => source.words.noun(random), random);
  const red = placed.filter((one) => one.isBroken);
  const slip = kind === "recover" ? mistake(red[0]!.problem, random) : kind === "review" ? ({ kind: "early-finish" } as const) : undefined;
  if (kind === "recover" && !slip) return undefined;
  const plan: OraclePlan = {
    answers: new Map(red.map((one): [string, Answer] => [sourcePath(one), answerOf(one.problem)])),
    opening: random.chance(0.3) ? random.pick(OPENINGS) : "",
    ...(slip ? { slip } : {}),
  };
  const oracle = new Oracle(plan);
  const sandbox = new FastSandbox(projectTree(source.words.noun(random), placed, "start"));
  const events: AgentEvent[] = [];
  const task = promptFor(red, random);
  const history = random.chance(CHAT_BEFORE) ? chatBefore(random) : [];
  for await (const event of runAgent({ history, task, model: oracle, sandbox }, new AbortController().signal)) events.push(event);
  const last = events[events.length - 1];
  if (last?.type === "error") throw new Error(`The oracle's episode failed: ${last.error.message}`);
  if (last?.type !== "done" || last.reason !== "verified") return undefined;
  let turn = history.length > 0 ? -1 : 0; // the oracle's turns are counted from its first
  const messages = [...history, ...transcriptOf(events)].flatMap(({ role, content }): EpisodeMessage[] => {
    if (role === "system") return [];
    if (role !== "assistant") return [{ role, content }];
    return [oracle.slips.has(turn++) ? { role, content, skip: true } : { role, content }];
  });
  const system = systemPrompt(await sandbox.list(), { unlockTests: false });
  return { id, kind, family: red[0]!.problem.rendered.family, messages, tools: true, system };
}

/** How often a little chat stands before the request. */
const CHAT_BEFORE = 0.03;

function chatBefore(random: Random): ChatMessage[] {
  const { ask, answer } = drawChat(random);
  return [{ role: "system", content: "" }, { role: "user", content: ask }, { role: "assistant", content: answer }];
}

function answerOf(problem: Problem): Answer {
  return { functionName: problem.rendered.name, right: problem.rendered.source.replace(/\n$/, ""), fix: problem.fix };
}

/** What the user asks. Names a file or function only where one thing is broken. */
export function promptFor(red: readonly Placed[], random: Random): string {
  if (red.length > 1 || random.chance(0.55)) return random.pick(PLAIN_PROMPTS);
  return random.pick(POINTED_PROMPTS).replace("{path}", sourcePath(red[0]!)).replace("{name}", red[0]!.problem.rendered.name);
}

/** An edit that is not found, or one that is made and leaves a test red. */
function mistake(problem: Problem, random: Random): Slip | undefined {
  const { fix, broken, rendered } = problem;
  if (random.chance(0.5) && occurrences(broken, fix.newText) === 0) return { kind: "not-found", oldText: fix.newText };
  for (const mutation of random.shuffle(mutations(rendered.source, rendered.name))) {
    const wrong = applyMutation(rendered.source, mutation);
    const newText = changedLine(wrong, rendered.source);
    const onSameLine = newText !== undefined && wrong.replace(newText.wrong, fix.newText) === rendered.source;
    if (!newText || !onSameLine || newText.wrong === fix.oldText || occurrences(wrong, newText.wrong) !== 1) continue;
    if (staysRed(wrong, problem)) return { kind: "wrong-fix", newText: newText.wrong };
  }
  return undefined;
}

function changedLine(wrong: string, right: string): { wrong: string } | undefined {
  const [a, b] = [wrong.split("\n"), right.split("\n")];
  const at = a.findIndex((line, i) => line !== b[i]);
  return at < 0 || a.length !== b.length ? undefined : { wrong: a[at]!.trim() };
}

/** True when a visible test fails in a way that ends and reads well. */
function staysRed(source: string, problem: Problem): boolean {
  if (!parses(source)) return false;
  const fn = loadFunction(source, problem.rendered.name);
  const outcomes = problem.visible.map((one) => ({ one, outcome: callSafely(fn, one.args) }));
  if (!outcomes.every(({ outcome }) => outcome.kind === "value" && isPlain(outcome.value))) return false;
  return outcomes.some(({ one, outcome }) => outcome.kind === "value" && showValue(outcome.value as never) !== showValue(one.expected));
}
