// The project's tests as a list, red first: every test of the last run, by file or suite, with what a failed one expected
// and what it got. Each red one can be handed to the assistant, each is a way to its place in the code.
// Over 300 lines because almost half is its styles; grouping and finding are test-groups.ts.
// `tests-run`, `fix-asked` ListedTest, `file-opened` { path, line }, `rerun-chosen` boolean.
import { css, html, nothing, type TemplateResult } from "lit";
import { outcomeOf, type TestReport } from "../../agent/test-report.ts";
import { formatMs } from "../../base/units.ts";
import type { FileTree } from "../../project/tree.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { filterGroups, type ListedTest, type TestFilter, type TestGroup, testGroups, testPlaces } from "./test-groups.ts";
import { visibleText, writtenOut } from "./visible-text.ts";
import { hiddenStyles, panelStyles } from "./work-styles.ts";

/** The last run. `stale`: the files have changed since. */
export type TestsState = { readonly phase: "none" } | { readonly phase: "running" } | { readonly phase: "done"; readonly report: TestReport; readonly stale: boolean };

/** Runs up to this many tests are shown with all groups open; of larger ones only the red groups are. */
const OPEN_TESTS = 60;
const STATES = ["all", "failed", "passed", "skipped"] as const;
const MARKS = { passed: "✓", failed: "✗", skipped: "–" } as const;

export class TestsPanel extends Component {
  static override properties = {
    tests: { attribute: false },
    files: { attribute: false },
    busy: { type: Boolean },
    available: { type: Boolean },
    command: {},
    rerun: { type: Boolean },
    filter: { state: true },
    toggled: { state: true },
  };
  declare tests: TestsState;
  /** To find where passed tests stand. */
  declare files: FileTree;
  /** Something runs already: no second run can start. */
  declare busy: boolean;
  declare available: boolean;
  /** The project's test command; empty when it has none. */
  declare command: string;
  /** Run again whenever a file is saved in the editor. */
  declare rerun: boolean;
  declare private filter: TestFilter;
  /** Groups that are not as they would be by themselves. */
  declare private toggled: ReadonlySet<string>;
  #grouped: { readonly report: TestReport; readonly groups: readonly TestGroup[] } | undefined;

  static override styles = [
    controlStyles,
    panelStyles,
    hiddenStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        block-size: 100%;
        min-block-size: 0;
      }
      .bar code {
        color: var(--muted);
        overflow-wrap: anywhere;
      }
      .bar label {
        font-size: 14px;
        display: inline-flex;
        gap: 6px;
        align-items: center;
      }
      .verdict {
        font-weight: 600;
        padding: 2px 10px;
        border-radius: 999px;
        background: var(--sunken);
        white-space: nowrap;
      }
      .verdict.green {
        color: var(--good);
        background: var(--good-ground);
      }
      .verdict.red {
        color: var(--bad);
        background: var(--bad-ground);
      }
      .filters button[aria-pressed="true"] {
        background: var(--sunken);
        border-color: var(--muted);
        font-weight: 600;
      }
      .filters input {
        flex: 1 1 120px;
      }
      .list {
        flex: 1;
        min-block-size: 0;
        overflow: auto;
        padding: 10px 14px;
      }
      details {
        border: 1px solid var(--line);
        border-radius: var(--radius);
        margin-block-end: 10px;
        background: var(--raised);
        overflow: hidden;
      }
      summary {
        cursor: pointer;
        padding: 6px 12px;
        background: var(--sunken);
        font: 600 13px/1.6 var(--mono);
        overflow-wrap: anywhere;
        outline-offset: -2px;
      }
      summary .counts {
        font: 13px var(--sans);
        color: var(--muted);
        margin-inline-start: 8px;
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li {
        padding: 5px 12px;
        border-block-start: 1px solid var(--line);
      }
      .line {
        display: flex;
        gap: 8px;
        align-items: baseline;
      }
      .mark {
        flex: none;
        inline-size: 1em;
        font-weight: 700;
      }
      .passed .mark {
        color: var(--good);
      }
      .failed .mark {
        color: var(--bad);
      }
      .skipped,
      .skipped .mark {
        color: var(--muted);
      }
      .failed {
        box-shadow: inset 4px 0 var(--bad);
      }
      .name {
        flex: 1;
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }
      .failed .name {
        font-weight: 600;
      }
      button.place {
        border: 0;
        background: none;
        padding: 0;
        text-align: start;
        font: inherit;
        border-radius: 2px;
      }
      button.place:hover {
        text-decoration: underline;
      }
      .suites,
      .took,
      .where {
        color: var(--muted);
        font-size: 13px;
        font-weight: 400;
      }
      .took {
        flex: none;
        font-variant-numeric: tabular-nums;
      }
      .failure {
        margin-inline-start: calc(1em + 8px);
      }
      dl {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: 2px 12px;
        margin: 4px 0 6px;
        font-size: 13px;
      }
      dt {
        color: var(--muted);
      }
      dd {
        margin: 0;
        font-family: var(--mono);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .message {
        margin: 4px 0 6px;
        font: 13px/1.5 var(--mono);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
    `,
  ];

  constructor() {
    super();
    this.tests = { phase: "none" };
    this.files = new Map();
    this.busy = false;
    this.available = false;
    this.command = "";
    this.rerun = false;
    this.filter = { state: "all", text: "" };
    this.toggled = new Set();
  }

  override render(): TemplateResult {
    const words = t().work.tests;
    const { tests } = this;
    const groups = tests.phase === "done" ? this.#groups(tests.report) : [];
    const count = groups.reduce((sum, group) => sum + group.tests.length, 0);
    return html`
      <div class="bar">
        ${verdict(tests)}
        <button class="run" ?disabled=${this.busy || !this.available || !this.command} @click=${() => this.#tell("tests-run")}>${words.run}</button>
        <code>${this.command}</code>
        <span class="spring"></span>
        <label><input type="checkbox" class="rerun" .checked=${this.rerun} ?disabled=${!this.command} @change=${this.#rerunChosen} />${words.rerun}</label>
      </div>
      ${count > 0 ? this.#filters() : nothing}
      <div class="list">${this.#notes()} ${tests.phase === "done" ? this.#list(filterGroups(groups, this.filter), count) : nothing}</div>
    `;
  }

  #notes(): TemplateResult | typeof nothing {
    const words = t().work.tests;
    const { tests } = this;
    if (!this.command) return html`<p class="empty">${words.noCommand}</p>`;
    if (tests.phase === "none") return html`<p class="empty">${words.notRunHint}</p>`;
    if (tests.phase !== "done") return nothing;
    const none = tests.report.passed + tests.report.failed === 0;
    return html`${none ? html`<p class="empty">${words.ranNoneHint}</p>` : nothing}${tests.stale ? html`<p class="empty">${words.stale}</p>` : nothing}`;
  }

  #groups(report: TestReport): readonly TestGroup[] {
    if (this.#grouped?.report !== report) this.#grouped = { report, groups: testGroups(report, testPlaces(this.files)) };
    return this.#grouped.groups;
  }

  #filters(): TemplateResult {
    const words = t().work.tests;
    return html`<div class="bar filters" role="group" aria-label=${words.show}>
      ${STATES.map((state) => html`<button class="quiet small" aria-pressed=${String(this.filter.state === state)} @click=${() => (this.filter = { ...this.filter, state })}>${words.states[state]}</button>`)}
      <input type="search" placeholder=${words.find} aria-label=${words.find} .value=${this.filter.text} @input=${this.#search} />
    </div>`;
  }

  #list(groups: readonly TestGroup[], count: number): TemplateResult {
    if (groups.length === 0) return count > 0 ? html`<p class="empty">${t().work.tests.noneFit}</p>` : html``;
    return html`${groups.map((group) => this.#group(group, count))}`;
  }

  #group(group: TestGroup, count: number): TemplateResult {
    const words = t().work.tests;
    const byItself = group.failed > 0 || count <= OPEN_TESTS || this.filter.text !== "";
    const isOpen = byItself !== this.toggled.has(group.title);
    return html`<details ?open=${isOpen}>
      <summary @click=${(event: Event) => this.#toggle(event, group.title)}>${group.title === "" ? words.ungrouped : visibleText(group.title)}<span class="counts">${words.counts(group.failed, group.tests.filter(({ state }) => state === "passed").length)}</span></summary>
      ${isOpen ? html`<ul>${group.tests.map((test) => this.#test(test))}</ul>` : nothing}
    </details>`;
  }

  #test(test: ListedTest): TemplateResult {
    const words = t().work.tests;
    const { place } = test;
    const title = html`${test.suites.length > 0 ? html`<span class="suites">${test.suites.map((suite) => html`${visibleText(suite)} › `)}</span>` : nothing}${visibleText(test.name)}`;
    return html`<li class=${test.state}>
      <div class="line">
        <span class="mark" aria-hidden="true">${MARKS[test.state]}</span>
        <span class="name"><span class="visually-hidden">${words.states[test.state]}: </span>${place ? html`<button class="place" title=${words.openAt(writtenOut(place.file), place.line)} @click=${() => this.#tell("file-opened", { path: place.file, line: place.line })}>${title}</button>` : title}</span>
        ${test.durationMs === undefined ? nothing : html`<span class="took">${formatMs(test.durationMs)}</span>`}
      </div>
      ${test.state === "failed" ? this.#failure(test) : nothing}
    </li>`;
  }

  #failure(test: ListedTest): TemplateResult {
    const words = t().work.tests;
    const { failure } = test;
    const values = failure?.expected !== undefined && failure.actual !== undefined;
    return html`<div class="failure">
      ${failure?.place ? html`<span class="where">${words.at(writtenOut(failure.place.file), failure.place.line)}</span>` : nothing}
      ${values ? html`<dl><dt>${words.expected}</dt><dd>${visibleText(failure.expected ?? "")}</dd><dt>${words.actual}</dt><dd>${visibleText(failure.actual ?? "")}</dd></dl>` : failure ? html`<p class="message">${visibleText(failure.message)}</p>` : nothing}
      <button class="small fix" ?disabled=${this.busy} aria-label=${words.fixNamed(writtenOut(test.name))} @click=${() => this.#tell("fix-asked", test)}>${words.fix}</button>
    </div>`;
  }

  #toggle(event: Event, title: string): void {
    event.preventDefault();
    const toggled = new Set(this.toggled);
    if (!toggled.delete(title)) toggled.add(title);
    this.toggled = toggled;
  }

  #search(event: Event): void {
    this.filter = { ...this.filter, text: (event.target as HTMLInputElement).value };
  }

  #rerunChosen(event: Event): void {
    this.#tell("rerun-chosen", (event.target as HTMLInputElement).checked);
  }

  #tell(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/**
 * What is sent when a red test is to be fixed: English, because it is the assistant that reads it. In the words that the bundled
 * model knows: with "(file:line)" at the end it wrote hundreds of brackets first.
 */
export function fixMessage(test: ListedTest): string {
  return `Fix the failing test ${JSON.stringify(test.name)}${test.place ? ` in ${test.place.file}` : ""}`;
}

function verdict(tests: TestsState): TemplateResult {
  const words = t().work.tests;
  if (tests.phase === "none") return html`<span class="verdict">${words.notRun}</span>`;
  if (tests.phase === "running") return html`<span class="verdict" role="status">${words.running}</span>`;
  const { passed, failed } = tests.report;
  switch (outcomeOf(tests.report, 0)) {
    case "none":
      return html`<span class="verdict red" role="status">✗ ${words.ranNone}</span>`;
    case "failed":
      return html`<span class="verdict red" role="status">✗ ${words.failed(failed, passed)}</span>`;
    case "passed":
      return html`<span class="verdict green" role="status">✓ ${words.passed(passed)}</span>`;
  }
}

customElements.define("tw-tests-panel", TestsPanel);
