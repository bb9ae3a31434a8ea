// Commands of the assistant and the user with what they printed, and a prompt line for one's own. The screen is xterm, loaded
// with the first command; the same as plain text stands beside it for screen readers, and instead of it when that is chosen.
// "Shell" puts a shell at a terminal in the place of both (shell-view.ts).
// Over 300 lines because a quarter is its styles. `command-run` string, `command-stop`, `job-stop` number.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { copyText } from "../chat/clipboard.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { AT_DRAFT, recall } from "./command-history.ts";
import type { TerminalHistory } from "./terminal-history.ts";
import type { OpenShell } from "./shell-view.ts";
import { plainText, TerminalFilter } from "./terminal-filter.ts";
import type { TerminalScreen } from "./terminal-screen.ts";
import { panelStyles } from "./work-styles.ts";

/** One command with its output so far. */
export interface CommandRecord {
  readonly command: string;
  readonly output: string;
  /** Absent while it runs. */
  readonly exit?: string;
  readonly by?: "assistant" | "user";
  /** Its number, when it runs beside everything else. */
  readonly job?: number;
}

/** Characters of one command's output that are shown, and commands that are. What is over is said to be. */
const SHOWN_CHARACTERS = 200_000;
const PLAIN_CHARACTERS = 60_000;
const SHOWN_RECORDS = 50;

/** What of a record is on the screen already. */
interface Drawn {
  readonly command: string;
  output: string;
  exit: string | undefined;
  readonly filter: TerminalFilter;
}

export class TerminalPanel extends Component {
  static override properties = { records: { attribute: false }, busy: { type: Boolean }, available: { type: Boolean }, openShell: { attribute: false }, history: { attribute: false }, project: {}, inShell: { state: true }, hasShell: { state: true }, plain: { state: true }, ready: { state: true }, told: { state: true } };
  declare records: readonly CommandRecord[];
  declare busy: boolean;
  /** False while there is no container. */
  declare available: boolean;
  /** Absent where there is no shell to open. */
  declare openShell: OpenShell | undefined;
  /** What was typed before, on earlier visits too; absent where nothing is kept. */
  declare history: (() => Promise<TerminalHistory>) | undefined;
  /** Id of the workspace. */
  declare project: string;
  declare private inShell: boolean;
  /** One was opened: what runs in it goes on while the log is shown. */
  declare private hasShell: boolean;
  /** Text instead of the screen. */
  declare private plain: boolean;
  declare private ready: boolean;
  declare private told: string;
  #screen: TerminalScreen | undefined;
  #drawn: Drawn[] = [];
  #place = AT_DRAFT;
  #history: TerminalHistory | undefined;
  #themes: MutationObserver | undefined;

  static override styles = [
    controlStyles,
    panelStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        block-size: 100%;
        min-block-size: 0;
      }
      .bar input {
        flex: 1 1 120px;
        max-inline-size: 32ch;
      }
      [hidden] {
        display: none !important;
      }
      .view {
        flex: 1;
        min-block-size: 0;
        position: relative;
        background: var(--sunken);
      }
      .screen {
        position: absolute;
        inset: 8px 4px 4px 14px;
        overflow: clip;
        outline-offset: 2px;
      }
      .screen[hidden] {
        display: none;
      }
      .screen > div {
        block-size: 100%;
      }
      .out {
        overflow: auto;
        block-size: 100%;
        padding: 10px 14px;
        box-sizing: border-box;
      }
      .out.visually-hidden {
        block-size: 1px;
        padding: 0;
        overflow: clip;
      }
      pre {
        margin: 0 0 10px;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .prompt {
        color: var(--accent);
        font-weight: 600;
      }
      .exit {
        color: var(--muted);
      }
      form {
        display: flex;
        gap: 8px;
        align-items: center;
        padding: 8px 14px;
        border-block-start: 1px solid var(--line);
      }
      form input {
        flex: 1;
        min-inline-size: 0;
        font: 13px/1.5 var(--mono);
        color: inherit;
        background: var(--raised);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        padding: 5px 9px;
      }
      button[aria-pressed="true"] {
        background: var(--sunken);
        border-color: var(--muted);
      }
    `,
  ];

  constructor() {
    super();
    this.records = [];
    this.busy = false;
    this.available = false;
    this.plain = false;
    this.inShell = this.hasShell = false;
    this.ready = false;
    this.told = "";
  }

  override render(): TemplateResult {
    const words = t().work.terminal;
    const shown = this.records.slice(-SHOWN_RECORDS);
    const onScreen = this.ready && !this.plain;
    return html`
      ${this.records.length === 0 && !this.openShell ? nothing : this.#bar()}
      ${this.hasShell && this.available ? html`<tw-shell-view ?hidden=${!this.inShell} .open=${this.openShell} @shell-ended=${() => (this.hasShell = this.inShell = false)}></tw-shell-view>` : nothing}
      <div class="view" ?hidden=${this.inShell}>
        <div class="screen" ?hidden=${!onScreen} tabindex="0" role="region" aria-label=${words.screen} @keydown=${this.#screenKey}><div aria-hidden="true"></div></div>
        <div class="out ${onScreen ? "visually-hidden" : ""}" tabindex=${onScreen ? nothing : "0"} role="region" aria-label=${words.output}>
          ${shown.length === 0 ? html`<p class="empty">${words.none}</p>` : shown.map((record) => plainRecord(record))}
        </div>
      </div>
      <form @submit=${this.#submit} ?hidden=${this.inShell}>
        <span class="prompt" aria-hidden="true">$</span>
        <input name="command" aria-label=${words.command} placeholder=${this.available ? words.example : words.unavailable} autocomplete="off" autocapitalize="off" spellcheck="false" ?disabled=${!this.available} @keydown=${this.#lineKey} />
        ${this.busy ? html`<button type="button" class="stop" title=${words.stopHint} @click=${() => this.#tell("command-stop")}>${words.stop}</button>` : html`<button ?disabled=${!this.available}>${words.run}</button>`}
      </form>
    `;
  }

  #bar(): TemplateResult {
    const words = t().work.terminal;
    return html`<div class="bar">
      ${this.openShell ? html`<button class="quiet small shell" aria-pressed=${String(this.inShell)} title=${words.shellTitle} ?disabled=${!this.available} @click=${this.#toggleShell}>${words.shell}</button>` : nothing}
      ${this.records.filter(({ job, exit }) => job !== undefined && exit === undefined).map(({ command, job }) => html`<button class="small stop-job" title=${words.stopJob(command)} aria-label=${words.stopJob(command)} @click=${() => this.#tell("job-stop", job)}><code>${command.slice(0, 24)}</code> ■</button>`)}
      ${this.records.length === 0 || this.inShell ? nothing : this.#logTools()}
    </div>`;
  }

  #logTools(): TemplateResult {
    const words = t().work.terminal;
    return html`<input type="search" class="find" placeholder=${words.find} aria-label=${words.find} @keydown=${this.#findKey} ?disabled=${!this.ready || this.plain} />
      <span class="told" role="status">${this.told}</span>
      <span class="spring"></span>
      <button class="quiet small copy" @click=${this.#copy}>${words.copy}</button>
      <button class="quiet small plain" aria-pressed=${String(this.plain)} title=${words.plainHint} @click=${() => (this.plain = !this.plain)}>${words.plain}</button>`;
  }

  async #toggleShell(): Promise<void> {
    await import("./shell-view.ts");
    this.inShell = !this.inShell;
    this.hasShell = true;
  }

  protected override updated(changed: PropertyValues): void {
    // Another project, or a container that has begun anew.
    if (changed.has("project") || changed.has("available")) void this.history?.().then((history) => (this.#history = history));
    if (changed.has("records")) {
      if (this.records.length > 0 && !this.#screen) void this.#start();
      this.#draw();
    }
    const out = this.renderRoot.querySelector(".out");
    if (out && (changed.has("records") || changed.has("plain"))) out.scrollTop = out.scrollHeight;
  }

  override disconnectedCallback(): void {
    this.#themes?.disconnect();
    matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.#recolor);
    this.#screen?.dispose();
    this.#screen = undefined;
    this.#drawn = [];
    this.ready = false;
    super.disconnectedCallback();
  }

  async #start(): Promise<void> {
    const { TerminalScreen } = await import("./terminal-screen.ts");
    const host = this.renderRoot.querySelector<HTMLElement>(".screen > div");
    if (this.#screen || !host || !this.isConnected) return;
    this.ready = true;
    await this.updateComplete;
    this.#screen = new TerminalScreen(host);
    this.#themes = new MutationObserver(this.#recolor);
    this.#themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.#recolor);
    this.#draw();
  }

  readonly #recolor = (): void => this.#screen?.recolor();

  /** Writes what is new. Where the list is not a continuation of what is drawn, all of it is drawn again. */
  #draw(): void {
    const screen = this.#screen;
    if (!screen) return;
    const records = this.records.slice(-SHOWN_RECORDS);
    const continues = this.#drawn.every((drawn, i) => records[i]?.command === drawn.command && records[i].output.startsWith(drawn.output) && (drawn.exit === undefined || records[i].exit === drawn.exit));
    if (!continues) {
      screen.reset();
      this.#drawn = [];
    }
    for (const [i, record] of records.entries()) this.#drawRecord(screen, record, i);
  }

  #drawRecord(screen: TerminalScreen, record: CommandRecord, index: number): void {
    let drawn = this.#drawn[index];
    if (!drawn) {
      drawn = { command: record.command, output: "", exit: undefined, filter: new TerminalFilter() };
      this.#drawn[index] = drawn;
      const by = record.by === "assistant" ? `  \u001b[90m${t().work.terminal.byAssistant}` : "";
      screen.write(`\u001b[0m\u001b[1;33m$ ${plainText(record.command)}\u001b[0m${by}\u001b[0m\n`);
    }
    if (record.output.length > drawn.output.length) {
      const fresh = record.output.slice(Math.max(drawn.output.length, record.output.length - SHOWN_CHARACTERS));
      screen.write(drawn.filter.push(fresh));
      drawn.output = record.output;
    }
    if (record.exit !== undefined && drawn.exit === undefined) {
      drawn.exit = record.exit;
      screen.write(`\u001b[0m${record.output === "" || record.output.endsWith("\n") ? "" : "\n"}\u001b[${/\b0$/.test(record.exit) ? "90" : "31"}m${plainText(record.exit)}\u001b[0m\n\n`);
    }
  }

  #lineKey(event: KeyboardEvent): void {
    const input = event.target as HTMLInputElement;
    if (event.key === "c" && event.ctrlKey && input.selectionStart === input.selectionEnd) {
      event.preventDefault();
      if (this.busy) this.#tell("command-stop");
      else input.value = "";
      return;
    }
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    const { place, line } = recall([...(this.#history?.lines.filter((line) => !line.includes("\n")) ?? []), ...this.records.map(({ command }) => command)], this.#place, input.value, event.key === "ArrowUp" ? 1 : -1);
    this.#place = place;
    input.value = line;
    input.setSelectionRange(line.length, line.length);
  }

  #screenKey(event: KeyboardEvent): void {
    const screen = this.#screen;
    if (!screen) return;
    if (event.key === "c" && (event.ctrlKey || event.metaKey)) {
      if (screen.selection !== "") void this.#copy();
      else if (event.ctrlKey && this.busy) this.#tell("command-stop");
      else return;
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") screen.scroll(event.key === "ArrowUp" ? -1 : 1, "lines");
    else if (event.key === "PageUp" || event.key === "PageDown") screen.scroll(event.key === "PageUp" ? -1 : 1, "pages");
    else if (event.key === "Home" || event.key === "End") screen.scrollToEnd(event.key === "Home" ? "top" : "bottom");
    else return;
    event.preventDefault();
  }

  #findKey(event: KeyboardEvent): void {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const found = this.#screen?.find((event.target as HTMLInputElement).value, event.shiftKey ? -1 : 1) ?? false;
    this.told = found ? "" : t().work.terminal.notFound;
  }

  /** The selection, else everything. */
  async #copy(): Promise<void> {
    const all = this.records.map((record) => `$ ${plainText(record.command)}\n${plainText(record.output)}`).join("\n");
    this.told = (await copyText((this.plain ? "" : this.#screen?.selection) || all)).said;
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    const input = this.renderRoot.querySelector<HTMLInputElement>("form input");
    const command = input?.value.trim();
    if (!input || !command || this.busy) return;
    // As in a shell: what begins with a space is not kept.
    if (!input.value.startsWith(" ")) void this.history?.().then((history) => history.add(command));
    input.value = "";
    this.#place = AT_DRAFT;
    this.#tell("command-run", command);
  }

  #tell(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

function plainRecord(record: CommandRecord): TemplateResult {
  const words = t().work.terminal;
  const cut = record.output.length > PLAIN_CHARACTERS;
  return html`<pre><code><span class="prompt">$ ${plainText(record.command)}</span>${record.by === "assistant" ? html` <span class="exit">${words.byAssistant}</span>` : nothing}
${cut ? `${words.cut}\n` : nothing}${plainText(cut ? record.output.slice(-PLAIN_CHARACTERS) : record.output)}${record.exit === undefined ? nothing : html`<span class="exit">${record.exit}</span>`}</code></pre>`;
}

customElements.define("tw-terminal-panel", TerminalPanel);
