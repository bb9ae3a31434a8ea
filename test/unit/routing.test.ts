import { describe, expect, it } from "vitest";
import { condenseLog } from "../../src/agent/condense-log.ts";
import { type AgentEvent, transcriptOf } from "../../src/agent/events.ts";
import { type AgentOptions, runAgent } from "../../src/agent/loop.ts";
import { type Draft, handover, LEAST_CERTAINTY, nextWriter, ROUTE_START, type Route, routeAfter } from "../../src/agent/routing.ts";
import { helperBudget, mustShrink } from "../../src/engine/shared-memory.ts";
import { FastSandbox } from "../../src/tasks/fast-sandbox.ts";
import { showEvent } from "../../src/ui/chat/chat-log.ts";
import type { ChatItem } from "../../src/ui/chat/chat-item.ts";
import { ScriptedModel, type ScriptedTurn, toolCall } from "../support/scripted-model.ts";
import { MEDIAN_PROJECT, treeOf } from "../support/trees.ts";

const SURE = LEAST_CERTAINTY / 2;
const UNSURE = LEAST_CERTAINTY * 2;
const draft = (more: Partial<Draft> = {}): Draft => ({ isReadable: true, meanLogprob: SURE, ...more });
const edited = (by: "helper" | "model") => ({ by, changed: true, tests: undefined });
const red = { by: "helper", changed: false, tests: "failed" } as const;

describe("the route between a small and a large model", () => {
  it("lets a draft stand that can be read and was sure; a model that does not tell how sure it was is not trusted", () => {
    expect(handover(draft(), ROUTE_START)).toBeUndefined();
    expect(handover(draft({ isReadable: false }), ROUTE_START)).toBe("unreadable");
    expect(handover(draft({ meanLogprob: UNSURE }), ROUTE_START)).toBe("unsure");
    expect(handover(draft({ meanLogprob: undefined }), ROUTE_START)).toBe("unsure");
    expect(handover(draft({ meanLogprob: UNSURE }), ROUTE_START, UNSURE)).toBeUndefined();
    // With green tests there is nothing left to get wrong but the words.
    const green = routeAfter(ROUTE_START, { ...red, tests: "passed" });
    expect(handover(draft({ meanLogprob: UNSURE }), green)).toBeUndefined();
    expect(handover(draft({ meanLogprob: UNSURE, tool: "edit" }), green)).toBe("unsure");
  });

  it("gives the edits to the large one when the tests were red twice after the small one's, and leaves it the test runs", () => {
    const steps = [red, edited("helper"), red, red, edited("helper"), red];
    const routes = steps.reduce<Route[]>((all, step) => [...all, routeAfter(all.at(-1)!, step)], [ROUTE_START]);
    expect(routes.map(({ redRuns }) => redRuns)).toEqual([0, 0, 0, 1, 1, 1, 2]); // a run that tests nothing new counts for nothing
    expect(routes.map(nextWriter)).toEqual([...Array<string>(6).fill("helper"), "model"]);
    const changed = routeAfter(routes.at(-1)!, edited("model"));
    expect(nextWriter(changed)).toBe("helper");
    expect(handover(draft({ tool: "run_shell_command", meanLogprob: UNSURE }), changed)).toBeUndefined();
    expect(handover(draft({ tool: "edit" }), changed)).toBe("red");
    expect(handover(draft(), changed)).toBe("red");
    // The large one's own red runs do not count against the small one; a green one forgets all.
    expect(routeAfter(changed, red).redRuns).toBe(2);
    expect(routeAfter(changed, { ...red, tests: "passed" })).toEqual({ ...ROUTE_START, isGreen: true });
  });
});

const edit = (to: string): string => toolCall("edit", { file_path: "src/median.js", old_string: "return (sorted[middle] + sorted[middle]) / 2;", new_string: to });
const RIGHT = edit("return (sorted[middle - 1] + sorted[middle]) / 2;");
const TEST = toolCall("run_shell_command", { command: "npm test" });
const sure = (text: string): ScriptedTurn => ({ text, logprob: SURE });

async function play(small: readonly ScriptedTurn[], large: readonly ScriptedTurn[], options: AgentOptions = {}, smallContext = 32_768) {
  const helper = { model: new ScriptedModel(small, { contextLimit: smallContext }), name: "Small", modelName: "Large" };
  const model = new ScriptedModel(large);
  const events: AgentEvent[] = [];
  for await (const event of runAgent({ history: [], task: "Fix the failing test", model, helper, sandbox: new FastSandbox(MEDIAN_PROJECT), options }, new AbortController().signal)) events.push(event);
  const by = events.flatMap((event) => (event.type === "assistant" ? [event.by] : []));
  const handovers = events.flatMap((event) => (event.type === "handover" ? [event.reason] : []));
  return { events, by, handovers, model, helper: helper.model, done: events.at(-1) };
}

describe("an agent of two models", () => {
  it("drafts with the small one, and asks the large one where the draft is unsure or no call of any tool", async () => {
    const { by, handovers, done, events, model } = await play(
      [sure(`I run the tests.\n${TEST}`), { text: edit("return 0;"), logprob: UNSURE }, sure(TEST), sure(toolCall("fly", {}))],
      [RIGHT, "Fixed median."],
    );
    expect(by).toEqual(["Small", "Large", "Small", "Large"]);
    expect(handovers).toEqual(["unsure", "unreadable"]);
    expect(done).toMatchObject({ reason: "verified", steps: 4 });
    // The large one reads what happened, and no draft that did not stand.
    expect(model.requests[0]!.messages.map(({ content }) => content)).toEqual(transcriptOf(events).slice(0, 4).map(({ content }) => content));
    expect(events.flatMap((event) => (event.type === "text" ? [event.text] : [])).join("")).toBe("I run the tests.\nFixed median.");
    const items = events.reduce<readonly ChatItem[]>(showEvent, []);
    expect(items.flatMap((item) => (item.kind === "tool" ? [item.by] : []))).toEqual(["Small", "Large", "Small"]);
    expect(items.filter((item) => item.kind === "note" && item.title === "The large model answers").length).toBe(2);
  });

  it("hands the edits over when the tests stay red, and takes the test runs back", async () => {
    const { by, handovers, done } = await play(
      [sure(edit("return 0;")), sure(TEST), sure(toolCall("edit", { file_path: "src/median.js", old_string: "return 0;", new_string: "return 1;" })), sure(TEST), sure(TEST), sure("Fixed.")],
      [toolCall("edit", { file_path: "src/median.js", old_string: "return 1;", new_string: "return (sorted[middle - 1] + sorted[middle]) / 2;" })],
    );
    expect(by).toEqual(["Small", "Small", "Small", "Small", "Large", "Small", "Small"]);
    expect(handovers).toEqual(["red"]);
    expect(done).toMatchObject({ reason: "verified" });
  });

  it("asks the large one alone where the conversation is too long for the small one", async () => {
    const { by, handovers, helper } = await play([], [TEST, "It is red."], { limits: { steps: 2 } }, 80);
    expect(by).toEqual(["Large", "Large"]);
    expect(handovers).toEqual(["context", "context"]);
    expect(helper.requests.length).toBe(0);
  });

  it("tries other edits with the one that wrote the first", async () => {
    const { by, helper, events } = await play([sure(edit("return 0;")), sure(RIGHT), sure(TEST), sure("Fixed.")], [], { tries: 2 });
    expect(by).toEqual(["Small", "Small", "Small"]);
    expect(helper.requests.length).toBe(4);
    expect(events.find((event) => event.type === "tries")).toMatchObject({ kept: 2 });
  });
});

describe("a long output", () => {
  const noise = Array.from({ length: 400 }, (_, i) => `step ${i} went well`);
  const log = ["exit code 2:", ...noise.slice(0, 200), "error TS2322 in src/a.ts:7", ...noise.slice(200)].join("\n");
  const condensed = (answer: ScriptedTurn, signal = new AbortController().signal) => condenseLog({ model: new ScriptedModel([answer]), name: "Small" }, log, signal);

  it("is quoted by the lines that the small model names, and says so", async () => {
    expect(await condensed("1, 201-202")).toBe("exit code 2:\nstep 0 went well\nerror TS2322 in src/a.ts:7\nstep 200 went well\n[3 of 401 lines, chosen by Small]");
  });

  it("stays as it is where the answer is anything but line numbers", async () => {
    for (const answer of ["The build failed.", "", "0", "402", "9-3", "1-13", "3, and line 7", "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13"]) expect(await condensed(answer)).toBeUndefined();
    expect(await condensed({ text: "3", reason: "length" })).toBeUndefined();
  });

  it("reaches the large model condensed, in the loop; the numbers of a test run need no help", async () => {
    const files = treeOf({ "package.json": "{}" });
    class Printing extends FastSandbox {
      override async run() {
        return { exitCode: 2, output: log.slice(log.indexOf("\n") + 1), end: "exit" as const, durationMs: 1 };
      }
    }
    const small = new ScriptedModel([{ text: toolCall("run_shell_command", { command: "make" }), logprob: SURE }, "201", { text: "Broken.", logprob: SURE }]);
    const events: AgentEvent[] = [];
    for await (const event of runAgent({ history: [], task: "Build it", model: new ScriptedModel([]), helper: { model: small, name: "Small", modelName: "Large" }, sandbox: new Printing(files) }, new AbortController().signal)) events.push(event);
    expect(events.find((event) => event.type === "tool-finished")).toMatchObject({ result: "exit code 2\nerror TS2322 in src/a.ts:7\n[1 of 401 lines, chosen by Small]" });
  });
});

describe("one budget for two models", () => {
  it("gives the small one a quarter, never less than it runs with, never more than it can use", () => {
    expect(helperBudget(4000, { gpuBytes: 100, leastGpuBytes: 50 })).toBe(100);
    expect(helperBudget(4000, { gpuBytes: 3000, leastGpuBytes: 500 })).toBe(1000);
    expect(helperBudget(4000, { gpuBytes: 3000, leastGpuBytes: 1500 })).toBe(1500);
    expect(helperBudget(4000, undefined)).toBe(1000);
  });

  it("has the large one loaded again only where both do not fit", () => {
    expect(mustShrink(4000, 3000, 1000)).toBe(false);
    expect(mustShrink(4000, 3001, 1000)).toBe(true);
  });
});
