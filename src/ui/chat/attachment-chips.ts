// What goes with a message, as chips: in the composer they can be taken off, in the chat they show their text.
import { css, html, nothing, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/index.ts";
import { controlStyles } from "../theme.ts";
import type { DraftAttachment } from "./draft.ts";
import { visibleText } from "./hidden-text.ts";

const SHOWN_CHARACTERS = 4_000;
const ICONS: Readonly<Record<DraftAttachment["kind"], string>> = { file: "▤", selection: "❝", page: "◫", text: "¶" };

export class AttachmentChips extends Component {
  static override properties = { attachments: { attribute: false }, removable: { type: Boolean }, numbered: { type: Boolean }, opened: { state: true } };
  declare attachments: readonly DraftAttachment[];
  declare removable: boolean;
  /** Shows the numbers by which the answer cites them. */
  declare numbered: boolean;
  /** The chip whose text is shown. */
  declare private opened: number;

  constructor() {
    super();
    this.attachments = [];
    this.removable = false;
    this.numbered = false;
    this.opened = -1;
  }

  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        max-inline-size: 100%;
        border: 1px solid var(--line);
        border-radius: 6px;
        background: var(--raised);
        font-size: 13px;
        overflow: hidden;
      }
      button,
      .name {
        display: flex;
        gap: 6px;
        align-items: center;
        min-inline-size: 0;
        border: 0;
        border-radius: 5px;
        background: none;
        padding: 2px 8px;
      }
      .title {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .aside {
        color: var(--muted);
        white-space: nowrap;
      }
      .remove {
        padding: 2px 8px;
        color: var(--muted);
      }
      .remove:hover {
        color: var(--bad);
      }
      :focus-visible {
        outline-offset: -2px;
      }
      pre {
        margin: 6px 0 0;
        padding: 8px 10px;
        max-block-size: 16em;
        overflow: auto;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        background: var(--raised);
        border: 1px solid var(--line);
        border-radius: 6px;
      }
    `,
  ];

  override render(): TemplateResult | typeof nothing {
    if (this.attachments.length === 0) return nothing;
    const words = t().chat.attachment;
    const shown = this.attachments[this.opened];
    return html`
      <ul aria-label=${words.list}>
        ${this.attachments.map((attachment, index) => html`<li>${this.chip(attachment, index)}</li>`)}
      </ul>
      ${shown?.text === undefined ? nothing : html`<pre tabindex="0" aria-label=${words.textOf(shown.title)}>${visibleText(shown.text.slice(0, SHOWN_CHARACTERS))}${shown.text.length > SHOWN_CHARACTERS ? words.more(shown.text.length - SHOWN_CHARACTERS) : nothing}</pre>`}
    `;
  }

  private chip(attachment: DraftAttachment, index: number): TemplateResult {
    const words = t().chat.attachment;
    const label = html`<span aria-hidden="true">${ICONS[attachment.kind]}</span>
      ${this.numbered ? html`<span class="aside">[${index + 1}]</span>` : nothing}
      <span class="title" title=${attachment.url ?? attachment.path ?? attachment.title}>${visibleText(attachment.title)}</span>
      ${attachment.text === undefined ? nothing : html`<span class="aside">${words.size(attachment.text.length)}</span>`}`;
    if (!this.removable) return html`<button aria-expanded=${this.opened === index ? "true" : "false"} @click=${() => this.open(index)}>${label}</button>`;
    return html`<span class="name">${label}</span><button class="remove" aria-label=${words.remove(attachment.title)} @click=${() => this.takeOff(index)}>✕</button>`;
  }

  private open(index: number): void {
    this.opened = this.opened === index ? -1 : index;
  }

  private takeOff(index: number): void {
    this.dispatchEvent(new CustomEvent("attachment-removed", { detail: index, bubbles: true, composed: true }));
  }
}

customElements.define("tw-attachments", AttachmentChips);
