// Small samples of our own in three public forms become tasks, and their controls hold in real Node.
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readAnyTasks } from "../../src/cli/read-tasks.ts";
import { writeTask } from "../../src/cli/task-folder.ts";
import { functionTask } from "../../src/tasks/adapters/function-line.ts";
import { grade, type RunOn } from "../../src/tasks/scoring/grading.ts";
import { solvedTree, type Task } from "../../src/tasks/task.ts";
import { writeTaskLine } from "../../src/tasks/task-line.ts";
import { NodeSandbox } from "../support/node-sandbox.ts";
import { textOf } from "../support/trees.ts";

const SAMPLES = join(import.meta.dirname, "../fixtures/adapters");
let sandbox: NodeSandbox;
let folder: string;
const run: RunOn = async (files, command) => {
  await sandbox.restore(files);
  return sandbox.run(command);
};

beforeAll(async () => {
  sandbox = await NodeSandbox.open();
  folder = await mkdtemp(join(tmpdir(), "tabwright-adapters-"));
});
afterAll(async () => {
  await sandbox.close();
  await rm(folder, { recursive: true });
});

async function read(path: string, options = {}): Promise<{ tasks: Task[]; left: string[] }> {
  const left: string[] = [];
  return { tasks: await readAnyTasks(path, options, (reason) => left.push(reason)), left };
}

/** The reference passes, the start fails its own tests, doing nothing fails. */
async function holds(task: Task): Promise<void> {
  const reference = await grade(task, solvedTree(task), run, { key: "a1" });
  expect(reference, task.id).toMatchObject({ passed: true });
  expect((await run(task.files, task.test)).exitCode, task.id).not.toBe(0);
  expect(await grade(task, task.files, run, { key: "b2", reference }), task.id).toMatchObject({ passed: false });
}

describe("exercise folders in Exercism's form", () => {
  it("become tasks whose specs, skipped ones too, run on node:test, and whose example stays hidden", { timeout: 60_000 }, async () => {
    const { tasks } = await read(join(SAMPLES, "exercises"));
    expect(tasks.map(({ id }) => id)).toEqual(["tide-table", "word-square"]);
    expect([...tasks[0]!.files.keys()].sort()).toEqual(["README.md", "package.json", "tests/jest-globals.js", "tide-table.js", "tide-table.spec.js"]);
    expect(textOf(tasks[0]!.files, "tide-table.spec.js")).toContain("from './tide-table.js'");
    for (const task of tasks) {
      const [answer] = [...task.solution.values()].map((bytes) => new TextDecoder().decode(bytes));
      for (const [path] of task.files) expect([path, textOf(task.files, path) === answer, path.startsWith(".meta")]).toEqual([path, false, false]);
      await holds(task);
    }
    expect((await grade(tasks[0]!, solvedTree(tasks[0]!), run, { key: "c3" })).tests).toHaveLength(5);
    expect((await grade(tasks[1]!, solvedTree(tasks[1]!), run, { key: "c4" })).tests).toHaveLength(4);
  });
});

describe("lines of broken functions", () => {
  it("become tasks, in our form and in HumanEvalPack's", { timeout: 60_000 }, async () => {
    const { tasks } = await read(join(SAMPLES, "functions.jsonl"));
    expect(tasks.map(({ id }) => id)).toEqual(["gap-between", "lowest", "JavaScript-own-1", "JavaScript-own-2"]);
    expect(tasks[1]!.instruction).toBe("lowest is wrong for positive numbers. Fix it.");
    expect(tasks[2]!.instruction).toBe("There is a bug in digitSum (src/digit-sum.js): its tests fail. Fix it.");
    for (const task of tasks) await holds(task);
  });

  it("are refused by line and field", () => {
    expect(() => functionTask({ id: "a", entry: "f", broken: "x", reference: "y", tests: [[1]] }, "set.jsonl, line 4")).toThrow("set.jsonl, line 4, test 1 must be a pair");
    expect(() => functionTask({ id: "a", entry: "f", broken: "x" }, "set.jsonl, line 5")).toThrow('set.jsonl, line 5 has no "reference"');
    expect(() => functionTask({ id: "a", entry: "f(); evil", broken: "x" }, "set.jsonl, line 6")).toThrow("must be the name of a function");
  });
});

describe("a repository whose bugs are tagged commits", () => {
  const git = (...args: string[]): void => void execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main", ...args], { cwd: join(folder, "kites"), stdio: "pipe" });
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, "kites", path)), { recursive: true });
    await writeFile(join(folder, "kites", path), text);
  };
  const commit = (message: string, tag: string): void => {
    git("add", "-A");
    git("commit", "-qm", message);
    git("tag", tag);
  };

  it("gives a task a bug, with the tests that show it and no history", { timeout: 60_000 }, async () => {
    await put("package.json", '{"type":"module","scripts":{"test":"node --test"}}\n');
    git("init", "-q");
    await put("src/area.js", "export const area = (a, b) => a + b;\n");
    await put("test/area.test.js", 'import assert from "node:assert";\nimport test from "node:test";\nimport { area } from "../src/area.js";\ntest("of two by two", () => assert.equal(area(2, 2), 4));\n');
    commit("Kites have an area", "Bug-1");
    await put("test/area.test.js", 'import assert from "node:assert";\nimport test from "node:test";\nimport { area } from "../src/area.js";\ntest("of two by two", () => assert.equal(area(2, 2), 4));\ntest("of two by three", () => assert.equal(area(2, 3), 6));\n');
    commit("test", "Bug-1-test");
    git("checkout", "-q", "Bug-1");
    await put("src/area.js", "export const area = (a, b) => a * b;\n");
    commit("Multiply the sides of a kite", "Bug-1-fix");
    git("tag", "Bug-2");
    git("tag", "Bug-2-test");
    git("tag", "Bug-2-fix");
    const { tasks, left } = await read(join(folder, "kites"));
    expect(left).toEqual(["Bug-2: kites-bug-2: Bug-2-test adds no test to Bug-2. Leave this bug out."]);
    expect(tasks).toHaveLength(1);
    expect(tasks[0]).toMatchObject({ id: "kites-bug-1", set: "kites", instruction: "A bug was reported: Multiply the sides of a kite. The tests show it: test/area.test.js. Fix the code." });
    expect([...tasks[0]!.files.keys()]).toEqual(["package.json", "src/area.js", "test/area.test.js"]);
    await holds(tasks[0]!);
    expect((await read(join(folder, "kites"), { test: "node --test {tests}" })).tasks[0]!.test).toBe("node --test test/area.test.js");
  });
});

describe("tasks", () => {
  it("are read back from folders and from lines as they were", async () => {
    const { tasks } = await read(join(SAMPLES, "functions.jsonl"));
    for (const task of tasks) await writeTask(join(folder, "written", task.id), task);
    const byId = (list: readonly Task[]): Task[] => [...list].sort((a, b) => (a.id < b.id ? -1 : 1));
    const sorted = tasks.map((task) => ({ ...task, files: new Map([...task.files].sort(([a], [b]) => (a < b ? -1 : 1))) }));
    expect(byId((await read(join(folder, "written"))).tasks)).toEqual(byId(sorted));
    await writeFile(join(folder, "tasks.jsonl"), (await Promise.all(tasks.map((task) => writeTaskLine(task)))).join(""));
    expect((await read(join(folder, "tasks.jsonl"))).tasks).toEqual(sorted);
  });

  it("are not found where there are none", async () => {
    await expect(read(join(folder, "nowhere"))).rejects.toMatchObject({ code: "command/usage" });
    await mkdir(join(folder, "empty.git/objects"), { recursive: true });
    await expect(read(join(folder, "empty.git"))).rejects.toThrow("without tags named Bug-1");
  });
});
