// How much the assistant may do by itself: plan, ask, auto. One control of three, as the ARIA pattern for radio groups has it.
import { css, html, type TemplateResult } from "lit";
import { type Mode, MODES } from "../../agent/permission.ts";
import { Component } from "../component.ts";
import { t } from "../strings/index.ts";
import { controlStyles } from "../theme.ts";

/** The mode after this one. */
export function nextMode(mode: Mode): Mode {
  return MODES[(MODES.indexOf(mode) + 1) % MODES.length] ?? "auto";
}

export class ModeSwitch extends Component {
  static override properties = { mode: {} };
  declare mode: Mode;

  constructor() {
    super();
    this.mode = "auto";
  }

  static override styles = [
    controlStyles,
    css`
      div {
        display: inline-flex;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--sunken);
        padding: 2px;
      }
      button {
        border: 0;
        background: none;
        padding: 1px 10px;
        border-radius: 6px;
        font-size: 13px;
        color: var(--muted);
      }
      button[aria-checked="true"] {
        background: var(--raised);
        color: var(--text);
        font-weight: 600;
        box-shadow: 0 0 0 1px var(--line);
      }
      @media (forced-colors: active) {
        button[aria-checked="true"] {
          outline: 2px solid;
        }
      }
    `,
  ];

  override render(): TemplateResult {
    const { mode: words } = t().chat;
    return html`<div role="radiogroup" aria-label=${words.label} @keydown=${this.key}>
      ${MODES.map(
        (mode) => html`<button type="button" role="radio" aria-checked=${mode === this.mode ? "true" : "false"} tabindex=${mode === this.mode ? "0" : "-1"}
          title=${words.explain[mode]} @click=${() => this.choose(mode)}>${words.names[mode]}</button>`,
      )}
    </div>`;
  }

  private key(event: KeyboardEvent): void {
    const step = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    this.choose(MODES[(MODES.indexOf(this.mode) + step + MODES.length) % MODES.length] ?? "auto");
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('[aria-checked="true"]')?.focus());
  }

  private choose(mode: Mode): void {
    this.mode = mode;
    this.dispatchEvent(new CustomEvent("mode-chosen", { detail: mode, bubbles: true, composed: true }));
  }
}

customElements.define("tw-mode-switch", ModeSwitch);
