import assert from "node:assert/strict";
import { describe, expect, it } from "vitest";
import { comparedValues } from "../../src/agent/test-report.ts";
import { condense, parseTestOutput } from "../../src/agent/test-output.ts";
import { runNodeTests } from "../../src/cli/held-out.ts";
import type { RunResult } from "../../src/container/sandbox.ts";
import { CHAT_QUESTIONS } from "../../src/tasks/chat-lines.ts";
import { corpusEpisode, MIX, trainingSource } from "../../src/tasks/corpus.ts";
import { makeEpisode } from "../../src/tasks/episode.ts";
import { TRAINED_FAMILIES } from "../../src/tasks/families/index.ts";
import { FastSandbox } from "../../src/tasks/fast-sandbox.ts";
import { inspect } from "../../src/tasks/inspect.ts";
import { makeProblem } from "../../src/tasks/problem.ts";
import { placeProblems, projectTree } from "../../src/tasks/project.ts";
import { Random } from "../../src/tasks/random.ts";

const source = trainingSource();
const SEED = 77;

function condensed(run: Pick<RunResult, "exitCode" | "output">, files: readonly string[]): string {
  const report = parseTestOutput(run.output, files);
  return condense({ ...run, end: "exit", durationMs: 1 }, report, 60_000);
}

describe("the fast sandbox", () => {
  it("says of a test run exactly what real node --test says, once condensed", { timeout: 240_000 }, async () => {
    const random = new Random(SEED);
    const trees = Array.from({ length: 36 }, (_, i) => {
      const count = i % 4 === 3 ? 3 : 1;
      const problems = Array.from({ length: count }, () =>
        makeProblem((inner) => inner.pick(TRAINED_FAMILIES), { side: "train", words: source.words, hiddenCases: 0 }, random),
      );
      return projectTree("sample", placeProblems(problems, random.int(1, count), count > 1, () => source.words.noun(random), random), i % 9 === 8 ? "solution" : "start");
    });
    const queue = [...trees];
    const worker = async (): Promise<void> => {
      for (let tree = queue.pop(); tree; tree = queue.pop()) {
        const files = [...tree.keys()];
        const fast = await new FastSandbox(tree).run("npm test");
        const real = await runNodeTests(tree);
        expect(condensed(fast, files), `seed ${SEED}: ${files.join(" ")}`).toBe(condensed(real, files));
      }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
  });

  it("writes lists of all lengths as node:assert's diffs are read", () => {
    const random = new Random(SEED);
    const list = () => Array.from({ length: random.int(0, 4) }, () => random.pick([1, -5, "a", "it, b", "", true, null]));
    for (let i = 0; i < 500; i++) {
      const [actual, expected] = [list(), list()];
      try {
        assert.deepEqual(actual, expected);
      } catch (error) {
        const read = comparedValues((error as Error).message);
        // A diff that leaves lines out tells no values; the reporter's own fields are read then.
        if (read) expect(read, `seed ${SEED}`).toEqual({ actual: inspect(actual), expected: inspect(expected) });
      }
    }
  });

  it("keeps files, forgets removed ones and restores a whole tree", async () => {
    const start = new Map([["a.txt", new Uint8Array([1])]]);
    const sandbox = new FastSandbox(start);
    await sandbox.writeFile("b/c.txt", new Uint8Array([2]));
    expect(await sandbox.list()).toEqual(["a.txt", "b/c.txt"]);
    await sandbox.remove("a.txt");
    await expect(sandbox.readFile("a.txt")).rejects.toMatchObject({ code: "project/not-found" });
    await sandbox.restore(start);
    expect(await sandbox.snapshot()).toEqual(start);
  });

  it("ends commands that it does not know with 127", async () => {
    expect(await new FastSandbox(new Map()).run("ls -la")).toMatchObject({ exitCode: 127, end: "exit" });
  });
});

describe("episodes", () => {
  it("are the same for the same seed, whichever others are made", async () => {
    expect(await corpusEpisode(3, 5, source)).toEqual(await corpusEpisode(3, 5, trainingSource()));
  });

  it("run the tests, read, edit, run them again and say what was fixed", async () => {
    const episode = await makeEpisode("fix", "e", source, new Random(SEED));
    const turns = episode!.messages.filter(({ role }) => role === "assistant").map(({ content }) => content);
    expect(turns).toHaveLength(5);
    expect(turns[0]).toContain("npm test");
    expect(turns[1]).toContain("<function=read_file>");
    expect(turns[2]).toContain("<function=edit>");
    expect(turns[3]).toContain("npm test");
    expect(turns[4]).toMatch(/^Fixed \w+\. All tests pass\.$/);
    expect(episode!.messages.at(-2)!.content).toMatch(/^exit code 0: \d+ passed, 0 failed$/);
  });

  it("mark deliberate mistakes as not to be learnt, and recover from them", async () => {
    const random = new Random(SEED);
    let seen = 0;
    for (let i = 0; i < 40 && seen < 10; i++) {
      const episode = await makeEpisode("recover", `e${i}`, source, random);
      if (!episode) continue;
      seen++;
      expect(episode.messages.filter(({ skip }) => skip)).toHaveLength(1);
      expect(episode.messages.at(-1)!.content).toMatch(/All tests pass\.$/);
    }
    expect(seen).toBeGreaterThanOrEqual(10);
  });

  it("are pushed to run the tests when they finish without a run", async () => {
    const episode = await makeEpisode("review", "e", source, new Random(SEED));
    expect(episode!.messages.some(({ role, content }) => role === "user" && content === "Files changed after the last test run. Run the tests before you finish.")).toBe(true);
  });

  it("come in a mix that sums to one, with at least 150 different chat questions", () => {
    expect(Object.values(MIX).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(new Set(CHAT_QUESTIONS).size).toBeGreaterThanOrEqual(150);
  });
});
