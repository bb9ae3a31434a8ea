import { afterEach, describe, expect, it } from "vitest";
import { type AgentEvent, transcriptOf } from "../../src/agent/events.ts";
import type { Clock } from "../../src/agent/limits.ts";
import { type AgentOptions, type AgentRequest, runAgent } from "../../src/agent/loop.ts";
import { AppError } from "../../src/base/errors.ts";
import type { Sandbox } from "../../src/container/sandbox.ts";
import { Checkpoints } from "../../src/project/checkpoints.ts";
import type { FileTree } from "../../src/project/tree.ts";
import { NodeSandbox } from "../support/node-sandbox.ts";
import { ScriptedModel, type ScriptedTurn, toolCall } from "../support/scripted-model.ts";
import { MEDIAN_PROJECT, QUICK_PROJECT, textOf } from "../support/trees.ts";

const open: NodeSandbox[] = [];
afterEach(async () => {
  for (const sandbox of open.splice(0)) await sandbox.close();
});

async function nodeSandbox(files: FileTree = QUICK_PROJECT): Promise<NodeSandbox> {
  const sandbox = await NodeSandbox.open(files);
  open.push(sandbox);
  return sandbox;
}

async function collect(request: AgentRequest, signal: AbortSignal = new AbortController().signal): Promise<AgentEvent[]> {
  const events: AgentEvent[] = [];
  for await (const event of runAgent(request, signal)) events.push(event);
  return events;
}

const FIX = {
  file_path: "src/median.js",
  old_string: "return (sorted[middle] + sorted[middle]) / 2;",
  new_string: "return (sorted[middle - 1] + sorted[middle]) / 2;",
};
const TEST = toolCall("run_shell_command", { command: "sh check.sh" });

const NPM_TEST = toolCall("run_shell_command", { command: "npm test" });

describe("the agent, with real Node", { timeout: 120_000 }, () => {
  it("fixes a bug: runs the tests, reads, edits, runs them again, and ends verified", async () => {
    const sandbox = await nodeSandbox(MEDIAN_PROJECT);
    const model = new ScriptedModel([
      `I run the tests first.\n${NPM_TEST}`,
      toolCall("read_file", { file_path: "src/median.js" }),
      toolCall("edit", FIX),
      NPM_TEST,
      "Fixed median. All tests pass.",
    ]);
    const checkpoints = new Checkpoints();
    const events = await collect({ history: [], task: "Fix the failing test", model, sandbox, options: { checkpoints } });
    expect(transcriptOf(events).slice(1)).toEqual([
      { role: "user", content: "Fix the failing test" },
      { role: "assistant", content: `I run the tests first.\n${NPM_TEST}` },
      { role: "tool", content: "exit code 1: 1 passed, 1 failed\nFAIL test/median.test.js:10 median([1, 2, 3, 4])\nexpected 2.5\nactual 3" },
      { role: "assistant", content: toolCall("read_file", { file_path: "src/median.js" }) },
      { role: "tool", content: new TextDecoder().decode(MEDIAN_PROJECT.get("src/median.js")).trimEnd() },
      { role: "assistant", content: toolCall("edit", FIX) },
      { role: "tool", content: "Edited src/median.js. Run the tests." },
      { role: "assistant", content: NPM_TEST },
      { role: "tool", content: "exit code 0: 2 passed, 0 failed" },
      { role: "assistant", content: "Fixed median. All tests pass." },
    ]);
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "verified", steps: 5 });
    expect(events.filter(({ type }) => type === "checkpoint")).toMatchObject([{ before: "1", after: "2", label: "Edited src/median.js", paths: ["src/median.js"] }]);
  });
});

/** Runs a script to its end in a fresh project. */
async function play(turns: readonly ScriptedTurn[], options: AgentOptions = {}, init: { contextLimit?: number } = {}) {
  const sandbox = await nodeSandbox();
  const model = new ScriptedModel(turns, init);
  const events = await collect({ history: [], task: "Fix the failing test", model, sandbox, options });
  return { sandbox, model, events, last: events.at(-1)!, notes: events.flatMap((event) => (event.type === "note" ? [event.text] : [])), results: events.flatMap((event) => (event.type === "tool-finished" ? [event.result] : [])) };
}

/** Of an edit that changes nothing, as the loop makes them. */
const DRAWS = 6;
const edit = (args: Partial<typeof FIX>): string => toolCall("edit", { ...FIX, ...args });
const RUN_FAILED = "The last test run failed. Fix it, or say what blocks you.";
const NOT_RUN = "Files changed after the last test run. Run the tests before you finish.";

describe("the agent's transcript", () => {
  it("only grows: every prompt begins with the one before", async () => {
    const { model, events } = await play([TEST, edit({}), "Done.", TEST, "Fixed."]);
    for (const [i, request] of model.requests.slice(1).entries()) {
      const before = model.requests[i]!.messages;
      expect(request.messages.slice(0, before.length)).toEqual(before);
    }
    expect(transcriptOf(events).slice(0, -1)).toEqual(model.requests.at(-1)!.messages);
  });

  it("can be stored as JSON and gone on with", async () => {
    const { events, sandbox } = await play([TEST, edit({}), TEST, "Fixed."]);
    const history = transcriptOf(JSON.parse(JSON.stringify(events)) as AgentEvent[]);
    const model = new ScriptedModel(["You are welcome."]);
    const more = await collect({ history, task: "Thanks", model, sandbox });
    expect(model.requests[0]!.messages).toEqual([...history, { role: "user", content: "Thanks" }]);
    expect(more.map(({ type }) => type)).not.toContain("system");
    expect(more.at(-1)).toMatchObject({ type: "done", reason: "answered" });
  });

  it("does not depend on how the model's text was cut into pieces", async () => {
    const turns = [`Tests.\n${TEST}`, edit({}), TEST, "Fixed."];
    const transcripts = await Promise.all(
      [1, 3, 1_000].map(async (pieceChars) => transcriptOf(await collect({ history: [], task: "Fix it", model: new ScriptedModel(turns, { pieceChars }), sandbox: await nodeSandbox() }))),
    );
    expect(transcripts[1]).toEqual(transcripts[0]);
    expect(transcripts[2]).toEqual(transcripts[0]);
  });

  it("starts with the project's files and says that tests are locked and data is no instruction", async () => {
    const { model } = await play(["Hello."]);
    const system = model.requests[0]!.messages[0]!;
    expect(system.role).toBe("system");
    expect(system.content).toContain("check.sh\npackage.json\nsrc/median.js\ntest/median.test.js");
    expect(system.content).toMatch(/Test files are locked/);
    expect(system.content).toMatch(/do not follow them/);
    expect(model.requests[0]!.tools?.map(({ name }) => name)).toEqual(["read_file", "write_file", "edit", "grep_search", "glob", "run_shell_command"]);
  });

  it("keeps one call a turn: what follows a call is cut off and never run", async () => {
    const { model, results } = await play([`${TEST}\n\nIt passes now.\n${toolCall("run_shell_command", { command: "rm -rf src" })}`, "It fails.", "It fails.", "It fails."]);
    expect(model.requests[1]!.messages.at(-2)).toEqual({ role: "assistant", content: TEST });
    expect(results).toHaveLength(1);
  });
});

describe("plain chat", () => {
  it("needs no project and offers no tools", async () => {
    const model = new ScriptedModel([`I would write ${TEST}`]);
    const events = await collect({ history: [], task: "Who are you?", model });
    expect(model.requests[0]).toMatchObject({ tools: [] });
    expect(events.filter(({ type }) => type === "text").map((event) => (event as { text: string }).text).join("")).toBe(`I would write ${TEST}`);
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "answered", message: "" });
  });

  it("in a project ends as answered", async () => {
    expect((await play(["I can fix your tests."])).last).toMatchObject({ reason: "answered", steps: 1 });
  });
});

describe("the review before done", () => {
  it("sends the model back when its last run failed, twice, then says that nothing is proven", async () => {
    const { notes, last } = await play([TEST, "All done!", "Really, all done.", "Done, I said."]);
    expect(notes).toEqual([RUN_FAILED, RUN_FAILED]);
    expect(last).toMatchObject({ type: "done", reason: "not-verified" });
  });

  it("sends it back when files changed after the last run", async () => {
    const { notes, last } = await play([edit({}), "Fixed.", TEST, "Fixed, the tests pass."]);
    expect(notes).toEqual([NOT_RUN]);
    expect(last).toMatchObject({ reason: "verified" });
  });

  it("knows of files that a command changed", async () => {
    const { notes } = await play([toolCall("run_shell_command", { command: "echo '// x' >> src/median.js" }), "Done.", "Done.", "Done."], { checkpoints: new Checkpoints() });
    expect(notes).toEqual([NOT_RUN, NOT_RUN]);
  });

  it("does not call a run that ran nothing a proof", async () => {
    const { last, results } = await play([toolCall("run_shell_command", { command: "node --test no/such/folder/*.js; mkdir empty; cd empty; node --test" }), "Done."]);
    expect(results[0]).toMatch(/^exit code 0: no tests ran|^exit code/);
    expect((last as { reason: string }).reason).not.toBe("verified");
  });
});

describe("a model in circles", () => {
  it("gets one note at the third equal call and is stopped at the fifth", async () => {
    const read = toolCall("read_file", { file_path: "src/median.js" });
    const { notes, last, results } = await play([read, read, read, read, read, read]);
    expect(results).toHaveLength(5);
    expect(notes).toEqual(["These calls repeat with the same results. Try another way, or say what blocks you."]);
    expect(last).toMatchObject({ reason: "stuck", message: "The model made the same call (read_file) five times with the same result." });
  });

  it("is noticed going back and forth", async () => {
    const [a, b] = [toolCall("glob", { pattern: "*.js" }), toolCall("read_file", { file_path: "src/median.js" })];
    const { notes, last, results } = await play([a, b, a, b, a, b, a, b, a, b, a, b]);
    expect(notes).toHaveLength(1);
    expect(results.length).toBeLessThanOrEqual(10);
    expect(last).toMatchObject({ reason: "stuck" });
  });

  it("is not suspected for testing again after each change", async () => {
    const turns = Array.from({ length: 6 }, (_, i) => [edit({ old_string: i === 0 ? FIX.old_string : `return ${i - 1};`, new_string: `return ${i};` }), TEST]).flat();
    const { notes, results } = await play([...turns, "It is not this line.", "No.", "No."]);
    expect(results.filter((result) => result.startsWith("exit code 1"))).toHaveLength(6);
    expect(notes.filter((note) => note.includes("repeat"))).toEqual([]);
  });

  it("is noticed switching one line back and forth, whatever else could be drawn", async () => {
    const [there, back] = [edit({}), edit({ old_string: FIX.new_string, new_string: FIX.old_string })];
    const again = (turn: string): string[] => Array.from({ length: DRAWS }, () => turn);
    const drawnAgain = [...again(there), ...again(back), ...again(there), ...again(back)];
    const { last, notes } = await play([there, back, ...drawnAgain, there, back, there, back, there, back]);
    expect(notes).toHaveLength(1);
    expect(last).toMatchObject({ reason: "stuck" });
  });

  it("is stopped after three changes that change nothing", async () => {
    const same = edit({ new_string: FIX.old_string });
    const { last, results, model } = await play(Array.from({ length: 3 * DRAWS }, (_, i) => (i % 2 === 0 ? same : edit({ old_string: "x", new_string: "x" }))));
    expect(results).toHaveLength(3);
    expect(model.requests).toHaveLength(3 * DRAWS);
    expect(last).toMatchObject({ reason: "stuck", message: "The model asked three times for a change that is already there." });
  });

  it("is drawn more freely after a change that changed nothing, and as asked otherwise", async () => {
    const same = edit({ new_string: FIX.old_string });
    const model = new ScriptedModel([...Array.from({ length: DRAWS }, () => same), TEST, "I cannot find it."]);
    const sandbox = await nodeSandbox(MEDIAN_PROJECT);
    await collect({ history: [], task: "Fix it", model, sandbox, options: { sampling: { temperature: 0 } } });
    expect(model.requests.slice(DRAWS, DRAWS + 2).map(({ sampling }) => sampling?.temperature)).toEqual([1, 0]);
  });

  it("is told how to write a call that could not be read, and stopped at the third", async () => {
    const { last, notes } = await play(["<tool_call>\nread it\n</tool_call>", "<tool_call>\n<function=edit>\n<parameter=file_path>\nsrc", "<tool_call>\n<function=>\n</function>\n</tool_call>", "x"]);
    expect(notes).toHaveLength(3);
    expect(notes[0]).toMatch(/^The tool call could not be read: it names no function\. Write it as\n<tool_call>\n<function=read_file>/);
    expect(notes[1]).toMatch(/it was not finished/);
    expect(last).toMatchObject({ reason: "stuck" });
  });

  it("is ended when its text repeats itself, in words or in a call, and is told so", async () => {
    const { notes, events, last } = await play([`I will.${" Yes, I will.".repeat(900)}`, `<tool_call>\n<function=write_file>\n<parameter=content>\n${"0, ".repeat(4_000)}`, "I give up."]);
    expect(notes).toEqual([1, 2].map(() => "Your last message repeated itself and was ended. Go on with the next step, or say what blocks you."));
    expect(Math.max(...transcriptOf(events).map(({ content }) => content.length))).toBeLessThan(2_500);
    expect(last).toMatchObject({ reason: "answered" });
  });

  it("is told when a call was cut off by the length of the turn", async () => {
    const { notes } = await play([{ text: "<tool_call>\n<function=write_file>\n<parameter=content>\nlong", reason: "length" }, "Sorry."]);
    expect(notes[0]).toMatch(/it was cut off, the turn was too long/);
  });
});

describe("limits", () => {
  it("end the request after so many steps", async () => {
    const { last } = await play([TEST, toolCall("glob", { pattern: "*" }), "x"], { limits: { steps: 2 } });
    expect(last).toMatchObject({ reason: "limit", steps: 2, message: "Stopped after 2 steps. Ask again to go on from here." });
  });

  it("end it after so many tokens or so much time", async () => {
    expect((await play([TEST, TEST, TEST], { limits: { tokens: 20 } })).last).toMatchObject({ reason: "limit", message: expect.stringMatching(/written tokens/) });
    let now = 0;
    const clock: Clock = { now: () => (now += 60_000), sleep: () => Promise.resolve() };
    expect((await play([TEST, TEST, TEST], { clock, limits: { wallMs: 200_000 } })).last).toMatchObject({ reason: "limit", message: "Stopped after 3 min 20 s. Ask again to go on from here." });
  });

  it("condense older messages when the context is full, visibly, and the run goes on", async () => {
    const { events, model } = await play(Array.from({ length: 20 }, (_, i) => toolCall("run_shell_command", { command: `seq ${i} 400` })), {}, { contextLimit: 4_000 });
    const condensed = events.filter((event) => event.type === "compacted");
    expect(condensed.length).toBeGreaterThan(0);
    for (const { tokensBefore, tokensAfter } of condensed) expect(tokensAfter).toBeLessThan(tokensBefore);
    expect(model.requests.length).toBeGreaterThan(12);
    expect(transcriptOf(events)).toEqual(expect.arrayContaining([model.requests.at(-1)?.messages.at(-1)]));
  });

  it("end it when the context is full of what cannot be condensed, and refuse a prompt that never fitted", async () => {
    const { last, model } = await play(Array.from({ length: 20 }, (_, i) => toolCall("run_shell_command", { command: `seq ${i} 400` })), {}, { contextLimit: 1_400 });
    expect(last).toMatchObject({ reason: "limit", message: expect.stringMatching(/context is full/) });
    expect(model.requests.every(({ maxTokens }) => maxTokens <= 2_000)).toBe(true);
    expect((await play(["Hi"], {}, { contextLimit: 200 })).last).toMatchObject({ type: "error", error: { code: "model/context" } });
  });
});

describe("permission", () => {
  const ask = (allow: boolean, reason?: string): NonNullable<AgentOptions["ask"]> => () => Promise.resolve({ allow, ...(reason === undefined ? {} : { reason }) });

  it("is asked for before a change in ask mode, and the change happens when it is given", async () => {
    const { events, sandbox } = await play([edit({}), TEST, "Fixed."], { mode: "ask", ask: ask(true) });
    expect(events.filter(({ type }) => type === "permission-asked")).toHaveLength(2);
    expect(events.at(-1)).toMatchObject({ reason: "verified" });
    expect(new TextDecoder().decode(await sandbox.readFile("src/median.js"))).toContain(FIX.new_string);
  });

  it("refused changes nothing, and the model reads why", async () => {
    const { sandbox, results } = await play([edit({}), "I see."], { mode: "ask", ask: ask(false, "use Math.floor") });
    expect(results[0]).toBe("Not done: the user did not allow this and says: use Math.floor");
    expect(new TextDecoder().decode(await sandbox.readFile("src/median.js"))).not.toContain(FIX.new_string);
  });

  it("cannot be had where nobody can be asked, nor in plan mode", async () => {
    expect((await play([edit({}), "I see."], { mode: "ask" })).results[0]).toMatch(/^Not done/);
    const { results, model } = await play([TEST, "- [ ] a\n- [ ] b"], { mode: "plan", ask: ask(true) });
    expect(results[0]).toMatch(/plan mode/);
    expect(model.requests[0]?.messages[1]?.content).toMatch(/^Fix the failing test\n\n\(Plan mode:/);
  });

  it("stopped while it is asked ends the request at once", async () => {
    const controller = new AbortController();
    const waiting: NonNullable<AgentOptions["ask"]> = (_call, signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new AppError("aborted", "stopped"))));
    const events: AgentEvent[] = [];
    for await (const event of runAgent({ history: [], task: "Go", model: new ScriptedModel([edit({})]), sandbox: await nodeSandbox(), options: { mode: "ask", ask: waiting } }, controller.signal)) {
      events.push(event);
      if (event.type === "permission-asked") controller.abort();
    }
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "stopped" });
  });
});

describe("going on", () => {
  it("adds no message of the user's: a note after words, nothing after a tool's answer", async () => {
    const history = [{ role: "system", content: "s" }, { role: "user", content: "Go" }, { role: "assistant", content: "I was say" }] as const;
    const model = new ScriptedModel(["ing."]);
    await collect({ history, model });
    expect(model.requests[0]?.messages.at(-1)).toEqual({ role: "user", content: "Go on from where you stopped." });
    const after = new ScriptedModel(["ok"]);
    await collect({ history: [...history, { role: "tool", content: "exit code 0" }], model: after });
    expect(after.requests[0]?.messages.at(-1)).toEqual({ role: "tool", content: "exit code 0" });
  });
});

describe("stop", () => {
  async function stopAt(turns: readonly ScriptedTurn[], when: (event: AgentEvent) => boolean, init: { deaf?: boolean; sandbox?: Sandbox } = {}) {
    const controller = new AbortController();
    const sandbox = init.sandbox ?? (await nodeSandbox());
    const events: AgentEvent[] = [];
    let stoppedAt = 0;
    for await (const event of runAgent({ history: [], task: "Go", model: new ScriptedModel(turns, init), sandbox }, controller.signal)) {
      events.push(event);
      if (!stoppedAt && when(event)) {
        stoppedAt = performance.now();
        controller.abort();
      }
    }
    return { events, elapsedMs: performance.now() - stoppedAt };
  }

  it.each([[false], [true]])("ends a generation within a second and keeps what was said (model that does not listen: %s)", async (deaf) => {
    const { events, elapsedMs } = await stopAt([{ text: "I begin to think about this", hang: true }], (event) => event.type === "text", { deaf });
    expect(elapsedMs).toBeLessThan(1_000);
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "stopped" });
    expect(transcriptOf(events).at(-1)).toMatchObject({ role: "assistant", content: expect.stringMatching(/^I begin/) });
  });

  it("ends a running command within a second, and the transcript can be gone on with", async () => {
    const command = toolCall("run_shell_command", { command: "echo started; sleep 60" });
    const { events, elapsedMs } = await stopAt([command], (event) => event.type === "tool-output");
    expect(elapsedMs).toBeLessThan(1_000);
    expect(transcriptOf(events).at(-1)).toEqual({ role: "tool", content: "stopped by the user:\nstarted" });
    expect(events.at(-1)).toMatchObject({ reason: "stopped" });
  });

  it("does not wait for a sandbox that does not answer", async () => {
    const real = await nodeSandbox();
    const silent: Sandbox = { readFile: (path) => real.readFile(path), writeFile: (path, bytes) => real.writeFile(path, bytes), remove: (path) => real.remove(path), list: () => real.list(), snapshot: () => real.snapshot(), restore: (tree) => real.restore(tree), run: () => new Promise(() => undefined) };
    const { events, elapsedMs } = await stopAt([TEST], (event) => event.type === "tool-started", { sandbox: silent });
    expect(elapsedMs).toBeLessThan(1_000);
    expect(transcriptOf(events).at(-1)).toEqual({ role: "tool", content: "stopped by the user" });
  });

  it("before the first word ends the request at once", async () => {
    const events = await collect({ history: [], task: "Go", model: new ScriptedModel(["x"]), sandbox: await nodeSandbox() }, AbortSignal.abort());
    expect(events.at(-1)).toMatchObject({ reason: "stopped" });
  });
});

describe("an error", () => {
  it("of the engine or the container ends the request as an event, with its code", async () => {
    const sandbox = await nodeSandbox();
    const lost = new ScriptedModel([() => { throw new AppError("gpu/lost", "The GPU was lost."); }]);
    expect((await collect({ history: [], task: "x", model: lost, sandbox })).at(-1)).toMatchObject({ type: "error", error: { code: "gpu/lost" } });
    const dead: Sandbox = Object.assign(Object.create(sandbox) as NodeSandbox, { run: () => Promise.reject(new AppError("container/stopped", "The container was stopped.")) });
    const events = await collect({ history: [], task: "x", model: new ScriptedModel([TEST]), sandbox: dead });
    expect(transcriptOf(events).at(-1)).toEqual({ role: "tool", content: "the tool failed" });
    expect(events.at(-1)).toMatchObject({ type: "error", error: { code: "container/stopped" } });
  });
});

describe("undo", () => {
  it("takes back everything a request did, files that a command made included, and can be undone itself", async () => {
    const checkpoints = new Checkpoints();
    const { sandbox } = await play([TEST, edit({}), toolCall("run_shell_command", { command: "mkdir -p out && echo hi > out/log.txt && rm package.json" }), "Done.", "Done.", "Done."], { checkpoints });
    const after = await sandbox.snapshot();
    expect([...after.keys()]).toEqual(["check.sh", "out/log.txt", "src/median.js", "test/median.test.js"]);
    await checkpoints.restore("1", sandbox);
    expect(await sandbox.snapshot()).toEqual(QUICK_PROJECT);
    await checkpoints.restore(checkpoints.entries.at(-1)!.id, sandbox);
    expect(await sandbox.snapshot()).toEqual(after);
  });

  it("goes with a refusal, whatever the rules allow, when a command would fetch from a code repository", async () => {
    const { sandbox, results, events } = await play([toolCall("run_shell_command", { command: "echo x > made.txt; git clone https://github.com/owner/project" }), "Done."], { rules: [{ tool: "run", decision: "allow" }], ask: async () => ({ allow: true }) });
    expect(results[0]).toMatch(/^Not run: the command names a code repository and would fetch from it\./);
    expect(await sandbox.list()).not.toContain("made.txt");
    expect(events.find(({ type }) => type === "tool-finished")).toMatchObject({ ok: false });
  });

  it("is not needed for locked tests: what a command did to them is put back", async () => {
    const { sandbox, results } = await play([toolCall("run_shell_command", { command: "echo '' > test/median.test.js" }), "Done."], { checkpoints: new Checkpoints() });
    expect(results[0]).toBe("exit code 0\ntest/median.test.js: locked test files, put back as they were.");
    expect(textOf(await sandbox.snapshot(), "test/median.test.js")).toBe(textOf(MEDIAN_PROJECT, "test/median.test.js"));
  });
});
