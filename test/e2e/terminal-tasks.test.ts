// The terminal tasks hold their promises in the container's own shell and Node, and grading there is not fooled either.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTasks } from "../../src/cli/task-folder.ts";
import { grade, type RunOn } from "../../src/tasks/scoring/grading.ts";
import { SOLVE_SCRIPT, solvedTree, type Task } from "../../src/tasks/task.ts";
import { PageSandbox } from "../support/page-sandbox.ts";
import { treeOf } from "../support/trees.ts";

const tasks = await readTasks(join(import.meta.dirname, "../fixtures/tasks/terminal"));
let sandbox: PageSandbox;
let close: () => Promise<void>;
const run: RunOn = async (files, command) => {
  await sandbox.restore(files);
  return sandbox.run(command);
};

beforeAll(async () => {
  ({ sandbox, close } = await PageSandbox.open());
});
afterAll(() => close());

describe("thirty terminal tasks", () => {
  it("are there, from looking for a file to mending a build", () => {
    expect(tasks.map(({ kind }) => kind)).toEqual(Array.from({ length: 30 }, () => "terminal"));
    expect(new Set(tasks.map(({ family }) => family))).toEqual(new Set(["look", "files", "text", "data", "repair", "write"]));
  });

  it.each(tasks)("$id is solved by its reference, and not by doing nothing", async (task) => {
    await sandbox.restore(solvedTree(task));
    const solved = await sandbox.run(`sh ${SOLVE_SCRIPT}`);
    const after = new Map([...(await sandbox.snapshot())].filter(([path]) => path !== SOLVE_SCRIPT));
    expect({ solve: solved.output, ...(await grade(task, after, run, { key: "a" })) }).toMatchObject({ passed: true });
    expect(await grade(task, task.files, run, { key: "b" })).toMatchObject({ passed: false });
  });
});

describe("grading in the container", () => {
  const test = 'import assert from "node:assert";\nimport test from "node:test";\nimport { twice } from "../src/twice.js";\ntest("doubles", () => assert.equal(twice(3), 6));\n';
  const task: Task = { id: "twice", instruction: "Fix it.", test: "node --test", files: treeOf({ "package.json": '{"type":"module"}', "src/twice.js": "export const twice = (n) => n + 1;\n", "test/twice.test.js": test }), hidden: treeOf({ "test/twice.test.js": test }), solution: treeOf({ "src/twice.js": "export const twice = (n) => n * 2;\n" }) };

  it("passes the reference under our reporter, and none that exits, prints, or changes the judges", async () => {
    const reference = await grade(task, solvedTree(task), run, { key: "c" });
    expect(reference).toMatchObject({ passed: true, tests: ["test/twice.test.js 0 doubles"] });
    for (const cheat of [
      'console.log("ok 1 - doubles\\n# tests 1\\n# pass 1");\nprocess.exit(0);',
      'import assert from "node:assert";\ntry { assert.equal = assert.strictEqual = () => {}; } catch {}',
      'import test from "node:test";\ntest("doubles", () => {});\nsetTimeout(() => process.exit(0), 20);',
      'process.on("exit", () => { process.exitCode = 0; });',
      'const write = process.stdout.write.bind(process.stdout);\nprocess.stdout.write = (text) => write(String(text).replace(/"failed":\\[.*?\\]/, \'"failed":[]\'));',
    ]) {
      expect(await grade(task, new Map([...task.files, ...treeOf({ "src/twice.js": `${cheat}\nexport const twice = (n) => n + 1;\n` })]), run, { key: "d", reference }), cheat).toMatchObject({ passed: false });
    }
  });
});
