// test/fixtures/packages.md: what a run of all suites found, written by the run itself.
import { median } from "../bench/measurement.ts";
import { agrees, type Counts, type PackageSuite, REGISTRY_DATE, SHORT_MS, type SuiteResult, type SuiteRun } from "./package-suite.ts";

/** Container ÷ Node. */
export const MEDIAN_BAR = 2;
export const WORST_BAR = 5;

export interface Machine {
  readonly node: string;
  readonly cores: number;
  readonly date: string;
}

export interface Verdict {
  readonly equal: number;
  readonly medianRatio: number;
  readonly worstRatio: number;
}

export function verdict(results: readonly SuiteResult[]): Verdict {
  const same = results.filter(agrees);
  const ratios = same.flatMap((result) => ratioOf(result) ?? []);
  return { equal: same.length, medianRatio: median(ratios), worstRatio: Math.max(...ratios) };
}

/** Undefined where Node runs native code and the container its WebAssembly build: that is no comparison of the two. */
function ratioOf({ suite, node, container }: SuiteResult): number | undefined {
  return suite.builds ? undefined : container.durationMs / node.durationMs;
}

const shown = (counts: Counts | undefined): string => (counts ? `${counts.passed} / ${counts.failed} / ${counts.skipped}` : "–");
const seconds = ({ durationMs }: SuiteRun): string => (durationMs / 1000).toFixed(2);
const cell = (text: string): string => text.replaceAll("|", "\\|");

const ROW = /^\| (\S+) \| \d[^|]* \| [^|]* \| (\S+) \|/;
const DIFFERENCE = /^- \*\*(.+?)\*\* \((.+?)\): /;

/** Lines of a written table by package and runner. */
function linesOf(table: string, pattern: RegExp): Map<string, string> {
  return new Map(table.split("\n").flatMap((line) => {
    const [, name, runner] = pattern.exec(line) ?? [];
    return name === undefined ? [] : [[`${name} ${runner}`, line] as const];
  }));
}

const keyOf = ({ name, runner }: PackageSuite): string => `${name} ${runner}`;

/** The suites that a written table has no row of. */
export function withoutRow(table: string, suites: readonly PackageSuite[]): readonly PackageSuite[] {
  const rows = linesOf(table, ROW);
  return suites.filter((suite) => !rows.has(keyOf(suite)));
}

/** Rows of suites that have no result here are taken over from `before`, a table written earlier. */
export function formatPackages(results: readonly SuiteResult[], machine: Machine, suites: readonly PackageSuite[] = results.map(({ suite }) => suite), before = ""): string {
  const rows = linesOf(before, ROW);
  const differences = linesOf(before, DIFFERENCE);
  for (const result of results) {
    const { suite, licence, node, container } = result;
    const same = agrees(result);
    rows.set(keyOf(suite), `| ${[suite.name, suite.version, licence, suite.runner, `\`${cell(suite.command)}\``, shown(node.counts), shown(container.counts), same ? "yes" : "**no**", seconds(node), seconds(container), same ? (ratioOf(result)?.toFixed(1) ?? "–") : "–"].join(" | ")} |`);
    if (same) differences.delete(keyOf(suite));
    else differences.set(keyOf(suite), `- **${suite.name}** (${suite.runner}): ${explanation(result)}`);
  }
  const inOrder = (lines: ReadonlyMap<string, string>): string[] => suites.flatMap((suite) => lines.get(keyOf(suite)) ?? []);
  const shownRows = inOrder(rows);
  const shownDifferences = inOrder(differences);
  const ratios = shownRows.map((row) => Number(row.split(" | ").at(-1)?.replace(" |", ""))).filter((value) => !Number.isNaN(value));
  return `# Published test suites, in Node and in the container

Written by \`npm run suites\`; do not edit. Each package's published tests run twice with the same command on the same files: with
Node ${machine.node}, and in the container (headless Chromium, the built app, what \`npm run container\` uses). Counts are passed / failed /
skipped; equal means the same three numbers and the same exit code. Versions are those of ${REGISTRY_DATE} where a package names a range.
What takes less than ${SHORT_MS / 1000} s is run three times, and the middle time counts. Where Node runs native code of a package and the container its WebAssembly build, times are not compared.

${shownRows.length - shownDifferences.length} of ${shownRows.length} equal. Container ÷ Node over the equal ones: median ${median(ratios).toFixed(1)} (bar ${MEDIAN_BAR}), worst ${Math.max(...ratios).toFixed(1)} (bar ${WORST_BAR}). ${machine.cores} cores, ${machine.date}.

| package | version | licence | runner | command | Node | container | equal | Node, s | container, s | ÷ |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${shownRows.join("\n")}

## Differences

${shownDifferences.length === 0 ? "None." : shownDifferences.join("\n")}
`;
}

function explanation({ suite, node, container }: SuiteResult): string {
  const codes = node.exitCode === container.exitCode ? "" : ` Exit code ${container.exitCode ?? "none, stopped"} instead of ${node.exitCode ?? "none, stopped"}.`;
  return `${suite.difference ?? "not explained yet."}${codes}`;
}

