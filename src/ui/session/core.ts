// What the session's parts share: the one plain state and how it changes, the project's states, the chat, and how they
// are kept. Nothing here knows what a click does.
import { type Conversation, EMPTY_CONVERSATION, eventsOf, pathTo, titleOf } from "../../agent/conversation.ts";
import { planOf } from "../../agent/plan.ts";
import { AppError, toAppError } from "../../base/errors.ts";
import type { Sandbox } from "../../container/sandbox.ts";
import type { EngineNotice, InferenceApi, LoadOptions, ModelFiles, TextModel } from "../../engine/api.ts";
import { type CheckpointData, type CheckpointKind, Checkpoints } from "../../project/checkpoints.ts";
import { changedPaths } from "../../project/changed-paths.ts";
import type { FileTree } from "../../project/tree.ts";
import { NO_STEPS, type UndoStack } from "../../project/undo-stack.ts";
import { explain } from "../advice.ts";
import { closeAll, itemsOf } from "../chat/chat-log.ts";
import { t } from "../strings/index.ts";
import type { Notice, SessionState } from "./session-state.ts";
import { ProjectJournal } from "./project-journal.ts";
import type { SandboxOwner } from "./start-sandbox.ts";
import { newId, type ProjectImage, type SessionStore, type Workspace } from "./session-store.ts";

/** What the session needs from outside: made once by main.ts, or by a test. */
export interface SessionParts {
  readonly engine: EngineLink;
  /** Boots the container with the owner's files, again after a crash. Throws `container/unavailable`. */
  readonly startSandbox: (owner: SandboxOwner) => Promise<Sandbox>;
  /** Undefined where the browser stores nothing. */
  readonly store: SessionStore | undefined;
}

/** The engine as the page uses it (src/ui/session/engine-link.ts). */
export interface EngineLink {
  readonly model: TextModel;
  /** What can be asked of the engine beside answers. */
  readonly api: InferenceApi;
  /** Joins the browser's engine, or starts it, and loads `model`, or the first of the list. */
  start(onState: (engine: SessionState["engine"], models: SessionState["models"]) => void, model?: string | ModelFiles): Promise<void>;
  load(model: string | ModelFiles, options?: LoadOptions): Promise<void>;
  /** Ends loading. */
  stop(): void;
  close(): void;
}

/** What the assistant did to a project in one exchange. */
export interface Answered {
  /** Id of the workspace. */
  readonly workspace: string;
  readonly project: string;
  readonly model: string;
  readonly ask: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly before: FileTree;
  readonly after: FileTree;
}

/** Keeps what the user makes of it (src/ui/practice/correction-log.ts). */
export interface CorrectionWatcher {
  answered(answer: Answered): Promise<void>;
  /** After every activity: the files of a workspace as they are now. */
  followed(workspace: string, files: FileTree): Promise<void>;
}

export class SessionCore {
  readonly parts: SessionParts;
  /** Under which the tab keeps what is not sent yet: empty for the page itself, the workspace of what is embedded. */
  home = "";
  onChange: (state: SessionState) => void = () => undefined;
  sandbox: Sandbox | undefined;
  journal: ProjectJournal | undefined;
  /** What the container shall hold beside the files' bytes, until it has booted. */
  image: ProjectImage | undefined;
  checkpoints = new Checkpoints();
  undo: UndoStack = NO_STEPS;
  conversation: Conversation = EMPTY_CONVERSATION;
  /** Checkpoint id → the exchange that was the chat's last when it was recorded. */
  exchanges: Record<string, string> = {};
  /** Only while the user keeps a log of corrections. */
  corrections: CorrectionWatcher | undefined;
  /** Called whenever an activity has ended: what waited for it may begin. */
  onIdle: () => void = () => undefined;
  #state: SessionState;
  #abort: AbortController | undefined;
  /** Ends with the activity that runs. */
  #running: Promise<void> | undefined;
  #notice = 0;

  constructor(parts: SessionParts, state: SessionState) {
    this.parts = parts;
    this.#state = { ...state, chatId: state.chatId || newId("chat") };
  }

  get state(): SessionState {
    return this.#state;
  }

  set(change: Partial<SessionState>): void {
    this.#state = { ...this.#state, ...change };
    this.onChange(this.#state);
  }

  /** Takes over a stored workspace and its chat. */
  adopt(workspace: Workspace, checkpoints: CheckpointData | undefined, conversation: Conversation): void {
    const { id, name, origin, base, files, mode, rules, chatId, reviewed = [] } = workspace;
    this.checkpoints = new Checkpoints(checkpoints);
    this.undo = workspace.undo;
    this.exchanges = { ...workspace.exchanges };
    this.image = workspace.image;
    this.set({ project: { id, name, origin, base, files, selected: "" }, mode, rules, chatId, reviewed: new Set(reviewed), commands: [], tests: { phase: "none" }, comparison: undefined });
    this.showChat(conversation);
    this.showTimeline();
  }

  /** Shows a conversation from its events. */
  showChat(conversation: Conversation): void {
    this.conversation = conversation;
    const texts = eventsOf(conversation).flatMap((event) => (event.type === "assistant" ? [event.text] : []));
    const plan = texts.reduce<SessionState["plan"]>((found, text) => planOf(text) ?? found, []);
    this.set({ items: closeAll(itemsOf(conversation), true), plan });
  }

  showTimeline(): void {
    const { entries, current } = this.checkpoints;
    const timeline = entries.map((entry, index) => {
      // A try is compared with what it was made from; what comes after it was not made from it.
      const before = (entry.kind === "try" ? entries.find(({ id }) => id === entry.parent) : entries.slice(0, index).findLast(({ kind }) => kind !== "try"))?.files ?? {};
      const paths = index === 0 ? [] : [...new Set([...Object.keys(before), ...Object.keys(entry.files)])].filter((path) => before[path] !== entry.files[path]).sort();
      const exchange = this.exchanges[entry.id];
      const { id, label, kind, time } = entry;
      return { id, label, ...(kind ? { kind } : {}), time, current: entry === current, paths, ...(exchange === undefined ? {} : { exchange }) };
    });
    this.set({ timeline });
  }

  /** Keeps the state that the project is in now, and remembers where the chat was. */
  async record(files: FileTree, label: string, kind?: CheckpointKind): Promise<string> {
    const { id } = await this.checkpoints.record(files, label, kind);
    // A request that has only just begun is not yet part of the state that it begins from.
    const last = pathTo(this.conversation).findLast(({ events }) => events.length > 0)?.id;
    if (last !== undefined && this.exchanges[id] === undefined) this.exchanges[id] = last;
    this.showTimeline();
    return id;
  }

  /** A server of the project listens, or does no longer. */
  portTold(port: number, open: boolean, url: string): void {
    const others = this.#state.ports.filter((known) => known.port !== port);
    this.set(open ? { ports: [...others, { port, url }], spoken: t().app.listening(String(port)) } : { ports: others });
  }

  /** Shows what the files are now. */
  async refreshFiles(): Promise<void> {
    if (!this.sandbox) return;
    const files = await this.sandbox.snapshot();
    const changed = changedPaths(this.#state.project.files, files).length > 0;
    const { tests, project } = this.#state;
    if (changed) this.set({ project: { ...project, files }, ...(tests.phase === "done" ? { tests: { ...tests, stale: true } } : {}) });
  }

  /** Keeps the container's files as they change from now on, under the workspace that is open when they do. */
  async keepJournal(): Promise<void> {
    const { store } = this.parts;
    const live = this.sandbox?.live;
    if (!store || !live) return;
    const stored = new Set<string>();
    const keep = async (bytes: Uint8Array, hasPackages: boolean): Promise<void> => {
      const workspace = this.#workspace();
      // An image belongs to a workspace: one that nothing was done in yet is stored with the first.
      if (!stored.has(workspace.id)) await store.saveWorkspace(workspace);
      stored.add(workspace.id);
      await store.saveImage(workspace.id, { bytes, hasPackages, time: Date.now() });
    };
    this.journal = new ProjectJournal(live, keep, (error) => this.#unsaved(error));
    await this.journal.start();
  }

  /** Puts other files into the container; nothing is kept of it until `then` has said whose they are. */
  async swapFiles(files: FileTree, then: () => void): Promise<void> {
    const { sandbox, journal } = this;
    const work = async (): Promise<void> => {
      await sandbox?.restore(files);
      this.image = undefined;
      then();
    };
    await (journal ? journal.holding(work) : work());
  }

  needSandbox(): Sandbox {
    if (this.sandbox) return this.sandbox;
    throw new AppError("container/unavailable", "The container is not running, so files and commands cannot be changed or run.");
  }

  /** One activity at a time; Stop ends it. What it leaves is kept. */
  async during(activity: SessionState["activity"], work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#state.activity !== "idle") return;
    const abort = new AbortController();
    this.#abort = abort;
    const ended = Promise.withResolvers<void>();
    this.#running = ended.promise;
    // What delayed the activity before is over.
    this.set({ activity, notices: this.#state.notices.filter(({ passing }) => !passing) });
    try {
      await work(abort.signal);
    } catch (error) {
      if (toAppError(error).code !== "aborted") this.report(error);
    } finally {
      this.#abort = undefined;
      this.set({ activity: "idle", permission: undefined, items: closeAll(this.#state.items, abort.signal.aborted) });
      await this.corrections?.followed(this.#state.project.id, this.#state.project.files).catch((error: unknown) => this.report(error));
      await this.save();
      // What waited for the end may have begun the next activity already.
      if (this.#running === ended.promise) this.#running = undefined;
      ended.resolve();
      this.onIdle();
    }
  }

  /** Resolves when no activity runs. */
  async whenIdle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  stop(): void {
    this.#abort?.abort();
    if (this.#state.engine.phase === "loading") this.parts.engine.stop();
  }

  /** Shows a failure as a notice that says what and what next. */
  report(thrown: unknown, until?: Notice["until"]): void {
    const error = toAppError(thrown);
    const { title, message, next } = explain(error);
    const offer = offerOf(error);
    const ends = until ?? (offer ? "loaded" : undefined);
    this.#show({ title, message, next, ...offer, ...(ends ? { until: ends } : {}) });
  }

  /** How far the engine is. With a model that is loaded, what was said of loads that failed is over. */
  engineTold(engine: SessionState["engine"], models: SessionState["models"]): void {
    const loaded = engine.phase === "ready" && this.#state.engine.phase !== "ready";
    this.set({ engine, models });
    if (loaded) this.over("loaded");
  }

  /** What was said until then is no longer true. */
  over(ended: Notice["until"]): void {
    const left = this.#state.notices.filter(({ until }) => until !== ended);
    if (left.length < this.#state.notices.length) this.set({ notices: left });
  }

  /** Shows what delays the answer, or the container. */
  notice(what: EngineNotice | "containerCrashed"): void {
    const { containerCrashed, engineNotice } = t().app;
    this.#show({ ...(what === "containerCrashed" ? containerCrashed : engineNotice[what]), next: "", passing: true });
  }

  /** The same twice is shown once, and what comes takes the place of what was passing. */
  #show(notice: Omit<Notice, "id">): void {
    this.set({ notices: [...this.#state.notices.filter(({ message, passing }) => !passing && message !== notice.message), { id: ++this.#notice, ...notice }], spoken: notice.title });
  }

  dismiss(id: number): void {
    this.set({ notices: this.#state.notices.filter((notice) => notice.id !== id) });
  }

  /** The chat alone: what streams in is kept without writing the project again. */
  async saveChat(): Promise<void> {
    await this.#storeChat().catch((error: unknown) => this.#unsaved(error));
  }

  async #storeChat(): Promise<void> {
    const { store } = this.parts;
    const { chatId: id, project } = this.#state;
    if (!store || this.conversation.exchanges.length === 0) return;
    await store.saveChat({ id, workspace: project.id, project: project.name, title: titleOf(this.conversation), time: Date.now(), conversation: this.conversation });
  }

  /** A disk can be full at any time: the work goes on, and each later save tries all of it again. */
  #unsaved(thrown: unknown): void {
    const error = toAppError(thrown);
    if (error.code !== "storage/quota") return this.report(error, "saved");
    this.#show({ title: explain(error).title, message: t().app.unsaved, next: "", until: "saved" });
  }

  #workspace(): Workspace {
    const { project, mode, rules, chatId, reviewed } = this.#state;
    const { id, name, origin, base, files } = project;
    return { id, name, origin, base, files, undo: this.undo, exchanges: this.exchanges, mode, rules, chatId, reviewed: [...reviewed], time: Date.now() };
  }

  /** The project with its states, and the chat. */
  async save(): Promise<void> {
    const { store } = this.parts;
    if (!store) return;
    const workspace = this.#workspace();
    try {
      await Promise.all([store.saveWorkspace(workspace), store.saveCheckpoints(workspace.id, this.checkpoints.toData()), this.#storeChat()]);
      await this.journal?.flush();
      this.over("saved");
    } catch (error) {
      this.#unsaved(error);
    }
  }
}

/** What can be done about it with one click. */
export function offerOf({ data }: Pick<AppError, "data">): Pick<Notice, "smallerMb" | "allow" | "restart"> | undefined {
  if (typeof data["smallerMb"] === "number") return { smallerMb: data["smallerMb"] };
  if (data["restart"] === true) return { restart: true };
  return data["reason"] === "permission" && typeof data["model"] === "string" ? { allow: data["model"] } : undefined;
}
