// The device card: what was found, and what follows from it, line by line. Compact enough for the welcome screen.
import { css, html, nothing, type TemplateResult } from "lit";
import type { DeviceReport } from "../../engine/api.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { type DeviceLine, deviceLines, type Level } from "./device-lines.ts";

const MARKS: Readonly<Record<Level, string>> = { good: "✓", fair: "!", bad: "✗" };

export class DeviceCard extends Component {
  static override properties = { report: { attribute: false }, choose: { type: Boolean } };
  /** Undefined while the device is being looked at. */
  declare report: DeviceReport | undefined;
  /** Offers to choose a model; the click is told as `model-asked`. */
  declare choose: boolean;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        border: 1px solid var(--line);
        border-radius: 10px;
        background: var(--raised);
        padding: 12px 14px;
        font-size: 13.5px;
        line-height: 1.45;
        container-type: inline-size;
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 12px;
        align-items: center;
        margin-block-end: 8px;
      }
      h3 {
        flex: 1;
        margin: 0;
        font-size: 14px;
        color: var(--text);
      }
      dl {
        margin: 0;
        display: grid;
        gap: 8px 20px;
      }
      @container (min-width: 520px) {
        dl {
          grid-template-columns: 1fr 1fr;
        }
      }
      dl div {
        position: relative;
        padding-inline-start: 28px;
      }
      .mark {
        position: absolute;
        inset-inline-start: 0;
        inset-block-start: 0;
        inline-size: 20px;
        block-size: 20px;
        border-radius: 50%;
        text-align: center;
        line-height: 18px;
        font-size: 12px;
        font-weight: 700;
        color: var(--text);
        background: var(--sunken);
        border: 1px solid var(--line);
      }
      .good .mark {
        color: var(--good);
        background: var(--good-ground);
        border-color: transparent;
      }
      .fair .mark {
        color: var(--warn);
        background: var(--warn-ground);
        border-color: transparent;
      }
      .bad .mark {
        color: var(--bad);
        background: var(--bad-ground);
        border-color: transparent;
      }
      dt,
      dd {
        margin: 0;
        overflow-wrap: anywhere;
      }
      dt {
        color: var(--text);
        font-weight: 600;
      }
      dt .value {
        font-weight: 400;
      }
      dd {
        color: var(--muted);
      }
      p {
        margin: 0;
        color: var(--muted);
      }
    `,
  ];

  override render(): TemplateResult {
    const words = t().device;
    const { report } = this;
    return html`
      <div class="head">
        <h3>${words.cardTitle}</h3>
        ${this.choose ? html`<button class="choose" @click=${this.asked}>${words.chooseModel}</button>` : nothing}
      </div>
      ${report ? html`<dl>${deviceLines(report, crossOriginIsolated).map(row)}</dl>` : html`<p>${words.probing}</p>`}
    `;
  }

  private asked(): void {
    this.dispatchEvent(new CustomEvent("model-asked", { bubbles: true, composed: true }));
  }
}

function row({ id, level, name, value, consequence }: DeviceLine): TemplateResult {
  return html`<div class=${level} data-line=${id} data-level=${level}>
    <dt><span class="mark" role="img" aria-label=${t().device.level[level]}>${MARKS[level]}</span>${name}: <span class="value">${value}</span></dt>
    <dd>${consequence}</dd>
  </div>`;
}

customElements.define("tw-device-card", DeviceCard);
