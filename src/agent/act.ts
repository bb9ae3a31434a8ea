// One tool call, from checkpoint to checkpoint: what was before, the tool with its output as it comes, what is after.
// Test files that a command changed although they are locked are put back.
import type { Sandbox } from "../container/sandbox.ts";
import type { Checkpoints } from "../project/checkpoints.ts";
import { changedPaths } from "../project/diff.ts";
import { isTestFile } from "../project/paths.ts";
import type { FileTree } from "../project/tree.ts";
import type { AgentEvent, ToolCall } from "./events.ts";
import type { Clock } from "./limits.ts";
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
}

export type ActStep = Step & { readonly tests: TestOutcome | undefined };

type Resolution = Extract<Resolved, { ok: true }>;

const STOPPED: ToolOutcome = { ok: false, result: "stopped by the user", aborted: true };

export async function* act(asked: ToolCall, shop: Workshop, signal: AbortSignal): AsyncGenerator<AgentEvent, ActStep, void> {
  const started = shop.clock.now();
  const resolved = resolveCall(asked.name, asked.arguments);
  const call: ToolCall = resolved.ok ? { id: asked.id, name: resolved.name, arguments: resolved.arguments } : asked;
  yield { type: "tool-started", call };

  const watch = stopWatch(signal, shop.clock);
  let outcome: ToolOutcome = { ok: false, result: "the tool failed" };
  let change: Change = { paths: [] };
  let failure: { readonly error: unknown } | undefined;
  try {
    if (!resolved.ok) outcome = { ok: false, result: resolved.message };
    else {
      const before = CHANGING.has(resolved.name) && shop.checkpoints && !signal.aborted ? await Promise.race([shop.sandbox.snapshot(), watch.late]) : undefined;
      if (signal.aborted || before === "late") outcome = STOPPED;
      else {
        const root = before && (await shop.checkpoints!.record(before, "Before a change")).id;
        outcome = yield* perform(resolved, call.id, before ? { ...shop, before } : shop, watch, signal);
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
    durationMs: shop.clock.now() - started,
    ...(outcome.report ? { report: outcome.report } : {}),
    ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
  });
  if (failure) throw failure.error;
  if (change.event) yield change.event;
  return { name: call.name, arguments: call.arguments, result: outcome.result, changed: change.paths.length > 0, noop: outcome.noop === true, tests: outcome.tests };
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
  const label = labelOf(call);
  const { id } = await shop.checkpoints!.record(after, label);
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
