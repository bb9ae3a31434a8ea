// What the user does in the chat: send, edit, retry, go on, switch between branches, look through old chats. The agent's
// code is loaded with the first message.
import type { Attachment } from "../../agent/attachment.ts";
import { addEvent, beginExchange, type Conversation, EMPTY_CONVERSATION, eventsOf, exchangeOf, switchTo } from "../../agent/conversation.ts";
import type { AgentEvent, ToolCall } from "../../agent/events.ts";
import { transcriptOf } from "../../agent/events.ts";
import type { Mode, PermissionAnswer, ToolRule } from "../../agent/permission.ts";
import { planOf } from "../../agent/plan.ts";
import { AppError } from "../../base/errors.ts";
import { fromWireError } from "../../base/wire-error.ts";
import type { Sampling } from "../../engine/api.ts";
import type { FileTree } from "../../project/tree.ts";
import { itemsOf, showEvent, spokenOf } from "../chat/chat-log.ts";
import { keepQueue } from "../chat/unsent-store.ts";
import { t } from "../strings/index.ts";
import { offerOf, type SessionCore } from "./core.ts";
import type { RunActions } from "./runs.ts";
import { newId, type StoredChat } from "./session-store.ts";
import type { SessionState } from "./session-state.ts";
import type { TimelineActions } from "./timeline.ts";

export class ChatActions {
  /** Every event of the agent, as it comes: for the commands that drive the page, and for the widget. */
  onEvent: (event: AgentEvent) => void = () => undefined;
  /** How the model draws its words; absent, as the model's own settings say. */
  sampling: Sampling | undefined;
  readonly #core: SessionCore;
  readonly #timeline: TimelineActions;
  readonly #runs: RunActions;
  #answer: ((answer: PermissionAnswer) => void) | undefined;

  constructor(core: SessionCore, timeline: TimelineActions, runs: RunActions) {
    this.#core = core;
    this.#timeline = timeline;
    this.#runs = runs;
  }

  get canSend(): boolean {
    const { engine, activity } = this.#core.state;
    return engine.phase === "ready" && activity === "idle";
  }

  /** Sends a message: a task for the agent, or plain chat where there is no container. Waits its turn while something runs. */
  async send(text: string, attachments: readonly Attachment[] = []): Promise<void> {
    const core = this.#core;
    if (!this.canSend) {
      this.#setQueue([...core.state.queue, { text, attachments }]);
      return;
    }
    await this.#exchange(core.conversation.head, text, attachments);
    await this.sendQueued();
  }

  /** Sends what waited, when the engine is free. */
  async sendQueued(): Promise<void> {
    const [next, ...queue] = this.#core.state.queue;
    if (!next || !this.canSend) return;
    this.#setQueue(queue);
    await this.send(next.text, next.attachments);
  }

  unqueue(index: number): void {
    this.#setQueue(this.#core.state.queue.filter((_, at) => at !== index));
  }

  #setQueue(queue: SessionState["queue"]): void {
    this.#core.set({ queue });
    keepQueue(this.#core.home, queue);
  }

  /** The same message with other words: a branch beside the old one. */
  async resend(exchange: string, text: string, attachments?: readonly Attachment[]): Promise<void> {
    const old = exchangeOf(this.#core.conversation, exchange);
    if (!old || !this.canSend) return;
    const user = old.events.find((event) => event.type === "user");
    await this.#exchange(old.parent, text, attachments ?? (user?.type === "user" ? (user.attachments ?? []) : []));
  }

  /** The same message once more. */
  async retry(exchange: string): Promise<void> {
    const user = exchangeOf(this.#core.conversation, exchange)?.events.find((event) => event.type === "user");
    if (user?.type === "user") await this.resend(exchange, user.text, user.attachments ?? []);
  }

  /** Goes on where the last exchange ended: after Stop, a limit, or a turn that was cut off. */
  async continue(): Promise<void> {
    if (this.#core.conversation.head === undefined || !this.canSend) return;
    await this.#run(t().app.continued, undefined, []);
  }

  /** Shows the branch through this exchange. */
  switchTo(exchange: string): Promise<void> {
    this.#core.showChat(switchTo(this.#core.conversation, exchange));
    return this.#core.saveChat();
  }

  async #exchange(parent: string | undefined, text: string, attachments: readonly Attachment[]): Promise<void> {
    const core = this.#core;
    core.conversation = beginExchange(core.conversation, parent, Date.now());
    core.set({ items: itemsOf(core.conversation), plan: [] });
    await this.#run(text, text, attachments);
  }

  async #run(label: string, task: string | undefined, attachments: readonly Attachment[]): Promise<void> {
    const core = this.#core;
    await core.during("agent", async (signal) => {
      const { files: before } = core.state.project;
      const [{ runAgent }, { helperModel }] = await Promise.all([import("../../agent/loop.ts"), import("../../engine/text-model.ts")]);
      const { mode, rules, tries, engine, models, helper: wanted } = core.state;
      const nameOf = (model: string): string => models.find(({ id }) => id === model)?.name ?? model;
      const { helper } = engine;
      const drafts = helper && helper.id === wanted && helper.id !== engine.modelId;
      const run = runAgent(
        {
          history: transcriptOf(eventsOf(core.conversation)),
          ...(task === undefined ? {} : { task }),
          attachments,
          model: core.parts.engine.model,
          ...(drafts ? { helper: { model: helperModel(core.parts.engine.api, helper.contextLimit), name: nameOf(helper.id), modelName: nameOf(engine.modelId) } } : {}),
          ...(core.sandbox ? { sandbox: core.sandbox } : {}),
          options: { keep: core.state.chatId, checkpoints: core.checkpoints, mode, rules, tries, ask: (call) => this.#ask(call), ...(this.sampling ? { sampling: this.sampling } : {}) },
        },
        signal,
      );
      await this.#timeline.asOneStep(label, async () => {
        for await (const event of run) await this.#take(event);
      }, "step");
      await this.#logged(label, before);
    });
    await this.measure();
  }

  async #logged(ask: string, before: FileTree): Promise<void> {
    const { state, corrections, conversation } = this.#core;
    const { id: workspace, name: project, files: after } = state.project;
    const exchange = conversation.head === undefined ? undefined : exchangeOf(conversation, conversation.head);
    await corrections?.answered({ workspace, project, model: state.engine.modelId, ask, messages: transcriptOf(exchange?.events ?? []), before, after });
  }

  /** One event of the agent: into the log, onto the screen, into storage. */
  async #take(event: AgentEvent): Promise<void> {
    const core = this.#core;
    this.onEvent(event);
    if (event.type === "stats") core.set({ stats: event.stats, budget: { usedTokens: event.stats.contextTokens, limitTokens: event.stats.contextLimit } });
    if (event.type === "notice") core.notice(event.notice);
    // The chat says it too; here it comes with what can be done about it.
    if (event.type === "error" && offerOf(event.error)) core.report(fromWireError(event.error));
    if (event.type === "notice" || event.type === "prefill" || event.type === "stats" || event.type === "call-streaming") return;
    if (event.type === "try") return core.set({ items: showEvent(core.state.items, event), spoken: spokenOf(event) ?? core.state.spoken });
    core.conversation = addEvent(core.conversation, event);
    const alternatives = event.type === "user" ? itemsOf(core.conversation) : showEvent(core.state.items, event);
    core.set({ items: alternatives, spoken: spokenOf(event) ?? core.state.spoken });
    if (event.type === "text") return;
    if (event.type === "assistant") core.set({ plan: planOf(event.text) ?? core.state.plan });
    if (event.type === "tool-started" && event.call.name === "run_shell_command") this.#runs.begin(String(event.call.arguments["command"] ?? ""), "assistant");
    if (event.type === "tool-output") return this.#runs.output(event.text);
    if (event.type === "tool-finished") {
      if (event.call.name === "run_shell_command") this.#runs.end(event.exitCode ?? null);
      if (event.report) core.set({ tests: { phase: "done", report: event.report, stale: false }, panel: "tests" });
    }
    if (event.type === "checkpoint") {
      core.exchanges[event.after] ??= core.conversation.head ?? "";
      await core.refreshFiles();
      core.showTimeline();
      core.set({ panel: "diff", comparison: undefined });
    }
    await core.saveChat();
  }

  /** Stop needs no answer: the agent listens to it by itself, and the end of the activity takes the question away. */
  #ask(call: ToolCall): Promise<PermissionAnswer> {
    this.#core.set({ permission: call, spoken: t().app.permissionAsked });
    return new Promise((resolve) => {
      this.#answer = (answer) => {
        this.#answer = undefined;
        this.#core.set({ permission: undefined });
        resolve(answer);
      };
    });
  }

  /** The user's word on the call that waits. `always` makes it a rule of this project. */
  answerPermission(answer: PermissionAnswer, always?: ToolRule): void {
    if (always) this.setRules([...this.#core.state.rules, always]);
    this.#answer?.(answer);
  }

  setMode(mode: Mode): void {
    this.#core.set({ mode });
    void this.#core.save();
  }

  setRules(rules: readonly ToolRule[]): void {
    this.#core.set({ rules });
    void this.#core.save();
  }

  /** Tokens of the conversation as it would be sent now. */
  async measure(): Promise<void> {
    const core = this.#core;
    if (core.state.engine.phase !== "ready") return;
    try {
      const { model } = core.parts.engine;
      const usedTokens = await model.countTokens({ messages: transcriptOf(eventsOf(core.conversation)), ...(core.sandbox ? { tools: (await import("../../agent/tool-specs.ts")).TOOLS } : {}) });
      core.set({ budget: { usedTokens, limitTokens: model.contextLimit } });
    } catch (error) {
      core.report(error);
    }
  }

  /** Condenses older messages now, instead of when the context is full. */
  async compact(): Promise<void> {
    const core = this.#core;
    if (core.conversation.head === undefined) return;
    await core.during("agent", async () => {
      const [{ compact }, { TOOLS }] = await Promise.all([import("../../agent/compaction.ts"), import("../../agent/tool-specs.ts")]);
      const { model } = core.parts.engine;
      const tools = core.sandbox ? TOOLS : [];
      const messages = transcriptOf(eventsOf(core.conversation));
      const shorter = compact(messages);
      if (!shorter) throw new AppError("model/context", "There is nothing old enough to condense: the newest messages stay whole.");
      const [tokensBefore, tokensAfter] = await Promise.all([model.countTokens({ messages, tools }), model.countTokens({ messages: shorter, tools })]);
      await this.#take({ type: "compacted", messages: shorter, tokensBefore, tokensAfter });
    });
    await this.measure();
  }

  /** Messages that wait are kept, in sight: they go to the chat that is open when their turn comes. */
  async newChat(): Promise<void> {
    const core = this.#core;
    await core.saveChat();
    core.set({ chatId: newId("chat"), budget: undefined, spoken: t().app.newChat });
    core.showChat(EMPTY_CONVERSATION);
    await core.save();
    await this.measure(); // else the first message is held against no budget
  }

  /** All stored chats, newest first. */
  async list(): Promise<readonly StoredChat[]> {
    return (await this.#reported(() => this.#core.parts.store?.chats())) ?? [];
  }

  /** Shows a stored chat; what is sent from here on follows it. The files stay as they are. */
  async openChat(id: string): Promise<void> {
    const core = this.#core;
    await core.during("files", async () => {
      const chat = await core.parts.store?.chat(id);
      if (!chat) throw new AppError("storage/missing", "That chat is no longer stored in this browser.");
      await core.saveChat();
      core.set({ chatId: id, spoken: t().app.chatOpened(chat.title) });
      core.showChat(chat.conversation);
    });
    await this.measure();
  }

  async rename(id: string, title: string): Promise<void> {
    await this.#reported(() => this.#core.parts.store?.nameChat(id, title));
  }

  /** Takes a chat out of the history and returns it, so that it can be put back; undefined where it stays. */
  async remove(id: string): Promise<StoredChat | undefined> {
    const { store } = this.#core.parts;
    const chat = await this.#reported(async () => {
      const stored = await store?.chat(id);
      await store?.removeChat(id);
      await (await import("../../storage/kept-states.ts")).forgetState(id);
      return stored;
    });
    if (chat && id === this.#core.state.chatId) {
      this.#core.set({ chatId: newId("chat") });
      this.#core.showChat(EMPTY_CONVERSATION);
    }
    return chat;
  }

  /** Puts a chat back. False where it could not be stored: whoever holds it keeps it. */
  async restore(chat: StoredChat): Promise<boolean> {
    const done = await this.#reported(async () => {
      await this.#core.parts.store?.saveChat(chat);
      return true;
    });
    if (done) await this.rename(chat.id, chat.title);
    return done ?? false;
  }

  /** Storage can fail at any time: whoever asked goes on, and the user is told. */
  async #reported<T>(work: () => Promise<T> | undefined): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#core.report(error);
      return undefined;
    }
  }

  /** The whole tree, for export. */
  get conversation(): Conversation {
    return this.#core.conversation;
  }

  /** Shows a conversation from a file as a chat of its own. */
  async show(conversation: Conversation): Promise<void> {
    const core = this.#core;
    await core.saveChat();
    core.set({ chatId: newId("chat"), budget: undefined });
    core.showChat(conversation);
    await core.save();
    await this.measure();
  }
}
