import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AgentEvent } from "../../src/agent/events.ts";
import { malformedNote } from "../../src/agent/prompts.ts";
import { EvalJournal, runDigest } from "../../src/cli/eval-journal.ts";
import { type Attempt, compareReports, reportOf, type RunFacts } from "../../src/tasks/scoring/report.ts";
import { htmlReport } from "../../src/tasks/scoring/report-page.ts";
import { comparisonText, markdownReport, summaryTable } from "../../src/tasks/scoring/report-text.ts";
import { bootstrapMean, mcnemar, passAtK, wilson } from "../../src/tasks/scoring/statistics.ts";
import { Tallier } from "../../src/tasks/scoring/tally.ts";
import type { Task } from "../../src/tasks/task.ts";
import { treeOf } from "../support/trees.ts";

const FACTS: RunFacts = { model: "m", tasks: "t", samples: 1, seed: 1, started: "2026-01-01T00:00:00.000Z" };
const HELD = { reference: true, brokenStart: true, noOp: true };
const attempt = (id: string, solved: boolean, more: Partial<Attempt> = {}): Attempt => ({
  id, set: "known", family: "", sample: 1, controls: HELD, solved, verdict: "v", end: solved ? "verified" : "stuck", steps: 4, tokens: 100, promptTokens: 10, seconds: 2, calls: 2, validCalls: 2, patch: "", ...more,
});

describe("the numbers of a report", () => {
  it("estimate pass@k without bias: equal to the mean over all ways to take k of n attempts", () => {
    for (let n = 1; n <= 7; n++) {
      for (let c = 0; c <= n; c++) {
        for (let k = 1; k <= n; k++) {
          let [hits, all] = [0, 0];
          for (let mask = 0; mask < 2 ** n; mask++) {
            const taken = [...Array(n).keys()].filter((i) => mask & (1 << i));
            if (taken.length !== k) continue;
            all++;
            if (taken.some((i) => i < c)) hits++;
          }
          expect(passAtK(n, c, k)).toBeCloseTo(hits / all, 12);
        }
      }
    }
    expect(passAtK(1000, 3, 100)).toBeCloseTo(0.2713, 3);
  });

  it("give Wilson's interval as the literature tabulates it", () => {
    // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    for (const [r, n, low, high] of [[81, 263, 0.2553, 0.3662], [15, 148, 0.0624, 0.1605], [0, 20, 0, 0.1611], [1, 29, 0.0061, 0.1718]] as const) {
      const found = wilson(r, n);
      expect(found.low).toBeCloseTo(low, 4);
      expect(found.high).toBeCloseTo(high, 4);
    }
  });

  it("cover the true mean about 95 times in 100, and are the same every time", () => {
    const values = Array.from({ length: 50 }, (_, i) => (i * 7919) % 100);
    const found = bootstrapMean(values);
    const error = Math.sqrt(values.reduce((sum, value) => sum + (value - found.value) ** 2, 0) / 50 / 50);
    expect((found.high - found.low) / 2 / error).toBeCloseTo(1.96, 0);
    expect(bootstrapMean(values)).toEqual(found);
  });

  it("give McNemar's exact probability", () => {
    expect(mcnemar(5, 5)).toBe(1);
    expect(mcnemar(0, 6)).toBeCloseTo(2 / 64, 12);
    expect(mcnemar(10, 2)).toBeCloseTo((2 * (1 + 12 + 66)) / 4096, 12);
    expect(mcnemar(0, 0)).toBe(1);
  });

  it("count tool calls that were tried, those that were valid, and prompt tokens that were computed", () => {
    const tallier = new Tallier();
    const call = (name: string, args: Record<string, unknown>): AgentEvent => ({ type: "tool-finished", call: { id: "c", name, arguments: args }, result: "", ok: false, durationMs: 1 });
    const stats = (promptTokens: number, reusedTokens: number): AgentEvent => ({ type: "stats", stats: { promptTokens, reusedTokens } as never });
    const events: AgentEvent[] = [stats(100, 0), stats(100, 0), { type: "assistant", text: "" }, call("edit", {}), stats(150, 100), { type: "assistant", text: "" }, call("read_file", { file_path: "a" }), call("fly", {}), { type: "note", text: malformedNote("it was not finished") }, { type: "note", text: "Go on." }];
    for (const event of events) tallier.add(event);
    expect(tallier.tally).toEqual({ calls: 4, validCalls: 1, promptTokens: 150 });
  });
});

const RESULTS = [attempt("a", true), attempt("b", false, { end: "error: <b>gone</b>" }), attempt("c", true, { set: "novel", family: "x", patch: "-<script>alert(1)</script>" }), attempt("d", false, { set: "novel", family: "y", controls: { ...HELD, noOp: false } })];

describe("a report", () => {
  it("sums up each set and all of them, with Wilson's interval for one attempt a task", () => {
    const { summary } = reportOf(FACTS, RESULTS);
    expect(summary.map(({ set, tasks, solved, share, noOpFails }) => [set, tasks, solved, share, noOpFails])).toEqual([["known", 2, 1, 0.5, 2], ["novel", 2, 1, 0.5, 1], ["all", 4, 2, 0.5, 3]]);
    expect(summary[2]!.passAt).toEqual([{ k: 1, value: 0.5, low: Number(wilson(2, 4).low.toFixed(4)), high: Number(wilson(2, 4).high.toFixed(4)) }]);
    expect(summary[0]!.ends).toEqual({ verified: 1, error: 1 });
    expect(summary[0]!.validCalls).toMatchObject({ value: 1, calls: 4 });
  });

  it("estimates pass@k from several attempts a task", () => {
    const results = ["a", "b"].flatMap((id) => [1, 2, 3, 4, 5].map((sample) => attempt(id, id === "a" && sample === 2, { sample })));
    const [one] = reportOf({ ...FACTS, samples: 5 }, results).summary;
    expect(one!.passAt.map(({ k, value }) => [k, value])).toEqual([[1, 0.1], [2, 0.2], [5, 0.5]]);
    expect(one!.solved).toBe(0);
  });

  it("reads as a table and as Markdown, and names every control that did not hold", () => {
    const report = reportOf(FACTS, RESULTS);
    expect(summaryTable(report).split("\n")[1]).toMatch(/^known\s+2\s+1\s+50\.0 % \(9\.[45]–90\.5\)/);
    const text = markdownReport(report);
    expect(text).toContain("- d: doing nothing passes");
    expect(text).toContain("| set | error | stuck | verified |");
  });

  it("is one page that asks for nothing, runs nothing, and shows what projects say as text", () => {
    const page = htmlReport(reportOf(FACTS, RESULTS));
    expect(page).not.toMatch(/<script|<b>gone|\bsrc=|url\(|@import|<link|http(s)?:/);
    expect(page).toContain("-&#60;script&#62;alert(1)");
    expect(page).toContain("default-src 'none'");
    expect(page.match(/<svg /g)!.length).toBeGreaterThanOrEqual(6);
    for (const [, label] of page.matchAll(/<svg viewBox="[^"]+" role="img" aria-label="([^"]+)">/g)) expect(label!.length).toBeGreaterThan(20);
    expect(page.match(/<svg /g)!.length).toBe([...page.matchAll(/role="img" aria-label=/g)].length);
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("is compared with another over the tasks they share, paired", () => {
    const b = reportOf({ ...FACTS, model: "n" }, [attempt("z", true), attempt("a", true), attempt("b", true), attempt("c", true, { set: "novel" })]);
    const found = compareReports(reportOf(FACTS, RESULTS), b)!;
    expect(found).toMatchObject({ tasks: 3, first: { value: 0.6667 }, second: { value: 1 }, difference: { value: 0.3333 }, onlyFirst: [], onlySecond: ["b"], mcnemar: 1 });
    expect(comparisonText(found, ["A.json", "B.json"])).toContain("within chance at 95 %");
    expect(compareReports(b, reportOf(FACTS, [attempt("other", true)]))).toBeUndefined();
    const many = (solved: boolean) => reportOf(FACTS, Array.from({ length: 20 }, (_, i) => attempt(`t${i}`, solved || i < 5)));
    expect(comparisonText(compareReports(many(false), many(true))!, ["A", "B"])).toMatch(/\+75\.0 points .* beyond chance at 95 %\nMcNemar, exact, first attempts: p = 0\.000061/);
  });
});

describe("the journal of a run", () => {
  const task: Task = { id: "a", instruction: "i", test: "t", files: treeOf({ a: "1" }), hidden: treeOf({ b: "2" }), solution: treeOf({ c: "3" }) };

  it("goes on after a kill in the middle of a line, and not with another run's tasks or settings", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tabwright-journal-"));
    try {
      const path = join(folder, "run.jsonl");
      const digest = runDigest([task], FACTS);
      const first = await EvalJournal.open(path, FACTS, digest, true);
      await first.addControls({ id: "a", controls: HELD, reference: { passed: true, reason: "r", tests: ["x"] } });
      await first.addAttempt(attempt("a", true));
      const whole = await readFile(path, "utf8");
      await writeFile(path, `${whole}{"attempt":{"id":"b`);
      const second = await EvalJournal.open(path, { ...FACTS, started: "later" }, digest, true);
      expect(second.facts).toEqual(FACTS);
      expect(second.attempt("a", 1)).toEqual(attempt("a", true));
      expect(second.attempt("a", 2)).toBeUndefined();
      expect(second.controls.get("a")?.reference.tests).toEqual(["x"]);
      await second.addAttempt(attempt("b", false));
      expect((await EvalJournal.open(path, FACTS, digest, true)).attempts.size).toBe(2);
      for (const other of [runDigest([{ ...task, hidden: treeOf({ b: "3" }) }], FACTS), runDigest([task], { ...FACTS, samples: 2 })]) {
        await expect(EvalJournal.open(path, FACTS, other, true)).rejects.toMatchObject({ code: "command/usage" });
      }
      expect((await EvalJournal.open(path, FACTS, digest, false)).attempts.size).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
