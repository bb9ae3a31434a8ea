// The project's files as a tree: folders open and close, what changed is marked, a filter finds, and the keyboard works as
// the ARIA tree pattern has it. Only the rows in view are in the document, so thousands of files stay quick.
// Over 300 lines because a quarter is its styles; what a row is and where a key leads are tree-rows.ts.
// It changes nothing itself: `file-chosen` path, `file-created` path, `file-renamed` { from, to }, `files-deleted` paths.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { toAppError } from "../../base/errors.ts";
import { caseKey, normalizeFilePath } from "../../project/paths.ts";
import type { FileTree } from "../../project/tree.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { type FileMark, foldersOf, PathTree, treeMove, type TreeRow, typeAhead } from "./tree-rows.ts";
import { visibleText, writtenOut } from "./visible-text.ts";
import { hiddenStyles, panelStyles } from "./work-styles.ts";

const ROW_PX = 27;
/** Rows above and below the view that are in the document too. */
const SPARE_ROWS = 12;
/** Projects up to this many files are shown with all folders open. */
const OPEN_ALL_FILES = 60;
/** Letters typed within this time of each other are one word. */
const TYPING_MS = 700;

type Naming = { readonly kind: "new" } | { readonly kind: "rename"; readonly from: string };

export class FilesPanel extends Component {
  static override properties = {
    files: { attribute: false },
    marks: { attribute: false },
    selected: {},
    readonly: { type: Boolean },
    filter: { state: true },
    active: { state: true },
    open: { state: true },
    naming: { state: true },
    problem: { state: true },
    viewTop: { state: true },
    viewHeight: { state: true },
  };
  declare files: FileTree;
  /** How paths differ from the project as it was opened; removed files are listed through it. */
  declare marks: ReadonlyMap<string, FileMark>;
  declare selected: string;
  /** No new, rename, delete. */
  declare readonly: boolean;
  declare private filter: string;
  /** Path of the row the keyboard is on. */
  declare private active: string;
  declare private open: ReadonlySet<string>;
  declare private naming: Naming | undefined;
  declare private problem: string;
  declare private viewTop: number;
  declare private viewHeight: number;
  #tree = new PathTree([]);
  #rows: readonly TreeRow[] = [];
  #typed = { text: "", at: 0 };
  readonly #resize = new ResizeObserver(([entry]) => (this.viewHeight = entry?.target.clientHeight ?? 0));

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
        min-inline-size: 0;
      }
      .bar {
        padding: 6px 8px;
      }
      .bar input {
        flex: 1 1 90px;
      }
      form {
        display: grid;
        gap: 6px;
        padding: 8px;
        background: var(--sunken);
        border-block-end: 1px solid var(--line);
        font-size: 14px;
      }
      form input {
        inline-size: 100%;
        font-family: var(--mono);
      }
      form .buttons {
        display: flex;
        gap: 6px;
      }
      form p {
        margin: 0;
        color: var(--bad);
      }
      .tree {
        flex: 1;
        min-block-size: 0;
        overflow: auto;
        position: relative;
        outline-offset: -2px;
      }
      .row {
        position: absolute;
        inset-inline: 0;
        block-size: ${ROW_PX}px;
        display: flex;
        align-items: center;
        gap: 6px;
        padding-inline: calc(8px + 14px * (var(--level) - 1)) 10px;
        font: 13px/1 var(--mono);
        white-space: nowrap;
        cursor: pointer;
      }
      .row:hover {
        background: var(--sunken);
      }
      .row[aria-selected="true"] {
        background: var(--sunken);
        box-shadow: inset 3px 0 var(--accent-ground);
        font-weight: 600;
      }
      .tree:focus-visible .row.active {
        outline: 2px solid var(--focus);
        outline-offset: -2px;
      }
      .twist {
        inline-size: 12px;
        flex: none;
        color: var(--muted);
        text-align: center;
        font-size: 10px;
      }
      .name {
        overflow: hidden;
        text-overflow: ellipsis;
        line-height: 1.6;
      }
      .mark {
        margin-inline-start: auto;
        flex: none;
        font: 600 11px/1 var(--sans);
        color: var(--accent);
      }
      .added .mark {
        color: var(--good);
      }
      .removed .mark {
        color: var(--bad);
      }
      .removed .name {
        text-decoration: line-through;
        color: var(--muted);
      }
    `,
  ];

  constructor() {
    super();
    this.files = new Map();
    this.marks = new Map();
    this.selected = "";
    this.readonly = false;
    this.filter = "";
    this.active = "";
    this.open = new Set();
    this.problem = "";
    this.viewTop = 0;
    this.viewHeight = 600;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("files") || changed.has("marks")) {
      const isFirst = this.#tree.size === 0;
      this.#tree = new PathTree(new Set([...this.files.keys(), ...this.marks.keys()]));
      if (isFirst && this.#tree.size <= OPEN_ALL_FILES) this.open = new Set(this.#tree.folders);
    }
    if (changed.has("selected") && this.selected !== "") {
      this.open = new Set([...this.open, ...foldersOf(this.selected)]);
      this.active = this.selected;
    }
    this.#rows = this.#tree.rows(this.open, this.marks, this.filter);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#watch();
  }

  protected override firstUpdated(): void {
    this.#watch();
  }

  #watch(): void {
    const tree = this.renderRoot.querySelector(".tree");
    if (tree) this.#resize.observe(tree);
  }

  override disconnectedCallback(): void {
    this.#resize.disconnect();
    super.disconnectedCallback();
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("selected")) this.#scrollTo(this.#activeIndex);
    if (changed.has("naming") && this.naming) this.renderRoot.querySelector<HTMLInputElement>("form input")?.select();
  }

  get #activeIndex(): number {
    return this.#rows.findIndex(({ path }) => path === this.active);
  }

  override render(): TemplateResult {
    const words = t().work.files;
    const first = Math.max(0, Math.floor(this.viewTop / ROW_PX) - SPARE_ROWS);
    const last = Math.min(this.#rows.length, Math.ceil((this.viewTop + this.viewHeight) / ROW_PX) + SPARE_ROWS);
    const active = this.#activeIndex;
    const inDocument = active >= first && active < last;
    return html`
      <div class="bar">
        <input type="search" class="filter" placeholder=${words.filter} aria-label=${words.filter} .value=${this.filter} @input=${this.#filterBy} @keydown=${this.#filterKey} />
        ${this.readonly ? nothing : this.#actions()}
      </div>
      ${this.naming ? this.#nameForm(this.naming) : nothing}
      ${this.#rows.length === 0 ? html`<p class="empty">${this.filter ? words.noneFound(this.filter) : words.none}</p>` : nothing}
      <div class="tree" role="tree" tabindex=${this.#rows.length === 0 ? "-1" : "0"} aria-label=${words.label} ?hidden=${this.#rows.length === 0}
        aria-activedescendant=${inDocument ? `row-${active}` : nothing} @keydown=${this.#key} @scroll=${this.#scrolled} @focus=${this.#focused}>
        <div role="presentation" style=${`block-size:${this.#rows.length * ROW_PX}px`}>${this.#rows.slice(first, last).map((row, i) => this.#row(row, first + i, first + i === active))}</div>
      </div>
    `;
  }

  #actions(): TemplateResult {
    const words = t().work.files;
    const targets = this.#targets();
    return html`<button class="quiet small new-file" @click=${() => this.#name({ kind: "new" })}>${words.new}</button>
      <button class="quiet small rename-file" ?disabled=${!this.files.has(this.active)} @click=${() => this.#name({ kind: "rename", from: this.active })}>${words.rename}</button>
      <button class="quiet small delete-file" ?disabled=${targets.length === 0} title=${words.deleteHint} @click=${this.#delete}>${words.delete}</button>`;
  }

  #row(row: TreeRow, index: number, active: boolean): TemplateResult {
    const words = t().work.files;
    const isFolder = row.kind === "folder";
    const mark = row.mark === undefined ? "" : isFolder ? words.inside : words.marks[row.mark];
    return html`<div class="row ${row.mark ?? ""} ${active ? "active" : ""}" id=${`row-${index}`} role="treeitem" style=${`--level:${row.level};inset-block-start:${index * ROW_PX}px`}
      aria-level=${row.level} aria-posinset=${row.position} aria-setsize=${row.siblings} aria-expanded=${isFolder ? String(row.open) : nothing}
      aria-selected=${String(row.path === this.selected)} title=${writtenOut(row.path)} data-path=${row.path}
      @click=${() => this.#choose(row)}>
      <span class="twist" aria-hidden="true">${isFolder ? (row.open ? "▼" : "▶") : ""}</span>
      <span class="name">${visibleText(row.name)}</span>
      ${row.mark === undefined ? nothing : html`<span class="mark">${isFolder ? html`<span aria-hidden="true">●</span><span class="visually-hidden">${mark}</span>` : mark}</span>`}
    </div>`;
  }

  #nameForm(naming: Naming): TemplateResult {
    const words = t().work.files;
    const folder = this.active.slice(0, this.active.lastIndexOf("/") + 1);
    return html`<form @submit=${this.#named} @keydown=${this.#formKey}>
      <label>${naming.kind === "new" ? words.newPath : words.renamePath(writtenOut(naming.from))}
        <input type="text" name="path" spellcheck="false" autocomplete="off" .value=${naming.kind === "new" ? folder : naming.from} aria-invalid=${this.problem === "" ? nothing : "true"} aria-describedby="problem" /></label>
      <p id="problem" role="alert">${this.problem}</p>
      <div class="buttons"><button class="primary small">${naming.kind === "new" ? words.create : words.rename}</button><button class="small" type="button" @click=${this.#endNaming}>${words.cancel}</button></div>
    </form>`;
  }

  #filterBy(event: Event): void {
    this.filter = (event.target as HTMLInputElement).value;
    this.active = "";
  }

  #filterKey(event: KeyboardEvent): void {
    if (event.key !== "ArrowDown" || this.#rows.length === 0) return;
    event.preventDefault();
    this.renderRoot.querySelector<HTMLElement>(".tree")?.focus();
    const file = this.#rows.find(({ kind }) => kind === "file") ?? this.#rows[0];
    if (this.filter !== "" && file) this.active = file.path;
  }

  #focused(): void {
    if (this.#activeIndex < 0) this.active = this.#rows[0]?.path ?? "";
  }

  #scrolled(event: Event): void {
    this.viewTop = (event.target as HTMLElement).scrollTop;
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const index = this.#activeIndex;
    const row = this.#rows[index];
    const move = treeMove(this.#rows, index, event.key);
    if (move) this.#goTo(move.active, move.toggle);
    else if ((event.key === "Enter" || event.key === " ") && row) this.#choose(row);
    else if (event.key === "F2" && !this.readonly && this.files.has(this.active)) this.#name({ kind: "rename", from: this.active });
    else if (event.key === "Delete" && !this.readonly) this.#delete();
    else if (event.key.length === 1) this.#type(event);
    else return;
    event.preventDefault();
  }

  #type(event: KeyboardEvent): void {
    const now = event.timeStamp;
    const text = now - this.#typed.at < TYPING_MS && this.#typed.text !== event.key ? this.#typed.text + event.key : event.key;
    this.#typed = { text, at: now };
    this.#goTo(typeAhead(this.#rows, this.#activeIndex, text));
  }

  #goTo(index: number, toggle?: string): void {
    this.active = this.#rows[index]?.path ?? "";
    if (toggle !== undefined) this.#toggle(toggle);
    this.#scrollTo(index);
  }

  #scrollTo(index: number): void {
    const tree = this.renderRoot.querySelector<HTMLElement>(".tree");
    if (!tree || index < 0) return;
    const top = index * ROW_PX;
    if (top < tree.scrollTop) tree.scrollTop = top;
    else if (top + ROW_PX > tree.scrollTop + tree.clientHeight) tree.scrollTop = top + ROW_PX - tree.clientHeight;
    this.viewTop = tree.scrollTop;
  }

  #toggle(folder: string): void {
    const open = new Set(this.open);
    if (!open.delete(folder)) open.add(folder);
    this.open = open;
  }

  #choose(row: TreeRow): void {
    this.active = row.path;
    if (row.kind === "folder") this.#toggle(row.path);
    else if (this.files.has(row.path)) this.#tell("file-chosen", row.path);
  }

  /** Files that Delete would remove: the active one, or all of the active folder. */
  #targets(): readonly string[] {
    if (this.active.endsWith("/")) return [...this.files.keys()].filter((path) => path.startsWith(this.active));
    return this.files.has(this.active) ? [this.active] : [];
  }

  #delete(): void {
    const targets = this.#targets();
    if (targets.length > 0) this.#tell("files-deleted", targets);
  }

  #name(naming: Naming): void {
    this.problem = "";
    this.naming = naming;
  }

  #endNaming(): void {
    this.naming = undefined;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(".tree")?.focus());
  }

  #formKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.#endNaming();
  }

  #named(event: SubmitEvent): void {
    event.preventDefault();
    const input = this.renderRoot.querySelector<HTMLInputElement>("form input");
    if (!input || !this.naming) return;
    try {
      const path = normalizeFilePath(input.value.trim());
      const from = this.naming.kind === "rename" ? this.naming.from : undefined;
      const twin = [...this.files.keys()].find((other) => other !== from && caseKey(other) === caseKey(path));
      const folder = [...this.files.keys()].find((other) => caseKey(other).startsWith(`${caseKey(path)}/`));
      const inFile = foldersOf(path).find((above) => this.files.has(above.slice(0, -1)));
      if (twin !== undefined || folder !== undefined || inFile !== undefined) {
        this.problem = t().work.files.exists(writtenOut(twin ?? inFile?.slice(0, -1) ?? path));
        return;
      }
      if (from === undefined) this.#tell("file-created", path);
      else if (from !== path) this.#tell("file-renamed", { from, to: path });
      this.#endNaming();
    } catch (thrown) {
      this.problem = toAppError(thrown).message;
    }
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

customElements.define("tw-files-panel", FilesPanel);
