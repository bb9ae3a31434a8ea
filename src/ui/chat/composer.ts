// Where the user writes. Enter sends, Shift+Enter breaks the line, `@` names a file; while the assistant works what is
// sent waits its turn and a button stops it (Esc too). Files come by dragging, by the button or by their name; long
// pasted text becomes an attachment, so the field never holds more than a person writes.
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { Mode } from "../../agent/permission.ts";
import { Component } from "../component.ts";
import { t } from "../strings/index.ts";
import { controlStyles } from "../theme.ts";
import { composerStyles } from "./composer-styles.ts";
import { ATTACHED_BYTES, attached, type Draft, type DraftAttachment, PASTE_CHARACTERS, readFiles, type Refusal } from "./draft.ts";
import "./mode-switch.ts";
import { nextMode } from "./mode-switch.ts";
import { matches } from "./shortcuts.ts";
import { mentionAt, mentionedPaths, rankPaths } from "./path-ranking.ts";

/** A row of the `@` list: a file of the project, or what is selected in the editor. */
type Choice = { readonly kind: "file"; readonly path: string } | { readonly kind: "selection" };

export class Composer extends Component {
  static override properties = {
    busy: { type: Boolean },
    disabled: { type: Boolean },
    hint: {},
    mode: {},
    paths: { attribute: false },
    selection: { attribute: false },
    draft: { attribute: false },
    choices: { state: true },
    active: { state: true },
    dropping: { state: true },
    refused: { state: true },
  };
  /** Something runs: what is sent now waits. */
  declare busy: boolean;
  /** Nothing can be sent. */
  declare disabled: boolean;
  /** Why nothing can be sent now, or what to try; the field's placeholder. */
  declare hint: string;
  declare mode: Mode;
  /** The project's files, for `@`. */
  declare paths: readonly string[];
  /** Where the editor's selection is from; undefined where nothing is selected. */
  declare selection: string | undefined;
  /** What is being written. The composer changes it; whoever sets it replaces what is there. */
  declare draft: Draft;
  declare private choices: readonly Choice[];
  declare private active: number;
  declare private dropping: boolean;
  declare private refused: readonly Refusal[];

  constructor() {
    super();
    this.busy = false;
    this.disabled = false;
    this.hint = "";
    this.mode = "auto";
    this.paths = [];
    this.draft = { text: "", attachments: [] };
    this.choices = [];
    this.active = 0;
    this.dropping = false;
    this.refused = [];
  }

  static override styles = [controlStyles, composerStyles];

  override render(): TemplateResult {
    const words = t().chat.composer;
    const { choices, draft } = this;
    const open = choices.length > 0;
    if (draft.attachments.length > 0) void import("./attachment-chips.ts");
    return html`
      <form class=${this.dropping ? "dropping" : ""} @submit=${this.submitted} @dragover=${this.draggedOver} @dragleave=${() => (this.dropping = false)} @drop=${this.dropped}>
        ${open ? this.list() : nothing}
        <tw-attachments removable .attachments=${draft.attachments} @attachment-removed=${(event: CustomEvent<number>) => this.change({ attachments: draft.attachments.filter((_, index) => index !== event.detail) })}></tw-attachments>
        <textarea rows="1" aria-label=${words.message} placeholder=${this.hint} .value=${live(draft.text)} aria-autocomplete="list" aria-haspopup="listbox"
          aria-controls=${open ? "choices" : nothing} aria-activedescendant=${open ? `choice-${this.active}` : nothing}
          @input=${this.typed} @keydown=${this.key} @paste=${this.pasted} @blur=${this.close} @click=${this.suggest}></textarea>
        ${this.refused.length > 0 ? html`<div class="refused" role="alert">${this.refused.map(({ name, reason }) => html`<div>${words.refused[reason](name, ATTACHED_BYTES)}</div>`)}</div>` : nothing}
        <div class="controls">
          <label class="file attach" title=${words.attachHint}>${words.attach}<input type="file" multiple @change=${this.chosen} /></label>
          <tw-mode-switch .mode=${this.mode}></tw-mode-switch>
          <span class="spring"></span>
          ${this.busy
            ? html`<button class="queue" ?disabled=${this.disabled || this.isEmpty}>${words.queue}</button>
                <button type="button" class="stop" @click=${this.stop} aria-keyshortcuts="Escape">${words.stop}</button>`
            : html`<button class="primary send" ?disabled=${this.disabled}>${words.send}</button>`}
        </div>
      </form>
    `;
  }

  private list(): TemplateResult {
    const words = t().chat.composer;
    return html`<ul id="choices" role="listbox" aria-label=${words.files}>
      ${this.choices.map((choice, index) => {
        const name = choice.kind === "file" ? choice.path.slice(choice.path.lastIndexOf("/") + 1) : words.selection;
        const folder = choice.kind === "file" ? choice.path.slice(0, -name.length - 1) : (this.selection ?? "");
        return html`<li role="option" id=${`choice-${index}`} aria-selected=${index === this.active ? "true" : "false"}
          @pointerdown=${(event: Event) => event.preventDefault()} @click=${() => this.choose(choice)}><span class="name">${name}</span><span class="folder">${folder}</span></li>`;
      })}
    </ul>`;
  }

  override focus(): void {
    this.field.focus();
  }

  /** Sends what is written, or has it wait. The message stays if whoever listens refuses it. `sure`: it was refused before, and shall go. */
  submit(sure = false): void {
    const text = this.draft.text.trim();
    if (this.disabled || this.isEmpty) return;
    const named = mentionedPaths(text, new Set(this.paths));
    const attachments = named.reduce<readonly DraftAttachment[]>((list, path) => attached(list, { kind: "file", title: path, path }), this.draft.attachments);
    const event = new CustomEvent<Draft & { readonly sure: boolean }>("message-sent", { detail: { text, attachments, sure }, bubbles: true, composed: true, cancelable: true });
    if (!this.dispatchEvent(event)) return;
    this.refused = [];
    this.close();
    this.change({ text: "", attachments: [] });
  }

  /** Adds something to what is being written. */
  attach(added: DraftAttachment): void {
    this.change({ attachments: attached(this.draft.attachments, added) });
  }

  private get isEmpty(): boolean {
    return this.draft.text.trim() === "" && this.draft.attachments.length === 0;
  }

  private get field(): HTMLTextAreaElement {
    const field = this.renderRoot.querySelector("textarea");
    if (!field) throw new Error("The composer's field is part of every rendering.");
    return field;
  }

  private change(change: Partial<Draft>): void {
    this.draft = { ...this.draft, ...change };
    this.dispatchEvent(new CustomEvent("draft-changed", { detail: this.draft, bubbles: true, composed: true }));
  }

  private typed(): void {
    this.change({ text: this.field.value });
    this.suggest();
  }

  /** Shows the files that fit the `@word` at the caret. */
  private suggest(): void {
    const mention = mentionAt(this.field.value, this.field.selectionStart);
    if (!mention) return this.close();
    const files = rankPaths(mention.query, this.paths).map((path): Choice => ({ kind: "file", path }));
    const selection: readonly Choice[] = this.selection !== undefined && "selection".startsWith(mention.query.toLowerCase()) ? [{ kind: "selection" }] : [];
    this.choices = [...selection, ...files];
    this.active = 0;
  }

  private close(): void {
    if (this.choices.length > 0) this.choices = [];
  }

  private choose(choice: Choice): void {
    const { field } = this;
    const caret = field.selectionStart;
    const mention = mentionAt(field.value, caret);
    if (!mention) return this.close();
    const word = choice.kind === "file" ? `@${choice.path} ` : "";
    const text = field.value.slice(0, mention.from) + word + field.value.slice(caret);
    const added: DraftAttachment = choice.kind === "file" ? { kind: "file", title: choice.path, path: choice.path } : { kind: "selection", title: this.selection ?? "", ...(this.selection === undefined ? {} : { path: this.selection }) };
    this.change({ text, attachments: attached(this.draft.attachments, added) });
    this.close();
    const at = mention.from + word.length;
    void this.updateComplete.then(() => field.setSelectionRange(at, at));
  }

  private key(event: KeyboardEvent): void {
    if (this.choices.length > 0 && this.listKey(event)) return event.preventDefault();
    const { key } = event;
    if (key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.submit();
    } else if (key === "ArrowUp" && this.isEmpty) {
      event.preventDefault();
      this.dispatchEvent(new CustomEvent("edit-last-asked", { bubbles: true, composed: true }));
    } else if (matches(event, "nextMode")) {
      event.preventDefault();
      this.dispatchEvent(new CustomEvent("mode-chosen", { detail: nextMode(this.mode), bubbles: true, composed: true }));
    }
  }

  /** True where the list took the key. */
  private listKey(event: KeyboardEvent): boolean {
    const choice = this.choices[this.active];
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      this.active = (this.active + step + this.choices.length) % this.choices.length;
      void this.updateComplete.then(() => this.renderRoot.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }));
    } else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && choice) {
      this.choose(choice);
    } else if (event.key === "Escape") {
      event.stopPropagation(); // it closes the list, and does not stop the assistant
      this.close();
    } else {
      return false;
    }
    return true;
  }

  private pasted(event: ClipboardEvent): void {
    const files = [...(event.clipboardData?.files ?? [])];
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (files.length > 0 && text === "") {
      event.preventDefault();
      void this.take(files);
    } else if (text.length > PASTE_CHARACTERS) {
      event.preventDefault();
      this.attach({ kind: "text", title: t().chat.composer.pasted, text });
    }
  }

  private chosen(event: Event): void {
    const input = event.target as HTMLInputElement;
    void this.take([...(input.files ?? [])]);
    input.value = "";
  }

  private draggedOver(event: DragEvent): void {
    if (!event.dataTransfer || ![...event.dataTransfer.types].some((type) => type === "Files" || type === "text/plain")) return;
    event.preventDefault();
    this.dropping = true;
  }

  private dropped(event: DragEvent): void {
    this.dropping = false;
    if (!event.dataTransfer) return;
    event.preventDefault();
    const text = event.dataTransfer.getData("text/plain");
    if (event.dataTransfer.files.length > 0) void this.take([...event.dataTransfer.files]);
    else if (this.paths.includes(text)) this.attach({ kind: "file", title: text, path: text });
    else if (text.length > PASTE_CHARACTERS) this.attach({ kind: "text", title: t().chat.composer.pasted, text });
    else this.change({ text: this.draft.text + text });
  }

  private async take(files: readonly File[]): Promise<void> {
    const { attachments, refused } = await readFiles(files);
    this.refused = refused;
    this.change({ attachments: attachments.reduce(attached, this.draft.attachments) });
  }

  private submitted(event: Event): void {
    event.preventDefault();
    this.submit();
  }

  private stop(): void {
    this.dispatchEvent(new CustomEvent("stop-asked", { bubbles: true, composed: true }));
  }
}

customElements.define("tw-composer", Composer);

declare global {
  interface HTMLElementTagNameMap {
    "tw-composer": Composer;
  }
}
