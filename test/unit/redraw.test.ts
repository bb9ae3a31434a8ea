import { describe, expect, it } from "vitest";
import { type AgentEvent, transcriptOf } from "../../src/agent/events.ts";
import { type AgentOptions, runAgent } from "../../src/agent/loop.ts";
import { LIMITS } from "../../src/base/limits.ts";
import type { TokenLogprobs } from "../../src/engine/api.ts";
import { Checkpoints } from "../../src/project/checkpoints.ts";
import { FastSandbox } from "../../src/tasks/fast-sandbox.ts";
import { ScriptedModel, type ScriptedTurn, toolCall } from "../support/scripted-model.ts";
import { MEDIAN_PROJECT, textOf } from "../support/trees.ts";

const OLD = "return (sorted[middle] + sorted[middle]) / 2;";
const FIXED = "return (sorted[middle - 1] + sorted[middle]) / 2;";
const edit = (from: string, to: string): string => toolCall("edit", { file_path: "src/median.js", old_string: from, new_string: to });
const SAME = edit(OLD, OLD);
const RIGHT = edit(OLD, FIXED);
const WRONG = edit(OLD, "return 7;");
const LOST = edit("return nothing;", "return 1;");
const TEST = toolCall("run_shell_command", { command: "npm test" });

async function play(turns: readonly ScriptedTurn[], options: AgentOptions = {}, stopAt = Number.POSITIVE_INFINITY) {
  const sandbox = new FastSandbox(MEDIAN_PROJECT);
  const stop = new AbortController();
  const model = new ScriptedModel(turns.map((turn, index) => (index === stopAt ? () => (stop.abort(), String(turn)) : turn)));
  const checkpoints = new Checkpoints();
  const events: AgentEvent[] = [];
  for await (const event of runAgent({ history: [], task: "Fix the failing test", model, sandbox, options: { checkpoints, ...options } }, stop.signal)) events.push(event);
  const said = transcriptOf(events).flatMap(({ role, content }) => (role === "assistant" ? [content] : []));
  return { model, events, said, checkpoints, text: textOf(await sandbox.snapshot(), "src/median.js"), done: events.at(-1)! };
}

describe("an edit that changes nothing", () => {
  it("is drawn again from the same prompt, and never stands in the conversation", async () => {
    const { model, said, text, events, checkpoints, done } = await play([`I fix it.\n${SAME}`, SAME, `Now.\n${RIGHT}`, TEST, "Fixed."]);
    expect(said).toEqual([`I fix it.\n${RIGHT}`, TEST, "Fixed."]);
    expect(text).toContain("middle - 1");
    const [first, second, third] = model.requests;
    expect([second!.messages, third!.messages]).toEqual([first!.messages, first!.messages]);
    expect([first, second, third].map((request) => [request!.logprobs, request!.sampling?.temperature])).toEqual([[undefined, undefined], [3, undefined], [3, 1]]);
    expect(events.flatMap((event) => (event.type === "text" ? [event.text] : [])).join("")).toBe("I fix it.\nFixed.");
    expect(checkpoints.entries.at(-1)).toMatchObject({ label: "Edited src/median.js (drawn again)" });
    const tokens = [`I fix it.\n${SAME}`, SAME, `Now.\n${RIGHT}`, TEST, "Fixed."].reduce((sum, turn) => sum + Math.ceil(turn.length / 4), 0);
    expect(done).toMatchObject({ type: "done", reason: "verified", steps: 3, tokens });
  });

  it("leaves its way where another choice costs least, once the model has told", async () => {
    const { model } = await play([SAME, telling(SAME, "sorted[middle]) / 2;\n</parameter>\n</function>"), RIGHT, TEST, "Fixed."]);
    const at = SAME.indexOf("sorted[middle]) / 2;\n</parameter>\n</function>");
    expect(model.requests[2]).toMatchObject({ forks: [{ at, rank: 2 }], logprobs: 3 });
    expect(model.requests[2]!.sampling).toBeUndefined();
  });

  it("is one that an earlier edit of the request made; an undo, once, is not", async () => {
    const undo = edit("return 7;", OLD);
    const { said, text } = await play([WRONG, TEST, undo, WRONG, RIGHT, TEST, "Fixed."]);
    expect(said).toEqual([WRONG, TEST, undo, RIGHT, TEST, "Fixed."]);
    expect(text).toContain("middle - 1");
  });

  it("is one that was refused before in the same words, and no draw that would be refused takes its place", async () => {
    const { said } = await play([LOST, LOST, edit("return none;", "return 1;"), RIGHT, TEST, "Fixed."]);
    expect(said).toEqual([LOST, RIGHT, TEST, "Fixed."]);
  });

  it("stands after all where every draw is vain", async () => {
    const { said, model, done } = await play([...Array.from({ length: 6 }, () => SAME), "I cannot."]);
    expect(said).toEqual([SAME, "I cannot."]);
    expect(model.requests).toHaveLength(7);
    expect(done).toMatchObject({ reason: "answered" });
  });

  it("is drawn again in four turns of a request and no more: then the model goes round, and is stopped", async () => {
    const wrong = [1, 2, 3, 4].map((n) => edit(n === 1 ? OLD : `return ${n - 1};`, `return ${n};`));
    const { model, said, done } = await play([...wrong.flatMap((one) => [SAME, SAME, one, TEST]), SAME, SAME, SAME, "x"]);
    expect(said).toEqual([...wrong.flatMap((one) => [one, TEST]), SAME, SAME, SAME]);
    expect(model.requests).toHaveLength(4 * 4 + 3);
    expect(done).toMatchObject({ reason: "stuck" });
  });

  it("is not drawn again where it may not be made, or no tokens are left", async () => {
    expect((await play([SAME, "A plan."], { mode: "plan" })).model.requests).toHaveLength(2);
    const limited = await play([SAME, "x"], { limits: { tokens: Math.ceil(SAME.length / 4) } });
    expect(limited.model.requests).toHaveLength(1);
    expect(limited.done).toMatchObject({ reason: "limit" });
    expect(LIMITS.agentSteps).toBeGreaterThan(1);
  });

  it("lets itself be stopped while it is drawn again: the draw is not acted on", async () => {
    const { said, done, text } = await play([`I fix it.\n${SAME}`, RIGHT, RIGHT], {}, 1);
    expect(done).toMatchObject({ reason: "stopped" });
    expect(said).toEqual(["I fix it.\n"]);
    expect(text).toContain(OLD);
  });

  it("ends within a second when it is stopped while the sandbox does not answer", async () => {
    const stop = new AbortController();
    const sandbox = new FastSandbox(MEDIAN_PROJECT);
    sandbox.readFile = () => (setTimeout(() => stop.abort(), 10), new Promise(() => undefined));
    const events: AgentEvent[] = [];
    const started = performance.now();
    for await (const event of runAgent({ history: [], task: "Fix it", model: new ScriptedModel([RIGHT]), sandbox }, stop.signal)) events.push(event);
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "stopped" });
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

/** One token a character, each sure but for the one where `from` begins. */
function telling(text: string, from: string): ScriptedTurn {
  const at = text.indexOf(from);
  const logprobs = [...text].map((token, index): TokenLogprobs => {
    const of = (name: string, logprob: number) => ({ token: name, bytes: [...new TextEncoder().encode(name)], logprob });
    return { ...of(token, index === at ? -0.2 : -0.001), top: [of(token, index === at ? -0.2 : -0.001), of("#", index === at ? -1.7 : -9)] };
  });
  return { text, logprobs };
}
