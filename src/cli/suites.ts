// npm run suites: published test suites of npm packages, in real Node and in the container, side by side.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "../base/errors.ts";
import { numberOption, runCommand, type Values } from "./args.ts";
import { launchBrowser } from "./browser.ts";
import { buildIfNeeded } from "./build.ts";
import { serveSite } from "./serve.ts";
import { cacheFolder, installSuite, licenceOf } from "./suites/install.ts";
import { SUITES } from "./suites/list.ts";
import { agrees, isSame, SHORT_MS, type PackageSuite, type SuiteResult, type SuiteRun } from "./suites/package-suite.ts";
import { packSuite, runInContainer, runInNode, SNAPSHOT_PATH } from "./suites/run-suite.ts";
import { formatPackages, MEDIAN_BAR, verdict, withoutRow, WORST_BAR } from "./suites/table.ts";

const WANTED_EQUAL = 27;
const LIMIT_S = 180;
const TABLE = fileURLToPath(new URL("../../test/fixtures/packages.md", import.meta.url));

const HELP = `
Usage: npm run suites -- [PACKAGE…] [--runner NAME] [--new] [--keep DIR] [--limit SECONDS]

Runs the test suites that npm packages publish: in this Node, and in the container on the
same files. Packages are installed with npm, lifecycle scripts off, into ${cacheFolder()}
(TABWRIGHT_SUITES names another folder); npm's registry must be reachable the first time.
Without a package or a runner all of them run, and test/fixtures/packages.md is written anew.

  --runner NAME    only suites of this runner (${[...new Set(SUITES.map((suite) => suite.runner))].join(", ")})
  --new            only suites that the table has no row of; its other rows stay
  --keep DIR       writes what each run printed to DIR/PACKAGE.node.txt and DIR/PACKAGE.container.txt
  --limit SECONDS  of one run (default ${LIMIT_S})
  --help           this text

Exit code: of all suites, 1 when fewer than ${WANTED_EQUAL} agree, or container ÷ Node is over ${MEDIAN_BAR} in the
median or over ${WORST_BAR} at worst; of named ones, 1 when one differs.
`;

async function chosen(values: Values, names: readonly string[]): Promise<readonly PackageSuite[]> {
  if (values["new"] === true) return withoutRow(await readFile(TABLE, "utf8"), SUITES);
  const unknown = names.find((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown !== undefined) throw new AppError("command/usage", `There is no suite of "${unknown}". Choose from ${[...new Set(SUITES.map((suite) => suite.name))].join(", ")}.`);
  const runner = values["runner"];
  const suites = SUITES.filter((suite) => (names.length === 0 || names.includes(suite.name)) && (runner === undefined || suite.runner === runner));
  if (suites.length === 0) throw new AppError("command/usage", `No suite is run by "${String(runner)}". Choose from ${[...new Set(SUITES.map((suite) => suite.runner))].join(", ")}.`);
  return suites;
}

async function run(values: Values, names: readonly string[]): Promise<number> {
  const suites = await chosen(values, names);
  const limitMs = (numberOption(values, "limit", 1) ?? LIMIT_S) * 1000;
  const keep = typeof values["keep"] === "string" ? values["keep"] : undefined;
  await buildIfNeeded();
  const scratch = await mkdtemp(join(tmpdir(), "tabwright-suites-"));
  const snapshot = join(scratch, "suite.snapshot");
  await writeFile(snapshot, "");
  const site = await serveSite({ port: 0, files: new Map([[SNAPSHOT_PATH, snapshot]]) });
  const browser = await launchBrowser({ webgpu: false });
  const results: SuiteResult[] = [];
  try {
    for (const suite of suites) {
      const folder = await installSuite(suite);
      await packSuite(folder, snapshot);
      const node = await measured(() => runInNode(suite, folder, limitMs));
      const container = await measured(() => runInContainer(browser, site.origin, suite, limitMs));
      const result = { suite, licence: await licenceOf(folder), node, container };
      results.push(result);
      process.stderr.write(`${line(result)}\n`);
      if (keep !== undefined) await keepOutput(keep, result);
    }
  } finally {
    await browser.close();
    await site.close();
    await rm(scratch, { recursive: true, force: true });
  }
  const { equal, medianRatio, worstRatio } = verdict(results);
  const times = Number.isNaN(medianRatio) ? "" : `; container ÷ Node: median ${medianRatio.toFixed(1)}, worst ${worstRatio.toFixed(1)}`;
  process.stdout.write(`${equal} of ${results.length} equal${times}\n`);
  const isNew = values["new"] === true;
  if (suites.length < SUITES.length && !isNew) return equal === results.length ? 0 : 1;
  const machine = { node: process.versions.node, cores: cpus().length, date: new Date().toISOString().slice(0, 10) };
  await writeFile(TABLE, formatPackages(results, machine, SUITES, isNew ? await readFile(TABLE, "utf8") : ""));
  if (isNew) return equal === results.length ? 0 : 1;
  return equal >= WANTED_EQUAL && medianRatio <= MEDIAN_BAR && worstRatio <= WORST_BAR ? 0 : 1;
}

/** A short run three times: the one in the middle by its time, or one whose counts are not the first's. */
async function measured(run: () => Promise<SuiteRun>): Promise<SuiteRun> {
  const first = await run();
  if (first.durationMs >= SHORT_MS) return first;
  const runs = [first, await run(), await run()].sort((a, b) => a.durationMs - b.durationMs);
  return runs.find((other) => !isSame(first, other)) ?? runs[1]!;
}

function line(result: SuiteResult): string {
  const { suite, node, container } = result;
  const told = ({ counts, exitCode, durationMs }: SuiteRun): string =>
    `${counts ? `${counts.passed}/${counts.failed}/${counts.skipped}` : "–"} exit ${exitCode ?? "–"} ${(durationMs / 1000).toFixed(2)} s`;
  return `${agrees(result) ? "same  " : "DIFFER"} ${`${suite.name} (${suite.runner})`.padEnd(36)} node ${told(node).padEnd(26)} container ${told(container)}`;
}

async function keepOutput(folder: string, { suite, node, container }: SuiteResult): Promise<void> {
  await mkdir(folder, { recursive: true });
  const name = join(folder, `${suite.name.replaceAll("/", "+")}.${suite.runner.replace(":", "-")}`);
  await writeFile(`${name}.node.txt`, node.output);
  await writeFile(`${name}.container.txt`, container.output);
}

await runCommand({ help: HELP, options: { runner: { type: "string" }, new: { type: "boolean" }, keep: { type: "string" }, limit: { type: "string" } }, run });
