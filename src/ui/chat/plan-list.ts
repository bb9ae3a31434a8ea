// The assistant's plan as a list that is ticked off. Progress is said politely; the list folds away.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { PlanItem } from "../../agent/plan.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { visibleText } from "./hidden-text.ts";

export class PlanList extends Component {
  static override properties = { plan: { attribute: false }, busy: { type: Boolean } };
  declare plan: readonly PlanItem[];
  /** While the assistant works, the first step that is not done is the current one. */
  declare busy: boolean;

  constructor() {
    super();
    this.plan = [];
    this.busy = false;
  }

  static override styles = [
    controlStyles,
    css`
      details {
        border-block-start: 1px solid var(--line);
        padding: 4px 14px;
      }
      summary {
        cursor: pointer;
        display: flex;
        gap: 10px;
        align-items: baseline;
        font-size: 13.5px;
        list-style: none;
        min-inline-size: 0;
      }
      summary::before {
        content: "▸";
        color: var(--muted);
      }
      details[open] summary::before {
        content: "▾";
      }
      summary::-webkit-details-marker {
        display: none;
      }
      .count {
        color: var(--muted);
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
      .now {
        color: var(--muted);
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        min-inline-size: 0;
      }
      ol {
        margin: 4px 0 6px;
        padding: 0;
        list-style: none;
        max-block-size: 14em;
        overflow: auto;
      }
      li {
        display: flex;
        gap: 8px;
        padding: 2px 0;
        font-size: 14px;
      }
      .mark {
        inline-size: 1.2em;
        text-align: center;
        color: var(--muted);
      }
      .done {
        color: var(--muted);
      }
      .done .mark {
        color: var(--good);
      }
      .current {
        font-weight: 600;
      }
      .current .mark {
        color: var(--accent);
      }
    `,
  ];

  override render(): TemplateResult | typeof nothing {
    if (this.plan.length === 0) return nothing;
    const words = t().chatParts.plan;
    const done = this.plan.filter((item) => item.done).length;
    const current = this.busy ? this.plan.findIndex((item) => !item.done) : -1;
    return html`<details open>
      <summary><b>${words.title}</b><span class="count">${words.progress(done, this.plan.length)}</span><span class="now">${current >= 0 ? visibleText(this.plan[current]?.text ?? "") : nothing}</span></summary>
      <ol>
        ${this.plan.map((item, index) => {
          const [kind, mark, word] = item.done ? (["done", "✓", words.done] as const) : index === current ? (["current", "▸", words.current] as const) : (["open", "○", words.open] as const);
          return html`<li class=${kind} aria-current=${kind === "current" ? "step" : nothing}><span class="mark" aria-hidden="true">${mark}</span><span class="visually-hidden">${word}:</span><span>${visibleText(item.text)}</span></li>`;
        })}
      </ol>
    </details>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const before = changed.get("plan");
    if (!before || this.plan.length === 0) return;
    const [was, is] = [before.filter((item) => item.done).length, this.plan.filter((item) => item.done).length];
    if (is > was || before.length === 0) this.dispatchEvent(new CustomEvent("said", { detail: t().chatParts.plan.said(is, this.plan.length), bubbles: true, composed: true }));
  }
}

customElements.define("tw-plan-list", PlanList);
