// A picture of the expert cache: a row a layer, a cell an expert, drawn on a canvas because a large model has 24,576.
// The table beside it (details-dialog.ts) says the same in words.
import { css, html, type PropertyValues, type TemplateResult } from "lit";
import type { CacheLayer } from "../../engine/api.ts";
import { Component } from "../component.ts";

/** A row, and the part of it that an expert without a slot fills. */
const ROW = 12;
const GAP = 2;
const LOW = 3;

export class CachePicture extends Component {
  static override properties = { layers: { attribute: false }, label: {} };
  declare layers: readonly CacheLayer[];
  /** What the picture says, for those who do not see it. */
  declare label: string;
  readonly #watch = new ResizeObserver(() => this.draw());

  static override styles = css`
    :host {
      display: block;
      color: var(--accent-ground);
    }
    canvas {
      display: block;
      inline-size: 100%;
    }
  `;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#watch.observe(this);
  }

  override disconnectedCallback(): void {
    this.#watch.disconnect();
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    return html`<canvas role="img" aria-label=${this.label} style=${`block-size: ${this.layers.length * (ROW + GAP)}px`}></canvas>`;
  }

  protected override updated(_changed: PropertyValues<this>): void {
    this.draw();
  }

  private draw(): void {
    const canvas = this.renderRoot.querySelector("canvas");
    const context = canvas?.getContext("2d");
    const experts = this.layers[0]?.uses.length ?? 0;
    if (!canvas || !context || experts === 0) return;
    const scale = devicePixelRatio;
    const width = canvas.clientWidth;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(this.layers.length * (ROW + GAP) * scale);
    context.scale(scale, scale);
    context.fillStyle = getComputedStyle(this).color;
    const cell = width / experts;
    const gap = cell > 6 ? 1 : 0;
    const most = this.layers.reduce((largest, { uses }) => uses.reduce((a, b) => Math.max(a, b), largest), 1);
    this.layers.forEach(({ uses, resident }, layer) => {
      uses.forEach((count, expert) => {
        // The root keeps the many that are used a little apart from those that never were.
        context.globalAlpha = count === 0 ? 0.12 : 0.25 + 0.75 * Math.sqrt(count / most);
        const height = resident[expert] ? ROW : LOW;
        context.fillRect(expert * cell, layer * (ROW + GAP) + ROW - height, cell - gap, height);
      });
    });
  }
}

customElements.define("tw-cache-picture", CachePicture);
