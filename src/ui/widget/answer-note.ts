// Below the widget's conversation: what of the host's page the last answer was given, as links to it, and who hears of a
// rating.
import { css, html, nothing, type TemplateResult } from "lit";
import type { Attachment } from "../../agent/attachment.ts";
import type { ChatItem } from "../chat/chat-item.ts";
import { Component } from "../component.ts";
import { controlStyles } from "../theme.ts";
import { w } from "./words.ts";

export class AnswerNote extends Component {
  static override properties = { items: { attribute: false }, host: {} };
  declare items: readonly ChatItem[];
  /** The site around us, as the reader knows it. */
  declare host: string;

  static override styles = [
    controlStyles,
    css`
      div {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 12px;
        padding: 0 14px 8px;
        font-size: 13px;
        color: var(--muted);
      }
      a {
        color: var(--accent);
      }
    `,
  ];

  override render(): TemplateResult | typeof nothing {
    const last = lastAnswer(this.items);
    if (!last) return nothing;
    const words = w();
    const { sources } = last;
    return html`<div>
      ${sources.length === 0 ? nothing : html`<span class="sources">${words.sources} ${sources.map((source, index) => html`${index > 0 ? ", " : nothing}${this.#source(source, index + 1)}`)}</span>`}
      <span>${words.rating(this.host)}</span>
    </div>`;
  }

  /** Its address is http(s), or it has none (src/embed/protocol.ts). */
  #source({ title, url }: Attachment, number: number): TemplateResult {
    const label = `[${number}] ${title}`;
    return url ? html`<a href=${url} target="_blank" rel="noopener noreferrer">${label}</a>` : html`<span>${label}</span>`;
  }
}

/** A question with its answer, as one text, and what the answer was given. */
export interface LastAnswer {
  readonly question: string;
  readonly answer: string;
  /** In the order of their numbers. */
  readonly sources: readonly Attachment[];
}

/** The question that opened `exchange`, or the last one, and what was answered; undefined while nothing was. */
export function lastAnswer(items: readonly ChatItem[], exchange?: string): LastAnswer | undefined {
  const at = items.findLastIndex((item) => item.kind === "user" && (exchange === undefined || item.exchange === exchange));
  const question = items[at];
  if (question?.kind !== "user") return undefined;
  const rest = items.slice(at + 1);
  const next = rest.findIndex(({ kind }) => kind === "user");
  const answer = rest.slice(0, next < 0 ? undefined : next).flatMap((item) => (item.kind === "assistant" || item.kind === "note" ? [item.text] : []));
  return answer.length === 0 ? undefined : { question: question.text, answer: answer.join("\n\n"), sources: question.attachments.filter(({ url }) => url !== undefined) };
}

customElements.define("tw-answer-note", AnswerNote);
