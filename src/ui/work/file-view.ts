// The open files: a row of tabs and the one that is shown. Text goes to the editor, which is loaded with the first file;
// what is not text, or too large to edit, is said to be so and left alone. `file-chosen` path, `tab-closed` path.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { formatBytes } from "../../base/units.ts";
import { decodeText } from "../../project/text.ts";
import type { FileTree } from "../../project/tree.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import type { Editor } from "./editor.ts";
import { visibleText, writtenOut } from "./visible-text.ts";
import { hiddenStyles, panelStyles } from "./work-styles.ts";

/** Larger files are shown in part and cannot be edited here. */
const EDITED_BYTES = 1_000_000;
const SHOWN_BYTES = 200_000;
/** A large file with a zero byte in its beginning is not text. */
const PROBED_BYTES = 8_192;

export class FileView extends Component {
  static override properties = { project: {}, files: { attribute: false }, tabs: { attribute: false }, selected: {}, readonly: { type: Boolean }, locked: { type: Boolean }, loaded: { state: true } };
  /** Of another project nothing is kept: its files may have the same names. */
  declare project: string;
  declare files: FileTree;
  /** Paths of the open files, in the order they were opened. */
  declare tabs: readonly string[];
  declare selected: string;
  declare readonly: boolean;
  /** Something else is changing the files: edits wait. */
  declare locked: boolean;
  declare private loaded: boolean;
  /** The text file that was shown last. The editor stays on it, unseen, while something else is shown: what waits in it is kept. */
  #last: { readonly path: string; readonly text: string } | undefined;
  #decoded: { readonly bytes: Uint8Array; readonly text: string | undefined } | undefined;
  #line: number | undefined;

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
      .tabs {
        display: flex;
        overflow-x: auto;
        margin: 0;
        padding: 0;
        list-style: none;
        border-block-end: 1px solid var(--line);
        background: var(--sunken);
        flex: none;
      }
      li {
        display: flex;
        align-items: center;
        border-inline-end: 1px solid var(--line);
        flex: none;
      }
      li.shown {
        background: var(--ground);
        box-shadow: inset 0 2px var(--accent-ground);
      }
      li button {
        border: 0;
        border-radius: 0;
        background: none;
        font: 13px/1.6 var(--mono);
        padding: 5px 4px 5px 12px;
      }
      li .close {
        padding: 5px 10px 5px 6px;
        color: var(--muted);
      }
      .folder {
        color: var(--muted);
      }
      tw-editor[hidden] {
        display: none;
      }
      tw-editor,
      .plain {
        flex: 1;
        min-block-size: 0;
      }
      .plain {
        overflow: auto;
      }
      pre {
        margin: 0;
        padding: 4px 14px 12px;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
    `,
  ];

  constructor() {
    super();
    this.project = "";
    this.files = new Map();
    this.tabs = [];
    this.selected = "";
    this.readonly = false;
    this.locked = false;
    this.loaded = false;
  }

  /** Tells the editor to tell what was typed: before something needs the files as they are. */
  flush(): void {
    this.#editor?.flush();
  }

  /** Shows a line of the selected file, as soon as the editor is there. */
  reveal(line: number): void {
    this.#line = line;
    this.requestUpdate();
  }

  get #editor(): Editor | null {
    return this.renderRoot.querySelector<Editor>("tw-editor");
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("project")) this.#last = undefined;
  }

  protected override updated(_changed: PropertyValues): void {
    if (!this.loaded && this.#text !== undefined && this.selected !== "") void import("./editor.ts").then(() => (this.loaded = true));
    const editor = this.#editor;
    if (this.#line === undefined || !this.loaded || !editor) return;
    const line = this.#line;
    this.#line = undefined;
    void editor.updateComplete.then(() => editor.reveal(line));
  }

  override render(): TemplateResult {
    return html`
      ${this.tabs.length === 0 ? nothing : html`<ul class="tabs" aria-label=${t().work.files.openFiles}>${this.tabs.map((path) => this.#tab(path))}</ul>`}
      ${this.#content()}${this.#editorOrNothing()}
    `;
  }

  #tab(path: string): TemplateResult {
    const words = t().work.files;
    const slash = path.lastIndexOf("/") + 1;
    const name = path.slice(slash);
    const ambiguous = this.tabs.some((other) => other !== path && other.slice(other.lastIndexOf("/") + 1) === name);
    const shown = path === this.selected;
    return html`<li class=${shown ? "shown" : ""}>
      <button aria-current=${shown ? "true" : nothing} title=${writtenOut(path)} aria-label=${writtenOut(path)} @click=${() => this.#tell("file-chosen", path)}>${ambiguous ? html`<span class="folder">${visibleText(path.slice(0, slash))}</span>` : nothing}${visibleText(name)}</button>
      <button class="close" aria-label=${words.closeTab(writtenOut(path))} @click=${() => this.#tell("tab-closed", path)}>×</button>
    </li>`;
  }

  /** The selected file's text; undefined where there is none to edit. */
  get #text(): string | undefined {
    const bytes = this.files.get(this.selected);
    if (!bytes || bytes.byteLength > EDITED_BYTES) return undefined;
    if (this.#decoded?.bytes !== bytes) this.#decoded = { bytes, text: decodeText(bytes) };
    return this.#decoded.text;
  }

  readonly #read = (path: string): string | undefined => {
    const bytes = this.files.get(path);
    return bytes && decodeText(bytes);
  };

  #editorOrNothing(): unknown {
    const text = this.#text;
    if (text !== undefined) this.#last = { path: this.selected, text };
    const last = this.#last;
    if (!this.loaded || !last) return nothing;
    return keyed(this.project, html`<tw-editor ?hidden=${text === undefined} .path=${last.path} .text=${last.text} .readonly=${this.readonly} .locked=${this.locked} .read=${this.#read}></tw-editor>`);
  }

  #content(): TemplateResult | typeof nothing {
    const words = t().work.files;
    const bytes = this.files.get(this.selected);
    if (!bytes) return html`<p class="empty">${this.selected && this.tabs.includes(this.selected) ? words.gone(writtenOut(this.selected)) : this.files.size === 0 ? words.none : words.choose}</p>`;
    const text = this.#text;
    if (text !== undefined) return this.loaded ? nothing : html`<div class="plain"><pre><code>${text.slice(0, SHOWN_BYTES)}</code></pre></div>`;
    if (bytes.byteLength <= EDITED_BYTES || bytes.subarray(0, PROBED_BYTES).includes(0)) return html`<p class="empty">${words.binary(formatBytes(bytes.byteLength))}</p>`;
    return html`<div class="plain" tabindex="0" role="region" aria-label=${writtenOut(this.selected)}>
      <p class="empty">${words.large(formatBytes(bytes.byteLength), formatBytes(SHOWN_BYTES))}</p>
      <pre><code>${visibleText(new TextDecoder().decode(bytes.subarray(0, SHOWN_BYTES)))}</code></pre>
    </div>`;
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

customElements.define("tw-file-view", FileView);
