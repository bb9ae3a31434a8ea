// npm run node-tests: Node's own tests, those that pass here in Node, in the container.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "../base/errors.ts";
import { numberOption, required, runCommand, type Values } from "./args.ts";
import { launchBrowser } from "./browser.ts";
import { buildIfNeeded } from "./build.ts";
import { serveSite } from "./serve.ts";
import { NodeTestsPage } from "./suites/node-tests-page.ts";
import { listNodeTests, packNodeTests, runInNode, type NodeTest, type NodeTestRun } from "./suites/node-tests.ts";
import { formatNodeTests } from "./suites/node-tests-table.ts";

const TABLE = fileURLToPath(new URL("../../test/fixtures/node-tests.md", import.meta.url));
const LIMIT_S = 20;

const HELP = `
Usage: npm run node-tests -- --source DIR [PATTERN…] [--keep FILE] [--limit SECONDS] [--write]

Runs Node's own tests (test/parallel, test/es-module) in this Node and, of those that pass, each in the
container, as a process of its own. DIR is the folder of a source release of Node 20 (nodejs.org, or
"apt-get source nodejs" of a Debian that has it). What Node answers is kept in DIR/.node-answers.json.

  PATTERN          only files whose name has it: test-fs-, or /^test-(path|url)/
  --keep FILE      one JSON line a test: its file, how it ended and the end of what it printed
  --limit SECONDS  of one test in the container (default ${LIMIT_S})
  --write          writes test/fixtures/node-tests.md (without a PATTERN only)
  --help           this text

Exit code: 1 when a test fails in the container.
`;

async function run(values: Values, patterns: readonly string[]): Promise<number> {
  const source = required(values, "source");
  if (values["write"] === true && patterns.length > 0) throw new AppError("command/usage", "--write writes the table of all tests: leave the patterns out, or --write.");
  const limitMs = (numberOption(values, "limit", 1) ?? LIMIT_S) * 1000;
  const tests = (await listNodeTests(source)).filter(({ name }) => patterns.length === 0 || patterns.some((pattern) => fits(name, pattern)));
  const answers = await nodeAnswers(source, tests);
  const wanted = tests.filter((test) => answers[test.name] === "passed");
  process.stderr.write(`${wanted.length} of ${tests.length} pass in Node ${process.versions.node}.\n`);

  await buildIfNeeded();
  const scratch = await mkdtemp(join(tmpdir(), "tabwright-node-tests-"));
  const site = await serveSite({ port: 0, files: await packNodeTests(source, scratch) });
  const browser = await launchBrowser({ webgpu: false });
  const runs: NodeTestRun[] = [];
  try {
    const queue = wanted.values();
    await Promise.all(
      cpus().map(async () => {
        const page = new NodeTestsPage(browser, site.origin, limitMs);
        for (const test of queue) {
          const run = await page.run(test);
          runs.push(run);
          if (!run.passed) process.stderr.write(`${run.end.padEnd(8)} ${test.name}\n`);
        }
        await page.close();
      }),
    );
  } finally {
    await browser.close();
    await site.close();
    await rm(scratch, { recursive: true, force: true });
    runs.sort((a, b) => (a.name < b.name ? -1 : 1));
    const kept = runs.map((run) => JSON.stringify({ ...run, output: run.passed ? undefined : run.output.slice(-3000) }));
    if (typeof values["keep"] === "string") await writeFile(values["keep"], kept.map((line) => `${line}\n`).join(""));
  }
  const passed = runs.filter((run) => run.passed).length;
  process.stdout.write(`${passed} of ${runs.length} pass in the container\n`);
  if (values["write"] === true) {
    await writeFile(TABLE, formatNodeTests(runs, { node: process.versions.node, cores: cpus().length, date: new Date().toISOString().slice(0, 10) }));
  }
  return passed === runs.length ? 0 : 1;
}

function fits(name: string, pattern: string): boolean {
  return /^\/.*\/$/.test(pattern) ? new RegExp(pattern.slice(1, -1)).test(name) : name.includes(pattern);
}

/** What this Node makes of each test; asked once for each. */
async function nodeAnswers(source: string, tests: readonly NodeTest[]): Promise<Record<string, string>> {
  const file = `${source}/.node-answers.json`;
  const known = await readFile(file, "utf8").then((text) => JSON.parse(text) as { version: string; answers: Record<string, string> }, () => undefined);
  const answers = known?.version === process.versions.node ? known.answers : {};
  const open = tests.filter((test) => answers[test.name] === undefined);
  if (open.length === 0) return answers;
  const queue = open.values();
  let done = 0;
  await Promise.all(
    cpus().map(async (_, worker) => {
      for (const test of queue) {
        answers[test.name] = await runInNode(source, test, worker);
        if (++done % 200 === 0) process.stderr.write(`Node: ${done} of ${open.length}\n`);
      }
    }),
  );
  await writeFile(file, JSON.stringify({ version: process.versions.node, answers }));
  return answers;
}

await runCommand({ help: HELP, options: { source: { type: "string" }, keep: { type: "string" }, limit: { type: "string" }, write: { type: "boolean" } }, run });
