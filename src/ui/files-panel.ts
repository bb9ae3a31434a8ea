// The project's files: a tree on the left, the chosen file's text on the right. Reading only; the assistant and the
// shell write, and what they change is marked.
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { formatBytes } from "../base/units.ts";
import type { FileTree } from "../project/tree.ts";
import { controlStyles } from "./theme.ts";

const SHOWN_BYTES = 400_000;

export class FilesPanel extends LitElement {
  static override properties = { files: { attribute: false }, changed: { attribute: false }, selected: {} };
  declare files: FileTree;
  /** Paths that differ from the start of the session. */
  declare changed: ReadonlySet<string>;
  declare selected: string;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(150px, 34%) 1fr;
        min-block-size: 0;
        block-size: 100%;
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 6px 0;
        overflow: auto;
        border-inline-end: 1px solid var(--line);
      }
      li button {
        display: block;
        inline-size: 100%;
        text-align: start;
        border: 0;
        border-radius: 0;
        background: none;
        padding: 3px 12px;
        font: 13px/1.5 var(--mono);
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      li button:hover {
        background: var(--sunken);
      }
      li button[aria-current="true"] {
        background: var(--sunken);
        box-shadow: inset 3px 0 var(--accent-ground);
      }
      .folder {
        color: var(--muted);
        font: 12px/1.8 var(--mono);
        padding: 5px 12px 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      li button.inside {
        padding-inline-start: 24px;
      }
      .changed::after {
        content: " ● changed";
        color: var(--accent);
        font: 11px var(--sans);
      }
      .file-view {
        overflow: auto;
        min-inline-size: 0;
      }
      pre {
        margin: 0;
        padding: 12px 14px;
        tab-size: 2;
        counter-reset: line;
      }
      p {
        margin: 14px;
        color: var(--muted);
      }
    `,
  ];

  override render(): TemplateResult {
    // Files of the root first, then folder by folder.
    const paths = [...this.files.keys()].sort((a, b) => compare(split(a)[0], split(b)[0]) || compare(a, b));
    const selected = this.files.has(this.selected) ? this.selected : "";
    return html`
      <ul aria-label="Files">
        ${paths.map((path, index) => {
          const [folder, name] = split(path);
          const before = paths[index - 1];
          const newFolder = folder !== "" && (before === undefined || split(before)[0] !== folder);
          return html`${newFolder ? html`<li class="folder" aria-hidden="true">${folder}</li>` : nothing}
            <li>
              <button class="${this.changed.has(path) ? "changed" : ""} ${folder === "" ? "" : "inside"}" aria-current=${path === selected ? "true" : nothing} title=${path}
                aria-label=${path} @click=${() => this.choose(path)}>${name}</button>
            </li>`;
        })}
      </ul>
      <div class="file-view" tabindex="0" role="region" aria-label=${selected || "File"}>${this.view(selected)}</div>
    `;
  }

  private view(path: string): TemplateResult {
    const bytes = this.files.get(path);
    if (!bytes) return html`<p>${this.files.size === 0 ? "The project has no files." : "Choose a file to read it."}</p>`;
    if (bytes.includes(0)) return html`<p>A binary file of ${formatBytes(bytes.length)}.</p>`;
    const text = new TextDecoder().decode(bytes.subarray(0, SHOWN_BYTES));
    return html`<pre><code>${text}</code></pre>
      ${bytes.length > SHOWN_BYTES ? html`<p>The first ${formatBytes(SHOWN_BYTES)} of ${formatBytes(bytes.length)}.</p>` : nothing}`;
  }

  private choose(path: string): void {
    this.selected = path;
    this.dispatchEvent(new CustomEvent("file-chosen", { detail: path }));
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Folder with its slash ("" at the root) and file name. */
function split(path: string): readonly [folder: string, name: string] {
  const slash = path.lastIndexOf("/") + 1;
  return [path.slice(0, slash), path.slice(slash)];
}

customElements.define("tw-files-panel", FilesPanel);
