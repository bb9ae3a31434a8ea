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
    const paths = [...this.files.keys()].sort();
    const selected = this.files.has(this.selected) ? this.selected : "";
    return html`
      <ul aria-label="Files">
        ${paths.map(
          (path) => html`<li>
            <button class=${this.changed.has(path) ? "changed" : ""} aria-current=${path === selected ? "true" : nothing} title=${path}
              @click=${() => this.choose(path)}>${path}</button>
          </li>`,
        )}
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

customElements.define("tw-files-panel", FilesPanel);
