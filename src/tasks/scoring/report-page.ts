// A report as one HTML file that needs nothing else: no script, no font, no request. Light and dark as the reader's system.
import { attemptGrid, type Bar, escapeHtml, histogram, partsChart, shareChart } from "./charts.ts";
import { type Attempt, byTask, controlsHold, type Report } from "./report.ts";
import { brokenControls, cells, factLines, METHOD } from "./report-text.ts";
import { wilson } from "./statistics.ts";

const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --ink: #1c2128; --soft: #59636e; --line: #d1d9e0; --yes: #1a7f56; --no: #c9ced6; --p0: #5b8def; --p1: #e09f3e; --p2: #9a6bd1; --p3: #d1495b; --p4: #3aa6a6; --p5: #8a8f98; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171c; --ink: #e6e9ee; --soft: #a0a8b4; --line: #343a44; --yes: #3fb27f; --no: #4b525e; } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; font-size: 1.2rem; }
p, li { max-width: 44rem; } .soft { color: var(--soft); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .875rem; white-space: nowrap; }
th, td { padding: .3rem .7rem .3rem 0; text-align: right; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th:first-child, td:first-child, .words { text-align: left; } td.words { white-space: normal; min-width: 16rem; }
svg { display: block; width: 100%; max-width: 44rem; height: auto; margin: .5rem 0; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
.bar { fill: var(--yes); } .rest { fill: var(--no); } .grid { stroke: var(--line); } .whisker { stroke: var(--ink); fill: none; stroke-width: 1.5; }
.part-0 { fill: var(--p0); } .part-1 { fill: var(--p1); } .part-2 { fill: var(--p2); } .part-3 { fill: var(--p3); } .part-4 { fill: var(--p4); } .part-5 { fill: var(--p5); }
.key::before { content: ""; display: inline-block; inline-size: .75em; block-size: .75em; margin-inline-end: .3em; background: var(--yes); } .key.no::before { background: var(--no); }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: 6px; font-size: .8125rem; }
`;

export function htmlReport(report: Report): string {
  const { summary, results } = report;
  const title = `Evaluation of ${report.run.model}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
<main>
<h1>${escapeHtml(title)}</h1>
<ul>${factLines(report).map((line) => `<li>${escapeHtml(line)}</li>`).join("")}</ul>
${table(summary.map((one) => cells(one)[0]![1]).toSpliced(0, 0, ""), cells(summary[0]!).slice(1).map(([name], i) => [name, ...summary.map((one) => cells(one)[i + 1]?.[1] ?? "")]))}
<p class="soft">${escapeHtml(METHOD)}</p>
${section("Solved", shareChart("Share of tasks solved, with 95 % interval", summary.flatMap((one) => one.passAt.map((at): Bar => ({ ...at, label: `${one.set}, pass@${at.k}` })))))}
${families(results)}
${section("Every attempt", `<p><span class="key">solved</span> &nbsp; <span class="key no">not solved</span></p>${attemptGrid("Attempts", [...byTask(results)].map(([id, attempts]) => ({ id, solved: attempts.map((one) => one.solved) })))}`)}
${section("Turns", histogram("Turns of the model", "turns", results.map((one) => ({ value: one.steps, solved: one.solved }))))}
${section("Tokens written", histogram("Tokens written", "tokens", results.map((one) => ({ value: one.tokens, solved: one.solved }))))}
${section("Wall time", histogram("Wall time", "s", results.map((one) => ({ value: one.seconds, solved: one.solved }))))}
${section("Why the assistant ended", partsChart("Why the assistant ended", summary.map((one) => ({ label: one.set, parts: one.ends }))))}
${section("Controls", controls(results))}
${section("Attempts in numbers", table(["task", "set", "attempt", "solved", "end", "turns", "tokens", "seconds", "valid calls", "verdict"], results.map((one) => [one.id, one.set, String(one.sample), one.solved ? "yes" : "no", one.end, String(one.steps), String(one.tokens), one.seconds.toFixed(1), `${one.validCalls} of ${one.calls}`, one.verdict])))}
${section("Patches", results.filter((one) => one.patch !== "").map((one) => `<details><summary>${escapeHtml(`${one.id}, attempt ${one.sample}: ${one.solved ? "solved" : "not solved"}`)}</summary><pre>${escapeHtml(one.patch)}</pre></details>`).join("\n"))}
</main>
</html>
`;
}

function section(title: string, body: string): string {
  return body === "" ? "" : `<section><h2>${escapeHtml(title)}</h2>${body}</section>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const words = (i: number): string => (head[i] === "verdict" ? ' class="words"' : "");
  return `<div class="wide" tabindex="0" role="group" aria-label="Table"><table><thead><tr>${head.map((cell, i) => `<th scope="col"${words(i)}>${escapeHtml(cell)}</th>`).join("")}</tr></thead><tbody>${rows
    .map((row) => `<tr>${row.map((cell, i) => (i === 0 ? `<th scope="row">${escapeHtml(cell)}</th>` : `<td${words(i)}>${escapeHtml(cell)}</td>`)).join("")}</tr>`)
    .join("\n")}</tbody></table></div>`;
}

/** By kind of task, first attempts; left out where no task names its kind. */
function families(results: readonly Attempt[]): string {
  const first = results.filter((one) => one.sample === 1 && one.family !== "");
  const names = [...new Set(first.map((one) => one.family))].sort();
  if (names.length < 2) return "";
  const bars = names.map((label): Bar => {
    const group = first.filter((one) => one.family === label);
    return { label: `${label} (${group.length})`, ...wilson(group.filter((one) => one.solved).length, group.length) };
  });
  return section("By kind of task", shareChart("Share of tasks solved by kind, first attempts", bars));
}

function controls(results: readonly Attempt[]): string {
  const broken = results.filter((one) => one.sample === 1 && !controlsHold(one));
  if (broken.length === 0) return "<p>All held: every reference passes, every start fails, doing nothing fails.</p>";
  return `<ul>${broken.map((one) => `<li>${escapeHtml(`${one.id}: ${brokenControls(one.controls).join(", ")}`)}</li>`).join("")}</ul>`;
}
