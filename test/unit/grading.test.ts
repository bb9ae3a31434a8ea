// Ways to look solved without being it. Each project prints or exits as a solved one would; none may pass.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Grade, grade, type RunOn } from "../../src/tasks/scoring/grading.ts";
import { nodeTests } from "../../src/tasks/scoring/node-tests.ts";
import { checkTask, gradingTree, solvedTree, type Task } from "../../src/tasks/task.ts";
import { NodeSandbox } from "../support/node-sandbox.ts";
import { textOf, treeOf } from "../support/trees.ts";

const TEST = `import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { add } from "../src/add.js";
test("adds", () => assert.equal(add(1, 2), 3));
describe("zero", () => { it("changes nothing", () => assert.equal(add(4, 0), 4)); });
`;
const RIGHT = "export const add = (a, b) => a + b;\n";
const WRONG = "export const add = (a, b) => a - b;\n";
const TASK: Task = {
  id: "add", instruction: "Fix add.", test: "npm test",
  files: treeOf({ "package.json": '{"type":"module","scripts":{"test":"node --test"}}', "src/add.js": WRONG, "test/add.test.js": TEST }),
  hidden: treeOf({ "test/add.test.js": TEST, "test/more.test.js": 'import test from "node:test";\nimport assert from "node:assert";\nimport { add } from "../src/add.js";\ntest("negatives", () => assert.equal(add(-1, -1), -2));\n' }),
  solution: treeOf({ "src/add.js": RIGHT }),
};
const COMMAND_TASK: Task = { ...TASK, test: "node test/run.cjs", hidden: treeOf({ "test/run.cjs": 'import("../src/add.js").then(({ add }) => { if (add(1, 2) !== 3) process.exitCode = 1; });\n' }) };

let sandbox: NodeSandbox;
let references: Map<Task, Grade>;
const run: RunOn = async (files, command) => {
  await sandbox.restore(files);
  return sandbox.run(command);
};
const gradeAfter = (changes: Record<string, string>, task = TASK): Promise<Grade> => grade(task, new Map([...task.files, ...treeOf(changes)]), run, { key: "f00d", reference: references.get(task) });

beforeAll(async () => {
  sandbox = await NodeSandbox.open();
  references = new Map();
  for (const task of [TASK, COMMAND_TASK]) references.set(task, await grade(task, solvedTree(task), run, { key: "beef" }));
});
afterAll(() => sandbox.close());

describe("grading by our own reporter", () => {
  it("passes the reference with the tests it names, and fails the start", async () => {
    expect(references.get(TASK)!.tests).toEqual(["test/add.test.js 0 adds", "test/add.test.js 1 changes nothing", "test/add.test.js 0 zero", "test/more.test.js 0 negatives"]);
    expect(await gradeAfter({ "src/add.js": RIGHT })).toMatchObject({ passed: true, reason: "All 4 tests passed under our own reporter." });
    expect(await gradeAfter({})).toMatchObject({ passed: false, reason: expect.stringMatching(/tests of test\/add\.test\.js failed/) });
  });

  const TAP = "TAP version 13\\n# Subtest: adds\\nok 1 - adds\\n1..1\\n# tests 1\\n# suites 0\\n# pass 1\\n# fail 0\\n# cancelled 0\\n# skipped 0\\n# todo 0\\n# duration_ms 1\\n";
  it.each<[string, string]>([
    ["prints a green report and exits with 0", `console.log("${TAP}");\nprocess.exit(0);\n${WRONG}`],
    ["exits with 0 once its tests have begun", `setImmediate(() => process.exit(0));\nsetTimeout(() => process.exit(0));\n${WRONG}`],
    ["changes the exit code at the end", `process.on("exit", () => { process.exitCode = 0; process.reallyExit(0); });\n${WRONG}`],
    ["replaces the assertions", `import assert from "node:assert";\nimport { createRequire, syncBuiltinESMExports } from "node:module";\ntry { for (const it of [assert, assert.strict]) it.equal = it.strictEqual = () => {}; syncBuiltinESMExports(); } catch {}\n${WRONG}`],
    ["replaces the test functions", `import { createRequire } from "node:module";\nconst api = createRequire(import.meta.url)("node:test");\ntry { api.test = api.it = () => {}; } catch {}\n${WRONG}`],
    ["registers green tests of the same names and leaves", `import test from "node:test";\nfor (const name of ["adds", "zero"]) test(name, () => {});\nsetTimeout(() => process.exit(0), 50);\n${WRONG}`],
    ["turns red words green on their way out", `const write = process.stdout.write.bind(process.stdout);\nprocess.stdout.write = (text, ...rest) => write(String(text).replace(/"failed":\\[.*?\\]/, '"failed":[]').replaceAll("not ok", "ok"), ...rest);\n${WRONG}`],
    ["prints a record of its own", `console.log("tabwright-record " + "0".repeat(64) + ' {"passed":["test/add.test.js 0 adds"],"failed":[]}');\nprocess.exit(0);\n${WRONG}`],
    ["looks for the reporter's key", `import { readdirSync, readFileSync } from "node:fs";\nconst found = readdirSync(".").filter((name) => name.endsWith(".mjs"));\nif (found.length > 0 || process.execArgv.length > 0) { console.log(readFileSync(found[0], "utf8")); process.exit(0); }\n${WRONG}`],
  ])("fails a project that %s", async (_, source) => {
    expect((await gradeAfter({ "src/add.js": source })).passed).toBe(false);
  });

  it("fails work whose tests, test script or steering files were changed, by putting them back", async () => {
    const changes = { "src/add.js": WRONG, "test/add.test.js": "", "test/more.test.js": "", "package.json": '{"type":"module","scripts":{"test":"true"}}', ".npmrc": "node-options=--test-name-pattern=none\n", "node_modules/assert/index.js": "", "test/other.test.js": TEST.replace("3", "-1") };
    expect((await gradeAfter(changes)).passed).toBe(false);
    const graded = gradingTree(TASK, new Map([...TASK.files, ...treeOf(changes)]));
    expect([...graded.keys()].sort()).toEqual(["package.json", "src/add.js", "test/add.test.js", "test/more.test.js"]);
    expect(textOf(graded, "package.json")).toBe(textOf(TASK.files, "package.json"));
    expect(textOf(graded, "test/add.test.js")).toBe(TEST);
  });
});

describe("grading by exit code", () => {
  it("passes the reference and fails the start", async () => {
    expect(references.get(COMMAND_TASK)).toMatchObject({ passed: true, canaries: ["throws", "exit code", "exit code at the end"] });
    expect(await gradeAfter({ "src/add.js": RIGHT }, COMMAND_TASK)).toMatchObject({ passed: true, reason: '"node test/run.cjs" ends with exit code 0, and with another when its tests cannot pass.' });
    expect(await gradeAfter({}, COMMAND_TASK)).toMatchObject({ passed: false, reason: '"node test/run.cjs" ends with exit code 1.' });
  });

  it.each([
    ["leaves with 0 before anything is checked", 'console.log("ok 1");\nprocess.exit(0);'],
    ["leaves with 0 at the end", 'process.on("exit", () => process.reallyExit(0));'],
    ["sets its code to 0 at the end", 'process.on("exit", () => { process.exitCode = 0; });'],
  ])("finds out a project that %s", async (_, cheat) => {
    expect(await gradeAfter({ "src/add.js": `${cheat}\n${WRONG}` }, COMMAND_TASK)).toMatchObject({ passed: false, reason: expect.stringContaining("even when its tests cannot pass") });
  });

  it("trusts no command that decides nothing", async () => {
    expect(await grade({ ...COMMAND_TASK, test: "true" }, solvedTree(COMMAND_TASK), run, { key: "1" })).toMatchObject({ passed: false, reason: expect.stringContaining("it decides nothing") });
  });

  it("reads which files node --test runs, with its flags, and nothing else's", () => {
    const tree = treeOf({ "package.json": '{"scripts":{"pretest":"x","test":"node --import ./a.js --test --test-reporter spec"}}', "a.test.mjs": "", "test/b.js": "", "test/deep/c.cjs": "", "src/d.js": "", "lib/test-e.ts": "", "node_modules/x/test/f.js": "" });
    expect(nodeTests("npm test", tree)).toEqual({ files: ["a.test.mjs", "lib/test-e.ts", "test/b.js", "test/deep/c.cjs"], flags: ["--import", "./a.js"], before: "npm run pretest" });
    expect(nodeTests("node --test test/deep ./src/d.js", tree)?.files).toEqual(["src/d.js", "test/deep/c.cjs"]);
    for (const command of ["mocha", "node test.js", "node --test && true", "node --test $(ls)", "npm run other"]) expect(nodeTests(command, tree)).toBeUndefined();
  });
});

describe("a task", () => {
  it("is refused when it brings a history to read the answer from", () => {
    for (const path of [".git/HEAD", "vendor/.hg/store", "repo.bundle"]) expect(() => checkTask({ ...TASK, files: new Map([...TASK.files, ...treeOf({ [path]: "x" })]) }, "tasks/add")).toThrow(/history may hold the answer/);
    expect(() => checkTask({ ...TASK, files: new Map([...TASK.files, ...treeOf({ "old/HEAD": "x", "old/objects/pack/pack-1.pack": "x" })]) }, "tasks/add")).toThrow(/old\/objects\/pack/);
    expect(() => checkTask({ ...TASK, kind: "terminal" }, "tasks/add")).toThrow("hidden/check.sh and solution/solve.sh");
  });
});
