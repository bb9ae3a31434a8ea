// npm test: the three test projects, and one closing line that counts them together.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
}

const folder = await mkdtemp(join(tmpdir(), "tabwright-test-"));
const file = join(folder, "report.json");
const vitest = spawn(
  process.execPath,
  ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`, ...process.argv.slice(2)],
  { stdio: "inherit" },
);
const code = await new Promise<number>((resolve) => vitest.on("close", (exit) => resolve(exit ?? 1)));
const report = await readFile(file, "utf8").then((text) => JSON.parse(text) as Report, () => undefined);
await rm(folder, { recursive: true, force: true });
if (!report) {
  process.stdout.write("The test runner ended without a report.\n0 passed, 1 failed\n");
  process.exit(code || 1);
}
// A file that fails to load counts no test; it must still be seen in the closing line.
const failed = report.numFailedTests + (report.numFailedTests === 0 && (!report.success || code !== 0) ? 1 : 0);
const skipped = report.numPendingTests + report.numTodoTests;
process.stdout.write(`${report.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
process.exit(failed > 0 ? code || 1 : code);
