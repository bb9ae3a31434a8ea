// One tool call, from checkpoint to checkpoint: what was before, the tool with its output as it comes, what is after.
// Test files that a command changed although they are locked are put back.
import { LIMITS } from "../base/limits.ts";
import type { Sandbox } from "../container/sandbox.ts";
import type { Checkpoints } from "../project/checkpoints.ts";
import { changedPaths } from "../project/changed-paths.ts";
import { isTestFile } from "../project/paths.ts";
import type { FileTree } from "../project/tree.ts";
import type { AgentEvent, ToolCall } from "./events.ts";
import type { Clock } from "./limits.ts";
import { decide, deniedResult, type Mode, type PermissionAnswer, type ToolRule } from "./permission.ts";
import { repositoryRefusal } from "./repository-guard.ts";
import { Channel, type StopWatch, stopWatch } from "./streams.ts";
import type { Step } from "./stuck.ts";
import type { TestOutcome } from "./test-report.ts";
import { type Resolved, resolveCall } from "./tool-specs.ts";
import { runTool, type ToolContext, type ToolOutcome } from "./tools.ts";

export interface Workshop {
  readonly sandbox: Sandbox;
  readonly created: Set<string>;
  readonly unlockTests: boolean;
  readonly checkpoints: Checkpoints | undefined;
  readonly log: (event: AgentEvent) => AgentEvent;
  readonly clock: Clock;
  readonly mode: Mode;
  readonly rules: readonly ToolRule[];
  /** Condenses a long result that is no test run; undefined where it cannot. Absent without a small model. */
  readonly condense?: ((result: string, signal: AbortSignal) => Promise<string | undefined>) | undefined;
  /** The name of the model that calls, where there are two. */
  readonly by?: string | undefined;
  /** Said beside the step in the timeline, such as which try it was. */
  readonly aside?: string | undefined;
  /** Asks the user; absent where nobody can be asked: then the answer is no. */
  readonly ask: ((call: ToolCall, signal: AbortSignal) => Promise<PermissionAnswer>) | undefined;
}

/** `askedMs`: how long the user was waited for; it counts against no limit. */
export type ActStep = Step & { readonly tests: TestOutcome | undefined; readonly askedMs: number };

type Resolution = Extract<Resolved, { ok: true }>;

const STOPPED: ToolOutcome = { ok: false, result: "stopped by the user", aborted: true };

export async function* act(asked: ToolCall, shop: Workshop, signal: AbortSignal): AsyncGenerator<AgentEvent, ActStep, void> {
  const started = shop.clock.now();
  const resolved = resolveCall(asked.name, asked.arguments);
  const call: ToolCall = resolved.ok ? { id: asked.id, name: resolved.name, arguments: resolved.arguments } : asked;
  yield { type: "tool-started", call, ...(shop.by === undefined ? {} : { by: shop.by }) };

  const denied = resolved.ok ? yield* permit(call, shop, signal) : undefined;
  const begun = shop.clock.now();
  const watch = stopWatch(signal, shop.clock);
  let outcome: ToolOutcome = { ok: false, result: "the tool failed" };
  let change: Change = { paths: [] };
  let failure: { readonly error: unknown } | undefined;
  try {
    if (!resolved.ok) outcome = { ok: false, result: resolved.message };
    else if (denied !== undefined) outcome = signal.aborted ? STOPPED : { ok: false, result: denied };
    else {
      const before = CHANGING.has(resolved.name) && shop.checkpoints && !signal.aborted ? await Promise.race([shop.sandbox.snapshot(), watch.late]) : undefined;
      if (signal.aborted || before === "late") outcome = STOPPED;
      else {
        const root = before && (await shop.checkpoints!.record(before, "Before a change")).id;
        outcome = yield* perform(resolved, call.id, before ? { ...shop, before } : shop, watch, signal);
        outcome = await condensed(outcome, shop, watch, signal);
        if (outcome.wrote) change = { paths: [outcome.wrote.path] };
        if (before && root !== undefined) {
          const compared = await Promise.race([compare(before, root, call, outcome, shop), watch.late]);
          if (compared !== "late") change = compared;
        }
      }
    }
  } catch (error) {
    failure = { error };
  } finally {
    watch.close();
  }
  // A call in the transcript always has its answer, even if the sandbox died under it.
  yield shop.log({
    type: "tool-finished",
    call,
    result: outcome.result + (change.note ?? ""),
    ok: outcome.ok,
    durationMs: shop.clock.now() - begun,
    ...(outcome.report ? { report: outcome.report } : {}),
    ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
  });
  if (failure) throw failure.error;
  if (change.event) yield change.event;
  return { name: call.name, arguments: call.arguments, result: outcome.result, changed: change.paths.length > 0, noop: outcome.noop === true, tests: outcome.tests, askedMs: begun - started };
}

/** The answer, or a no as soon as the signal fires: whoever is asked may not listen to it. */
function untilAborted(answer: Promise<PermissionAnswer>, signal: AbortSignal): Promise<PermissionAnswer> {
  return new Promise((resolve, reject) => {
    const no = (): void => resolve({ allow: false });
    signal.addEventListener("abort", no, { once: true });
    if (signal.aborted) no();
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", no));
  });
}

/** Undefined if the call may go ahead, else what the model is told. */
async function* permit(call: ToolCall, shop: Workshop, signal: AbortSignal): AsyncGenerator<AgentEvent, string | undefined, void> {
  const refusal = call.name === "run_shell_command" && shop.mode !== "plan" ? repositoryRefusal(String(call.arguments["command"])) : undefined;
  if (refusal !== undefined) return refusal;
  const decision = decide(call, shop.mode, shop.rules);
  if (decision === "allow") return undefined;
  if (decision === "deny" || !shop.ask) return deniedResult(shop.mode, undefined);
  yield { type: "permission-asked", call };
  const answer = await untilAborted(shop.ask(call, signal), signal);
  yield { type: "permission-answered", id: call.id, allow: answer.allow, ...(answer.reason === undefined ? {} : { reason: answer.reason }) };
  return answer.allow ? undefined : deniedResult(shop.mode, answer);
}

const CHANGING: ReadonlySet<string> = new Set(["edit", "write_file", "run_shell_command"]);

interface Change {
  readonly paths: readonly string[];
  readonly event?: AgentEvent;
  /** Said to the model after the tool's own result. */
  readonly note?: string;
}

/** What the tool changed, recorded as a checkpoint; locked tests that a command touched are put back first. */
async function compare(before: FileTree, root: string, call: ToolCall, outcome: ToolOutcome, shop: Workshop): Promise<Change> {
  if (call.name !== "run_shell_command" && !outcome.wrote) return { paths: [] };
  let after = outcome.wrote ? new Map(before).set(outcome.wrote.path, outcome.wrote.bytes) : await shop.sandbox.snapshot();
  let paths = changedPaths(before, after);
  const locked = shop.unlockTests || outcome.wrote ? [] : paths.filter((path) => before.has(path) && isTestFile(path) && !shop.created.has(path));
  if (locked.length > 0) {
    after = await putBack(locked, before, after, shop.sandbox);
    paths = changedPaths(before, after);
  }
  const note = locked.length > 0 ? { note: `\n${locked.join(", ")}: locked test files, put back as they were.` } : {};
  if (paths.length === 0) return { paths, ...note };
  const label = labelOf(call) + (shop.aside === undefined ? "" : ` (${shop.aside})`);
  const { id } = await shop.checkpoints!.record(after, label, "step");
  return { paths, ...note, event: { type: "checkpoint", before: root, after: id, label, paths } };
}

/** The tool itself, its output streamed; given up soon after Stop even if the sandbox does not answer. */
async function* perform(call: Resolution, id: string, shop: ToolContext, watch: StopWatch, signal: AbortSignal): AsyncGenerator<AgentEvent, ToolOutcome, void> {
  const output = new Channel<string>();
  const tool = runTool(call.name, call.arguments, shop, (text) => output.push(text), signal);
  const running = Promise.race([tool, watch.late]).finally(() => output.close());
  running.then(undefined, () => undefined); // awaited below; until then a failure is not "unhandled"
  try {
    for await (const text of output) yield { type: "tool-output", id, text };
    const outcome = await running;
    return outcome === "late" ? STOPPED : outcome;
  } catch (error) {
    if (signal.aborted) return STOPPED;
    throw error;
  }
}

/** What the model reads of a long output, where a small one can say what matters in it. The user sees all of it. */
async function condensed(outcome: ToolOutcome, { condense }: Workshop, watch: StopWatch, signal: AbortSignal): Promise<ToolOutcome> {
  if (!condense || outcome.exitCode === undefined || outcome.report || outcome.aborted || outcome.result.length < LIMITS.condensedFrom) return outcome;
  const shorter = await Promise.race([condense(outcome.result, signal), watch.late]);
  return shorter === undefined || shorter === "late" ? outcome : { ...outcome, result: shorter };
}

async function putBack(paths: readonly string[], before: FileTree, after: FileTree, sandbox: Sandbox): Promise<Map<string, Uint8Array>> {
  const tree = new Map(after);
  for (const path of paths) {
    const bytes = before.get(path)!;
    await sandbox.writeFile(path, bytes);
    tree.set(path, bytes);
  }
  return tree;
}

/** What the timeline shows: "Edited src/a.js", "Ran npm run build". */
function labelOf(call: ToolCall): string {
  const { file_path: file, command } = call.arguments;
  if (call.name === "run_shell_command") return `Ran ${String(command).slice(0, 60)}`;
  return `${call.name === "edit" ? "Edited" : "Wrote"} ${String(file)}`;
}
