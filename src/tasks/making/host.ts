// Where tests are run for real: a folder and Node, or the container. Several work side by side, each on its own files.
import { parseTestOutput } from "../../agent/test-output.ts";
import type { TestReport } from "../../agent/test-report.ts";
import type { RunResult, Sandbox } from "../../container/sandbox.ts";
import type { FileTree } from "../../project/tree.ts";

export interface TestHost {
  /** Runs the command on exactly these files; what runs longer is killed. One call at a time. */
  run(files: FileTree, command: string, timeoutMs: number): Promise<RunResult>;
  close(): Promise<void>;
}

/** A project of a container. */
export function sandboxHost(sandbox: Sandbox, signal?: AbortSignal): TestHost {
  return {
    async run(files, command, timeoutMs) {
      await sandbox.restore(files);
      return sandbox.run(command, { timeoutMs }, signal);
    },
    close: () => Promise.resolve(),
  };
}

/** What a run says about its tests. */
export interface Verdict {
  readonly state: "passed" | "failed" | "hung";
  readonly report: TestReport | undefined;
  /** Its last lines, for what no report tells. */
  readonly tail: string;
}

const TAIL_CHARS = 600;

/** Runs and reads. No test at all is no pass where reports can be read. */
export async function runTests(host: TestHost, files: FileTree, command: string, timeoutMs: number): Promise<Verdict> {
  const { output, exitCode, end } = await host.run(files, command, timeoutMs);
  const report = parseTestOutput(output, [...files.keys()]);
  const state = end === "exit" ? (exitCode === 0 && (report === undefined || (report.failed === 0 && report.passed > 0)) ? "passed" : "failed") : "hung";
  return { state, report, tail: output.trimEnd().slice(-TAIL_CHARS) };
}
