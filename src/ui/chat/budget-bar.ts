// How much of the model's context is used, and by how much what is being written would add to it. From three quarters on
// it offers to condense; before a message that would not fit is sent, it says so.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/index.ts";
import { controlStyles } from "../theme.ts";
import { ANSWER_TOKENS, type Budget } from "./draft.ts";

const WARN_SHARE = 0.75;
export class BudgetBar extends Component {
  static override properties = { budget: { attribute: false }, draftTokens: { attribute: false }, refused: { type: Boolean }, busy: { type: Boolean } };
  declare budget: Budget | undefined;
  /** A guess at what is being written. */
  declare draftTokens: number;
  /** Whether a message has just been held back because it would not fit. */
  declare refused: boolean;
  declare busy: boolean;

  constructor() {
    super();
    this.draftTokens = 0;
    this.refused = false;
    this.busy = false;
  }

  static override styles = [
    controlStyles,
    css`
      .row {
        display: flex;
        align-items: center;
        flex-wrap: wrap;
        gap: 4px 10px;
        font-size: 12.5px;
        color: var(--muted);
        min-block-size: 26px;
      }
      .bar {
        flex: 1;
        min-inline-size: 60px;
        block-size: 5px;
        border-radius: 3px;
        background: var(--sunken);
        box-shadow: inset 0 0 0 1px var(--line);
        overflow: hidden;
        display: flex;
      }
      .used {
        background: var(--muted);
        inline-size: var(--share);
      }
      .draft {
        background: repeating-linear-gradient(45deg, var(--muted) 0 2px, transparent 2px 4px);
        inline-size: var(--share);
      }
      .high .used {
        background: var(--bad);
      }
      .figures {
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
      .high .figures {
        color: var(--bad);
        font-weight: 600;
      }
      button {
        padding: 0 8px;
      }
      .warning {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 8px;
        margin-block-end: 6px;
        padding: 6px 10px;
        border-inline-start: 3px solid var(--bad);
        border-radius: 0 var(--radius) var(--radius) 0;
        background: var(--bad-ground);
        font-size: 13.5px;
      }
      .warning span {
        flex: 1 1 16em;
      }
    `,
  ];

  override render(): TemplateResult | typeof nothing {
    if (!this.budget) return nothing;
    const words = t().chat.budget;
    const { usedTokens, limitTokens } = this.budget;
    const share = Math.min(1, usedTokens / limitTokens);
    const draft = Math.min(1 - share, this.draftTokens / limitTokens);
    const high = share + draft >= WARN_SHARE;
    const free = Math.max(0, limitTokens - usedTokens - ANSWER_TOKENS);
    return html`
      ${this.refused
        ? html`<div class="warning" role="alert"><span>${words.refused(this.draftTokens, free)}</span>
            <button class="compact" ?disabled=${this.busy} @click=${this.compact}>${words.compact}</button>
            <button class="anyway" @click=${() => this.tell("send-anyway")}>${words.anyway}</button></div>`
        : nothing}
      <div class="row ${high ? "high" : ""}">
        <span class="bar" role="meter" aria-label=${words.label} aria-valuemin="0" aria-valuemax=${limitTokens} aria-valuenow=${usedTokens} aria-valuetext=${words.figures(usedTokens, limitTokens)}>
          <span class="used" style=${`--share: ${share * 100}%`}></span><span class="draft" style=${`--share: ${draft * 100}%`}></span>
        </span>
        <span class="figures">${high ? "⚠ " : ""}${words.figures(usedTokens, limitTokens)}</span>
        ${high && !this.refused ? html`<button class="compact" ?disabled=${this.busy} title=${words.explain} @click=${this.compact}>${words.compact}</button>` : nothing}
      </div>
    `;
  }

  /** Says once that it is getting full. */
  protected override updated(changed: PropertyValues<this>): void {
    const share = (budget: Budget | undefined): number => (budget ? budget.usedTokens / budget.limitTokens : 0);
    if (!changed.has("budget") || share(changed.get("budget")) >= WARN_SHARE || share(this.budget) < WARN_SHARE) return;
    this.dispatchEvent(new CustomEvent("said", { detail: t().chat.budget.high, bubbles: true, composed: true }));
  }

  private compact(): void {
    this.tell("compact-asked");
  }

  private tell(name: string): void {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true }));
  }
}

customElements.define("tw-budget-bar", BudgetBar);
