// The question whether the container may fetch packages: from which host, what for, what that host learns; and for how long.
import { css, html, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import type { Scope } from "./consent.ts";

export class RegistryConsent extends Component {
  static override properties = { origin: {}, what: {}, scope: { state: true } };
  /** `https://registry.npmjs.org`. */
  declare origin: string;
  /** The first package that is wanted. */
  declare what: string;
  declare private scope: Scope;
  onAnswer: (scope: Scope | undefined) => void = () => undefined;

  static override styles = [
    controlStyles,
    css`
      dialog {
        inline-size: min(560px, calc(100vw - 24px));
        padding: 18px;
        color: var(--text);
        background: var(--raised);
        border: 1px solid var(--line);
        border-radius: 12px;
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 45%);
      }
      h2 {
        margin: 0 0 8px;
        font-size: 16px;
        overflow-wrap: anywhere;
      }
      ul {
        margin: 0 0 12px;
        padding-inline-start: 20px;
        color: var(--muted);
        font-size: 14px;
        line-height: 1.45;
        overflow-wrap: anywhere;
      }
      fieldset {
        border: 0;
        margin: 0 0 14px;
        padding: 0;
        display: grid;
        gap: 6px;
      }
      legend {
        font-weight: 600;
        margin-block-end: 4px;
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        justify-content: flex-end;
      }
    `,
  ];

  constructor() {
    super();
    this.origin = "";
    this.what = "";
    this.scope = "project";
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  override render(): TemplateResult {
    const words = t().registry;
    const { host } = new URL(this.origin);
    return html`<dialog aria-labelledby="title" @close=${() => this.onAnswer(undefined)}>
      <h2 id="title">${words.title(host)}</h2>
      <ul>
        <li>${words.what(this.what)}</li>
        <li>${words.learns(host)}</li>
        <li>${words.safety}</li>
      </ul>
      <fieldset>
        <legend>${words.scopeTitle}</legend>
        ${(["once", "project", "always"] as const).map(
          (scope) => html`<label><input type="radio" name="scope" .checked=${this.scope === scope} @change=${() => (this.scope = scope)} /> ${words.scope[scope]}</label>`,
        )}
      </fieldset>
      <div class="row">
        <button class="refuse" @click=${() => this.onAnswer(undefined)}>${words.refuse}</button>
        <button class="primary allow" @click=${() => this.onAnswer(this.scope)}>${words.allow(host)}</button>
      </div>
    </dialog>`;
  }
}

customElements.define("tw-registry-consent", RegistryConsent);

/** Undefined: refused, or nobody waits for the answer any more. */
export function askConsent(origin: string, what: string, withdrawn: AbortSignal): Promise<Scope | undefined> {
  return new Promise((resolve) => {
    const dialog = new RegistryConsent();
    dialog.origin = origin;
    dialog.what = what;
    const before = document.activeElement;
    const answer = (scope: Scope | undefined): void => {
      dialog.onAnswer = () => undefined;
      dialog.remove();
      if (before instanceof HTMLElement) before.focus();
      resolve(scope);
    };
    dialog.onAnswer = answer;
    withdrawn.addEventListener("abort", () => answer(undefined), { once: true });
    document.body.append(dialog);
  });
}

export function refusal(origin: string): string {
  return t().registry.refused(origin);
}
