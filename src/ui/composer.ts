// Where the user writes. Enter sends, Shift+Enter breaks the line; while the assistant works the button stops it (Esc too).
import { css, html, LitElement, type TemplateResult } from "lit";
import { controlStyles } from "./theme.ts";

export class Composer extends LitElement {
  static override properties = { busy: { type: Boolean }, disabled: { type: Boolean }, hint: {} };
  declare busy: boolean;
  declare disabled: boolean;
  /** Why nothing can be sent now, or what to try; the field's placeholder. */
  declare hint: string;

  static override styles = [
    controlStyles,
    css`
      form {
        display: flex;
        gap: 8px;
        align-items: flex-end;
        padding: 10px 14px;
        border-block-start: 1px solid var(--line);
      }
      textarea {
        flex: 1;
        min-inline-size: 0;
        resize: none;
        field-sizing: content;
        min-block-size: 2.6em;
        max-block-size: 12em;
        font: inherit;
        color: inherit;
        background: var(--raised);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        padding: 8px 10px;
      }
      button {
        min-inline-size: 5em;
        padding-block: 8px;
      }
    `,
  ];

  override render(): TemplateResult {
    return html`
      <form @submit=${this.submit}>
        <textarea rows="1" aria-label="Message" placeholder=${this.hint} @keydown=${this.key}></textarea>
        ${this.busy
          ? html`<button type="button" class="stop" @click=${this.stop} aria-keyshortcuts="Escape">Stop</button>`
          : html`<button class="primary send" ?disabled=${this.disabled}>Send</button>`}
      </form>
    `;
  }

  override focus(): void {
    this.renderRoot.querySelector("textarea")?.focus();
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.submit(event);
  }

  private submit(event: Event): void {
    event.preventDefault();
    const field = this.renderRoot.querySelector("textarea");
    const text = field?.value.trim();
    if (!field || !text || this.busy || this.disabled) return;
    field.value = "";
    this.dispatchEvent(new CustomEvent("message-sent", { detail: text }));
  }

  private stop(): void {
    this.dispatchEvent(new CustomEvent("stop-asked", { bubbles: true, composed: true }));
  }
}

customElements.define("tw-composer", Composer);
