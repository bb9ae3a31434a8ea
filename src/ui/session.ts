// The session: the one place where the page's parts meet. It owns the engine, the sandbox, the project and the chat,
// turns what the user does into changes of one plain state, and keeps that state in the browser's storage.
import type { AgentEvent } from "../agent/events.ts";
import { transcriptOf } from "../agent/events.ts";
import { runAgent } from "../agent/loop.ts";
import { parseTestOutput } from "../agent/test-output.ts";
import { AppError, toAppError } from "../base/errors.ts";
import type { RunResult, Sandbox } from "../container/sandbox.ts";
import type { TextModel } from "../engine/api.ts";
import { Checkpoints } from "../project/checkpoints.ts";
import { changedPaths, diffTrees, type FileDiff } from "../project/diff.ts";
import type { FileTree } from "../project/tree.ts";
import { findTestCommand } from "../project/test-command.ts";
import { NO_STEPS, pushStep, redoStep, type UndoStack, undoStep } from "../project/undo-stack.ts";
import { explain } from "./advice.ts";
import { closeAll, showEvent, spokenOf } from "./chat-log.ts";
import { type OpenedProject, openDemo, openProject, type ProjectSource, zipOf } from "./project-source.ts";
import type { SavedSession, SessionStore } from "./session-store.ts";
import { initialState, type Panel, type SessionState } from "./session-state.ts";
import type { Theme } from "./theme.ts";

/** What the session needs from outside: made once by main.ts, or by a test. */
export interface SessionParts {
  readonly engine: EngineLink;
  /** Boots the container with these files. Throws `container/unavailable`. */
  readonly startSandbox: (files: FileTree) => Promise<Sandbox>;
  /** Undefined where the browser stores nothing. */
  readonly store: SessionStore | undefined;
}

/** The engine as the page uses it (src/ui/engine-link.ts). */
export interface EngineLink {
  readonly model: TextModel;
  /** Starts the worker and loads `model`, or the first of the list. */
  start(onState: (engine: SessionState["engine"], models: SessionState["models"]) => void, model?: string | File): Promise<void>;
  load(model: string | File): Promise<void>;
  stop(): void;
}

export class Session {
  state: SessionState;
  onChange: (state: SessionState) => void = () => undefined;
  /** Every event of the agent, as it comes: for the commands that drive the page. */
  onEvent: (event: AgentEvent) => void = () => undefined;
  #events: AgentEvent[] = [];
  #checkpoints = new Checkpoints();
  #undo: UndoStack = NO_STEPS;
  #sandbox: Sandbox | undefined;
  #abort: AbortController | undefined;
  #notice = 0;
  readonly #parts: SessionParts;

  constructor(parts: SessionParts, saved: SavedSession | undefined, theme: Theme) {
    this.#parts = parts;
    const demo = openDemo();
    this.state = saved ? initialState(saved.name, saved.base, saved.files, theme) : initialState(demo.name, demo.files, demo.files, theme);
    if (saved) {
      this.#events = [...saved.events];
      this.#checkpoints = new Checkpoints(saved.checkpoints);
      this.#undo = saved.undo;
      this.#set({ items: closeAll(saved.events.reduce(showEvent, this.state.items), true) });
    }
  }

  /** Starts engine and container side by side; the page is usable meanwhile. `model`: another than the list's first. */
  async start(model?: string | File): Promise<void> {
    const engine = this.#parts.engine.start((engine, models) => this.#set({ engine, models }), model);
    await Promise.all([engine.catch((error: unknown) => this.report(error)), this.#boot()]);
  }

  async #boot(): Promise<void> {
    this.#set({ container: { phase: "booting" } });
    try {
      this.#sandbox = await this.#parts.startSandbox(this.state.project.files);
      await this.#checkpoints.record(this.state.project.files, "Opened");
      this.#set({ container: { phase: "ready" } });
    } catch (error) {
      this.#set({ container: { phase: "failed" } });
      this.report(error);
    }
  }

  /** The running container; undefined before it has booted and where it could not. */
  get sandbox(): Sandbox | undefined {
    return this.#sandbox;
  }

  get testCommand(): string {
    try {
      return findTestCommand(this.state.project.files);
    } catch (error) {
      if (error instanceof AppError && error.code === "project/no-test-command") return "";
      throw error;
    }
  }

  get suggestions(): readonly string[] {
    return this.testCommand ? ["Fix the failing test", "What can you do?"] : ["What can you do?"];
  }

  get canSend(): boolean {
    return this.state.engine.phase === "ready" && this.state.activity === "idle";
  }

  get canUndo(): boolean {
    return this.#sandbox !== undefined && undoStep(this.#undo) !== undefined;
  }

  get canRedo(): boolean {
    return this.#sandbox !== undefined && redoStep(this.#undo) !== undefined;
  }

  get changes(): readonly FileDiff[] {
    return diffTrees(this.state.project.base, this.state.project.files);
  }

  get changedPaths(): ReadonlySet<string> {
    return new Set(changedPaths(this.state.project.base, this.state.project.files));
  }

  /** One or two words for the strip. */
  get status(): string {
    const { engine, container, activity } = this.state;
    if (activity === "agent") return "Working";
    if (activity === "tests") return "Running tests";
    if (activity === "command") return "Running a command";
    if (activity === "files") return "Changing files";
    if (engine.phase === "loading") return engine.progress?.text ?? "Loading the model";
    if (engine.phase === "starting") return "Starting";
    if (engine.phase === "failed") return "No model";
    return container.phase === "booting" ? "Starting the container" : container.phase === "failed" ? "Ready, without a container" : "Ready";
  }

  /** The composer's placeholder. */
  get hint(): string {
    const { phase } = this.state.engine;
    if (phase === "ready") return "Ask, or say what to fix";
    return phase === "failed" ? "No model is loaded: see the message above" : "The model is loading; you can write already";
  }

  /** Sends a message: a task for the agent, or plain chat where there is no container. */
  async send(text: string): Promise<void> {
    if (!this.canSend) return;
    await this.#during("agent", async (signal) => {
      const sandbox = this.#sandbox;
      const run = runAgent(
        { history: transcriptOf(this.#events), task: text, model: this.#parts.engine.model, ...(sandbox ? { sandbox } : {}), options: { checkpoints: this.#checkpoints } },
        signal,
      );
      await this.#asOneStep(text, async () => {
        for await (const event of run) await this.#take(event);
      });
    });
  }

  async #take(event: AgentEvent): Promise<void> {
    this.onEvent(event);
    const streaming = event.type === "prefill" || event.type === "stats" || event.type === "call-streaming" || event.type === "text" || event.type === "tool-output";
    // The log keeps what a stored chat is shown from; a turn's text is whole in its `assistant` event only with its call, so text stays too.
    if (event.type !== "prefill" && event.type !== "stats" && event.type !== "call-streaming") this.#events.push(event);
    const items = showEvent(this.state.items, event);
    const spoken = spokenOf(event) ?? this.state.spoken;
    this.#set({ items, spoken, ...(event.type === "stats" ? { stats: event.stats } : {}) });
    if (event.type === "tool-started" && event.call.name === "run_shell_command") this.#command(String(event.call.arguments["command"] ?? ""));
    if (event.type === "tool-output") this.#commandOutput(event.text);
    if (event.type === "tool-finished") {
      if (event.call.name === "run_shell_command") this.#commandEnd(event.exitCode ?? null);
      if (event.report) this.#set({ tests: { phase: "done", report: event.report, stale: false }, panel: "tests" });
    }
    if (event.type === "checkpoint") {
      await this.#refreshFiles();
      this.#set({ panel: "diff" });
    }
    if (!streaming) await this.#save();
  }

  /** Runs the project's tests and shows them. */
  async runTests(): Promise<void> {
    const { testCommand } = this;
    if (!testCommand) return this.report(new AppError("project/no-test-command", "package.json has no test script."));
    await this.#during("tests", async (signal) => {
      this.#set({ tests: { phase: "running" }, panel: "tests" });
      const { output, exitCode } = await this.#asOneStep(testCommand, () => this.#run(testCommand, signal));
      const report = parseTestOutput(output, [...this.state.project.files.keys()]);
      this.#set({ tests: report && !signal.aborted ? { phase: "done", report, stale: false } : { phase: "none" } });
      if (!report && !signal.aborted) {
        this.report(new AppError("project/no-test-command", `“${testCommand}” ended with code ${exitCode ?? "none"} and printed no test results; the Terminal tab has its output.`));
      }
    });
  }

  /** Runs the user's own command. */
  async runCommand(command: string): Promise<void> {
    await this.#during("command", async (signal) => {
      this.#set({ panel: "terminal" });
      await this.#asOneStep(command, () => this.#run(command, signal));
    });
  }

  async #run(command: string, signal: AbortSignal): Promise<RunResult> {
    const sandbox = this.#needSandbox();
    this.#command(command);
    const result = await sandbox.run(command, { onOutput: (text) => this.#commandOutput(text) }, signal);
    this.#commandEnd(result.exitCode, result.end);
    return result;
  }

  stop(): void {
    this.#abort?.abort();
    if (this.state.engine.phase === "loading") this.#parts.engine.stop();
  }

  /** Takes back what the last request or command did to the files. */
  undo(): Promise<void> {
    return this.#restore(undoStep(this.#undo), "Undone: the files are as they were before.");
  }

  redo(): Promise<void> {
    return this.#restore(redoStep(this.#undo), "Redone.");
  }

  async #restore(target: ReturnType<typeof undoStep>, spoken: string): Promise<void> {
    if (!target) return;
    await this.#during("files", async () => {
      await this.#checkpoints.restore(target.restore, this.#needSandbox());
      this.#undo = target.stack;
      await this.#refreshFiles();
      this.#set({ spoken, panel: "diff" });
    });
  }

  /** Runs work that may change files, and makes all its changes one step to undo. */
  async #asOneStep<T>(label: string, work: () => Promise<T>): Promise<T> {
    const sandbox = this.#sandbox;
    if (!sandbox) return work();
    const before = await this.#checkpoints.record(await sandbox.snapshot(), `Before: ${label}`);
    try {
      return await work();
    } finally {
      const after = await this.#checkpoints.record(await sandbox.snapshot(), `After: ${label}`);
      if (after.hash !== before.hash) this.#undo = pushStep(this.#undo, { label, before: before.id, after: after.id });
      await this.#refreshFiles();
    }
  }

  openDemo(): Promise<void> {
    return this.#open(() => Promise.resolve(openDemo()));
  }

  openFolder(folder: Extract<ProjectSource, { kind: "folder" }>["folder"]): Promise<void> {
    return this.#open((signal) => openProject({ kind: "folder", folder }, signal));
  }

  openFiles(name: string, files: FileTree): Promise<void> {
    return this.#open(() => Promise.resolve({ name, files }));
  }

  openZip(file: File): Promise<void> {
    return this.#open((signal) => openProject({ kind: "zip", file }, signal));
  }

  /** Replaces the project. What was open stays open if the new one cannot be read. */
  async #open(read: (signal: AbortSignal) => Promise<OpenedProject>): Promise<void> {
    await this.#during("files", async (signal) => {
      const { name, files } = await read(signal);
      await this.#sandbox?.restore(files);
      this.#events = [];
      this.#checkpoints = new Checkpoints();
      this.#undo = NO_STEPS;
      await this.#checkpoints.record(files, "Opened");
      this.#set({ project: { name, base: files, files, selected: "" }, items: [], tests: { phase: "none" }, commands: [], panel: "files", spoken: `Opened ${name}.` });
    });
  }

  async newChat(): Promise<void> {
    this.#events = [];
    this.#set({ items: [], spoken: "A new chat." });
    await this.#save();
  }

  async loadModel(model: string | File): Promise<void> {
    try {
      await this.#parts.engine.load(model);
    } catch (error) {
      this.report(error);
    }
  }

  /** Always possible: it needs neither model nor container nor storage. */
  exportZip(): Uint8Array {
    return zipOf(this.state.project.files);
  }

  setTheme(theme: Theme): void {
    this.#set({ theme });
    this.#parts.store?.saveTheme(theme).catch((error: unknown) => this.report(error));
  }

  show(panel: Panel): void {
    this.#set({ panel });
  }

  dismiss(id: number): void {
    this.#set({ notices: this.state.notices.filter((notice) => notice.id !== id) });
  }

  #needSandbox(): Sandbox {
    if (this.#sandbox) return this.#sandbox;
    throw new AppError("container/unavailable", "The container is not running, so commands cannot be run.");
  }

  /** One activity at a time; Stop ends it. What it leaves is kept. */
  async #during(activity: SessionState["activity"], work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.state.activity !== "idle") return;
    const abort = new AbortController();
    this.#abort = abort;
    this.#set({ activity });
    try {
      await work(abort.signal);
    } catch (error) {
      if (toAppError(error).code !== "aborted") this.report(error);
    } finally {
      this.#abort = undefined;
      this.#set({ activity: "idle", items: closeAll(this.state.items, abort.signal.aborted) });
      await this.#save();
    }
  }

  async #refreshFiles(): Promise<void> {
    if (!this.#sandbox) return;
    const files = await this.#sandbox.snapshot();
    const changed = changedPaths(this.state.project.files, files).length > 0;
    const { tests } = this.state;
    this.#set({ project: { ...this.state.project, files }, ...(changed && tests.phase === "done" ? { tests: { ...tests, stale: true } } : {}) });
  }

  #command(command: string): void {
    this.#set({ commands: [...this.state.commands.slice(-50), { command, output: "" }] });
  }

  #commandOutput(text: string): void {
    const last = this.state.commands.at(-1);
    if (last) this.#set({ commands: [...this.state.commands.slice(0, -1), { ...last, output: last.output + text }] });
  }

  #commandEnd(exitCode: number | null, end = "exit"): void {
    const last = this.state.commands.at(-1);
    const exit = end === "exit" ? `exit code ${exitCode ?? "none"}` : end === "timeout" ? "timed out and was stopped" : end === "aborted" ? "stopped" : "stopped: too much output";
    if (last && last.exit === undefined) this.#set({ commands: [...this.state.commands.slice(0, -1), { ...last, exit }] });
  }

  /** Shows a failure as a notice that says what and what next. */
  report(thrown: unknown): void {
    const error = toAppError(thrown);
    const { title, message, next } = explain(error);
    this.#set({ notices: [...this.state.notices.filter((notice) => notice.message !== message), { id: ++this.#notice, title, message, next }], spoken: title });
  }

  async #save(): Promise<void> {
    const { project } = this.state;
    try {
      await this.#parts.store?.save({ name: project.name, base: project.base, files: project.files, events: this.#events, checkpoints: this.#checkpoints.toData(), undo: this.#undo });
    } catch (error) {
      this.report(error);
    }
  }

  #set(change: Partial<SessionState>): void {
    this.state = { ...this.state, ...change };
    this.onChange(this.state);
  }
}
