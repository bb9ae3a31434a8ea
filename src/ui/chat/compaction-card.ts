// Says that older messages were condensed: how many tokens that freed, and, unfolded, what stands in their place.
import { css, html, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import type { ChatItem } from "./chat-item.ts";
import { visibleText } from "./hidden-text.ts";

export class CompactionCard extends Component {
  static override properties = { item: { attribute: false } };
  declare item: Extract<ChatItem, { kind: "compacted" }>;

  static override styles = [
    controlStyles,
    css`
      details {
        border-block: 1px dashed var(--line);
        color: var(--muted);
        font-size: 13.5px;
      }
      summary {
        padding: 5px 4px;
        cursor: pointer;
      }
      b {
        color: var(--text);
        font-variant-numeric: tabular-nums;
      }
      pre {
        margin: 0 0 8px;
        padding: 8px 12px;
        max-block-size: 22em;
        overflow: auto;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        background: var(--sunken);
        border-radius: var(--radius);
      }
    `,
  ];

  override render(): TemplateResult {
    const words = t().chatParts.compaction;
    const { messages, tokensBefore, tokensAfter } = this.item;
    const kept = messages.find(({ role }) => role !== "system");
    return html`<details>
      <summary>${words.title} <b>${words.tokens(tokensBefore, tokensAfter)}</b></summary>
      <p>${words.explain}</p>
      <pre tabindex="0">${visibleText(kept?.content ?? "")}</pre>
    </details>`;
  }
}

customElements.define("tw-compaction-card", CompactionCard);
