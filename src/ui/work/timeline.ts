// The timeline: every state the project was in, newest first, and the ways back. Going back makes a new state, so it can be
// gone back from as well. `restore-asked` { id, what }, `compare-asked` { before, after } (after undefined: now),
// `checkpoint-renamed` { id, label }.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import type { TimelineEntry } from "../session/session-state.ts";
import type { RestoreWhat } from "../session/timeline.ts";
import { currentLanguage } from "../strings/index.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { type TimelineGroup, timelineGroups } from "./timeline-groups.ts";
import { visibleText, writtenOut } from "./visible-text.ts";
import { hiddenStyles, panelStyles } from "./work-styles.ts";

/** Entries shown before "show older". */
const SHOWN_ENTRIES = 100;
/** Changed files named before "and n more". */
const NAMED_PATHS = 3;

export class Timeline extends Component {
  static override properties = { entries: { attribute: false }, busy: { type: Boolean }, marked: { state: true }, naming: { state: true }, unfolded: { state: true }, shown: { state: true } };
  /** Oldest first, as they were made. */
  declare entries: readonly TimelineEntry[];
  /** Nothing can be restored while something runs. */
  declare busy: boolean;
  /** The entry that another is to be compared with. */
  declare private marked: string | undefined;
  declare private naming: string | undefined;
  /** Ids of groups whose earlier saves are listed. */
  declare private unfolded: ReadonlySet<string>;
  declare private shown: number;

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
      ol {
        flex: 1;
        min-block-size: 0;
        overflow: auto;
        list-style: none;
        margin: 0;
        padding: 10px 14px;
      }
      li {
        position: relative;
        padding: 0 0 14px 24px;
      }
      li::before {
        content: "";
        position: absolute;
        inset-block: 14px -6px;
        inset-inline-start: 6px;
        border-inline-start: 2px solid var(--line);
      }
      li:last-child::before {
        display: none;
      }
      .dot {
        position: absolute;
        inset-inline-start: 1px;
        inset-block-start: 6px;
        inline-size: 12px;
        block-size: 12px;
        border-radius: 50%;
        border: 2px solid var(--muted);
        background: var(--ground);
      }
      .current > .dot {
        background: var(--accent-ground);
        border-color: var(--accent-ground);
      }
      .marked {
        background: var(--sunken);
        border-radius: var(--radius);
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 8px;
        align-items: baseline;
      }
      .label {
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      .now {
        font-size: 12px;
        font-weight: 600;
        color: var(--accent-text);
        background: var(--accent-ground);
        border-radius: 999px;
        padding: 0 8px;
      }
      .facts {
        color: var(--muted);
        font-size: 13px;
        overflow-wrap: anywhere;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 4px;
        margin-inline-start: -8px;
      }
      form {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
        margin-block: 2px 4px;
      }
      form input {
        flex: 1 1 20ch;
      }
      .explain {
        color: var(--muted);
        font-size: 13px;
      }
    `,
  ];

  constructor() {
    super();
    this.entries = [];
    this.busy = false;
    this.shown = SHOWN_ENTRIES;
    this.unfolded = new Set();
  }

  override render(): TemplateResult {
    const words = t().work.timeline;
    if (this.entries.length === 0) return html`<p class="empty">${words.none}</p>`;
    const groups = timelineGroups(this.entries);
    const newest = groups.slice(0, this.shown);
    const marked = this.entries.find(({ id }) => id === this.marked);
    return html`
      <div class="bar">
        ${marked ? html`<span role="status">${words.compareWith(writtenOut(marked.label))}</span><span class="spring"></span><button class="small" @click=${() => (this.marked = undefined)}>${words.cancel}</button>` : html`<span class="explain">${words.explain}</span>`}
      </div>
      <ol aria-label=${words.label}>${newest.map((group) => this.#group(group))}
        ${groups.length > newest.length ? html`<li><button class="small older" @click=${() => (this.shown += SHOWN_ENTRIES)}>${words.older(groups.length - newest.length)}</button></li>` : nothing}
      </ol>
    `;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("naming") && this.naming !== undefined) this.renderRoot.querySelector<HTMLInputElement>("form input")?.select();
  }

  #group({ entry, earlier }: TimelineGroup): TemplateResult {
    if (earlier.length === 0) return this.#entry(entry);
    if (this.unfolded.has(entry.id)) return html`${[entry, ...earlier].map((each) => this.#entry(each))}`;
    return this.#entry(entry, earlier.length);
  }

  #entry(entry: TimelineEntry, folded = 0): TemplateResult {
    const words = t().work.timeline;
    return html`<li class="${entry.current ? "current" : ""} ${entry.id === this.marked ? "marked" : ""}" data-id=${entry.id} aria-current=${entry.current ? "step" : nothing}>
      <span class="dot" aria-hidden="true"></span>
      <div class="head"><span class="label">${visibleText(entry.label, "auto")}</span>${entry.current ? html`<span class="now">${words.now}</span>` : nothing}</div>
      <div class="facts"><time datetime=${new Date(entry.time).toISOString()}>${clock(entry.time)}</time> · ${words.kinds[entry.kind ?? "unknown"]} · ${this.#files(entry)}
        ${folded > 0 ? html`<button class="quiet small unfold" @click=${() => (this.unfolded = new Set([...this.unfolded, entry.id]))}>${entry.kind === "step" ? words.tries(folded) : words.earlier(folded)}</button>` : nothing}</div>
      ${this.naming === entry.id ? this.#nameForm(entry) : this.#actions(entry)}
    </li>`;
  }

  #files({ paths }: TimelineEntry): TemplateResult {
    const words = t().work.timeline;
    const named = paths.slice(0, NAMED_PATHS);
    if (paths.length === 0) return html`${words.noFiles}`;
    return html`${words.files(paths.length)}: ${named.map((path, i) => html`${i > 0 ? ", " : nothing}${visibleText(path)}`)}${paths.length > named.length ? ` ${words.andMore(paths.length - named.length)}` : nothing}`;
  }

  #actions(entry: TimelineEntry): TemplateResult {
    const words = t().work.timeline;
    const label = writtenOut(entry.label);
    const button = (name: string, text: string, action: () => void, disabled = false): TemplateResult =>
      html`<button class="quiet small ${name}" ?disabled=${disabled} aria-label=${`${text}: ${label}`} @click=${action}>${text}</button>`;
    if (this.marked !== undefined && this.marked !== entry.id) return html`<div class="actions">${button("compare-this", words.compareThis, () => this.#compareMarked(entry.id))}</div>`;
    const restore = (what: RestoreWhat) => () => this.#tell("restore-asked", { id: entry.id, what });
    return html`<div class="actions">
      ${button("restore-files", words.restoreFiles, restore("files"), this.busy || entry.current)}
      ${!this.entries.some(({ exchange }) => exchange !== undefined) ? nothing : html`${button("restore-chat", words.restoreChat, restore("chat"), this.busy)}${button("restore-both", words.restoreBoth, restore("both"), this.busy)}`}
      ${entry.current ? nothing : button("compare-now", words.compareNow, () => this.#tell("compare-asked", { before: entry.id }))}
      ${this.entries.length > 2 ? button("compare-mark", words.compareTwo, () => (this.marked = entry.id)) : nothing}
      ${button("rename", words.rename, () => (this.naming = entry.id))}
    </div>`;
  }

  /** The older of the two is "before". */
  #compareMarked(id: string): void {
    const order = this.entries.map((entry) => entry.id);
    const [before, after] = [this.marked ?? id, id].sort((a, b) => order.indexOf(a) - order.indexOf(b));
    this.marked = undefined;
    this.#tell("compare-asked", { before, after });
  }

  #nameForm(entry: TimelineEntry): TemplateResult {
    const words = t().work.timeline;
    return html`<form @submit=${this.#named} @keydown=${this.#formKey}>
      <input type="text" name="label" maxlength="120" aria-label=${words.name} .value=${entry.label} />
      <button class="primary small">${words.rename}</button>
      <button class="small" type="button" @click=${() => (this.naming = undefined)}>${words.cancel}</button>
    </form>`;
  }

  #named(event: SubmitEvent): void {
    event.preventDefault();
    const label = this.renderRoot.querySelector<HTMLInputElement>("form input")?.value.trim();
    if (label && this.naming !== undefined) this.#tell("checkpoint-renamed", { id: this.naming, label });
    this.naming = undefined;
  }

  #formKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.naming = undefined;
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** Today's times without the date. */
function clock(time: number): string {
  const date = new Date(time);
  const sameDay = date.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(currentLanguage(), sameDay ? { hour: "2-digit", minute: "2-digit", second: "2-digit" } : { dateStyle: "medium", timeStyle: "short" }).format(date);
}

customElements.define("tw-timeline", Timeline);
