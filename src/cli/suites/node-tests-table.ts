// test/fixtures/node-tests.md: Node's own tests by subject, and those that fail in the container.
import type { NodeTestRun } from "./node-tests.ts";

export function formatNodeTests(runs: readonly NodeTestRun[], machine: { readonly node: string; readonly cores: number; readonly date: string }): string {
  const subjects = new Map<string, NodeTestRun[]>();
  for (const run of runs) subjects.set(subjectOf(run.name), [...(subjects.get(subjectOf(run.name)) ?? []), run]);
  const rows = [...subjects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([subject, all]) => {
    const failed = all.filter((run) => !run.passed);
    return `| ${subject} | ${all.length - failed.length} of ${all.length} | ${failed.map(({ name, end }) => `${name.replace(/^.*\/test-/, "").replace(/\.m?js$/, "")}${end === "late" ? " (late)" : ""}`).join(", ")} |`;
  });
  return `# Node's own tests in the container

Written by \`npm run node-tests\` on ${machine.date}: the files of \`test/parallel\` and \`test/es-module\` of Node's source that pass in
Node ${machine.node} on the same machine (${machine.cores} cores), each a process of its own in the container. Left out: those that ask for Node's inside
or the engine's switches (\`--expose-internals\`, \`--expose-gc\`, \`--stack-size\`, …), those of what the container does not have (cluster, TLS, HTTP/2, datagrams, the
inspector, …), and those of the REPL, dns and domain, which it has in part: \`src/cli/suites/node-tests.ts\`.

**${runs.filter((run) => run.passed).length} of ${runs.length} pass.**

| subject | pass | fail |
|---|---|---|
${rows.join("\n")}
`;
}

function subjectOf(name: string): string {
  if (!name.startsWith("parallel/")) return name.slice(0, name.indexOf("/"));
  return /^parallel\/test-([a-z0-9]+)/i.exec(name)?.[1] ?? "other";
}
