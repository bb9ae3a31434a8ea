// What commands printed, as it came, and a line to run one's own. Control sequences are removed: text can only be text.
import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { controlStyles } from "./theme.ts";

/** One command with its output so far. */
export interface CommandRecord {
  readonly command: string;
  readonly output: string;
  /** Absent while it runs. */
  readonly exit?: string;
}

const SHOWN_CHARACTERS = 200_000;
// oxlint-disable-next-line no-control-regex -- control characters are what is to be removed
const CONTROL = /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** Text without ANSI sequences and control characters (tab and newline stay). */
export function plainText(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(CONTROL, "");
}

export class TerminalPanel extends LitElement {
  static override properties = { records: { attribute: false }, busy: { type: Boolean }, available: { type: Boolean } };
  declare records: readonly CommandRecord[];
  declare busy: boolean;
  /** False while there is no container. */
  declare available: boolean;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        block-size: 100%;
        min-block-size: 0;
      }
      .out {
        flex: 1;
        overflow: auto;
        padding: 10px 14px;
        background: var(--sunken);
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
        padding: 8px 14px;
        border-block-start: 1px solid var(--line);
      }
      input {
        flex: 1;
        min-inline-size: 0;
        font: 13px/1.5 var(--mono);
        color: inherit;
        background: var(--raised);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        padding: 5px 9px;
      }
      p {
        color: var(--muted);
        margin: 0;
      }
    `,
  ];

  override render(): TemplateResult {
    return html`
      <div class="out" tabindex="0" role="region" aria-label="Command output">
        ${this.records.length === 0 ? html`<p>Commands the assistant runs appear here. You can run your own below.</p>` : nothing}
        ${this.records.map(
          (record) => html`<pre><code><span class="prompt">$ ${record.command}</span>
${plainText(record.output.slice(-SHOWN_CHARACTERS))}${record.exit === undefined ? nothing : html`<span class="exit">${record.exit}</span>`}</code></pre>`,
        )}
      </div>
      <form @submit=${this.submit}>
        <input name="command" aria-label="Command" placeholder=${this.available ? "npm test" : "The container is not running"} autocomplete="off" spellcheck="false" ?disabled=${!this.available} />
        ${this.busy
          ? html`<button type="button" @click=${() => this.dispatchEvent(new CustomEvent("command-stop"))}>Stop</button>`
          : html`<button ?disabled=${!this.available}>Run</button>`}
      </form>
    `;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const out = this.renderRoot.querySelector(".out");
    if (changed.has("records") && out) out.scrollTop = out.scrollHeight;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const input = this.renderRoot.querySelector("input");
    const command = input?.value.trim();
    if (!input || !command || this.busy) return;
    input.value = "";
    this.dispatchEvent(new CustomEvent("command-run", { detail: command }));
  }
}

customElements.define("tw-terminal-panel", TerminalPanel);
