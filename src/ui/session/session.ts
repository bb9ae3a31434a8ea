// The session: the one place where the page's parts meet. It owns one plain state and the parts that change it: the chat,
// the project, its timeline, what runs. Components read `state` and call the parts; nothing else changes anything.
import { EMPTY_CONVERSATION } from "../../agent/conversation.ts";
import { AppError } from "../../base/errors.ts";
import type { Sandbox } from "../../container/sandbox.ts";
import type { DownloadOrder, LoadOptions, ModelFiles, RemoteModel } from "../../engine/api.ts";
import { keptQueue } from "../chat/unsent-store.ts";
import type { Language } from "../strings/index.ts";
import { setLanguage, t } from "../strings/index.ts";
import type { Theme } from "../theme.ts";
import { ChatActions } from "./chat-actions.ts";
import { ContainerLink } from "./container-link.ts";
import { type EngineLink, SessionCore, type SessionParts } from "./core.ts";
import { ProjectActions } from "./project-actions.ts";
import { RunActions } from "./runs.ts";
import { type DialogName, initialState, type Panel, type ProjectState, type SessionState } from "./session-state.ts";
import { newId, type Settings } from "./session-store.ts";
import { TimelineActions } from "./timeline.ts";

export class Session {
  readonly chat: ChatActions;
  readonly project: ProjectActions;
  readonly timeline: TimelineActions;
  readonly runs: RunActions;
  readonly container: ContainerLink;
  readonly #core: SessionCore;

  private constructor(core: SessionCore) {
    this.#core = core;
    this.container = new ContainerLink(core);
    this.timeline = new TimelineActions(core);
    this.runs = new RunActions(core, this.timeline);
    this.chat = new ChatActions(core, this.timeline, this.runs);
    this.project = new ProjectActions(core, this.timeline);
    core.onIdle = () => void this.chat.sendQueued();
  }

  /** With the project and chat that were open last, or the demo where there are none or another tab has them. */
  static async open(parts: SessionParts, { theme, language = "en", tries = 1, helper = "", workspace: last, corrections }: Settings): Promise<Session> {
    const stored = last === undefined ? undefined : await parts.store?.workspace(last);
    const project = stored ?? { id: newId("workspace"), name: "", origin: { kind: "demo" } as const, base: new Map(), files: new Map() };
    const { id, name, origin, base, files } = project;
    const core = new SessionCore(parts, initialState({ id, name, origin, base, files }, { theme, language, tries, helper }));
    const session = new Session(core);
    if (stored && (await session.project.hold(stored.id))) {
      core.adopt(stored, await parts.store?.checkpoints(stored.id), (await parts.store?.chat(stored.chatId))?.conversation ?? EMPTY_CONVERSATION);
    } else {
      const demo = (await import("../project/project-source.ts")).openDemo();
      const fresh = stored ? newId("workspace") : id;
      core.set({ project: { id: fresh, origin: { kind: "demo" }, name: demo.name, base: demo.files, files: demo.files, selected: "" } });
      await session.project.hold(fresh);
      if (stored) core.report(new AppError("storage/locked", t().app.otherTab(stored.name)));
    }
    if (corrections === "on") void session.setLogging(true);
    core.set({ queue: keptQueue(core.home) });
    return session;
  }

  /** On a project that the page brings along, as it was left if this browser has it. It is not the one that opens next time. */
  static async begin(parts: SessionParts, project: Omit<ProjectState, "selected">, { theme, language = "en", tries = 1, helper = "" }: Settings): Promise<Session> {
    const core = new SessionCore(parts, initialState(project, { theme, language, tries, helper }));
    const session = new Session(core);
    const { store } = parts;
    const isOurs = await session.project.hold(project.id, false);
    const stored = isOurs ? await store?.workspace(project.id) : undefined;
    if (stored) core.adopt(stored, await store?.checkpoints(stored.id), (await store?.chat(stored.chatId))?.conversation ?? EMPTY_CONVERSATION);
    // The same project twice on one page: the second is kept under a name of its own.
    else if (!isOurs) core.set({ project: { ...core.state.project, id: newId("workspace") } });
    core.home = core.state.project.id;
    core.set({ queue: keptQueue(core.home) });
    return session;
  }

  get state(): SessionState {
    return this.#core.state;
  }

  get home(): string {
    return this.#core.home;
  }

  set onChange(listener: (state: SessionState) => void) {
    this.#core.onChange = listener;
  }

  /** Starts engine and container side by side; the page is usable meanwhile. `model`: another than the list's first. */
  async start(model?: string | ModelFiles): Promise<void> {
    const { parts } = this.#core;
    this.#core.set({ engine: { phase: "starting", modelId: "" } });
    const engine = parts.engine.start((engine, models) => this.#core.engineTold(engine, models), model);
    await Promise.all([engine.then(() => this.chat.measure(), (error: unknown) => this.#core.report(error, "loaded")), this.container.boot()]);
    await this.project.prepareExport();
    if (this.state.helper !== "" && this.state.engine.phase === "ready") await this.#help();
    await this.chat.sendQueued();
    await this.lookAtDevice(); // the model takes storage
  }

  /** Without the engine: the card is there before it. */
  async lookAtDevice(): Promise<void> {
    try {
      const { deviceReport } = await import("../../engine/device-report.ts");
      this.#core.set({ device: await deviceReport() });
    } catch (error) {
      this.report(error);
    }
  }

  /** Stores the project with its states, the chat and the settings, as they are in memory. */
  async save(): Promise<void> {
    const { project, theme, language } = this.state;
    for (const [name, value] of Object.entries({ workspace: project.id, theme, language })) this.#setting(name as keyof Settings, value);
    await this.#core.save();
  }

  /** The running container; undefined before it has booted and where it could not. */
  get sandbox(): Sandbox | undefined {
    return this.#core.sandbox;
  }

  get engine(): EngineLink {
    return this.#core.parts.engine;
  }

  get suggestions(): readonly string[] {
    const { fixTests, whatCanYouDo } = t().app;
    const { suggested } = this.state;
    return [...new Set([...(suggested === "" ? [] : [suggested]), ...(this.runs.testCommand ? [fixTests] : []), whatCanYouDo])];
  }

  /** Offers words that came from elsewhere; they are sent only when the user chooses them. */
  suggest(text: string): void {
    this.#core.set({ suggested: text });
  }

  /** One or two words for the strip. */
  get status(): string {
    const { engine, container, activity } = this.state;
    const words = t().app.status;
    if (activity !== "idle") return words[activity];
    if (engine.phase === "loading") return engine.progress?.text ?? words.loading;
    if (engine.phase === "waiting") return words.waiting;
    if (engine.phase === "starting") return words.starting;
    if (engine.phase === "failed") return words.noModel;
    return container.phase === "failed" ? words.noContainer : words.ready;
  }

  stop(): void {
    this.#core.stop();
  }

  /** Resolves when nothing runs: at once, or after the activity that runs now. */
  whenIdle(): Promise<void> {
    return this.#core.whenIdle();
  }

  /** The same model with so many MB of GPU memory; the notice that offered it goes. */
  async loadSmaller(notice: number, smallerMb: number): Promise<void> {
    this.dismiss(notice);
    await this.loadModel(this.state.engine.modelId, { gpuMb: smallerMb });
  }

  /** Asks for the user's files of a model again, which takes a click, and loads it. */
  async allowModel(model: string): Promise<void> {
    try {
      const [{ keptHandles, mayRead }, { sharedDatabase }] = await Promise.all([import("../../engine/model-origin.ts"), import("../../storage/shelf.ts")]);
      const kept = await keptHandles(await sharedDatabase(), model);
      if (!kept || !(await mayRead(kept.handles, true))) throw new AppError("storage/file", t().app.notAllowed(model), { data: { model, reason: "permission" } });
    } catch (error) {
      return this.#core.report(error, "loaded");
    }
    await this.loadModel(model);
  }

  async loadModel(model: string | ModelFiles, options: LoadOptions = {}): Promise<void> {
    try {
      await this.#core.parts.engine.load(model, options);
      await this.chat.measure();
      await this.chat.sendQueued();
    } catch (error) {
      this.#core.report(error, "loaded");
    }
  }

  /** Opens the dialog that gets a model: from `address`, or wherever the user says. */
  getModel(address: string): void {
    this.#core.set({ wantedModel: address, dialog: "download" });
  }

  /** Begins a download that the user has agreed to. */
  async download(model: RemoteModel): Promise<void> {
    try {
      await this.engine.api.download(model);
    } catch (error) {
      this.report(error);
    }
  }

  async steerDownload(id: string, order: DownloadOrder): Promise<void> {
    try {
      await this.engine.api.steerDownload(id, order);
    } catch (error) {
      this.report(error);
    }
  }

  setTheme(theme: Theme): void {
    this.#core.set({ theme });
    this.#setting("theme", theme);
  }

  async setLanguage(language: Language): Promise<void> {
    await setLanguage(language);
    this.#core.set({ language });
    this.#setting("language", language);
  }

  /** Chooses the model that drafts for the loaded one, and loads it beside it; empty for none. */
  async setHelper(helper: string): Promise<void> {
    this.#core.set({ helper });
    this.#setting("helper", helper);
    await this.#help();
  }

  async #help(): Promise<void> {
    const { helper, engine, models } = this.state;
    if (engine.helper?.id === helper || (helper === "" && !engine.helper)) return;
    try {
      const { keptBudget } = await import("../device/kept-budget.ts");
      const gpuMb = await keptBudget();
      await this.engine.api.help(helper === "" ? undefined : helper, gpuMb === undefined ? {} : { gpuMb });
      this.say(helper === "" ? t().app.helperGone : t().app.helperReady(models.find(({ id }) => id === helper)?.name ?? helper));
    } catch (error) {
      this.#core.report(error, "loaded");
    }
  }

  /** How many edits are tried before one is kept. */
  setTries(tries: number): void {
    this.#core.set({ tries });
    this.#setting("tries", String(tries));
  }

  /** False where the browser stores nothing. */
  get canLog(): boolean {
    return this.#core.parts.store !== undefined;
  }

  /** Is a log of corrections kept? */
  get isLogging(): boolean {
    return this.#core.corrections !== undefined;
  }

  async setLogging(isOn: boolean): Promise<void> {
    try {
      this.#core.corrections = isOn && this.canLog ? await (await import("../practice/correction-log.ts")).CorrectionLog.open() : undefined;
      this.#setting("corrections", isOn ? "on" : "off");
    } catch (error) {
      this.report(error);
    }
  }

  #setting(name: keyof Settings, value: string): void {
    this.#core.parts.store?.saveSetting(name, value).catch((error: unknown) => this.report(error));
  }

  show(panel: Panel): void {
    this.#core.set({ panel });
  }

  openDialog(dialog: DialogName): void {
    this.#core.set({ dialog });
  }

  closeDialog(): void {
    this.#core.set({ dialog: undefined, incoming: undefined });
  }

  dismiss(id: number): void {
    this.#core.dismiss(id);
  }

  /** Shows a failure as a notice that says what and what next. */
  report(thrown: unknown): void {
    this.#core.report(thrown);
  }

  /** Says something on the polite status line. */
  say(spoken: string): void {
    this.#core.set({ spoken });
  }
}
