// Asks where a block of code shall go: which file, and whether in place of its text or after it. It only asks; what is
// written is shown as a change and can be undone.
import { css, html, nothing, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { pathProblem, PLACES, type Place } from "./insert-target.ts";

/** What `insert-chosen` carries. */
export interface ChosenInsert {
  readonly path: string;
  readonly place: Place;
  readonly text: string;
}

export class InsertDialog extends Component {
  static override properties = { text: { attribute: false }, path: { attribute: false }, named: { type: Boolean }, paths: { attribute: false }, busy: { type: Boolean }, written: { state: true }, place: { state: true } };
  /** The block. */
  declare text: string;
  /** What is suggested: the file the block names, or the one that is open. */
  declare path: string;
  /** Whether the block itself names the file: then it is most likely all of it. */
  declare named: boolean;
  declare paths: readonly string[];
  /** Something runs that may change files: nothing is written meanwhile. */
  declare busy: boolean;
  /** What the user has written, once they have. */
  declare private written: string | undefined;
  declare private place: Place | undefined;

  constructor() {
    super();
    this.text = "";
    this.path = "";
    this.named = false;
    this.paths = [];
    this.busy = false;
  }

  static override styles = [
    controlStyles,
    css`
      dialog {
        inline-size: min(460px, calc(100vw - 24px));
        border: 1px solid var(--line);
        border-radius: 12px;
        background: var(--raised);
        color: var(--text);
        padding: 16px 18px;
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 45%);
      }
      h2 {
        margin: 0 0 12px;
        font-size: 16px;
      }
      label {
        display: block;
      }
      input[type="text"] {
        inline-size: 100%;
        margin-block: 4px 10px;
        font: 14px var(--mono);
        color: inherit;
        background: var(--ground);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        padding: 6px 10px;
      }
      fieldset {
        border: 0;
        margin: 0 0 8px;
        padding: 0;
      }
      fieldset label {
        padding-block: 2px;
      }
      .note {
        color: var(--muted);
        font-size: 13.5px;
        margin: 0 0 12px;
      }
      .problem {
        color: var(--bad);
      }
      .buttons {
        display: flex;
        justify-content: flex-end;
        gap: 8px;
      }
    `,
  ];

  override render(): TemplateResult {
    const words = t().chatParts.insert;
    const path = this.written ?? this.path;
    const problem = pathProblem(path);
    const exists = this.paths.includes(path);
    const place = this.place ?? (this.named ? "replace" : "end");
    return html`<dialog aria-labelledby="title" @close=${this.closed} @keydown=${(event: KeyboardEvent) => event.stopPropagation()}>
      <form @submit=${(event: Event) => this.choose(event, { path, place: exists ? place : "replace", text: this.text })}>
        <h2 id="title">${words.title}</h2>
        <label>${words.path}<input type="text" list="paths" spellcheck="false" autocomplete="off" .value=${path} @input=${this.typed} aria-describedby="note" /></label>
        <datalist id="paths">${this.paths.map((known) => html`<option value=${known}></option>`)}</datalist>
        ${exists
          ? html`<fieldset><legend class="visually-hidden">${words.place}</legend>
              ${PLACES.map((value) => html`<label><input type="radio" name="place" value=${value} .checked=${value === place} @change=${() => (this.place = value)} /> ${words.places[value]}</label>`)}
            </fieldset>`
          : nothing}
        <p id="note" class="note ${problem === "outside" ? "problem" : ""}">${this.busy ? words.busy : problem ? words.problems[problem] : exists ? words.undoable : words.creates}</p>
        <div class="buttons"><button type="button" @click=${this.cancel}>${t().chatParts.message.cancel}</button><button class="primary" ?disabled=${this.busy || problem !== undefined}>${words.insert}</button></div>
      </form>
    </dialog>`;
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector("dialog")?.showModal();
    this.renderRoot.querySelector<HTMLInputElement>("input[type=text]")?.select();
  }

  private typed(event: Event): void {
    this.written = (event.target as HTMLInputElement).value;
  }

  private choose(event: Event, chosen: ChosenInsert): void {
    event.preventDefault();
    if (this.busy || pathProblem(chosen.path)) return;
    this.dispatchEvent(new CustomEvent("insert-chosen", { detail: chosen, bubbles: true, composed: true }));
    this.cancel();
  }

  private cancel(): void {
    this.renderRoot.querySelector("dialog")?.close();
  }

  private closed(): void {
    this.dispatchEvent(new CustomEvent("insert-closed", { bubbles: true, composed: true }));
  }
}

customElements.define("tw-insert-dialog", InsertDialog);
