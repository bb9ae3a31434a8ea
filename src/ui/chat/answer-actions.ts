// What can be done with an answer when it has ended: copy it, ask again, go on, say whether it was good.
import { css, html, nothing, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { copyText } from "./clipboard.ts";

/** A rating of an answer. */
export type Feedback = "up" | "down";

/** What the `feedback` event carries. */
export interface GivenFeedback {
  readonly exchange: string;
  /** Undefined: taken back. */
  readonly value: Feedback | undefined;
}

export class AnswerActions extends Component {
  static override properties = { exchange: {}, text: { attribute: false }, last: { type: Boolean }, unfinished: { type: Boolean }, feedback: { state: true } };
  declare exchange: string;
  /** The words of the answer, for copying. */
  declare text: string;
  /** Whether nothing follows it: only then it can go on. */
  declare last: boolean;
  /** Whether it was stopped or ran into a limit. */
  declare unfinished: boolean;
  declare private feedback: Feedback | undefined;

  constructor() {
    super();
    this.exchange = "";
    this.text = "";
    this.last = false;
    this.unfinished = false;
  }

  static override styles = [
    controlStyles,
    css`
      div {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 2px;
        margin-inline-start: -8px;
      }
      button {
        border: 0;
        background: none;
        min-block-size: 24px;
        padding: 1px 8px;
        font-size: 13px;
        color: var(--muted);
      }
      button:hover {
        color: var(--text);
      }
      .continue {
        border: 1px solid var(--line);
        background: var(--raised);
        color: var(--text);
        margin-inline: 8px 4px;
        padding: 2px 12px;
      }
      svg {
        display: block;
      }
      svg.down {
        transform: scaleY(-1);
      }
      [aria-pressed="true"] {
        color: var(--accent);
        background: var(--sunken);
      }
    `,
  ];

  override render(): TemplateResult {
    const words = t().chatParts.answer;
    const { exchange } = this;
    return html`<div role="group" aria-label=${words.actions}>
      ${this.last && this.unfinished ? html`<button class="continue" @click=${() => this.tell("continue-asked", undefined)}>${words.continue}</button>` : nothing}
      ${this.text === "" ? nothing : html`<button class="copy" @click=${() => void this.copy()}>${words.copy}</button>`}
      <button class="retry" title=${words.retryTitle} @click=${() => this.tell("retry-asked", { exchange })}>${words.retry}</button>
      ${(["up", "down"] as const).map(
        (value) => html`<button class=${value} aria-pressed=${this.feedback === value ? "true" : "false"} aria-label=${words[value]} title=${words[value]} @click=${() => this.rate(value)}>${thumb(value)}</button>`,
      )}
    </div>`;
  }

  private rate(value: Feedback): void {
    this.feedback = this.feedback === value ? undefined : value;
    this.tell("feedback", { exchange: this.exchange, value: this.feedback } satisfies GivenFeedback);
    this.tell("said", this.feedback === undefined ? t().chatParts.answer.takenBack : t().chatParts.answer.thanks);
  }

  private async copy(): Promise<void> {
    this.tell("said", (await copyText(this.text)).said);
  }

  private tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** A thumb, drawn: fonts without emoji are common on servers and kiosks. */
function thumb(value: Feedback): TemplateResult {
  return html`<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" class=${value}>
    <path d="M2 7h2.5v6.5H2z M6 7l2.6-5.2c1 .1 1.6.8 1.6 1.9 0 .8-.3 1.7-.6 2.3h3.2c.9 0 1.5.8 1.3 1.6l-1.1 4.6c-.2.8-.8 1.3-1.6 1.3H6z" fill="none" stroke="currentColor" stroke-width="1.3" stroke-linejoin="round"></path>
  </svg>`;
}

customElements.define("tw-answer-actions", AnswerActions);
