// test/fixtures/packages.md: what a run of all suites found, written by the run itself.
import { median } from "../bench/measurement.ts";
import { agrees, type Counts, REGISTRY_DATE, type SuiteResult, type SuiteRun } from "./package-suite.ts";

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
  const ratios = same.map(ratio);
  return { equal: same.length, medianRatio: median(ratios), worstRatio: Math.max(...ratios) };
}

function ratio({ node, container }: SuiteResult): number {
  return container.durationMs / node.durationMs;
}

const shown = (counts: Counts | undefined): string => (counts ? `${counts.passed} / ${counts.failed} / ${counts.skipped}` : "–");
const seconds = ({ durationMs }: SuiteRun): string => (durationMs / 1000).toFixed(2);
const cell = (text: string): string => text.replaceAll("|", "\\|");

export function formatPackages(results: readonly SuiteResult[], machine: Machine): string {
  const { equal, medianRatio, worstRatio } = verdict(results);
  const rows = results.map((result) => {
    const { suite, licence, node, container } = result;
    const same = agrees(result);
    return `| ${[suite.name, suite.version, licence, suite.runner, `\`${cell(suite.command)}\``, shown(node.counts), shown(container.counts), same ? "yes" : "**no**", seconds(node), seconds(container), same ? ratio(result).toFixed(1) : "–"].join(" | ")} |`;
  });
  const different = results.filter((result) => !agrees(result));
  return `# Published test suites, in Node and in the container

Written by \`npm run suites\`; do not edit. Each package's published tests run twice with the same command on the same files: with
Node ${machine.node}, and in the container (headless Chromium, the built app, what \`npm run container\` uses). Counts are passed / failed /
skipped; equal means the same three numbers and the same exit code. Versions are those of ${REGISTRY_DATE} where a package names a range.

${equal} of ${results.length} equal. Container ÷ Node over the equal ones: median ${medianRatio.toFixed(1)} (bar ${MEDIAN_BAR}), worst ${worstRatio.toFixed(1)} (bar ${WORST_BAR}). ${machine.cores} cores, ${machine.date}.

| package | version | licence | runner | command | Node | container | equal | Node, s | container, s | ÷ |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

## Differences

${different.length === 0 ? "None." : different.map((result) => `- **${result.suite.name}** (${result.suite.runner}): ${explanation(result)}`).join("\n")}
`;
}

function explanation({ suite, node, container }: SuiteResult): string {
  const codes = node.exitCode === container.exitCode ? "" : ` Exit code ${container.exitCode ?? "none, stopped"} instead of ${node.exitCode ?? "none, stopped"}.`;
  return `${suite.difference ?? "not explained yet."}${codes}`;
}

