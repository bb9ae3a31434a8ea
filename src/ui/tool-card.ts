// One tool call: verb, target, outcome, time. The detail is folded away until asked for.
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { formatMs } from "../base/units.ts";
import type { ChatItem, ToolState } from "./chat-item.ts";
import { plainText } from "./terminal-panel.ts";
import { controlStyles } from "./theme.ts";

const VERBS: Readonly<Record<string, string>> = {
  read_file: "Read",
  write_file: "Write",
  edit: "Edit",
  grep_search: "Search",
  glob: "List",
  run_shell_command: "Run",
};
const MARKS: Readonly<Record<ToolState, readonly [string, string]>> = {
  running: ["…", "running"],
  done: ["✓", "done"],
  failed: ["✗", "failed"],
  stopped: ["■", "stopped"],
};

export class ToolCard extends LitElement {
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
    const { tool, target, state, detail, summary, durationMs } = this.item;
    const [mark, word] = MARKS[state];
    return html`
      <details class=${state}>
        <summary>
          <span class="mark" aria-hidden="true">${mark}</span>
          <span class="visually-hidden">${word}:</span>
          <span>${VERBS[tool] ?? tool}</span>
          <code>${target}</code>
          <span class="aside">${summary}</span>
          <span class="aside">${state === "running" ? nothing : formatMs(durationMs)}</span>
        </summary>
        <pre tabindex="0"><code>${plainText(detail) || "(no output)"}</code></pre>
      </details>
    `;
  }
}

customElements.define("tw-tool-card", ToolCard);
