// The conversation: words as they come, tool cards, notes. Streaming never moves focus; a separate polite line tells a
// screen reader what happened, because reading every token aloud helps nobody.
import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { ChatItem } from "./chat-item.ts";
import { markdown } from "./markdown.ts";
import { controlStyles } from "./theme.ts";
import "./tool-card.ts";

export class Chat extends LitElement {
  static override properties = { items: { attribute: false }, busy: { type: Boolean }, spoken: {}, suggestions: { attribute: false } };
  declare items: readonly ChatItem[];
  declare busy: boolean;
  /** The polite status line. */
  declare spoken: string;
  /** Offered while the chat is empty. */
  declare suggestions: readonly string[];

  /** Whether the view follows the newest words: true until the user scrolls up. */
  private following = true;

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
        padding: 14px;
        display: flex;
        flex-direction: column;
        gap: 10px;
        overflow-anchor: none;
      }
      .user {
        align-self: flex-end;
        max-inline-size: 85%;
        background: var(--sunken);
        border: 1px solid var(--line);
        border-radius: 12px;
        padding: 6px 12px;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .assistant {
        overflow-wrap: anywhere;
      }
      .assistant p {
        margin: 0 0 8px;
      }
      .assistant pre {
        background: var(--sunken);
        padding: 10px 12px;
        border-radius: var(--radius);
        overflow: auto;
      }
      .note {
        border-inline-start: 3px solid var(--line);
        padding: 4px 12px;
        background: var(--sunken);
        border-radius: 0 var(--radius) var(--radius) 0;
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
      .thinking {
        color: var(--muted);
      }
    `,
  ];

  override render(): TemplateResult {
    const last = this.items.at(-1);
    const waiting = this.busy && (last?.kind === "user" || (last?.kind === "tool" && last.state !== "running"));
    return html`
      <div class="log" role="log" aria-live="off" aria-label="Conversation" tabindex="0" aria-busy=${this.busy ? "true" : "false"} @scroll=${this.scrolled}>
        ${this.items.length === 0 ? this.welcome() : nothing}
        ${repeat(this.items, (item) => item.id, (item) => this.item(item))}
        ${waiting ? html`<div class="thinking" aria-hidden="true">Thinking …</div>` : nothing}
      </div>
      <div class="visually-hidden" role="status" aria-live="polite">${this.spoken}</div>
    `;
  }

  private item(item: ChatItem): TemplateResult {
    switch (item.kind) {
      case "user":
        return html`<div class="user"><span class="visually-hidden">You: </span>${item.text}</div>`;
      case "assistant":
        return html`<div class="assistant">${markdown(item.text)}</div>`;
      case "tool":
        return html`<tw-tool-card .item=${item}></tw-tool-card>`;
      case "note":
        return html`<div class="note ${item.tone}"><b>${item.title}</b>${item.text}</div>`;
    }
  }

  private welcome(): TemplateResult {
    return html`<div class="welcome">
      <h2>What shall we fix?</h2>
      The model runs on your GPU and the code runs in this page. Nothing leaves your machine.
      <div class="suggestions">
        ${this.suggestions.map((text) => html`<button @click=${() => this.dispatchEvent(new CustomEvent("message-sent", { detail: text }))}>${text}</button>`)}
      </div>
    </div>`;
  }

  private scrolled(event: Event): void {
    const log = event.currentTarget as HTMLElement;
    this.following = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const log = this.renderRoot.querySelector(".log");
    if (changed.has("items") && this.following && log) log.scrollTop = log.scrollHeight;
  }
}

customElements.define("tw-chat", Chat);
