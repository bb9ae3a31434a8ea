import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readTasks } from "../../src/cli/task-folder.ts";
import { atLevel, type Task } from "../../src/tasks/task.ts";
import { baseLine, taskHash, TaskLineReader, writeTaskLine } from "../../src/tasks/task-line.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/tasks/held-out");
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const whole: Task = {
  id: "a",
  instruction: "Fix it.",
  test: "npm test",
  instructions: { vague: "It is broken.", plain: "Fix it.", exact: "f(1) must be 2." },
  origin: { source: "mutants/a@1", seed: 7, operator: "off-by-one" },
  files: new Map([["a.js", bytes("\ufeffbroken\r\n")], ["b.bin", new Uint8Array([0, 255, 128])], ["package.json", bytes("{}")]]),
  hidden: new Map([["a.test.js", bytes("test")]]),
  solution: new Map([["a.js", bytes("right")]]),
};

describe("a line of tasks", () => {
  it("holds what a task folder holds, byte for byte", async () => {
    const reader = new TaskLineReader();
    for (const task of [...(await readTasks(FOLDER)).slice(0, 5), whole]) {
      const line = await writeTaskLine(task);
      expect(line.indexOf("\n")).toBe(line.length - 1);
      expect(reader.read(line, "x")?.task).toEqual(task);
    }
  });

  it("leaves out what a base before it holds", async () => {
    const base = await baseLine(whole.files);
    const other = { ...whole, files: new Map([...whole.files, ["a.js", bytes("broken otherwise")]]) };
    const line = await writeTaskLine(other, { base, dropped: { hung: 1, survived: 0 } });
    expect(line).not.toContain("b.bin");
    const reader = new TaskLineReader();
    expect(() => new TaskLineReader().read(line, "x.jsonl")).toThrow("x.jsonl, line 1: Its base");
    expect(reader.read(JSON.stringify(base), "x")).toBeUndefined();
    expect(reader.read(line, "x")).toMatchObject({ task: other, dropped: { hung: 1 } });
    const packages = new Map([["node_modules/p/index.js", bytes("p")]]);
    const needy = { ...other, packages };
    const full = await baseLine(whole.files, packages);
    expect(reader.read(JSON.stringify(full), "x")).toBeUndefined();
    expect(reader.read(await writeTaskLine(needy, { base: full }), "x")?.task).toEqual(needy);
    expect(reader.read(await writeTaskLine(needy), "x")?.task).toEqual(needy);
  });

  it("has one hash for the same change, wherever it stands", async () => {
    const moved: Task = { ...whole, id: "b", files: new Map([["lib/a.js", bytes("\ufeffbroken\r\n")]]), solution: new Map([["lib/a.js", bytes("right")]]) };
    expect(await taskHash(moved)).toBe(await taskHash(whole));
    expect(await taskHash({ ...whole, solution: new Map([["a.js", bytes("Right")]]) })).not.toBe(await taskHash(whole));
  });

  it("is refused by its number when it is torn or of another version", async () => {
    const reader = new TaskLineReader();
    reader.read(await writeTaskLine(whole), "x.jsonl");
    expect(() => reader.read('{"version":1,"id":"a', "x.jsonl")).toThrow("x.jsonl, line 2: This is no JSON");
    expect(() => reader.read('{"version":9}', "x.jsonl")).toThrow("line 3: The version is 9");
    expect(() => reader.read('{"version":1,"id":"a","instruction":"b","test":"c","files":[]}', "x.jsonl")).toThrow('"files" must hold');
  });

  it("asks at the level that is chosen", () => {
    expect(atLevel(whole, "exact").instruction).toBe("f(1) must be 2.");
    const { instructions: _, ...plain } = whole;
    expect(atLevel(plain, "exact").instruction).toBe("Fix it.");
  });
});
