// A report as text: the table of the terminal, the whole as Markdown, and two runs compared.
import { type Comparison, controlsHold, type Report, type SetSummary } from "./report.ts";
import type { Estimate } from "./statistics.ts";

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** "75.0 % (59.8–85.8)" */
export function withInterval({ value, low, high }: Estimate): string {
  return `${percent(value)} (${(low * 100).toFixed(1)}–${(high * 100).toFixed(1)})`;
}

/** "5.2 (4.9–5.6)" */
export function meanWithInterval({ value, low, high }: Estimate): string {
  const digits = value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

/** Names and values of one set's row; the same in the terminal, in Markdown and on the page. */
export function cells(one: SetSummary): readonly (readonly [name: string, value: string])[] {
  return [
    ["set", one.set],
    ["tasks", String(one.tasks)],
    ["solved", String(one.solved)],
    ...one.passAt.map((at): [string, string] => [`pass@${at.k}`, withInterval(at)]),
    ["turns", meanWithInterval(one.steps)],
    ["tokens", meanWithInterval(one.tokens)],
    ["seconds", meanWithInterval(one.seconds)],
    ["valid calls", one.validCalls ? `${withInterval(one.validCalls)} of ${one.validCalls.calls}` : "–"],
    ["reference passes", String(one.referencePasses)],
    ["broken fails", String(one.brokenFails)],
    ["no-op fails", String(one.noOpFails)],
  ];
}

/** The summary for a terminal. */
export function summaryTable({ summary }: Report): string {
  const rows = summary.map(cells);
  const head = rows[0]!.map(([name]) => name);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i]?.[1] ?? "").length)));
  const line = (words: readonly string[]): string => words.map((word, i) => (i === 0 ? word.padEnd(widths[i]!) : word.padStart(widths[i]!))).join("  ");
  return `${[line(head), ...rows.map((row) => line(row.map(([, value]) => value)))].join("\n")}\n`;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (words: readonly string[]): string => `| ${words.map((word) => word.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");
}

export function factLines({ run }: Report): readonly string[] {
  const drawn = run.temperature === undefined ? "" : ` at temperature ${run.temperature}, seeds from ${run.seed}`;
  return [`Model: ${run.model}`, `Tasks: ${run.tasks}`, `${run.samples} ${run.samples === 1 ? "attempt" : "attempts"} a task${run.tries === undefined ? "" : ` with up to ${run.tries} tries per edit`}${drawn}, begun ${run.started}`];
}

export const METHOD =
  "Intervals are 95 %: Wilson's for a share of tasks or calls, the bootstrap over tasks for means and for several attempts a task. pass@k is the unbiased estimate of Chen et al. (arXiv 2107.03374). Whether a task was solved is decided by hidden tests on what was left, with tests and what steers them put back.";

export function markdownReport(report: Report): string {
  const reasons = [...new Set(report.summary.flatMap((one) => Object.keys(one.ends)))].sort();
  const broken = report.results.filter((one) => one.sample === 1 && !controlsHold(one));
  const parts = [
    "# Evaluation",
    factLines(report).map((line) => `- ${line}`).join("\n"),
    markdownTable(cells(report.summary[0]!).map(([name]) => name), report.summary.map((one) => cells(one).map(([, value]) => value))),
    METHOD,
    "## Why the assistant ended",
    markdownTable(["set", ...reasons], report.summary.map((one) => [one.set, ...reasons.map((reason) => String(one.ends[reason] ?? 0))])),
    "## Controls",
    broken.length === 0 ? "All held: every reference passes, every start fails, doing nothing fails." : broken.map((one) => `- ${one.id}: ${brokenControls(one.controls).join(", ")}`).join("\n"),
    "## Attempts",
    markdownTable(
      ["task", "set", "attempt", "solved", "end", "turns", "tokens", "seconds", "verdict"],
      report.results.map((one) => [one.id, one.set, String(one.sample), one.solved ? "yes" : "no", one.end, String(one.steps), String(one.tokens), one.seconds.toFixed(1), one.verdict]),
    ),
  ];
  return `${parts.join("\n\n")}\n`;
}

export function brokenControls({ reference, brokenStart, noOp }: { readonly reference: boolean; readonly brokenStart: boolean; readonly noOp: boolean }): string[] {
  return [reference ? "" : "the reference fails", brokenStart ? "" : "the broken start passes", noOp ? "" : "doing nothing passes"].filter(Boolean);
}

/** `names`: what the two runs are called. */
export function comparisonText(comparison: Comparison, names: readonly [string, string]): string {
  const { tasks, first, second, difference, onlyFirst, onlySecond } = comparison;
  const points = (share: number): string => `${share >= 0 ? "+" : ""}${(share * 100).toFixed(1)}`;
  const beyond = difference.low > 0 || difference.high < 0;
  const list = (ids: readonly string[]): string => (ids.length === 0 ? "" : `: ${ids.slice(0, 20).join(", ")}${ids.length > 20 ? ", …" : ""}`);
  return [
    `${tasks} tasks in both runs`,
    `A  ${names[0]}: ${withInterval(first)}`,
    `B  ${names[1]}: ${withInterval(second)}`,
    `B - A, paired: ${points(difference.value)} points (${points(difference.low)} to ${points(difference.high)}): ${beyond ? "beyond chance at 95 %" : "within chance at 95 %"}`,
    `McNemar, exact, first attempts: p = ${comparison.mcnemar}`,
    `Only A solved ${onlyFirst.length}${list(onlyFirst)}`,
    `Only B solved ${onlySecond.length}${list(onlySecond)}`,
    "",
  ].join("\n");
}
