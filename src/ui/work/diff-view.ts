// Changes file by file and hunk by hunk, unified, lines numbered on both sides. Each hunk is accepted (it closes and is no
// longer open to review) or rejected (its lines go back to what they were). Keys: j k next and previous, a accept, r reject.
// It changes nothing itself: `hunks-accepted`, `hunks-reopened`, `hunks-rejected` carry keys; `file-opened` { path, line }.
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { DiffLine, FileDiff } from "../../project/diff.ts";
import { fileHunks, fileKey, type Hunk, hunkLine, keysOf, openKeys } from "../../project/hunks.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { diffStyles } from "./diff-styles.ts";
import { visibleText, writtenOut } from "./visible-text.ts";
import { hiddenStyles, panelStyles } from "./work-styles.ts";

/** Lines of one file shown before "show all": tens of thousands of elements make a page slow. */
const SHOWN_LINES = 1_200;

export class DiffView extends Component {
  static override properties = { changes: { attribute: false }, accepted: { attribute: false }, readonly: { type: Boolean }, compared: { attribute: false }, whole: { state: true } };
  declare changes: readonly FileDiff[];
  /** Keys of what has been reviewed (src/project/hunks.ts). */
  declare accepted: ReadonlySet<string>;
  /** While something else changes the files nothing can be rejected. */
  declare readonly: boolean;
  /** The names of two states that are compared; nothing can be accepted or rejected then. */
  declare compared: string | undefined;
  /** Paths whose lines are all shown. */
  declare private whole: ReadonlySet<string>;
  /** After an action: the place in the list of hunks the keyboard goes to. */
  #refocus: number | undefined;

  static override styles = [controlStyles, panelStyles, hiddenStyles, diffStyles];

  constructor() {
    super();
    this.changes = [];
    this.accepted = new Set();
    this.readonly = false;
    this.whole = new Set();
  }

  override render(): TemplateResult {
    return html`
      ${this.compared !== undefined ? this.#comparedBar(this.compared) : this.changes.length > 0 ? this.#reviewBar() : nothing}
      <div class="list" @keydown=${this.#key}>
        ${this.changes.length === 0 ? html`<p class="empty">${this.compared !== undefined ? t().work.diff.equal : t().work.diff.none}</p>` : this.changes.map((change) => this.#file(change))}
      </div>
    `;
  }

  protected override updated(_changed: PropertyValues): void {
    if (this.#refocus === undefined) return;
    const hunks = this.#hunkElements();
    hunks[Math.min(this.#refocus, hunks.length - 1)]?.focus();
    this.#refocus = undefined;
  }

  #comparedBar(states: string): TemplateResult {
    const words = t().work.diff;
    return html`<div class="bar"><span>${words.comparing(writtenOut(states))}</span><span class="spring"></span>
      <button class="small close-compare" @click=${() => this.#tell("compare-closed")}>${words.closeCompare}</button></div>`;
  }

  #reviewBar(): TemplateResult {
    const words = t().work.diff;
    const open = openKeys(this.changes, this.accepted);
    return html`<div class="bar">
      <span class="open-count" role="status">${open.length === 0 ? words.allReviewed : words.open(open.length)}</span>
      <span class="keys" aria-hidden="true"><kbd>j</kbd> <kbd>k</kbd> ${words.keyMove} <kbd>a</kbd> ${words.accept} <kbd>r</kbd> ${words.reject}</span>
      <span class="spring"></span>
      <button class="small accept-all" ?disabled=${open.length === 0} @click=${() => this.#tell("hunks-accepted", open)}>${words.acceptAll}</button>
      <button class="small reject-all" ?disabled=${open.length === 0 || this.readonly} title=${words.rejectHint} @click=${() => this.#tell("hunks-rejected", open)}>${words.rejectOpen}</button>
    </div>`;
  }

  #file(change: FileDiff): TemplateResult {
    const words = t().work.diff;
    const keys = keysOf(change);
    const isOpen = this.compared !== undefined || keys.some((key) => !this.accepted.has(key));
    return html`<section aria-label=${words.changesIn(writtenOut(change.path))} class=${isOpen ? "" : "reviewed"}>
      <header>
        <h3>${visibleText(change.path)}</h3>
        <span class="status ${change.status}">${words.statuses[change.status]}</span>
        <span class="counts">${change.lines ? html`<span class="plus">+${change.added}</span> <span class="minus">−${change.removed}</span>` : words.binary}</span>
        <span class="spring"></span>
        ${this.compared !== undefined ? nothing : this.#fileActions(change, keys, isOpen)}
      </header>
      ${isOpen ? this.#hunks(change) : nothing}
    </section>`;
  }

  #fileActions(change: FileDiff, keys: readonly string[], isOpen: boolean): TemplateResult {
    const words = t().work.diff;
    const name = writtenOut(change.path);
    if (!isOpen) return html`<span class="done">✓ ${words.accepted}</span><button class="quiet small reopen-file" aria-label=${words.reopenFile(name)} @click=${() => this.#tell("hunks-reopened", keys)}>${words.reopen}</button>`;
    const open = keys.filter((key) => !this.accepted.has(key));
    return html`<span class="file-actions">${change.status === "removed" ? nothing : html`<button class="quiet small open-file" aria-label=${words.openFile(name)} @click=${() => this.#tell("file-opened", { path: change.path, line: 1 })}>${words.openShort}</button>`}
      <button class="quiet small accept-file" aria-label=${words.acceptFile(name)} @click=${() => this.#tell("hunks-accepted", open)}>${words.accept}</button>
      <button class="quiet small reject-file" ?disabled=${this.readonly} aria-label=${words.rejectFile(name)} @click=${() => this.#tell("hunks-rejected", open)}>${words.reject}</button></span>`;
  }

  #hunks(change: FileDiff): TemplateResult {
    const hunks = fileHunks(change);
    if (hunks.length === 0) return html`<div class="hunk whole" tabindex="0" role="group" aria-label=${t().work.diff.changesIn(writtenOut(change.path))} data-keys=${JSON.stringify([fileKey(change)])}><p class="empty">${change.lines ? t().work.diff.emptyFile : t().work.diff.notByLine}</p></div>`;
    let left = this.whole.has(change.path) ? Number.POSITIVE_INFINITY : SHOWN_LINES;
    const shown = hunks.map((hunk, i) => {
      const lines = hunk.lines.slice(0, Math.max(0, left));
      left -= hunk.lines.length;
      return lines.length === 0 ? nothing : this.#hunk(change, hunk, lines, i, hunks.length);
    });
    return html`${shown}${left < 0 ? html`<button class="small more" @click=${() => (this.whole = new Set([...this.whole, change.path]))}>${t().work.diff.showAll(-left)}</button>` : nothing}`;
  }

  #hunk(change: FileDiff, hunk: Hunk, lines: readonly DiffLine[], index: number, count: number): TemplateResult {
    const words = t().work.diff;
    const label = words.hunk(index + 1, count, writtenOut(change.path), hunkLine(hunk));
    const keys = JSON.stringify([hunk.key]);
    if (this.compared === undefined && this.accepted.has(hunk.key)) {
      return html`<div class="hunk accepted" tabindex="0" role="group" aria-label=${`${label}: ${words.accepted}`} data-keys=${keys}>
        <span class="done">✓ ${words.acceptedHunk(hunkLine(hunk))}</span><span class="spring"></span>
        <button class="quiet small" aria-label=${`${words.reopen}: ${label}`} @click=${() => this.#tell("hunks-reopened", [hunk.key])}>${words.reopen}</button></div>`;
    }
    return html`<div class="hunk" tabindex="0" role="group" aria-label=${label} data-keys=${keys}>
      ${this.compared !== undefined || count === 1 ? nothing : html`<div class="hunk-actions"><span class="where">${words.line(hunkLine(hunk))}</span><span class="spring"></span>
        <button class="quiet small accept" aria-label=${`${words.accept}: ${label}`} @click=${() => this.#tell("hunks-accepted", [hunk.key])}>${words.accept}</button>
        <button class="quiet small reject" ?disabled=${this.readonly} aria-label=${`${words.reject}: ${label}`} @click=${() => this.#tell("hunks-rejected", [hunk.key])}>${words.reject}</button></div>`}
      <div class="lines">${lines.map((line) => lineRow(line, oddEnding(line, hunk.lines)))}</div>
    </div>`;
  }

  #hunkElements(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>(".hunk")];
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const hunks = this.#hunkElements();
    const at = hunks.findIndex((hunk) => hunk === this.shadowRoot?.activeElement || hunk.contains(this.shadowRoot?.activeElement ?? null));
    const hunk = hunks[at];
    switch (event.key) {
      case "j":
      case "k": {
        const next = hunks[at < 0 ? 0 : Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), hunks.length - 1)];
        next?.focus();
        next?.scrollIntoView({ block: "nearest" });
        break;
      }
      case "a":
      case "r": {
        if (!hunk || this.compared !== undefined || (event.key === "r" && this.readonly)) return;
        const keys = JSON.parse(hunk.dataset["keys"] ?? "[]") as string[];
        // An accepted hunk stays, closed: go on to the one after it. A rejected one is gone, and the next is in its place.
        this.#refocus = event.key === "a" ? at + 1 : at;
        this.#tell(event.key === "a" ? "hunks-accepted" : "hunks-rejected", keys);
        break;
      }
      default:
        return;
    }
    event.preventDefault();
  }

  #tell(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

const SIGNS = { added: "+", removed: "−", same: " " } as const;

type Ending = "CRLF" | "LF" | "none";

function endingOf({ text }: DiffLine): Ending {
  return text.endsWith("\r\n") ? "CRLF" : text.endsWith("\n") ? "LF" : "none";
}

/** A changed line's end, where no line of the other side around it ends so: else a changed line end would look like no change. */
function oddEnding(line: DiffLine, around: readonly DiffLine[]): Ending | undefined {
  if (line.kind === "same") return undefined;
  const ending = endingOf(line);
  const others = around.filter(({ kind }) => kind !== line.kind);
  const isUsual = others.length === 0 ? ending !== "none" : others.some((other) => endingOf(other) === ending);
  return isUsual ? undefined : ending;
}

function lineRow(line: DiffLine, ending: Ending | undefined): TemplateResult {
  const words = t().work.diff;
  const said = line.kind === "same" ? "" : `${words.lineKinds[line.kind]}: `;
  const hasMark = (line.before === 1 || line.after === 1) && line.text.startsWith("\ufeff");
  const text = line.text.slice(hasMark ? 1 : 0).replace(/\r?\n$/, "");
  const end = ending === undefined ? nothing : html`<span class="end">${ending === "none" ? words.noNewline : ending}</span>`;
  return html`<div class="line ${line.kind}"><span class="number" aria-hidden="true">${line.before ?? ""}</span><span class="number" aria-hidden="true">${line.after ?? ""}</span><span class="sign" aria-hidden="true">${SIGNS[line.kind]}</span><span class="text"><span class="visually-hidden">${said}</span>${hasMark ? html`<span class="end start" title=${words.byteOrderMark}>BOM</span>` : nothing}${visibleText(text)}${end}</span></div>`;
}

customElements.define("tw-diff-view", DiffView);
