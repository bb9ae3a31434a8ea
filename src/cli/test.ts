// npm test: the three test projects, and one closing line that counts them together. Under CI a file that fails in a browser runs a
// second time, whole and after everything else: a starved machine fails a page that a calm one does not. The output says which.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

interface TestFile {
  readonly name: string;
  readonly status: "passed" | "failed";
  readonly assertionResults: readonly { readonly status: string }[];
}
interface Run {
  readonly code: number;
  /** None where the runner ended without a report. */
  readonly files: readonly TestFile[] | undefined;
}

async function run(words: readonly string[]): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), "tabwright-test-"));
  const report = join(folder, "report.json");
  const vitest = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...words], { stdio: "inherit" });
  const code = await new Promise<number>((resolve) => vitest.on("close", (exit) => resolve(exit ?? 1)));
  const files = await readFile(report, "utf8").then((text) => (JSON.parse(text) as { testResults: TestFile[] }).testResults, () => undefined);
  await rm(folder, { recursive: true, force: true });
  return { code, files };
}

const failedOf = ({ files = [] }: Run): string[] => files.filter(({ status }) => status === "failed").map(({ name }) => relative(process.cwd(), name));

/** The first run, with what ran again in the place of what failed. */
async function runAgain(first: Run): Promise<Run> {
  const failed = failedOf(first);
  if (!process.env["CI"] || failed.length === 0 || failed.length > 5 || failed.some((file) => file.startsWith(join("test", "unit")))) return first;
  process.stdout.write(`\nOnce more, alone: ${failed.join(", ")}\n`);
  const second = await run(["--maxWorkers=1", ...failed]);
  if (!second.files) return second;
  return { code: second.code, files: [...first.files!.filter(({ status }) => status === "passed"), ...second.files] };
}

const whole = await runAgain(await run(process.argv.slice(2)));
if (!whole.files) {
  process.stdout.write("The test runner ended without a report.\n0 passed, 1 failed\n");
  process.exit(whole.code || 1);
}
const tests = whole.files.flatMap(({ assertionResults }) => assertionResults);
const count = (...wanted: string[]): number => tests.filter(({ status }) => wanted.includes(status)).length;
// A file that fails to load counts no test, nor does an error between tests; it must still be seen in the closing line.
const failed = count("failed") + (count("failed") === 0 && (whole.code !== 0 || failedOf(whole).length > 0) ? 1 : 0);
const skipped = count("pending", "skipped", "todo", "disabled");
process.stdout.write(`${count("passed")} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
process.exit(failed > 0 ? whole.code || 1 : whole.code);
