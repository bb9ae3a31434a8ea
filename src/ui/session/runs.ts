// The project's tests and the user's own commands, run in the container. Their output is kept as it comes.
import { AppError } from "../../base/errors.ts";
import type { RunResult } from "../../container/sandbox.ts";
import { findTestCommand } from "../../project/test-command.ts";
import { t } from "../strings/index.ts";
import type { OpenShell } from "../work/shell-view.ts";
import type { CommandRecord } from "../work/terminal-panel.ts";
import type { SessionCore } from "./core.ts";
import type { TimelineActions } from "./timeline.ts";

const KEPT_COMMANDS = 50;
/** Quiet after a shell's change before it counts as a step. */
const SETTLED_MS = 400;

export class RunActions {
  readonly #core: SessionCore;
  readonly #timeline: TimelineActions;

  constructor(core: SessionCore, timeline: TimelineActions) {
    this.#core = core;
    this.#timeline = timeline;
  }

  /** Empty when the project has none. */
  get testCommand(): string {
    try {
      return findTestCommand(this.#core.state.project.files);
    } catch (error) {
      if (error instanceof AppError && error.code === "project/no-test-command") return "";
      throw error;
    }
  }

  /** Runs the project's tests and shows them. */
  async runTests(): Promise<void> {
    const core = this.#core;
    const { testCommand } = this;
    if (!testCommand) return core.report(new AppError("project/no-test-command", "package.json has no test script."));
    await core.during("tests", async (signal) => {
      core.set({ tests: { phase: "running" }, panel: "tests" });
      const { output, exitCode } = await this.#timeline.asOneStep(testCommand, () => this.#run(testCommand, signal), "command");
      const { parseTestOutput } = await import("../../agent/test-output.ts");
      const report = parseTestOutput(output, [...core.state.project.files.keys()]);
      core.set({ tests: report && !signal.aborted ? { phase: "done", report, stale: false } : { phase: "none" } });
      if (!report && !signal.aborted) {
        core.report(new AppError("project/no-test-command", `“${testCommand}” ended with code ${exitCode ?? "none"} and printed no test results; the Terminal tab has its output.`));
      }
    });
  }

  /** A shell at a terminal. What it changes shows as what any command changes. */
  readonly openShell: OpenShell = async (size, onOutput) => {
    const { openShell, live } = this.#core.needSandbox();
    if (!openShell) throw new AppError("container/unavailable", "This container has no shell at a terminal. Run single commands instead.");
    const shell = await openShell(size, onOutput);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const takeIn = (): void => void this.#timeline.takeIn(t().app.shellStep).catch((error: unknown) => this.#core.report(error));
    const stopWatching = await live?.watch(() => {
      clearTimeout(timer);
      timer = setTimeout(takeIn, SETTLED_MS);
    });
    void shell.ended.then(() => stopWatching?.());
    return shell;
  };

  /** Runs the user's own command. */
  async runCommand(command: string): Promise<void> {
    await this.#core.during("command", async (signal) => {
      this.#core.set({ panel: "terminal" });
      await this.#timeline.asOneStep(command, () => this.#run(command, signal), "command");
    });
  }

  async #run(command: string, signal: AbortSignal): Promise<RunResult> {
    const sandbox = this.#core.needSandbox();
    this.begin(command);
    const result = await sandbox.run(command, { onOutput: (text) => this.output(text) }, signal);
    this.end(result.exitCode, result.end);
    return result;
  }

  /** A command has begun: the user's here, or the assistant's. */
  begin(command: string, by: CommandRecord["by"] = "user"): void {
    this.#core.set({ commands: [...this.#core.state.commands.slice(-KEPT_COMMANDS), { command, output: "", by }] });
  }

  output(text: string): void {
    const { commands } = this.#core.state;
    const last = commands.at(-1);
    if (last) this.#core.set({ commands: [...commands.slice(0, -1), { ...last, output: last.output + text }] });
  }

  end(exitCode: number | null, end: RunResult["end"] = "exit"): void {
    const { commands } = this.#core.state;
    const last = commands.at(-1);
    const words = t().app.commandEnd;
    const exit = end === "exit" ? words.exit(String(exitCode ?? "–")) : end === "timeout" ? words.timeout : end === "aborted" ? words.stopped : end === "crashed" ? words.crashed : words.tooMuch;
    if (last && last.exit === undefined) this.#core.set({ commands: [...commands.slice(0, -1), { ...last, exit }] });
  }
}
