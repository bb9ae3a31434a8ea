// Fault 20: what a broken model can write. Every run ends by itself, after few turns, with a sentence; nothing is changed
// on the strength of half a call.
import { afterEach, describe, expect, it } from "vitest";
import type { AgentEvent } from "../../src/agent/events.ts";
import { runAgent } from "../../src/agent/loop.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { treeHash } from "../../src/project/checkpoints.ts";
import { NodeSandbox } from "../support/node-sandbox.ts";
import { ScriptedModel, type ScriptedTurn, toolCall } from "../support/scripted-model.ts";
import { QUICK_PROJECT } from "../support/trees.ts";

const open: NodeSandbox[] = [];
afterEach(async () => {
  for (const sandbox of open.splice(0)) await sandbox.close();
});

async function play(turns: readonly ScriptedTurn[], contextLimit = 1_000_000) {
  const sandbox = await NodeSandbox.open(QUICK_PROJECT);
  open.push(sandbox);
  const model = new ScriptedModel(turns, { contextLimit });
  const events: AgentEvent[] = [];
  for await (const event of runAgent({ history: [], task: "Fix it", model, sandbox }, new AbortController().signal)) events.push(event);
  return { events, last: events.at(-1)!, turns: model.requests.length, same: (await treeHash(await sandbox.snapshot())) === (await treeHash(QUICK_PROJECT)) };
}

const EDIT = { file_path: "src/median.js", old_string: "sorted", new_string: "unsorted" };
const forever = (turn: ScriptedTurn): ScriptedTurn[] => Array.from({ length: 500 }, () => turn);
const HALF = toolCall("edit", EDIT).slice(0, -40);

describe("fault 20: a model that writes", { timeout: 120_000 }, () => {
  it.each<[string, ScriptedTurn]>([
    ["a call as broken JSON", '<tool_call>{"name": "edit", "arguments": {"file_path": "src/</tool_call>'],
    ["a call without a name", "<tool_call>\n<function=>\n</function>\n</tool_call>"],
    ["a call that is cut off by the token limit", { text: HALF, reason: "length" }],
    ["an opening tag and nothing else", "<tool_call>"],
    ["a tool that does not exist", toolCall("launch_rockets", { target: "moon" })],
    ["a call without its arguments", toolCall("edit", {})],
    ["the same call for ever", toolCall("read_file", { file_path: "src/median.js" })],
    ["the same words for ever", "la ".repeat(800)],
  ])("%s, again and again, is stopped soon and says why", async (_name, turn) => {
    const { last, turns, same, events } = await play(forever(turn));
    expect(last).toMatchObject({ type: "done", reason: "stuck" });
    expect(last.type === "done" && last.message).toMatch(/^[A-Z].{20,}\.$/s);
    expect(turns).toBeLessThanOrEqual(8);
    expect(same).toBe(true);
    // Each call that was begun has its end: no card is left running.
    expect(events.filter(({ type }) => type === "tool-started").length).toBe(events.filter(({ type }) => type === "tool-finished").length);
  });

  it("500 different calls is stopped at the step limit", async () => {
    const { last, turns } = await play(Array.from({ length: 500 }, (_, n) => toolCall("glob", { pattern: `*${n}*` })));
    expect(last).toMatchObject({ type: "done", reason: expect.stringMatching(/^(limit|stuck)$/) });
    expect(turns).toBeLessThanOrEqual(LIMITS.agentSteps);
  });

  it("two calls in one turn has only the first done", async () => {
    const { events } = await play([toolCall("read_file", { file_path: "src/median.js" }) + toolCall("edit", EDIT), "Done."]);
    expect(events.flatMap((event) => (event.type === "tool-started" ? [event.call.name] : []))).toEqual(["read_file"]);
  });

  it("half a call, then recovers: the run goes on", async () => {
    const { last, events } = await play([{ text: HALF, reason: "length" }, toolCall("read_file", { file_path: "src/median.js" }), "It is fine."]);
    expect(events.some((event) => event.type === "note")).toBe(true);
    expect(last).toMatchObject({ type: "done", reason: "answered" });
  });
});
