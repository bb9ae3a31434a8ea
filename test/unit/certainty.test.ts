import { describe, expect, it } from "vitest";
import { certaintyTable, type FeedbackLine, firstDrafts, triesTable } from "../../src/cli/feedback-tables.ts";
import { bestCut, cuts, type Judged, rankedRight } from "../../src/tasks/scoring/certainty.ts";

const of = (...rows: readonly (readonly [number, boolean])[]): Judged[] => rows.map(([certainty, isRight]) => ({ certainty, isRight }));

describe("the threshold of certainty", () => {
  it("is where most right answers beyond wrong ones are trusted", () => {
    const answers = of([-0.1, true], [-0.2, true], [-0.3, false], [-0.4, true], [-0.5, false], [-0.6, false]);
    expect(bestCut(answers)).toMatchObject({ threshold: -0.4, truePositives: 1, falsePositives: 1 / 3, trusted: 4 / 6 });
    expect(cuts(answers).map(({ truePositives, falsePositives }) => [truePositives, falsePositives].map((share) => Math.round(share * 3)))).toEqual([[1, 0], [2, 0], [2, 1], [3, 1], [3, 2], [3, 3]]);
    expect(rankedRight(answers)).toBeCloseTo(8 / 9);
  });

  it("tells nothing where all answers are alike, and half where certainty says nothing", () => {
    expect(rankedRight(of([-1, true], [-2, true]))).toBeUndefined();
    expect(rankedRight(of([-1, true], [-1, false]))).toBe(0.5);
    expect(bestCut([])).toBeUndefined();
  });
});

describe("the tables of feedback", () => {
  const draft = (verdict: "green" | "red", meanLogprob: number) => ({ number: 1, verdict, tokens: 10, rereadTokens: 0, drawMs: 1, judgeMs: 1, meanLogprob });
  const line = (task: string, tries: number, solved: boolean, edits: FeedbackLine["edits"] = []): FeedbackLine => ({ task, set: "novel", tries, solved, end: "verified", steps: 5, tokens: 100, seconds: 2, edits });
  const lines = [
    line("a", 1, false),
    line("b", 1, true),
    line("c", 1, false),
    line("a", 4, true, [{ kept: 2, tries: [draft("red", -0.5), draft("green", -0.6)] }]),
    line("b", 4, true, [{ kept: 1, tries: [draft("green", -0.1)] }]),
  ];

  it("compare tries over the tasks that all have, in pairs", () => {
    const table = triesTable(lines);
    expect(table).toContain("| 1 | 1 of 2 | 50.0 % (9.5 % to 90.5 %) | 100 | 2 s | – |");
    expect(table).toContain("| 4 | 2 of 2 | 100.0 % (34.2 % to 100.0 %) | 100 | 2 s | 3, 0 tokens |");
    expect(table).toContain("Solved only with 4: 1; only with 1: 0; McNemar's exact test p = 1.000.");
  });

  it("judge first drafts alone, and mark the threshold", () => {
    const drafts = firstDrafts(lines, true);
    expect(drafts).toEqual([{ certainty: -0.5, isRight: false }, { certainty: -0.1, isRight: true }]);
    expect(certaintyTable(drafts)).toContain("| **-0.100000** | 50.0 % | 100.0 % (20.7 % to 100.0 %) | 100.0 % | 0.0 % |");
  });
});
