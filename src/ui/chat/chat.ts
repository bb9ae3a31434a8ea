// The conversation: words as they come, tool cards, notes. Streaming never moves focus; a separate polite line tells a
// screen reader what happened, because reading every token aloud helps nobody.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import { Component } from "../component.ts";
import { t } from "../strings/index.ts";
import { controlStyles } from "../theme.ts";
import type { ChatItem } from "./chat-item.ts";
import type { Draft } from "./draft.ts";
import { visibleText } from "./hidden-text.ts";
import type { Source } from "./markdown-text.ts";
import { type Turn, turnsOf } from "./turns.ts";

const NO_SOURCES: readonly Source[] = [];

export class Chat extends Component {
  static override properties = { items: { attribute: false }, busy: { type: Boolean }, spoken: {}, suggestions: { attribute: false } };
  declare items: readonly ChatItem[];
  declare busy: boolean;
  /** The polite status line. */
  declare spoken: string;
  /** Offered while the chat is empty. */
  declare suggestions: readonly string[];

  /** Whether the view follows the newest words: true until the user scrolls up. */
  #following = true;
  /** Words are formatted after they are set, so the end moves by itself: the view follows what it sees grow. */
  readonly #resize = new ResizeObserver(() => this.toEnd());

  constructor() {
    super();
    this.items = [];
    this.busy = false;
    this.spoken = "";
    this.suggestions = [];
  }

  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-block-size: 0;
        flex: 1;
      }
      .log {
        flex: 1;
        overflow: auto;
        overflow-anchor: none;
        display: flex;
      }
      .list {
        flex: 1;
        min-inline-size: 0;
        block-size: max-content;
        min-block-size: 100%;
        padding: 14px;
        display: flex;
        flex-direction: column;
        gap: 10px;
      }
      .note {
        border-inline-start: 3px solid var(--line);
        padding: 4px 12px;
        background: var(--sunken);
        border-radius: 0 var(--radius) var(--radius) 0;
        overflow-wrap: anywhere;
        white-space: pre-wrap;
      }
      .note.good {
        border-color: var(--good);
        background: var(--good-ground);
      }
      .note.bad {
        border-color: var(--bad);
        background: var(--bad-ground);
      }
      .note b {
        display: block;
      }
      .welcome {
        margin: auto 0 0;
        color: var(--muted);
      }
      .welcome h2 {
        color: var(--text);
        font-size: 20px;
        margin: 0 0 4px;
      }
      .suggestions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        margin-block-start: 12px;
      }
      .suggestions button {
        border-color: var(--accent-ground);
        color: var(--accent);
      }
      ::slotted([slot="welcome"]) {
        margin-block-start: 16px;
      }
      .thinking {
        color: var(--muted);
      }
    `,
  ];

  override render(): TemplateResult {
    if (this.items.length > 0) void import("./messages.ts");
    const words = t().chat.log;
    const last = this.items.at(-1);
    const waiting = this.busy && (last?.kind === "user" || last?.kind === "compacted" || (last?.kind === "tool" && last.state !== "running"));
    const turns = turnsOf(this.items);
    return html`
      <div class="log" role="log" aria-live="off" aria-label=${words.label} tabindex="0" aria-busy=${this.busy ? "true" : "false"} @scroll=${this.scrolled}>
        <div class="list">
          <h2 class="visually-hidden">${words.label}</h2>
          ${this.items.length === 0 ? this.welcome() : nothing}
          ${repeat(turns, (turn) => turn.key, (turn, index) => this.turn(turn, index === turns.length - 1))}
          ${waiting ? html`<div class="thinking" aria-hidden="true">${words.thinking}</div>` : nothing}
        </div>
      </div>
      <div class="visually-hidden" role="status" aria-live="polite">${this.spoken}</div>
    `;
  }

  /** Opens the last message of the user for editing. */
  editLast(): void {
    [...this.renderRoot.querySelectorAll("tw-user-message")].at(-1)?.edit();
  }

  /** Follows the newest words again, wherever the user has scrolled to. */
  follow(): void {
    this.#following = true;
    this.toEnd();
  }

  private turn(turn: Turn, last: boolean): unknown {
    const sources = turn.sources.length === 0 ? NO_SOURCES : turn.sources;
    const ended = !(last && this.busy) && turn.exchange !== "" && turn.items.length > 1;
    // A turn that is over is made once: its items never change again.
    return guard([turn.items.length, turn.items.at(-1), turn.items[0], last, this.busy, t()], () => html`
      ${repeat(turn.items, (item) => item.id, (item) => this.item(item, sources))}
      ${ended ? html`<tw-answer-actions .exchange=${turn.exchange} .text=${turn.text} ?last=${last} ?unfinished=${turn.unfinished} .hidden=${this.busy}></tw-answer-actions>` : nothing}
    `);
  }

  private item(item: ChatItem, sources: readonly Source[]): TemplateResult {
    switch (item.kind) {
      case "user":
        return html`<tw-user-message .item=${item} ?busy=${this.busy}></tw-user-message>`;
      case "assistant":
        return html`${item.by === undefined ? nothing : html`<div class="thinking by">${item.by}</div>`}<tw-markdown class="assistant" .text=${item.text} ?streaming=${item.streaming} .sources=${sources}></tw-markdown>`;
      case "tool":
        return html`<tw-tool-card .item=${item}></tw-tool-card>`;
      case "tries":
        void import("./tries-card.ts");
        return html`<tw-tries-card .item=${item}></tw-tries-card>`;
      case "compacted":
        void import("./compaction-card.ts");
        return html`<tw-compaction-card .item=${item}></tw-compaction-card>`;
      case "note":
        return html`<div class="note ${item.tone}"><b>${item.title}</b>${visibleText(item.text)}</div>`;
    }
  }

  private welcome(): TemplateResult {
    const words = t().chat.log;
    return html`<div class="welcome">
      <h2>${words.welcome}</h2>
      ${words.promise}
      <div class="suggestions">${this.suggestions.map((text) => html`<button @click=${() => this.suggest(text)}>${text}</button>`)}</div>
      <slot name="welcome"></slot>
    </div>`;
  }

  private suggest(text: string): void {
    const detail: Draft = { text, attachments: [] };
    this.dispatchEvent(new CustomEvent("message-sent", { detail, bubbles: true, composed: true, cancelable: true }));
  }

  private scrolled(event: Event): void {
    const log = event.currentTarget as HTMLElement;
    this.#following = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  }

  private toEnd(): void {
    const log = this.renderRoot.querySelector(".log");
    if (log && this.#following) log.scrollTop = log.scrollHeight;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.watch();
  }

  override disconnectedCallback(): void {
    this.#resize.disconnect();
    super.disconnectedCallback();
  }

  protected override firstUpdated(): void {
    this.watch();
  }

  private watch(): void {
    const list = this.renderRoot.querySelector(".list");
    if (list) this.#resize.observe(list);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("items")) this.toEnd();
  }
}

customElements.define("tw-chat", Chat);

declare global {
  interface HTMLElementTagNameMap {
    "tw-chat": Chat;
  }
}
