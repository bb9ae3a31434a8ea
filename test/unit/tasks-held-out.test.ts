import { parse } from "acorn";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { heldOutSets } from "../../src/cli/held-out.ts";
import { readTask, readTasks } from "../../src/cli/task-folder.ts";
import { heldOutTasks } from "../../src/tasks/held-out.ts";
import { corpusEpisode, trainingSource } from "../../src/tasks/corpus.ts";
import { NOVEL_FAMILIES, TRAINED_FAMILIES } from "../../src/tasks/families/index.ts";
import { USUAL_NAMES } from "../../src/tasks/names.ts";
import { type Node, walk } from "../../src/tasks/program.ts";
import { Random } from "../../src/tasks/random.ts";
import { gradingTree, parseManifest } from "../../src/tasks/task.ts";
import { sideOf, WordSource } from "../../src/tasks/words.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/tasks/held-out");
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Names that a file declares: parameters, locals, functions. */
function declaredNames(source: string): string[] {
  const names: string[] = [];
  walk(parse(source, { ecmaVersion: 2023, sourceType: "module" }) as unknown as Node, (node, parent) => {
    if (node.type !== "Identifier" || !parent) return;
    const isParameter = /Function/.test(parent.type) && (parent["params"] as Node[]).includes(node);
    const isVariable = parent.type === "VariableDeclarator" && parent["id"] === node && !/Function/.test((parent["init"] as Node | null)?.type ?? "");
    if (isParameter || isVariable) names.push(node["name"] as string);
  });
  return names;
}

describe("held-out tasks", () => {
  it("are at least 60, half of them of families that training never sees", async () => {
    const tasks = await readTasks(FOLDER);
    expect(tasks.filter(({ set }) => set === "known").length).toBeGreaterThanOrEqual(30);
    expect(tasks.filter(({ set }) => set === "novel").length).toBeGreaterThanOrEqual(30);
    const [trained, novel] = [TRAINED_FAMILIES, NOVEL_FAMILIES].map((families) => new Set(families.map(({ id }) => id)));
    for (const { set, family } of tasks) expect((set === "novel" ? novel : trained)!.has(family!), family).toBe(true);
  });

  it("are what their seed gives", async () => {
    const stored = await readTasks(FOLDER);
    for (const set of ["known", "novel"] as const) {
      const made = heldOutTasks(set, 5, 1);
      for (const task of made) expect(stored.find(({ id }) => id === task.id)).toEqual(task);
    }
  });

  it("use only words that training never draws", async () => {
    for (const { id, files, solution } of await readTasks(FOLDER)) {
      for (const [path, bytes] of solution) {
        for (const name of [...declaredNames(text(bytes)), ...declaredNames(text(files.get(path)!))]) {
          const parts = name.split(/(?=[A-Z])/).map((part) => part.toLowerCase());
          for (const part of parts) expect([id, part, sideOf(part), USUAL_NAMES.has(part)]).toEqual([id, part, "held-out", false]);
        }
      }
    }
  });

  it("are of the sets that a list names, and of no other", () => {
    expect(heldOutSets("novel,built")).toEqual(["novel", "built"]);
    expect(() => heldOutSets("novel,new")).toThrow('not "new"');
  });

  it("share no file with a sampled corpus", { timeout: 60_000 }, async () => {
    const texts = new Set((await readTasks(FOLDER)).flatMap(({ files, solution }) => [...files, ...solution].filter(([path]) => path.includes("src/")).map(([, bytes]) => text(bytes).trim())));
    const source = trainingSource();
    for (let i = 0; i < 300; i++) {
      const { messages } = await corpusEpisode(9, i, source);
      for (const { role, content } of messages) if (role === "tool") expect(texts.has(content.trim())).toBe(false);
    }
  });

  it("split every word to exactly one side", () => {
    const random = new Random(4);
    for (const side of ["train", "held-out"] as const) {
      const words = new WordSource(side, ["apple", "lantern", "mosaics"]);
      for (let i = 0; i < 2000; i++) expect(sideOf(words.wide(random))).toBe(side);
    }
    expect(sideOf("mosaics")).toBe(sideOf("mosaic"));
  });
});

describe("a task folder", () => {
  it("is refused by name and field when something is missing", async () => {
    expect(() => parseManifest('{"id":"a","instruction":"b"}', "tasks/a")).toThrow('tasks/a/task.json has no "test"');
    expect(() => parseManifest("{", "tasks/a")).toThrow("not valid JSON");
    expect(() => parseManifest("[]", "tasks/a")).toThrow("must hold an object");
    await expect(readTask(join(FOLDER, "..", "nowhere"))).rejects.toMatchObject({ code: "task/format" });
    await expect(readTasks(join(FOLDER, "nowhere"))).rejects.toMatchObject({ code: "command/usage" });
  });

  it("is graded with the tests as they were, whatever the agent did to them", async () => {
    const [task] = await readTasks(FOLDER);
    const bytes = new TextEncoder().encode("// gone\n");
    const after = new Map([...task!.files].map(([path, old]) => [path, path.endsWith(".test.js") || path === "package.json" ? bytes : old]));
    after.set("test/extra.test.js", bytes);
    const graded = gradingTree(task!, after);
    for (const [path, old] of task!.files) expect(graded.get(path)).toEqual(old);
    for (const [path, old] of task!.hidden) expect(graded.get(path)).toEqual(old);
    expect(graded.has("test/extra.test.js")).toBe(false);
  });
});
