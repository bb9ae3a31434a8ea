// Messages that wait until the assistant is free, in order; each can be taken back.
import { css, html, nothing, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { visibleText } from "./hidden-text.ts";

const SHOWN_CHARACTERS = 200;

export class QueueList extends Component {
  static override properties = { queue: { attribute: false } };
  declare queue: readonly { readonly text: string }[];

  constructor() {
    super();
    this.queue = [];
  }

  static override styles = [
    controlStyles,
    css`
      ol {
        margin: 0;
        padding: 0;
        list-style: none;
        display: flex;
        flex-direction: column;
        gap: 4px;
      }
      li {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 2px 4px 2px 10px;
        border: 1px dashed var(--line);
        border-radius: var(--radius);
        color: var(--muted);
        font-size: 13px;
      }
      .text {
        flex: 1;
        min-inline-size: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      button {
        border: 0;
        background: none;
        padding: 2px 8px;
      }
    `,
  ];

  override render(): TemplateResult | typeof nothing {
    if (this.queue.length === 0) return nothing;
    const words = t().chatParts.queue;
    return html`<ol aria-label=${words.label}>
      ${this.queue.map(
        ({ text }, index) => html`<li><span>${words.next(index + 1)}</span><span class="text">${visibleText(text.slice(0, SHOWN_CHARACTERS))}</span>
          <button aria-label=${words.removeNamed(text.slice(0, 40))} @click=${() => this.takeOff(index)}>${words.remove}</button></li>`,
      )}
    </ol>`;
  }

  private takeOff(index: number): void {
    this.dispatchEvent(new CustomEvent("queue-removed", { detail: index, bubbles: true, composed: true }));
  }
}

customElements.define("tw-queue", QueueList);
