// The project's tests and the user's own commands, run in the container. Their output is kept as it comes.
import { AppError } from "../../base/errors.ts";
import type { RunResult, Sandbox } from "../../container/sandbox.ts";
import { findTestCommand } from "../../project/test-command.ts";
import { t } from "../strings/index.ts";
import type { TerminalHistory } from "../work/terminal-history.ts";
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
  /** Commands in the background, by the number of their record. */
  readonly #jobs = new Map<number, AbortController>();
  #lastJob = 0;
  #history: TerminalHistory | undefined;
  #heard: Sandbox | undefined;

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

  /** What was typed at the terminal of the project that is open. */
  readonly history = async (): Promise<TerminalHistory> => {
    const { TerminalHistory } = await import("../work/terminal-history.ts");
    this.#history ??= new TerminalHistory(this.#core);
    await this.#history.follow();
    return this.#history;
  };

  /** A shell at a terminal. What it changes shows as what any command changes. */
  readonly openShell: OpenShell = async (size, onOutput) => {
    const { openShell } = this.#core.needSandbox();
    if (!openShell) throw new AppError("container/unavailable", "This container has no shell at a terminal. Run single commands instead.");
    await this.history();
    const sandbox = this.#core.needSandbox();
    if (sandbox !== this.#heard) sandbox.onFileWanted?.((path) => void this.#showFile(path).catch((error: unknown) => this.#core.report(error)));
    this.#heard = sandbox;
    const shell = await openShell(size, onOutput);
    const unfollow = await this.#follow();
    void shell.ended.then(() => unfollow?.());
    return shell;
  };

  /** Once the page has it too: what a shell has just made is there a moment later. */
  async #showFile(path: string): Promise<void> {
    const core = this.#core;
    if (!core.state.project.files.has(path)) await this.#timeline.takeIn(t().app.shellStep);
    if (core.state.project.files.has(path)) core.set({ project: { ...core.state.project, selected: path }, panel: "files" });
  }

  /** Runs the user's own command; one that ends in `&` beside everything else, until it ends or is stopped. */
  async runCommand(command: string): Promise<void> {
    const alone = /^(.*[^&\s])\s*&$/s.exec(command)?.[1];
    if (alone !== undefined) return this.#inBackground(alone);
    await this.#core.during("command", async (signal) => {
      this.#core.set({ panel: "terminal" });
      await this.#timeline.asOneStep(command, () => this.#run(command, signal), "command");
    });
  }

  /** Ends one that runs in the background. */
  stopJob(job: number): void {
    this.#jobs.get(job)?.abort();
  }

  async #inBackground(command: string): Promise<void> {
    const job = ++this.#lastJob;
    const stop = new AbortController();
    this.#jobs.set(job, stop);
    this.#core.set({ panel: "terminal" });
    const unfollow = await this.#follow();
    try {
      await this.#run(command, stop.signal, job);
    } catch (error) {
      this.#core.report(error);
    } finally {
      this.#jobs.delete(job);
      unfollow?.();
    }
  }

  /** What changes files beside the session's own work makes steps of its own, each once it is quiet. */
  async #follow(): Promise<(() => void) | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const takeIn = (): void => void this.#timeline.takeIn(t().app.shellStep).catch((error: unknown) => this.#core.report(error));
    return this.#core.needSandbox().live?.watch(() => {
      clearTimeout(timer);
      timer = setTimeout(takeIn, SETTLED_MS);
    });
  }

  /** As long as it takes: its user can stop it. */
  async #run(command: string, signal: AbortSignal, job?: number): Promise<RunResult> {
    const sandbox = this.#core.needSandbox();
    this.begin(command, "user", job);
    const result = await sandbox.run(command, { onOutput: (text) => this.output(text, job), timeoutMs: Number.POSITIVE_INFINITY }, signal);
    this.end(result.exitCode, result.end, job);
    return result;
  }

  /** A command has begun: the user's here, or the assistant's. */
  begin(command: string, by: CommandRecord["by"] = "user", job?: number): void {
    const running = this.#core.state.commands.slice(0, -KEPT_COMMANDS).filter(({ job: kept, exit }) => kept !== undefined && exit === undefined);
    this.#core.set({ commands: [...running, ...this.#core.state.commands.slice(-KEPT_COMMANDS), { command, output: "", by, ...(job === undefined ? {} : { job }) }] });
  }

  output(text: string, job?: number): void {
    this.#change(job, (record) => ({ ...record, output: record.output + text }));
  }

  /** The newest record, or that of a job. */
  #change(job: number | undefined, change: (record: CommandRecord) => CommandRecord): void {
    const { commands } = this.#core.state;
    const at = commands.findLastIndex((record) => record.job === job);
    if (at >= 0) this.#core.set({ commands: commands.map((record, i) => (i === at ? change(record) : record)) });
  }

  end(exitCode: number | null, end: RunResult["end"] = "exit", job?: number): void {
    const words = t().app.commandEnd;
    const exit = end === "exit" ? words.exit(String(exitCode ?? "–")) : end === "timeout" ? words.timeout : end === "aborted" ? words.stopped : end === "crashed" ? words.crashed : words.tooMuch;
    this.#change(job, (record) => (record.exit === undefined ? { ...record, exit } : record));
  }
}
