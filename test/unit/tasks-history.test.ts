import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readProject } from "../../src/cli/project-files.ts";
import { nodeHost } from "../../src/cli/tasks/node-host.ts";
import { GitHistory, treeFiles } from "../../src/tasks/making/git-history.ts";
import { historySource } from "../../src/tasks/making/history-source.ts";
import type { TestHost } from "../../src/tasks/making/host.ts";
import { produce } from "../../src/tasks/making/production.ts";

const test = (call: string, expected: string): string => `import test from "node:test";\nimport assert from "node:assert";\nimport * as all from "../src/max.js";\ntest("${call}", () => assert.equal(all.${call}, ${expected}));\n`;
const MANIFEST = '{"name":"max","type":"module","scripts":{"test":"node --test"}}\n';

let folder: string;
let host: TestHost;

function commit(message: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const git = (...args: string[]): void => void execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd: folder, stdio: "ignore" });
  if (!fs.existsSync(join(folder, ".git"))) git("init", "-b", "main");
  git("add", "-A");
  git("commit", "-m", message);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tabwright-history-"));
  commit("Begin", { "package.json": MANIFEST, "src/max.js": "export const max = (a, b) => (a < b ? a : b);\n" });
  commit("Say more", { "README.md": "# max\n" });
  commit("Give the larger", { "src/max.js": "export const max = (a, b) => (a > b ? a : b);\n", "test/max.test.js": test("max(1, 2)", "2") });
  commit("Rename what nothing sees", { "src/max.js": "export const max = (x, y) => (x > y ? x : y);\n", "test/max.test.js": `${test("max(1, 2)", "2")}// the same\n` });
  execFileSync("git", ["gc", "--quiet"], { cwd: folder });
  commit("Add the smaller", { "src/max.js": "export const max = (x, y) => (x > y ? x : y);\nexport const min = (x, y) => (x < y ? x : y);\n", "test/min.test.js": test("min(1, 2)", "1") });
  host = await nodeHost();
});
afterAll(async () => {
  await host.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("tasks from history", () => {
  it("are the commits that change code and tests together, red before and green after", { timeout: 60_000 }, async () => {
    const source = await historySource("max", new GitHistory(fs, join(folder, ".git")));
    const outcomes: string[] = [];
    const made = [];
    for await (const { task } of produce(source, [host], { seed: 0, until: 100, count: 100 }, new Set(), ({ outcome }) => outcomes.push(outcome))) made.push(task);
    expect(outcomes).toEqual(["unfit", "unfit", "kept", "survived", "kept"]);
    const [fix, feature] = made;
    expect([...fix!.files.keys()]).toEqual(["README.md", "package.json", "src/max.js", "test/max.test.js"]);
    expect(new TextDecoder().decode(fix!.files.get("src/max.js"))).toContain("a < b ? a : b");
    expect([[...fix!.hidden.keys()], [...fix!.solution.keys()]]).toEqual([["test/max.test.js"], ["src/max.js"]]);
    expect(fix!.instructions!.exact).toContain("expects 2 and gets 1");
    expect([[...feature!.hidden.keys()], feature!.origin?.seed]).toEqual([["test/min.test.js"], 4]);
  });

  it("are read from the files of a .git folder as from the disk, loose objects and packs", async () => {
    const { files } = await readProject(join(folder, ".git"), []);
    const [disk, tree] = [new GitHistory(fs, join(folder, ".git")), new GitHistory(treeFiles(new Map([...files].map(([path, bytes]) => [`git/${path}`, bytes]))), "/git")];
    const commits = await disk.commits();
    expect(await tree.commits()).toEqual(commits);
    expect(commits.length).toBe(5);
    for (const { id } of commits) expect(await tree.tree(id)).toEqual(await disk.tree(id));
    expect(await tree.changed(commits[1]!.id, commits[2]!.id)).toEqual(["src/max.js", "test/max.test.js"]);
  });
});
