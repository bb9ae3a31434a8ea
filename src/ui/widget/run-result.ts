// What the last run of the widget gave: the tests, red first, or what the program printed. Text is only ever text.
// `fix-asked` string.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { controlStyles } from "../theme.ts";
import { plainText } from "../work/terminal-filter.ts";
import type { CommandRecord } from "../work/terminal-panel.ts";
import type { TestsState } from "../work/tests-panel.ts";
import { w } from "./words.ts";

const SHOWN_CHARACTERS = 40_000;

export class RunResult extends Component {
  static override properties = { tests: { attribute: false }, command: { attribute: false }, canAsk: { type: Boolean }, chosen: { state: true } };
  declare tests: TestsState;
  /** The last command. */
  declare command: CommandRecord | undefined;
  /** There is an assistant to hand a failing test to. */
  declare canAsk: boolean;
  /** What the reader wants to see of this run; undefined: tests of a test run, else the output. */
  declare private chosen: "tests" | "output" | undefined;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        overflow: auto;
        padding: 8px 12px;
        background: var(--sunken);
        font-size: 13px;
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
        display: grid;
        gap: 6px;
      }
      li {
        border: 1px solid var(--line);
        border-inline-start: 3px solid var(--bad);
        border-radius: var(--radius);
        background: var(--raised);
        padding: 6px 10px;
      }
      li.passed {
        border-inline-start-color: var(--good);
      }
      .line {
        display: flex;
        gap: 8px;
        align-items: baseline;
      }
      .line b {
        flex: 1;
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      .line button {
        padding: 1px 8px;
        font-size: 13px;
      }
      pre {
        margin: 4px 0 0;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .prompt {
        color: var(--accent);
        font-weight: 600;
      }
      .quiet {
        color: var(--muted);
      }
      .more {
        margin-block-start: 8px;
        padding: 1px 8px;
        font-size: 13px;
      }
    `,
  ];

  override render(): TemplateResult {
    const { tests } = this;
    const words = w();
    const isList = tests.phase === "done" && (this.chosen ?? (/\btest\b/.test(this.command?.command ?? "test") ? "tests" : "output")) === "tests";
    return html`<div role="region" aria-label=${words.result} tabindex="0">
      ${isList ? this.#tests() : this.#output()}
      ${tests.phase === "done" && this.command ? html`<button class="more" @click=${() => (this.chosen = isList ? "output" : "tests")}>${isList ? words.output : words.tests}</button>` : nothing}
    </div>`;
  }

  /** A new run is shown as it comes. */
  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("command");
    if (changed.has("command") && before?.exit !== undefined && this.command?.exit === undefined) this.chosen = undefined;
  }

  #tests(): TemplateResult | typeof nothing {
    if (this.tests.phase !== "done") return nothing;
    const { report, stale } = this.tests;
    return html`
      ${stale ? html`<p class="quiet">${w().stale}</p>` : nothing}
      <ul aria-label=${w().tests}>
        ${report.failures.map(
          (failure) => html`<li>
            <div class="line"><b>✗ ${failure.name}</b>${this.canAsk ? html`<button class="fix" @click=${() => this.dispatchEvent(new CustomEvent("fix-asked", { detail: failure.name }))}>${w().fix}</button>` : nothing}</div>
            <pre><code>${failure.expected !== undefined && failure.actual !== undefined ? `${w().expected} ${failure.expected}\n${w().actual} ${failure.actual}` : failure.message}</code></pre>
          </li>`,
        )}
        ${report.passed > 0 ? html`<li class="passed">✓ ${w().passed(report.passed)}</li>` : nothing}
        ${report.passed + report.failed === 0 ? html`<li>${w().noTests}</li>` : nothing}
      </ul>
    `;
  }

  #output(): TemplateResult | typeof nothing {
    const { command } = this;
    if (!command) return nothing;
    return html`<pre><code><span class="prompt">$ ${command.command}</span>
${plainText(command.output.slice(-SHOWN_CHARACTERS))}${command.exit === undefined ? nothing : html`<span class="quiet">${command.exit}</span>`}</code></pre>`;
  }
}

customElements.define("tw-run-result", RunResult);
