// How much GPU memory a model may take: a field of its own, kept in the browser's storage, and what the loaded model makes of it.
import { css, html, nothing, type TemplateResult } from "lit";
import { formatBytes } from "../../base/units.ts";
import type { DeviceReport, MemoryPlanned } from "../../engine/api.ts";
import { defaultGpuBytes } from "../../gpu/budget.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { keepBudget, keptBudget } from "./kept-budget.ts";

const MB_PER_GB = 1000;

/** Tells `budget-changed` when it was changed and kept, `budget-failed` with the error when it could not be. */
export class GpuBudget extends Component {
  static override properties = { device: { attribute: false }, plan: { attribute: false }, helperBytes: { attribute: false }, disabled: { type: Boolean }, mb: { state: true } };
  declare device: DeviceReport | undefined;
  /** Of the loaded model. */
  declare plan: MemoryPlanned | undefined;
  /** What the small model beside it has; 0 where there is none. */
  declare helperBytes: number;
  declare disabled: boolean;
  declare private mb: number | undefined;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        gap: 6px;
      }
      label {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 8px;
        align-items: center;
        font-weight: 600;
      }
      input {
        inline-size: 6.5em;
        box-sizing: border-box;
        font: inherit;
        font-weight: 400;
        color: var(--text);
        background: var(--ground);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        padding: 5px 8px;
      }
      span,
      p {
        font-weight: 400;
        color: var(--muted);
        font-size: 13px;
      }
      p {
        margin: 0;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    void keptBudget().then((mb) => (this.mb = mb));
  }

  override render(): TemplateResult {
    const words = t().device.budget;
    const { device, plan, helperBytes } = this;
    const guess = device && device.problem === undefined ? defaultGpuBytes(device, device.memoryGb) : 0;
    return html`
      <label>${words.label}
        <input type="number" min="0.1" step="0.1" inputmode="decimal" placeholder=${(guess / 1e9).toFixed(1)} .value=${this.mb === undefined ? "" : String(this.mb / MB_PER_GB)}
          aria-describedby="hint" ?disabled=${this.disabled} @change=${this.changed} />
        <span>GB</span>
      </label>
      <p id="hint">${words.hint(formatBytes(guess))}${plan ? html` ${words.taken(formatBytes(plan.totalBytes), formatBytes(plan.leastBytes))}` : nothing}${helperBytes ? html` ${words.helper(formatBytes(helperBytes))}` : nothing}</p>
    `;
  }

  private async changed(event: Event): Promise<void> {
    const gigabytes = (event.target as HTMLInputElement).valueAsNumber;
    const mb = gigabytes > 0 ? Math.round(gigabytes * MB_PER_GB) : undefined;
    try {
      await keepBudget(mb);
      this.mb = mb;
      this.dispatchEvent(new CustomEvent("budget-changed"));
    } catch (error) {
      this.dispatchEvent(new CustomEvent("budget-failed", { detail: error }));
    }
  }
}

customElements.define("tw-gpu-budget", GpuBudget);
