// The project's tests as a list: red first, each with what it expected and what it got, and a way to have it fixed.
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import type { TestReport } from "../agent/test-report.ts";
import { controlStyles } from "./theme.ts";

export type TestsState = { readonly phase: "none" } | { readonly phase: "running" } | { readonly phase: "done"; readonly report: TestReport; readonly stale: boolean };

export class TestsPanel extends LitElement {
  static override properties = { tests: { attribute: false }, busy: { type: Boolean }, available: { type: Boolean }, command: {} };
  declare tests: TestsState;
  /** Something runs already: no second run can start. */
  declare busy: boolean;
  declare available: boolean;
  /** The project's test command; empty when it has none. */
  declare command: string;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        block-size: 100%;
        overflow: auto;
        padding: 12px 14px;
      }
      header {
        display: flex;
        gap: 10px;
        align-items: center;
        min-block-size: 34px;
        margin-block-end: 10px;
      }
      .verdict {
        font-weight: 600;
        padding: 2px 10px;
        border-radius: 999px;
        background: var(--sunken);
      }
      .verdict.green {
        color: var(--good);
        background: var(--good-ground);
      }
      .verdict.red {
        color: var(--bad);
        background: var(--bad-ground);
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
        display: grid;
        gap: 8px;
      }
      li {
        border: 1px solid var(--line);
        border-inline-start: 4px solid var(--bad);
        border-radius: var(--radius);
        padding: 8px 12px;
      }
      .where {
        color: var(--muted);
        font: 13px var(--mono);
      }
      pre {
        margin: 6px 0;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      p {
        color: var(--muted);
      }
    `,
  ];

  override render(): TemplateResult {
    const { tests } = this;
    return html`
      <header>
        ${verdict(tests)}
        <button ?disabled=${this.busy || !this.available || !this.command} @click=${() => this.dispatchEvent(new CustomEvent("tests-run"))}>Run tests</button>
        <code>${this.command}</code>
      </header>
      ${this.command ? nothing : html`<p>This project has no test command. Add one to package.json: "scripts": { "test": "node --test" }.</p>`}
      ${tests.phase === "done" && tests.stale ? html`<p>Files changed since this run.</p>` : nothing}
      ${tests.phase === "done"
        ? html`<ul aria-label="Failing tests">
            ${tests.report.failures.map(
              (failure) => html`<li>
                <b>${failure.name}</b> <span class="where">${failure.place ? `${failure.place.file}:${failure.place.line}` : ""}</span>
                <pre><code>${failure.expected !== undefined && failure.actual !== undefined ? `expected ${failure.expected}\nactual   ${failure.actual}` : failure.message}</code></pre>
                <button ?disabled=${this.busy} @click=${() => this.dispatchEvent(new CustomEvent("fix-asked"))}>Fix this</button>
              </li>`,
            )}
          </ul>`
        : nothing}
    `;
  }
}

function verdict(tests: TestsState): TemplateResult {
  if (tests.phase === "none") return html`<span class="verdict">Not run yet</span>`;
  if (tests.phase === "running") return html`<span class="verdict">Running …</span>`;
  const { passed, failed } = tests.report;
  if (passed + failed === 0) return html`<span class="verdict red">✗ Ran no tests</span>`;
  if (failed > 0) return html`<span class="verdict red">✗ ${failed} failed, ${passed} passed</span>`;
  return html`<span class="verdict green">✓ ${passed} passed</span>`;
}

customElements.define("tw-tests-panel", TestsPanel);
