import { describe, expect, it } from "vitest";
import { ForkSearch } from "../../src/agent/forks.ts";
import { type AgentEvent, transcriptOf } from "../../src/agent/events.ts";
import { type AgentOptions, runAgent } from "../../src/agent/loop.ts";
import { LIMITS } from "../../src/base/limits.ts";
import type { RunOptions } from "../../src/container/sandbox.ts";
import { bestTry } from "../../src/agent/tries.ts";
import type { TokenLogprobs } from "../../src/engine/api.ts";
import { Checkpoints, treeHash } from "../../src/project/checkpoints.ts";
import type { FileTree } from "../../src/project/tree.ts";
import { FastSandbox } from "../../src/tasks/fast-sandbox.ts";
import { closeAll, showEvent } from "../../src/ui/chat/chat-log.ts";
import type { ChatItem } from "../../src/ui/chat/chat-item.ts";
import { ScriptedModel, type ScriptedTurn, toolCall } from "../support/scripted-model.ts";
import { MEDIAN_PROJECT, textOf, treeOf } from "../support/trees.ts";

const OLD = "return (sorted[middle] + sorted[middle]) / 2;";
const edit = (to: string): string => toolCall("edit", { file_path: "src/median.js", old_string: OLD, new_string: to });
/** Green; red with both tests; red with one of two; made of nothing that is there. */
const RIGHT = edit("return (sorted[middle - 1] + sorted[middle]) / 2;");
const WORSE = toolCall("edit", { file_path: "src/median.js", old_string: "return sorted[middle];", new_string: "return -1;" });
const WRONG = edit("return sorted[middle] - 1;");
const LOST = toolCall("edit", { file_path: "src/median.js", old_string: "return nothing;", new_string: "return 1;" });
const TEST = toolCall("run_shell_command", { command: "npm test" });

async function play(turns: readonly ScriptedTurn[], options: AgentOptions = {}, files: FileTree = MEDIAN_PROJECT, signal = new AbortController().signal) {
  const sandbox = new FastSandbox(files);
  const model = new ScriptedModel(turns);
  const checkpoints = new Checkpoints();
  await checkpoints.record(files, "Opened", "opened");
  const events: AgentEvent[] = [];
  for await (const event of runAgent({ history: [], task: "Fix the failing test", model, sandbox, options: { tries: 4, checkpoints, ...options } }, signal)) events.push(event);
  const report = events.find((event) => event.type === "tries");
  return { sandbox, model, checkpoints, events, report, done: events.at(-1) };
}

describe("the tries of an edit", () => {
  it("are drawn from the same prompt while the tests are red; the green one is kept, as if it had been the only one", async () => {
    const { sandbox, model, report, events, done } = await play([{ text: `I fix it.\n${WRONG}`, logprob: -0.5 }, LOST, `Now.\n${RIGHT}`, TEST, "Fixed."]);
    expect(report).toMatchObject({ kept: 3, of: 4, command: "npm test", words: "Now.\n" });
    expect(report!.tries).toMatchObject([
      { number: 1, verdict: "red", passed: 1, failed: 1, meanLogprob: -0.5 },
      { number: 2, verdict: "unusable" },
      { number: 3, verdict: "green", passed: 2, failed: 0 },
    ]);
    expect(report!.tries[1]!.problem).toMatch(/not found|no .*text/i);
    const [first, second, third] = model.requests;
    expect(second!.messages).toEqual(first!.messages);
    expect(third!.messages).toEqual(first!.messages);
    expect(first!.sampling).toBeUndefined();
    expect(second!.sampling!.temperature).toBeLessThan(third!.sampling!.temperature!);
    expect(transcriptOf(events).slice(2)).toEqual([
      { role: "assistant", content: `Now.\n${RIGHT}` },
      { role: "tool", content: "Edited src/median.js. Run the tests." },
      { role: "assistant", content: TEST },
      { role: "tool", content: "exit code 0: 2 passed, 0 failed" },
      { role: "assistant", content: "Fixed." },
    ]);
    expect(textOf(await sandbox.snapshot(), "src/median.js")).toContain("middle - 1");
    const written = report!.tries.reduce((sum, { tokens }) => sum + tokens, 0);
    expect(done).toMatchObject({ type: "done", reason: "verified", steps: 3 });
    expect(done).toHaveProperty("tokens", written + Math.ceil(TEST.length / 4) + Math.ceil("Fixed.".length / 4));
  });

  it("end with the first where it is green", async () => {
    const { model, report } = await play([RIGHT, TEST, "Fixed."]);
    expect(report).toMatchObject({ kept: 1, tries: [{ verdict: "green" }] });
    expect(model.requests.length).toBe(3);
  });

  it("keep the least red one where none is green, and test the same edit once", async () => {
    const { report } = await play([WORSE, WRONG, WORSE, WRONG, "I cannot."]);
    expect(report!.tries.map(({ verdict, passed, sameAs }) => [verdict, passed, sameAs])).toEqual([["red", 0, undefined], ["red", 1, undefined], ["red", 0, 1], ["red", 1, 2]]);
    expect(report!.kept).toBe(2);
  });

  it("become states of the project beside it: the kept one is a step, the others can be compared and gone back to", async () => {
    const { checkpoints, report } = await play([WRONG, WORSE, RIGHT, TEST, "Fixed."]);
    expect(checkpoints.entries.map(({ label, kind, parent }) => [label, kind, parent])).toEqual([
      ["Opened", "opened", undefined],
      ["Try 1: 1 failed", "try", "1"],
      ["Try 2: 2 failed", "try", "1"],
      ["Edited src/median.js (try 3 of 3)", "step", "1"],
    ]);
    expect(checkpoints.current!.id).toBe("4");
    const [first] = report!.tries;
    expect(textOf(checkpoints.tree(first!.checkpoint!), "src/median.js")).toContain("return sorted[middle] - 1;");
  });

  it("leave nothing of a try behind: neither its edit nor what its tests wrote", async () => {
    class Littering extends FastSandbox {
      override async run(command: string) {
        await this.writeFile("coverage.json", new Uint8Array([1]));
        return super.run(command);
      }
    }
    const sandbox = new Littering(MEDIAN_PROJECT);
    const model = new ScriptedModel([WRONG, WORSE, LOST, LOST, "I cannot."]);
    const states: string[] = [];
    for await (const event of runAgent({ history: [], task: "Fix it", model, sandbox, options: { tries: 4 } }, new AbortController().signal)) {
      if (event.type === "try" && event.phase === "draw") states.push(await treeHash(await sandbox.snapshot()));
    }
    expect(new Set(states)).toEqual(new Set([await treeHash(MEDIAN_PROJECT)]));
    expect(states.length).toBe(3);
  });

  it("are not made where an edit or the tests must be asked for, or nothing could judge", async () => {
    const ask = async () => ({ allow: true });
    expect((await play([RIGHT, TEST, "Fixed."], { mode: "ask", ask })).report).toBeUndefined();
    expect((await play([RIGHT, TEST, "Fixed."], { rules: [{ tool: "run", command: "npm test", decision: "ask" }], ask })).report).toBeUndefined();
    const untested = new Map([...MEDIAN_PROJECT, ...treeOf({ "package.json": "{}" })]);
    expect((await play([RIGHT, "Done.", "Done.", "Done."], {}, untested)).report).toBeUndefined();
  });

  it("end with Stop, during a draw and during a test run, and the project is as it was", async () => {
    for (const phase of ["draw", "test"] as const) {
      const stop = new AbortController();
      const sandbox = new FastSandbox(MEDIAN_PROJECT);
      const model = new ScriptedModel([WRONG, phase === "draw" ? { text: "I think", hang: true } : WORSE, RIGHT]);
      const events: AgentEvent[] = [];
      for await (const event of runAgent({ history: [], task: "Fix it", model, sandbox, options: { tries: 4 } }, stop.signal)) {
        events.push(event);
        if (event.type === "try" && event.number === 2 && event.phase === phase) stop.abort();
      }
      expect(events.at(-1)).toMatchObject({ type: "done", reason: "stopped" });
      expect(events.some(({ type }) => type === "tries")).toBe(false);
      expect(await treeHash(await sandbox.snapshot())).toBe(await treeHash(MEDIAN_PROJECT));
      const items = closeAll(events.reduce<readonly ChatItem[]>(showEvent, []), true);
      expect(items.find(({ kind }) => kind === "tries")).toMatchObject({ phase: "stopped" });
    }
  });

  it("may take three times as long to judge as the tests took before: a wrong edit that loops is given up", async () => {
    const given: (number | undefined)[] = [];
    class Watched extends FastSandbox {
      override async run(command: string, options: RunOptions = {}) {
        given.push(options.timeoutMs);
        return super.run(command, options);
      }
    }
    let now = 0;
    const clock = { now: () => (now += 400), sleep: () => Promise.resolve() }; // every look at the clock is later
    for (const turns of [[WRONG], [TEST, WRONG]]) {
      for await (const _event of runAgent({ history: [], task: "Fix it", model: new ScriptedModel(turns), sandbox: new Watched(MEDIAN_PROJECT), options: { tries: 2, clock, limits: { steps: 2 } } }, new AbortController().signal));
    }
    expect(given).toEqual([undefined, LIMITS.commandMs, LIMITS.judgeLeastMs]);
  });

  it("count against the limit of tokens", async () => {
    const { model } = await play([WRONG, WORSE, RIGHT], { limits: { tokens: Math.ceil(WRONG.length / 4) + 10 } });
    expect(model.requests.length).toBe(2);
  });

  it("show the kept try's words, and none of the others'", async () => {
    const { events } = await play([`First idea.\n${WRONG}`, RIGHT, TEST, "Fixed."]);
    const items = events.reduce<readonly ChatItem[]>(showEvent, []);
    expect(items.map((item) => (item.kind === "assistant" ? item.text : item.kind))).toEqual(["user", "tries", "tool", "tool", "Fixed.", "note"]);
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
  });
});

describe("the best of several tries", () => {
  it("is green, else has most tests passed, else fewest failed; of equals the first", () => {
    const red = (passed: number, failed: number) => ({ verdict: "red" as const, passed, failed });
    expect(bestTry([red(9, 1), { verdict: "green" }])).toBe(1);
    // A file that does not even load fails as one.
    expect(bestTry([red(0, 1), red(5, 3)])).toBe(1);
    expect(bestTry([red(5, 3), red(5, 2), red(5, 2)])).toBe(1);
    expect(bestTry([{ verdict: "unusable" }, { verdict: "red" }])).toBe(1);
    expect(bestTry([{ verdict: "unusable" }, { verdict: "unusable" }])).toBe(0);
  });
});

/** Tokens with what was most probable beside them: [text, log-probability, other, its log-probability, …]. */
function tokens(...rows: readonly (readonly (string | number)[])[]): TokenLogprobs[] {
  return rows.map((row) => {
    const top = Array.from({ length: row.length / 2 }, (_, i) => ({ token: String(row[2 * i]), bytes: [...new TextEncoder().encode(String(row[2 * i]))], logprob: Number(row[2 * i + 1]) }));
    return { ...top[0]!, top: top.toSorted((a, b) => b.logprob - a.logprob) };
  });
}

describe("the search for other answers", () => {
  const head = tokens(["<function=", 0, "no", -0.1], ["edit>", 0, "no", -0.1]);

  it("forks where another choice costs least, inside the call, and then from the forks", () => {
    const search = new ForkSearch();
    search.add([], [...head, ...tokens(["a", -0.5, "b", -1, "c", -3], ["d", -0.1, "e", -2.3])]);
    expect(search.next()).toEqual([{ at: 2, rank: 2 }]); // 0.5 nats
    search.add([{ at: 2, rank: 2 }], [...head, ...tokens(["b", -1, "a", -0.5], ["f", -0.6, "g", -0.8])]);
    expect(search.next()).toEqual([{ at: 2, rank: 2 }, { at: 3, rank: 2 }]); // 0.5 and 0.2
    expect(search.next()).toEqual([{ at: 3, rank: 2 }]); // 2.2
    expect(search.next()).toEqual([{ at: 2, rank: 3 }]); // 2.5
    expect(search.next()).toBeUndefined();
  });

  it("does not fork where the form of the call chose, nor into a token that ends the turn", () => {
    const search = new ForkSearch();
    search.add([], [...head, ...tokens(["forced", -5, "likelier", -0.1], ["a", -0.1, "", -0.2])]);
    expect(search.next()).toBeUndefined();
  });

  it("knows no place where the model does not tell, or calls nothing", () => {
    const search = new ForkSearch();
    search.add([], []);
    search.add([], tokens(["words", -1, "other", -1.1]));
    expect(search.next()).toBeUndefined();
  });
});
