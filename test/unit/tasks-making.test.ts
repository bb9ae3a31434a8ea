import { spawn } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTasks, writeTask } from "../../src/cli/task-folder.ts";
import { nodeHost } from "../../src/cli/tasks/node-host.ts";
import { mergeFiles, readTaskLines, TaskFile } from "../../src/cli/tasks/task-file.ts";
import { threadHost } from "../../src/cli/tasks/thread-host.ts";
import type { Source } from "../../src/tasks/making/candidate.ts";
import { familySource } from "../../src/tasks/making/family-source.ts";
import { runTests, type TestHost } from "../../src/tasks/making/host.ts";
import { mutantSource } from "../../src/tasks/making/mutant-source.ts";
import { type Plan, produce, type Tried } from "../../src/tasks/making/production.ts";
import { gradingTree, solvedTree, type Task } from "../../src/tasks/task.ts";

const SEED = 900;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const PROJECT = new Map(
  Object.entries({
    "package.json": '{"name":"small","type":"module","scripts":{"test":"node --test"}}',
    "src/count.js": "export function countUp(to) {\n  let n = 0;\n  while (n < to) {\n    n += 1;\n  }\n  return n;\n}\n",
    "test/count.test.js": 'import test from "node:test";\nimport assert from "node:assert";\nimport { countUp } from "../src/count.js";\ntest("counts", () => assert.equal(countUp(4), 4));\n',
    "test/other.test.js": 'import test from "node:test";\ntest("is not concerned", () => undefined);\n',
  }).map(([path, text]) => [path, bytes(text)]),
);

let folder: string;
const hosts: TestHost[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tabwright-making-"));
  hosts.push(await threadHost(), await threadHost(), await nodeHost());
});
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.close()));
  await rm(folder, { recursive: true, force: true });
});

async function write(path: string, source: Source, list: readonly TestHost[], plan: Plan): Promise<TaskFile> {
  const file = await TaskFile.open(path, source, plan);
  for await (const { task, hash, dropped } of produce(source, list, file.rest, file.known, () => undefined)) await file.add(task, hash, dropped);
  await file.close();
  return file;
}

describe("making tasks of families", () => {
  const source = familySource("train");

  it("gives the same file with one host and with two, in one run and in several, after half a line too", async () => {
    const [one, cut] = [join(folder, "one.jsonl"), join(folder, "cut.jsonl")];
    const plan = { seed: SEED, until: SEED + 1000, count: 20 };
    const whole = await write(one, source, hosts.slice(0, 1), plan);
    await write(cut, source, hosts.slice(0, 2), { ...plan, count: 7 });
    await appendFile(cut, '{"version":1,"hash":"00');
    const resumed = await write(cut, source, hosts.slice(0, 2), plan);
    expect(await readFile(cut, "utf8")).toBe(await readFile(one, "utf8"));
    expect([resumed.kept, resumed.dropped]).toEqual([20, whole.dropped]);
  });

  it("goes on after the process was killed, with the same bytes", { timeout: 60_000 }, async () => {
    const path = join(folder, "killed.jsonl");
    const run = (count: number, killed: boolean): Promise<unknown> =>
      new Promise((done, fail) => {
        const child = spawn(process.execPath, ["--import", "tsx", "src/cli/tasks.ts", "families", "--out", path, "--seed", String(SEED), "--count", String(count), "--jobs", "1"], { cwd: resolve(import.meta.dirname, "../.."), stdio: "ignore" });
        const look = killed ? setInterval(() => void readFile(path, "utf8").then((text) => text.split("\n").length > 4 && child.kill("SIGKILL"), () => undefined), 5) : undefined;
        child.on("error", fail).on("exit", (code, signal) => {
          clearInterval(look);
          done(signal ?? code);
        });
      });
    expect(await run(100_000, true)).toBe("SIGKILL");
    const before = (await readFile(path, "utf8")).split("\n").length - 1;
    expect(await run(before + 3, false)).toBe(0);
    const reference = join(folder, "reference.jsonl");
    await write(reference, source, hosts.slice(0, 2), { seed: SEED, until: 1e6, count: before + 3 });
    expect(await readFile(path, "utf8")).toBe(await readFile(reference, "utf8"));
  });

  it("finds in threads what node --test finds, and every task is red at the start and green with its reference", async () => {
    const tasks: Task[] = [];
    for await (const { task } of readTaskLines(join(folder, "one.jsonl"))) tasks.push(task);
    for (const task of tasks.slice(0, 2)) {
      for (const [tree, state] of [[gradingTree(task, task.files), "failed"], [gradingTree(task, solvedTree(task)), "passed"]] as const) {
        const [thread, real] = [await runTests(hosts[0]!, tree, task.test, 10_000), await runTests(hosts[2]!, tree, task.test, 10_000)];
        expect([thread.state, real.state]).toEqual([state, state]);
        const told = ({ report }: typeof real): unknown => [report?.passed, report?.failed, report?.failures.map(({ name, expected, actual }) => [name, expected, actual]).sort()];
        expect(told(thread)).toEqual(told(real));
      }
    }
  });

  it("asks at three levels: nothing named, the test, the place", async () => {
    for await (const { task } of readTaskLines(join(folder, "one.jsonl"))) {
      const { vague, plain, exact } = task.instructions!;
      const [path] = [...task.solution.keys()];
      expect(vague).not.toContain(path!.slice(4, -3));
      expect([plain, exact].every((text) => [...task.files.keys()].every((file) => !text.includes(".hidden.") || !file.includes(".hidden.")))).toBe(true);
      expect(exact).toContain(path);
      expect(task.instruction).toBe(plain);
    }
  });

  it("joins files of several ranges without what is there twice, and converts to folders and back", async () => {
    const [out, twice] = [join(folder, "merged.jsonl"), join(folder, "one.jsonl")];
    await write(join(folder, "late.jsonl"), source, hosts.slice(0, 2), { seed: SEED + 30, until: SEED + 36, count: 100 });
    const late = (await readFile(join(folder, "late.jsonl"), "utf8")).trim().split("\n").length;
    expect(await mergeFiles(out, [twice, join(folder, "late.jsonl"), twice])).toEqual({ kept: 20 + late, duplicates: 20 });
    for await (const { task } of readTaskLines(out)) await writeTask(join(folder, "folders", task.id), task);
    const back = new Map((await readTasks(join(folder, "folders"))).map((task) => [task.id, task]));
    for await (const { task } of readTaskLines(out)) expect(back.get(task.id)).toEqual(task);
  });

  it("refuses to go on in a file of something else", async () => {
    await expect(TaskFile.open(join(folder, "one.jsonl"), familySource("novel"), { seed: 0, until: 1e6, count: 1 })).rejects.toThrow("holds tasks of families/train");
    await expect(TaskFile.open(join(folder, "one.jsonl"), source, { seed: SEED + 5, until: 1e6, count: 1 })).rejects.toThrow("outside --seed");
  });
});

describe("making tasks of a project", () => {
  it("keeps what a test sees, counts what none sees, and says the shared files once", { timeout: 60_000 }, async () => {
    const source = await mutantSource("small", PROJECT, hosts[2]!, { only: ["src/count.js"] });
    const tried: Tried[] = [];
    const path = join(folder, "small.jsonl");
    const file = await TaskFile.open(path, source, { seed: 3, until: 6, count: 100 });
    for await (const { task, hash, dropped } of produce(source, hosts.slice(2), file.rest, file.known, (one) => tried.push(one))) await file.add(task, hash, dropped);
    await file.close();
    expect(tried.map(({ outcome }) => outcome)).toEqual(["survived", "kept", "kept"]);
    for await (const { task } of readTaskLines(path)) {
      expect([...task.hidden.keys()]).toEqual(["test/count.test.js"]);
      expect(task.instructions!.exact).toContain("countUp in src/count.js");
      expect(new Map([...task.files, ...task.solution])).toEqual(new Map([...PROJECT].sort(([a], [b]) => (a < b ? -1 : 1))));
    }
    expect((await readFile(path, "utf8")).match(/is not concerned/g)?.length).toBe(1);
  });

  it("kills what hangs, with all that it started", async () => {
    const { end, output } = await hosts[2]!.run(new Map(), "echo began; node -e 'for (;;);' & node -e 'for (;;);'", 700);
    expect([end, output]).toEqual(["timeout", "began\n"]);
    const spinning = new Map([["test/a.test.js", bytes('import test from "node:test";\ntest("spins", () => { for (;;); });\n')]]);
    expect((await hosts[0]!.run(spinning, "npm test", 700)).end).toBe("timeout");
    const fine = new Map([["test/a.test.js", bytes('import test from "node:test";\ntest("is fine", () => undefined);\n')]]);
    expect(await runTests(hosts[0]!, fine, "npm test", 20_000)).toMatchObject({ state: "passed", report: { passed: 1, failed: 0 } });
  });

  it("refuses one that is red before anything is broken, and one without tests", async () => {
    const red = new Map([...PROJECT, ["src/count.js", bytes("export const countUp = () => 0;\n")]]);
    await expect(mutantSource("small", red, hosts[2]!)).rejects.toThrow("before anything is broken");
    const bare = new Map([...PROJECT].filter(([path]) => !path.startsWith("test/")));
    await expect(mutantSource("small", bare, hosts[2]!)).rejects.toThrow("has no test files");
  });
});
