// The widget's code: one tab a file, an editor, Run and Run tests, and what they gave.
// `file-chosen` path, `text-changed` { path, text }, `run-asked`, `tests-asked`, `stop-asked`, `undo-asked`, `fix-asked` string.
import { css, html, nothing, type TemplateResult } from "lit";
import { decodeText } from "../../project/text.ts";
import { Component } from "../component.ts";
import type { SessionState } from "../session/session-state.ts";
import { t } from "../strings/index.ts";
import { controlStyles } from "../theme.ts";
import type { Editor } from "../work/editor.ts";
import { entryOf } from "./sample-project.ts";
import "./run-result.ts";
import { w } from "./words.ts";

export class CodePane extends Component {
  static override properties = { state: { attribute: false }, testCommand: {}, changed: { attribute: false }, canUndo: { type: Boolean }, canAsk: { type: Boolean }, editable: { state: true } };
  declare state: SessionState;
  /** Empty when the project has none. */
  declare testCommand: string;
  declare changed: ReadonlySet<string>;
  declare canUndo: boolean;
  declare canAsk: boolean;
  /** The editor's code is there. */
  declare private editable: boolean;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-block-size: 0;
        min-inline-size: 0;
      }
      .files {
        display: flex;
        overflow-x: auto;
        scrollbar-width: thin;
        border-block-end: 1px solid var(--line);
      }
      .files button {
        flex: none;
        border: 0;
        border-radius: 0;
        background: none;
        padding: 6px 12px;
        font: 13px/1.5 var(--mono);
        color: var(--muted);
        border-block-end: 2px solid transparent;
      }
      .files [aria-selected="true"] {
        color: var(--text);
        border-color: var(--accent-ground);
      }
      .editor {
        flex: 1 1 120px;
        min-block-size: 90px;
        position: relative;
      }
      tw-editor,
      pre {
        position: absolute;
        inset: 0;
        margin: 0;
      }
      pre {
        padding: 8px 12px;
        overflow: auto;
      }
      .run {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 8px;
        align-items: center;
        padding: 6px 12px;
        border-block-start: 1px solid var(--line);
        font-size: 14px;
      }
      .verdict {
        margin-inline-start: auto;
        font-weight: 600;
      }
      .green {
        color: var(--good);
      }
      .red {
        color: var(--bad);
      }
      tw-run-result {
        flex: 0 1 auto;
        max-block-size: 45%;
        border-block-start: 1px solid var(--line);
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    void import("../work/editor.ts").then(() => (this.editable = true));
  }

  /** Tells what was typed and not told yet. The editor may not have heard yet that it is free again. */
  async flush(): Promise<void> {
    await this.updateComplete;
    const editor = this.renderRoot.querySelector<Editor>("tw-editor");
    await editor?.updateComplete;
    editor?.flush();
  }

  readonly #read = (path: string): string | undefined => {
    const bytes = this.state.project.files.get(path);
    return bytes && decodeText(bytes);
  };

  override render(): TemplateResult {
    const { state } = this;
    const words = w();
    const paths = [...state.project.files.keys()];
    const shown = state.project.selected || paths[0] || "";
    // A file that is being written does not count: leaving the editor for a button must not disable the button.
    const busy = state.activity !== "idle" && state.activity !== "files";
    const ready = state.container.phase === "ready";
    const runs = state.activity === "tests" || state.activity === "command";
    return html`
      <div class="files" role="tablist" aria-label=${words.files} @keydown=${this.#key}>
        ${paths.map(
          (path) => html`<button role="tab" id=${`file-${paths.indexOf(path)}`} aria-controls="editor" aria-selected=${path === shown ? "true" : "false"} tabindex=${path === shown ? "0" : "-1"}
            @click=${() => this.#choose(path)}>${path}${this.changed.has(path) ? html` <span title=${words.changed} aria-label=${words.changed}>•</span>` : nothing}</button>`,
        )}
      </div>
      <div class="editor" id="editor" role="tabpanel" aria-labelledby=${`file-${paths.indexOf(shown)}`}>${this.#editor(shown)}</div>
      <div class="run">
        ${runs
          ? html`<button class="stop" @click=${() => this.#ask("stop-asked")}>${words.stop}</button>`
          : html`${entryOf(paths) === undefined ? nothing : html`<button class="go" ?disabled=${busy || !ready} @click=${() => this.#ask("run-asked")}>${words.run}</button>`}
              ${this.testCommand ? html`<button class="test" ?disabled=${busy || !ready} @click=${() => this.#ask("tests-asked")}>${words.runTests}</button>` : nothing}`}
        <button class="undo" ?disabled=${busy || !this.canUndo} title=${t().app.undoTitle} @click=${() => this.#ask("undo-asked")}>${t().app.undo}</button>
        ${this.#verdict()}
      </div>
      ${state.commands.length > 0 || state.tests.phase === "done"
        ? html`<tw-run-result .tests=${state.tests} .command=${state.commands.at(-1)} ?canAsk=${this.canAsk && !busy} @fix-asked=${(event: CustomEvent<string>) => this.#ask("fix-asked", event.detail)}></tw-run-result>`
        : nothing}
    `;
  }

  #editor(path: string): TemplateResult | typeof nothing {
    const bytes = this.state.project.files.get(path);
    if (!bytes) return nothing;
    const text = decodeText(bytes);
    if (text === undefined) return html`<pre>${w().binary}</pre>`;
    // Until the editor's code is there, the text can be read already.
    if (!this.editable) return html`<pre tabindex="0" aria-label=${path}><code>${text}</code></pre>`;
    return html`<tw-editor .path=${path} .text=${text} .read=${this.#read} ?readonly=${this.state.container.phase === "failed"} ?locked=${this.state.activity !== "idle" || this.state.container.phase !== "ready"}
      @text-changed=${(event: CustomEvent<object>) => this.#ask("text-changed", event.detail)}></tw-editor>`;
  }

  #verdict(): TemplateResult {
    const { tests, container } = this.state;
    const words = w();
    if (tests.phase === "running") return html`<span class="verdict" role="status">${words.running}</span>`;
    if (tests.phase === "none") return html`<span class="verdict" role="status">${container.phase === "booting" ? words.booting : nothing}</span>`;
    const { passed, failed } = tests.report;
    const green = failed === 0 && passed > 0;
    return html`<span class="verdict ${green ? "green" : "red"}" role="status">${passed + failed === 0 ? `✗ ${words.noTests}` : green ? `✓ ${words.passed(passed)}` : `✗ ${words.failed(failed, passed)}`}</span>`;
  }

  #choose(path: string): void {
    this.#ask("file-chosen", path);
  }

  /** Arrow keys move between tabs, as the ARIA pattern for tabs has it. */
  #key(event: KeyboardEvent): void {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const paths = [...this.state.project.files.keys()];
    const next = (paths.indexOf(this.state.project.selected || paths[0] || "") + step + paths.length) % paths.length;
    this.#choose(paths[next] ?? "");
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`#file-${next}`)?.focus());
  }

  #ask(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

customElements.define("tw-code-pane", CodePane);
