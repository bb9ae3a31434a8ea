// The left half: notices, the conversation, the composer, and what they do to the session. What is seldom needed is
// loaded when it is first shown. Over 300 lines because all of it is wiring: each part's properties and events, once.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Attachment } from "../agent/attachment.ts";
import type { Mode } from "../agent/permission.ts";
import { decodeText } from "../project/text.ts";
import "./chat/chat.ts";
import type { InsertRequest } from "./chat/code-block.ts";
import "./chat/composer.ts";
import { type Draft, type DraftAttachment, guessTokens, overflows } from "./chat/draft.ts";
import { keepDraft, keptDraft } from "./chat/unsent-store.ts";
import type { ChosenInsert } from "./chat/insert-dialog.ts";
import type { Source } from "./chat/markdown-text.ts";
import type { GivenAnswer } from "./chat/permission-card.ts";
import { matches } from "./chat/shortcuts.ts";
import { Component } from "./component.ts";
import { hasDialog } from "./dialogs.ts";
import type { Session } from "./session/session.ts";
import type { SessionState } from "./session/session-state.ts";
import { t } from "./strings/index.ts";
import { controlStyles } from "./theme.ts";
import type { EditorSelection } from "./work/editor.ts";

const NO_PATHS: readonly string[] = [];

export class Talk extends Component {
  static override properties = {
    session: { attribute: false },
    state: { attribute: false },
    gather: { attribute: false },
    small: { type: Boolean },
    draft: { state: true },
    refused: { state: true },
    inserting: { state: true },
    selection: { state: true },
  };
  declare session: Session;
  declare state: SessionState;
  /** What goes with each message besides what the user attached: the widget's host tells of its page. */
  declare gather: (() => Promise<readonly Attachment[]>) | undefined;
  /** The little room of a widget is for the conversation: nothing about the device. */
  declare small: boolean;
  /** What is being written. */
  declare private draft: Draft;
  /** Whether a message was held back because it would not fit. */
  declare private refused: boolean;
  declare private inserting: InsertRequest | undefined;
  declare private selection: EditorSelection | undefined;
  /** The tree the paths were taken from: a new list only for a new tree. */
  #paths: { readonly files: unknown; readonly list: readonly string[] } = { files: undefined, list: NO_PATHS };

  constructor() {
    super();
    this.refused = false;
  }

  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-block-size: 0;
        min-inline-size: 0;
      }
      section {
        display: contents;
      }
      .notice {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 12px;
        align-items: baseline;
        padding: 8px 14px;
        background: var(--bad-ground);
        border-block-end: 1px solid var(--line);
      }
      .notice > :first-child {
        flex: 1 1 15em;
      }
      .notice b {
        color: var(--bad);
      }
      .notice.passing {
        background: var(--sunken);
      }
      .notice.passing b {
        color: inherit;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        margin-inline-start: auto;
      }
      tw-permission-card {
        margin: 0 14px 10px;
      }
      .foot {
        display: flex;
        flex-direction: column;
        gap: 4px;
        padding: 6px 14px 0;
        border-block-start: 1px solid var(--line);
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.key);
    document.addEventListener("selection-asked", this.attachSelection);
    document.addEventListener("selection-changed", this.selectionChanged);
  }

  override disconnectedCallback(): void {
    document.removeEventListener("keydown", this.key);
    document.removeEventListener("selection-asked", this.attachSelection);
    document.removeEventListener("selection-changed", this.selectionChanged);
    super.disconnectedCallback();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("session")) this.draft = keptDraft(this.session.home);
  }

  override render(): TemplateResult {
    const { state, session } = this;
    const { chat } = session;
    const words = t().app;
    return html`<section aria-label=${words.conversation} @said=${(event: CustomEvent<string>) => session.say(event.detail)}>
      ${state.notices.map(
        (notice) => html`<div class=${notice.passing ? "notice passing" : "notice"} role="alert">
          <div><b>${notice.title}.</b> ${notice.message} ${notice.next}</div>
          <div class="actions">${notice.smallerMb === undefined ? nothing : html`<button @click=${() => void session.loadSmaller(notice.id, notice.smallerMb ?? 1)}>${words.loadSmaller}</button>`}
          ${notice.restart ? html`<button class="restart" @click=${() => void session.container.restart()}>${words.restartContainer}</button>` : nothing}
          ${notice.allow === undefined ? nothing : html`<button class="allow" @click=${() => void session.allowModel(notice.allow ?? "")}>${words.allowModel}</button>`}
          <button @click=${() => session.dismiss(notice.id)} aria-label=${words.dismissNotice(notice.title)}>${words.dismiss}</button></div>
        </div>`,
      )}
      ${this.downloads()}
      <tw-chat .items=${state.items} ?busy=${state.activity === "agent"} .spoken=${state.spoken} .suggestions=${session.suggestions}
        @message-sent=${this.send}
        @message-edited=${this.resend}
        @retry-asked=${({ detail }: CustomEvent<{ exchange: string }>) => void chat.retry(detail.exchange)}
        @continue-asked=${() => void chat.continue()}
        @branch-chosen=${({ detail }: CustomEvent<{ exchange: string }>) => void chat.switchTo(detail.exchange)}
        @insert-asked=${this.askInsert}
        @run-asked=${this.run}
        @try-compared=${({ detail }: CustomEvent<{ id: string }>) => void session.timeline.showComparison(detail.id)}
        @source-opened=${this.openSource}>
        ${state.items.length === 0 && !this.small ? this.deviceCard() : nothing}
      </tw-chat>
      ${this.permission()}
      ${this.plan()}
      <slot></slot>
      ${this.foot()}
      ${this.insertDialog()}
    </section>`;
  }

  private downloads(): TemplateResult | typeof nothing {
    const { engine, device } = this.state;
    if (!engine.downloads?.length) return nothing;
    void import("./download/download-row.ts");
    return html`<tw-download-rows .session=${this.session} .downloads=${engine.downloads} ?persisted=${device?.persisted}></tw-download-rows>`;
  }

  /** On the welcome screen; its code arrives after the page. */
  private deviceCard(): TemplateResult {
    void import("./device/device-card.ts");
    return html`<tw-device-card slot="welcome" choose .report=${this.state.device} @model-asked=${() => this.session.openDialog("device")}></tw-device-card>`;
  }

  private foot(): TemplateResult {
    const { state, session } = this;
    const busy = state.activity !== "idle";
    const failed = state.engine.phase === "failed";
    if (state.queue.length > 0) void import("./chat/queue-list.ts");
    if (state.budget) void import("./chat/budget-bar.ts");
    return html`<div class="foot">
        ${state.queue.length > 0 ? html`<tw-queue .queue=${state.queue} @queue-removed=${({ detail }: CustomEvent<number>) => session.chat.unqueue(detail)}></tw-queue>` : nothing}
        <tw-budget-bar .budget=${state.budget} .draftTokens=${this.draftTokens} ?refused=${this.refused} ?busy=${busy}
          @compact-asked=${() => void this.compact()} @send-anyway=${this.sendAnyway}></tw-budget-bar>
      </div>
      <tw-composer ?busy=${busy} ?disabled=${failed} .hint=${this.hint} .mode=${state.mode} .paths=${this.paths} .draft=${this.draft}
        .selection=${this.selection && selectionTitle(this.selection)}
        @message-sent=${this.send} @draft-changed=${this.drafted} @mode-chosen=${this.chooseMode} @edit-last-asked=${() => this.renderRoot.querySelector("tw-chat")?.editLast()}
        @stop-asked=${() => session.stop()}></tw-composer>`;
  }

  private permission(): TemplateResult | typeof nothing {
    const { permission, project } = this.state;
    if (!permission) return nothing;
    void import("./chat/permission-card.ts");
    return html`<tw-permission-card .call=${permission} .current=${project.files.get(String(permission.arguments["file_path"] ?? ""))}
      @permission-answered=${({ detail }: CustomEvent<GivenAnswer>) => this.session.chat.answerPermission(detail.answer, detail.always)}></tw-permission-card>`;
  }

  private plan(): TemplateResult | typeof nothing {
    const { plan, activity } = this.state;
    if (plan.length === 0) return nothing;
    void import("./chat/plan-list.ts");
    return html`<tw-plan-list .plan=${plan} ?busy=${activity === "agent"}></tw-plan-list>`;
  }

  private insertDialog(): TemplateResult | typeof nothing {
    const { inserting } = this;
    if (!inserting) return nothing;
    void import("./chat/insert-dialog.ts");
    return html`<tw-insert-dialog .text=${inserting.text} .path=${inserting.path ?? this.state.project.selected} ?named=${inserting.path !== undefined} ?busy=${this.state.activity !== "idle"} .paths=${this.paths}
      @insert-chosen=${this.insert} @insert-closed=${() => (this.inserting = undefined)}></tw-insert-dialog>`;
  }

  /** The composer's placeholder. */
  private get hint(): string {
    const { phase } = this.state.engine;
    return phase === "ready" || phase === "waiting" ? t().app.hint.ready : phase === "failed" ? t().app.hint.failed : t().app.hint.loading;
  }

  private get paths(): readonly string[] {
    const { files } = this.state.project;
    if (this.#paths.files !== files) this.#paths = { files, list: [...files.keys()].sort() };
    return this.#paths.list;
  }

  private get draftTokens(): number {
    const { text, attachments } = this.draft;
    return guessTokens(attachments.reduce((sum, attachment) => sum + (attachment.text ?? this.textOf(attachment)).length, text.length));
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (this.state.dialog !== undefined) return;
    if (matches(event, "focusComposer") || matches(event, "focusComposerSlash")) this.renderRoot.querySelector("tw-composer")?.focus();
    else if (matches(event, "showShortcuts") && hasDialog("shortcuts")) this.session.openDialog("shortcuts");
    else return;
    event.preventDefault();
  };

  private drafted(event: CustomEvent<Draft>): void {
    const { text, attachments } = event.detail;
    // A selection is what is selected now; a file is what it holds when the message is sent.
    this.draft = { text, attachments: attachments.map((attachment) => (attachment.kind === "selection" && attachment.text === undefined ? { ...attachment, text: this.textOf(attachment) } : attachment)) };
    keepDraft(this.session.home, this.draft);
    this.refused = this.refused && overflows(this.state.budget, this.draftTokens);
  }

  private send(event: CustomEvent<Draft & { readonly sure?: boolean }>): void {
    const { text, attachments, sure } = event.detail;
    const whole = attachments.map((attachment): Attachment => ({ ...attachment, text: attachment.text ?? this.textOf(attachment) }));
    const tokens = guessTokens(whole.reduce((sum, attachment) => sum + attachment.text.length, text.length));
    this.refused = !sure && overflows(this.state.budget, tokens);
    if (this.refused) return event.preventDefault(); // it stays in the composer until the user has decided
    this.renderRoot.querySelector("tw-chat")?.follow();
    void this.pass(text, whole);
  }

  private async pass(text: string, attachments: readonly Attachment[]): Promise<void> {
    await this.session.chat.send(text, this.gather ? [...attachments, ...(await this.gather())] : attachments);
  }

  private resend(event: CustomEvent<{ exchange: string; text: string }>): void {
    const { chat } = this.session;
    if (!chat.canSend) return event.preventDefault(); // the message keeps what was written
    void chat.resend(event.detail.exchange, event.detail.text);
  }

  private sendAnyway(): void {
    this.renderRoot.querySelector("tw-composer")?.submit(true);
  }

  private async compact(): Promise<void> {
    await this.session.chat.compact();
    this.refused = overflows(this.state.budget, this.draftTokens);
  }

  /** The text of a file or of the selection as it is now. */
  private textOf({ kind, path }: DraftAttachment): string {
    if (kind === "selection") return this.selection?.text ?? "";
    const bytes = path === undefined ? undefined : this.state.project.files.get(path);
    return (bytes && decodeText(bytes)) ?? "";
  }

  private chooseMode({ detail: mode }: CustomEvent<Mode>): void {
    const words = t().chat.mode;
    this.session.chat.setMode(mode);
    this.session.say(words.said(words.names[mode], words.explain[mode]));
  }

  private readonly attachSelection = (event: Event): void => {
    const selection = (event as CustomEvent<EditorSelection>).detail;
    const composer = this.renderRoot.querySelector("tw-composer");
    composer?.attach({ kind: "selection", title: selectionTitle(selection), path: selection.path, text: selection.text });
    composer?.focus();
  };

  private readonly selectionChanged = (event: Event): void => {
    this.selection = (event as CustomEvent<EditorSelection | undefined>).detail;
  };

  private openSource({ detail }: CustomEvent<Source>): void {
    if (detail.path === undefined) return;
    this.session.project.select(detail.path);
    this.session.show("files");
  }

  /** While something else runs, the terminal shows what. */
  private run({ detail }: CustomEvent<string>): void {
    this.session.show("terminal");
    if (this.state.activity === "idle") void this.session.runs.runCommand(detail);
  }

  private askInsert({ detail }: CustomEvent<InsertRequest>): void {
    this.inserting = detail;
  }

  private async insert({ detail: { path, place, text } }: CustomEvent<ChosenInsert>): Promise<void> {
    const [{ inserted }, { t: words }] = await Promise.all([import("./chat/insert-target.ts"), import("./strings/more.ts")]);
    const done = words().chatParts.insert.done(path);
    const before = this.state.project.files.get(path);
    const after = inserted(before && decodeText(before), text, place);
    await this.session.project.change(done, new Map([[path, new TextEncoder().encode(after)]]));
    this.session.project.select(path);
    this.session.show("diff");
    this.session.say(done);
  }
}

function selectionTitle({ path, fromLine, toLine }: EditorSelection): string {
  return fromLine === toLine ? `${path}:${fromLine}` : `${path}:${fromLine}–${toLine}`;
}

customElements.define("tw-talk", Talk);
