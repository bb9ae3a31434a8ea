// The edits that were tried before one was kept: which, what they cost, and, unfolded, each of them with what the tests made
// of it. `try-compared` { id }: the checkpoint of a try is to be shown beside the files as they are now.
import { css, html, nothing, type TemplateResult } from "lit";
import type { TryReport } from "../../agent/tries.ts";
import { formatMs } from "../../base/units.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import type { ChatItem } from "./chat-item.ts";
import { visibleText } from "./hidden-text.ts";

const MARKS: Readonly<Record<TryReport["verdict"], string>> = { green: "✓", red: "✗", blind: "?", unusable: "–" };

export class TriesCard extends Component {
  static override properties = { item: { attribute: false } };
  declare item: Extract<ChatItem, { kind: "tries" }>;

  static override styles = [
    controlStyles,
    css`
      details,
      .running {
        border: 1px dashed var(--line);
        border-radius: var(--radius);
        padding: 5px 10px;
        font-size: 14px;
      }
      .running {
        color: var(--muted);
      }
      summary {
        cursor: pointer;
      }
      .cost,
      p,
      small {
        color: var(--muted);
        font-size: 13px;
        font-variant-numeric: tabular-nums;
      }
      p {
        margin: 6px 0;
      }
      ol {
        margin: 0;
        padding-inline-start: 1.6em;
      }
      li {
        padding-block: 4px;
      }
      .green b {
        color: var(--good);
      }
      .red b {
        color: var(--bad);
      }
      pre {
        margin: 4px 0;
        padding: 4px 8px;
        max-block-size: 14em;
        overflow: auto;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        background: var(--sunken);
        border-radius: var(--radius);
      }
    `,
  ];

  override render(): TemplateResult {
    const words = t().chatParts.tries;
    const { phase, number, of, tries, kept, command } = this.item;
    if (phase === "stopped") return html`<div class="running">${words.stopped}</div>`;
    if (phase !== "done") return html`<div class="running" aria-hidden="true">${phase === "draw" ? words.drawing(number, of) : words.testing(number, of)}</div>`;
    const sum = (figure: (report: TryReport) => number): number => tries.reduce((all, report) => all + figure(report), 0);
    return html`<details>
      <summary>${tries.length === 1 ? words.first : words.kept(kept, tries.length)} <span class="cost">${words.cost(sum(({ tokens }) => tokens), formatMs(sum(({ drawMs, judgeMs }) => drawMs + judgeMs)))}</span></summary>
      <p>${words.explain(command, sum(({ rereadTokens }) => rereadTokens))}</p>
      <ol>${tries.map((report) => this.#try(report, report.number === kept))}</ol>
    </details>`;
  }

  #try(report: TryReport, isKept: boolean): TemplateResult {
    const words = t().chatParts.tries;
    const { number, verdict, call, passed, failed, sameAs, problem, tokens, drawMs, judgeMs, meanLogprob, checkpoint } = report;
    const facts = [
      passed === undefined || failed === undefined ? "" : words.counts(passed, failed),
      sameAs === undefined ? "" : words.sameAs(sameAs),
      words.cost(tokens, formatMs(drawMs + judgeMs)),
      meanLogprob === undefined ? "" : words.certainty(meanLogprob.toFixed(3)),
    ];
    return html`<li class=${verdict}>
      <span aria-hidden="true">${MARKS[verdict]}</span> ${words.named(number)}: <b>${words.verdict[verdict]}</b> ${isKept ? html`<b>(${words.isKept})</b>` : nothing}
      <small>${facts.filter(Boolean).join(" · ")}</small>
      ${call ? html`<pre tabindex="0">${visibleText(editText(call.arguments))}</pre>` : nothing}
      ${problem === undefined ? nothing : html`<small>${visibleText(problem)}</small>`}
      ${checkpoint === undefined ? nothing : html`<button class="quiet small" aria-label=${words.compareNamed(number)} @click=${() => this.#compare(checkpoint)}>${words.compare}</button>`}
    </li>`;
  }

  #compare(id: string): void {
    this.dispatchEvent(new CustomEvent("try-compared", { detail: { id }, bubbles: true, composed: true }));
  }
}

/** The edit as a small patch. */
function editText(args: Readonly<Record<string, unknown>>): string {
  const lines = (text: unknown, mark: string): string[] => (typeof text === "string" && text !== "" ? text.split("\n").map((line) => mark + line) : []);
  return [String(args["file_path"] ?? ""), ...lines(args["old_string"], "− "), ...lines(args["new_string"] ?? args["content"], "+ ")].join("\n");
}

customElements.define("tw-tries-card", TriesCard);
