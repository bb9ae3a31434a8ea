// One tool call: verb, target, outcome, time. The detail is folded away until asked for.
import { css, html, nothing, type TemplateResult } from "lit";
import { formatMs } from "../../base/units.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { plainText } from "../work/terminal-filter.ts";
import type { ChatItem, ToolState } from "./chat-item.ts";
import { visibleText } from "./hidden-text.ts";

const MARKS: Readonly<Record<ToolState, string>> = { running: "…", done: "✓", failed: "✗", stopped: "■" };

export class ToolCard extends Component {
  static override properties = { item: { attribute: false } };
  declare item: Extract<ChatItem, { kind: "tool" }>;

  static override styles = [
    controlStyles,
    css`
      details {
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--raised);
      }
      summary {
        display: flex;
        gap: 8px;
        align-items: baseline;
        padding: 5px 10px;
        cursor: pointer;
        list-style: none;
      }
      summary::-webkit-details-marker {
        display: none;
      }
      .mark {
        inline-size: 1.1em;
        text-align: center;
        font-weight: 700;
      }
      .done .mark {
        color: var(--good);
      }
      .failed .mark {
        color: var(--bad);
      }
      code {
        flex: 1;
        min-inline-size: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .aside {
        color: var(--muted);
        font-size: 13px;
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
      pre {
        margin: 0;
        padding: 8px 12px;
        border-block-start: 1px solid var(--line);
        max-block-size: 22em;
        overflow: auto;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
    `,
  ];

  override render(): TemplateResult {
    const { tool, target, state, detail, summary, durationMs, by } = this.item;
    const words = t().chatParts.tool;
    const verbs: Readonly<Record<string, string>> = words.verbs;
    return html`
      <details class=${state}>
        <summary>
          <span class="mark" aria-hidden="true">${MARKS[state]}</span>
          <span class="visually-hidden">${words.states[state]}:</span>
          <span>${verbs[tool] ?? visibleText(tool)}</span>
          <code>${visibleText(target)}</code>
          <span class="aside">${summary}</span>
          ${by === undefined ? nothing : html`<span class="aside by">${by}</span>`}
          <span class="aside">${state === "running" ? nothing : formatMs(durationMs)}</span>
        </summary>
        <pre tabindex="0"><code>${visibleText(plainText(detail)) || words.silent}</code></pre>
      </details>
    `;
  }
}

customElements.define("tw-tool-card", ToolCard);
