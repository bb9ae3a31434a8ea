// The dialog that makes practice tasks from the open project: how many, what was made, one to open, all to take along;
// and the log of corrections, which is off until it is turned on here.
import { css, html, nothing, type TemplateResult } from "lit";
import { toAppError } from "../../base/errors.ts";
import { type Level, LEVELS, type Task } from "../../tasks/task.ts";
import { Component } from "../component.ts";
import { downloadBytes, pickFolder } from "../project/file-picker.ts";
import { projectStyles } from "../project/project-styles.ts";
import type { Session } from "../session/session.ts";
import type { SessionState } from "../session/session-state.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { countCorrections, deleteCorrections, exportCorrections } from "./correction-log.ts";
import { type Practice, practiceOf } from "./practice.ts";
import { openRepository, type Repository } from "./repository.ts";

const MOST = 50;

export class PracticeDialog extends Component {
  static override properties = { session: { attribute: false }, state: { attribute: false }, wanted: { state: true }, level: { state: true }, status: { state: true }, error: { state: true }, logged: { state: true }, isSure: { state: true } };
  declare session: Session;
  declare state: SessionState;
  declare private wanted: number;
  declare private level: Level;
  declare private status: string;
  declare private error: string;
  declare private logged: number | undefined;
  /** The delete button was pressed once. */
  declare private isSure: boolean;
  #making: AbortController | undefined;

  static override styles = [
    controlStyles,
    projectStyles,
    css`
      .row {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 12px;
        align-items: center;
        margin-block: 8px;
      }
      input[type="number"] {
        inline-size: 5em;
      }
      ol {
        margin: 8px 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 12px;
        align-items: center;
        padding-block: 6px;
        border-block-start: 1px solid var(--line);
      }
      li > :first-child {
        flex: 1 1 320px;
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }
    `,
  ];

  constructor() {
    super();
    this.wanted = 5;
    this.level = "plain";
    this.status = "";
    this.error = "";
    this.logged = undefined;
    this.isSure = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#count();
  }

  /** What is under way ends with the dialog; what was made is kept. */
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#making?.abort();
  }

  get #practice(): Practice {
    return practiceOf(this.session);
  }

  override render(): TemplateResult {
    const words = t().practice;
    return html`
      <p class="hint">${words.intro}</p>
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
      <div class="row">
        <label>${words.count} <input class="count" type="number" min="1" max=${MOST} .value=${String(this.wanted)} @change=${this.#wantedChanged} /></label>
        ${this.#making
          ? html`<button class="stop" @click=${() => this.#making?.abort()}>${words.stop}</button>`
          : html`<button class="make primary" @click=${() => void this.#make()}>${this.#practice.tasks.length > 0 ? words.more : words.make}</button>
              <button class="history" title=${words.historyHint} @click=${() => void this.#fromHistory()}>${words.history}</button>`}
        <label>${words.level}
          <select class="level" @change=${this.#levelChanged}>${LEVELS.map((level) => html`<option value=${level} ?selected=${level === this.level}>${words.levels[level]}</option>`)}</select>
        </label>
      </div>
      <p class="progress" role="status" ?hidden=${this.status === ""}>${this.status}</p>
      ${this.#practice.tasks.length > 0 ? this.#made() : nothing}
      <section aria-labelledby="log"><h3 id="log">${words.log}</h3>${this.#log()}</section>
    `;
  }

  #made(): TemplateResult {
    const words = t().practice;
    const practice = this.#practice;
    const busy = this.state.activity !== "idle" || this.#making !== undefined;
    return html`<section aria-labelledby="list"><h3 id="list">${words.list}</h3>
      <ol>${practice.tasks.map((task) => html`<li><span>${task.instructions?.[this.level] ?? task.instruction}</span>
        <button class="practise" aria-label=${words.openNamed(task.id)} ?disabled=${busy} @click=${() => void this.#open(task)}>${words.open}</button></li>`)}</ol>
      <div class="row">
        <button class="zip" @click=${() => void this.#save("tasks.zip", "application/zip", () => practice.zip(this.level))}>${words.zip}</button>
        <button class="lines" @click=${() => void this.#save("tasks.jsonl", "application/jsonl", () => practice.lines())}>${words.lines}</button>
      </div></section>`;
  }

  #log(): TemplateResult {
    const words = t().practice;
    if (!this.session.canLog) return html`<p class="hint">${words.noStore}</p>`;
    const none = (this.logged ?? 0) === 0;
    return html`
      <p class="hint" id="log-hint">${words.logHint}</p>
      <div class="row">
        <label><input class="log-on" type="checkbox" aria-describedby="log-hint" .checked=${this.session.isLogging} @change=${this.#logChanged} /> ${words.logOn}</label>
        ${this.logged === undefined ? nothing : html`<span class="logged">${words.logCount(this.logged)}</span>`}
      </div>
      <div class="row">
        <button class="log-export" ?disabled=${none} @click=${() => void this.#save("corrections.jsonl", "application/jsonl", exportCorrections)}>${words.logExport}</button>
        <button class="log-delete" ?disabled=${none} @click=${() => void this.#deleteLog()}>${this.isSure ? words.logSure : words.logDelete}</button>
      </div>`;
  }

  #wantedChanged(event: Event): void {
    this.wanted = Math.min(MOST, Math.max(1, Math.round(Number((event.target as HTMLInputElement).value)) || 1));
  }

  #levelChanged(event: Event): void {
    this.level = (event.target as HTMLSelectElement).value as Level;
  }

  async #fromHistory(): Promise<void> {
    this.error = "";
    try {
      const picked = await pickFolder();
      if (picked) await this.#make(await openRepository(picked));
    } catch (thrown) {
      this.error = toAppError(thrown).message;
    }
  }

  async #make(repository?: Repository): Promise<void> {
    const words = t().practice;
    const wanted = this.wanted;
    const making = new AbortController();
    this.#making = making;
    this.error = "";
    this.status = repository ? words.progress(0, wanted, 0) : words.starting;
    try {
      await this.#practice.make(wanted, ({ made, tried }) => (this.status = words.progress(made, wanted, tried)), making.signal, repository);
      this.status = words.made(this.#practice.tasks.length);
    } catch (thrown) {
      const error = toAppError(thrown);
      this.status = error.code === "aborted" ? words.stopped : "";
      if (error.code !== "aborted") this.error = error.message;
    } finally {
      this.#making = undefined;
      this.requestUpdate();
    }
  }

  async #open(task: Task): Promise<void> {
    this.error = "";
    try {
      await this.#practice.open(task, this.level);
    } catch (thrown) {
      this.error = toAppError(thrown).message;
    }
  }

  async #save(name: string, type: string, make: () => Promise<Uint8Array>): Promise<void> {
    this.error = "";
    try {
      downloadBytes(await make(), name, type);
      this.status = t().practice.saved(name);
    } catch (thrown) {
      this.error = toAppError(thrown).message;
    }
  }

  async #logChanged(event: Event): Promise<void> {
    await this.session.setLogging((event.target as HTMLInputElement).checked);
    this.requestUpdate();
  }

  async #deleteLog(): Promise<void> {
    if (!this.isSure) {
      this.isSure = true;
      return;
    }
    this.isSure = false;
    await deleteCorrections();
    this.status = t().practice.logDeleted;
    await this.#count();
  }

  async #count(): Promise<void> {
    try {
      this.logged = await countCorrections();
    } catch (thrown) {
      this.error = toAppError(thrown).message;
    }
  }
}

customElements.define("tw-practice-dialog", PracticeDialog);
