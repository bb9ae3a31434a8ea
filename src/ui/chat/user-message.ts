// One message of the user: its words, what went with it, and what can be done with it: copy, edit and send again, look at
// the other versions of it. Long text is folded; nothing of it is ever formatted.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import "./attachment-chips.ts";
import type { ChatItem } from "./chat-item.ts";
import { copyText } from "./clipboard.ts";
import { hiddenLabel, piecesOf } from "./hidden-text.ts";

const FOLDED_CHARACTERS = 1_500;
const FOLDED_LINES = 16;
/** Even unfolded, a page can lay out only so much of one message. */
const SHOWN_CHARACTERS = 100_000;

export class UserMessage extends Component {
  static override properties = { item: { attribute: false }, busy: { type: Boolean }, editing: { state: true }, refused: { state: true }, unfolded: { state: true } };
  declare item: Extract<ChatItem, { kind: "user" }>;
  /** While the assistant works nothing is sent again. */
  declare busy: boolean;
  declare private editing: boolean;
  /** What was written could not be sent: it stays in the field. */
  declare private refused: boolean;
  declare private unfolded: boolean;

  constructor() {
    super();
    this.busy = false;
    this.editing = false;
    this.refused = false;
    this.unfolded = false;
  }

  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        align-items: flex-end;
        gap: 2px;
      }
      .user {
        max-inline-size: 85%;
        background: var(--sunken);
        border: 1px solid var(--line);
        border-radius: 12px;
        padding: 6px 12px;
        overflow-wrap: anywhere;
      }
      .text {
        white-space: pre-wrap;
      }
      tw-attachments {
        margin-block-start: 4px;
      }
      .hidden-character {
        font: 600 11px/1.4 var(--mono);
        color: var(--bad);
        background: var(--bad-ground);
        border-radius: 3px;
        padding: 0 3px;
        unicode-bidi: isolate;
      }
      .actions {
        display: flex;
        align-items: center;
        gap: 2px;
        min-block-size: 26px;
      }
      .actions button,
      .fold {
        border: 0;
        background: none;
        padding: 1px 8px;
        font-size: 13px;
        color: var(--muted);
      }
      .fold {
        padding-inline: 0;
        text-decoration: underline;
      }
      .actions button:hover:not(:disabled) {
        color: var(--text);
      }
      button.quiet {
        opacity: 0;
      }
      :host(:hover) button.quiet,
      :host(:focus-within) button.quiet {
        opacity: 1;
      }
      @media (hover: none) {
        button.quiet {
          opacity: 1;
        }
      }
      .versions {
        display: flex;
        align-items: center;
        color: var(--muted);
        font-size: 13px;
        font-variant-numeric: tabular-nums;
      }
      form {
        inline-size: min(100%, 640px);
        display: flex;
        flex-direction: column;
        gap: 8px;
        background: var(--sunken);
        border: 1px solid var(--line);
        border-radius: 12px;
        padding: 8px;
      }
      form p {
        margin: 0;
        color: var(--bad);
      }
      textarea {
        font: inherit;
        color: inherit;
        background: var(--raised);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        padding: 6px 10px;
        field-sizing: content;
        min-block-size: 3em;
        max-block-size: 16em;
        resize: vertical;
      }
      .buttons {
        display: flex;
        justify-content: flex-end;
        gap: 8px;
      }
    `,
  ];

  override render(): TemplateResult {
    return this.editing ? this.form() : this.message();
  }

  /** Opens the message for editing. */
  edit(): void {
    if (!this.busy) this.editing = true;
  }

  private message(): TemplateResult {
    const words = t().chatParts.message;
    const { item } = this;
    return html`
      <div class="user"><span class="visually-hidden">${words.you} </span>${item.text === "" ? nothing : this.words(item.text)}
        ${item.attachments.length > 0 ? html`<tw-attachments numbered .attachments=${item.attachments}></tw-attachments>` : nothing}
      </div>
      <div class="actions" role="group" aria-label=${words.actions}>
        <button class="quiet copy" @click=${() => void this.copy()}>${words.copy}</button>
        <button class="quiet edit" ?disabled=${this.busy || item.exchange === ""} @click=${this.edit}>${words.edit}</button>
        ${this.versions()}
      </div>
    `;
  }

  private words(text: string): TemplateResult {
    const words = t().chatParts.message;
    const end = foldAt(text);
    const folded = end < text.length && !this.unfolded;
    const shown = folded ? text.slice(0, end) : text.slice(0, SHOWN_CHARACTERS);
    const more = end < text.length
      ? html`<button class="fold" aria-expanded=${folded ? "false" : "true"} @click=${() => (this.unfolded = !this.unfolded)}>${folded ? words.showAll(text.length) : words.fold}</button>`
      : nothing;
    return html`<div class="text">${piecesOf(shown).map((piece) => ("text" in piece ? piece.text : html`<span class="hidden-character">${hiddenLabel(piece)}</span>`))}${folded ? " …" : shown.length < text.length ? words.cut : nothing}</div>${more}`;
  }

  /** `‹ 2 / 3 ›` where the message was sent more than once. */
  private versions(): TemplateResult | typeof nothing {
    const { alternatives, exchange } = this.item;
    const at = alternatives.indexOf(exchange);
    if (alternatives.length < 2 || at < 0) return nothing;
    const words = t().chatParts.message;
    const step = (to: number): TemplateResult => {
      const target = alternatives[to];
      return html`<button class="version" aria-label=${to < at ? words.earlier : words.later} ?disabled=${target === undefined || this.busy} @click=${() => target !== undefined && this.tell("branch-chosen", { exchange: target })}>${to < at ? "‹" : "›"}</button>`;
    };
    return html`<span class="versions" role="group" aria-label=${words.version(at + 1, alternatives.length)}>${step(at - 1)}<span aria-hidden="true">${at + 1} / ${alternatives.length}</span>${step(at + 1)}</span>`;
  }

  private form(): TemplateResult {
    const words = t().chatParts.message;
    return html`<form @submit=${this.send} @keydown=${this.key}>
      <textarea aria-label=${words.editLabel} .value=${this.item.text}></textarea>
      ${this.refused ? html`<p role="alert">${words.refused}</p>` : nothing}
      <div class="buttons"><button type="button" @click=${this.cancel}>${words.cancel}</button><button class="primary" ?disabled=${this.busy}>${words.sendAgain}</button></div>
    </form>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has("editing") || !this.editing) return;
    const field = this.renderRoot.querySelector("textarea");
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.cancel();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target instanceof HTMLTextAreaElement) {
      this.send(event);
    }
  }

  private send(event: Event): void {
    event.preventDefault();
    const text = this.renderRoot.querySelector("textarea")?.value.trim() ?? "";
    if (text === "" || this.busy) return;
    const detail = { exchange: this.item.exchange, text };
    this.refused = !this.dispatchEvent(new CustomEvent("message-edited", { detail, bubbles: true, composed: true, cancelable: true }));
    this.editing = this.refused;
  }

  private cancel(): void {
    this.editing = false;
    this.refused = false;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(".edit")?.focus());
  }

  private async copy(): Promise<void> {
    this.tell("said", (await copyText(this.item.text)).said);
  }

  private tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** Where long text is folded: after so many characters, or lines; its length where it is short. */
function foldAt(text: string): number {
  let at = -1;
  for (let line = 0; line < FOLDED_LINES; line++) {
    at = text.indexOf("\n", at + 1);
    if (at < 0 || at > FOLDED_CHARACTERS) break;
  }
  const end = at < 0 || at > FOLDED_CHARACTERS ? FOLDED_CHARACTERS : at;
  return text.length <= end + 200 ? text.length : end;
}

customElements.define("tw-user-message", UserMessage);

declare global {
  interface HTMLElementTagNameMap {
    "tw-user-message": UserMessage;
  }
}
