// Pasted text becomes files, a patch or one piece of code; what it was read as is said before anything happens.
// Says `project-wanted` or `add-wanted` with an Incoming, or `patch-wanted` with the text.
import { css, html, nothing, type TemplateResult } from "lit";
import { toAppError } from "../../base/errors.ts";
import { type Pasted, readPaste } from "../../project/paste.ts";
import { normalizeFilePath } from "../../project/paths.ts";
import { encodeText } from "../../project/text.ts";
import type { FileTree } from "../../project/tree.ts";
import { Component } from "../component.ts";
import type { ProjectState } from "../session/session-state.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { projectStyles } from "./project-styles.ts";

/** Names written out before "and so on". */
const NAMED = 6;

export class PasteForm extends Component {
  static override properties = { project: { attribute: false }, disabled: { type: Boolean }, pasted: { state: true }, error: { state: true }, name: { state: true } };
  declare project: ProjectState;
  declare disabled: boolean;
  declare private pasted: Pasted;
  declare private error: string;
  /** What the user wrote instead of the proposed name. */
  declare private name: string | undefined;

  static override styles = [
    controlStyles,
    projectStyles,
    css`
      .found {
        margin-block: 8px;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        align-items: end;
        justify-content: flex-end;
        margin-block-start: 10px;
      }
      .actions .field {
        flex: 1;
        min-inline-size: 160px;
      }
    `,
  ];

  constructor() {
    super();
    this.pasted = { kind: "empty" };
    this.error = "";
  }

  override render(): TemplateResult {
    const words = t().project.open;
    return html`
      <label class="field">${words.pasteLabel}
        <textarea class="paste" spellcheck="false" autocapitalize="off" placeholder=${words.pastePlaceholder} @input=${this.#read}></textarea></label>
      ${this.error ? html`<p class="error found" role="alert">${this.error}</p>` : nothing}
      ${this.pasted.kind === "empty" ? nothing : html`<p class="found hint" role="status">${this.#found(this.pasted)}</p>${this.#actions(this.pasted)}`}
    `;
  }

  #found(pasted: Pasted): string {
    const words = t().project.open.found;
    if (pasted.kind !== "files") return pasted.kind === "patch" ? words.patch : words.code;
    const names = [...pasted.files.keys()];
    return words.files(names.slice(0, NAMED).join(", ") + (names.length > NAMED ? " …" : ""), names.length);
  }

  #actions(pasted: Pasted): TemplateResult {
    const words = t().project.open;
    const { name } = this.project;
    if (pasted.kind === "patch") {
      return html`<div class="actions"><button class="primary apply" ?disabled=${this.disabled} @click=${() => this.#tell("patch-wanted", pasted.text)}>${words.applyTo(name)}</button></div>`;
    }
    return html`<div class="actions">
      ${pasted.kind === "code" ? html`<label class="field">${words.pasteName}<input class="paste-name" .value=${this.name ?? pasted.name} spellcheck="false" @input=${this.#rename} /></label>` : nothing}
      <button class="add" ?disabled=${this.disabled} @click=${() => this.#offer("add-wanted")}>${words.addTo(name)}</button>
      <button class="primary as-project" ?disabled=${this.disabled} @click=${() => this.#offer("project-wanted")}>${words.asProject}</button>
    </div>`;
  }

  #read(event: Event): void {
    this.error = "";
    try {
      this.pasted = readPaste((event.target as HTMLTextAreaElement).value);
    } catch (thrown) {
      this.pasted = { kind: "empty" };
      this.error = toAppError(thrown).message;
    }
  }

  #rename(event: Event): void {
    this.name = (event.target as HTMLInputElement).value;
  }

  #offer(what: "add-wanted" | "project-wanted"): void {
    this.error = "";
    try {
      this.#tell(what, { name: t().project.open.pasted, files: this.#files(), origin: { kind: "paste" } });
    } catch (thrown) {
      this.error = toAppError(thrown).message;
    }
  }

  #files(): FileTree {
    const { pasted } = this;
    if (pasted.kind === "files") return pasted.files;
    return pasted.kind === "code" ? new Map([[normalizeFilePath((this.name ?? pasted.name).trim()), encodeText(pasted.text)]]) : new Map();
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

customElements.define("tw-paste-form", PasteForm);
