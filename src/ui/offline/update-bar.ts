// The quiet bar that says a newer version is stored. It waits where it covers nothing that is clicked; closing it
// changes nothing until next time.
import { css, html, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";

export class UpdateBar extends Component {
  static override styles = [
    controlStyles,
    css`
      :host {
        position: fixed;
        inset-block-end: 68px;
        inset-inline-end: 14px;
        max-inline-size: calc(100vw - 24px);
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 12px;
        padding: 8px 10px 8px 16px;
        background: var(--raised);
        color: var(--text);
        border: 1px solid var(--line);
        border-radius: calc(var(--radius) + 4px);
        box-shadow: 0 4px 20px rgb(0 0 0 / 0.18);
        z-index: 5;
      }
      /* In a narrow window it is the first line of the page, where it covers nothing. */
      @media (max-width: 860px) {
        :host {
          position: static;
          max-inline-size: none;
          border-width: 0 0 1px;
          border-radius: 0;
          box-shadow: none;
        }
      }
      span {
        flex: 1 1 auto;
      }
      .buttons {
        display: flex;
        gap: 8px;
      }
      .plain {
        border-color: transparent;
        background: none;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute("role", "status");
  }

  override render(): TemplateResult {
    const { update } = t().offline;
    return html`
      <span>${update.ready}</span>
      <div class="buttons">
        <button class="primary" @click=${() => this.tell("reload-asked")}>${update.reload}</button>
        <button class="plain" @click=${this.later}>${update.later}</button>
      </div>
    `;
  }

  private later(): void {
    this.tell("later-asked");
    this.remove();
  }

  private tell(type: "reload-asked" | "later-asked"): void {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, composed: true }));
  }
}

customElements.define("tw-update-bar", UpdateBar);
