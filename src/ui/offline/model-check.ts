// Checks one stored model as soon as it is shown: progress that can be stopped, what is damaged, and a way to fetch just that
// again.
import { css, html, nothing, type TemplateResult } from "lit";
import { toAppError } from "../../base/errors.ts";
import { formatBytes } from "../../base/units.ts";
import { checkModel, mendModel } from "../../engine/storage-client.ts";
import type { CheckReport } from "../../engine/storage-desk.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";

interface Running {
  readonly at: "checking" | "mending";
  readonly doneBytes: number;
  readonly totalBytes: number;
}
type Ended = { readonly at: "checked"; readonly report: CheckReport } | { readonly at: "mended"; readonly bytes: number } | { readonly at: "failed"; readonly message: string };

/** Fires `check-closed`. */
export class ModelCheck extends Component {
  static override properties = { model: { attribute: false }, phase: { state: true } };
  declare model: string;
  declare private phase: Running | Ended;
  #work = new AbortController();

  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 10px;
        padding: 8px 10px;
        background: var(--sunken);
        border-radius: var(--radius);
      }
      p {
        flex: 1 1 16em;
        margin: 0;
        font-variant-numeric: tabular-nums;
      }
      progress {
        flex: 1 1 100%;
        block-size: 6px;
        accent-color: var(--accent);
      }
      .good {
        color: var(--good);
      }
      .bad {
        color: var(--bad);
      }
    `,
  ];

  constructor() {
    super();
    this.phase = { at: "checking", doneBytes: 0, totalBytes: 1 };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.run("checking", async (onShare, signal) => ({ at: "checked", report: await checkModel(this.model, onShare, signal) }));
  }

  override disconnectedCallback(): void {
    this.#work.abort();
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    const words = t().offline.check;
    const { phase } = this;
    if ("doneBytes" in phase) {
      const text = words[phase.at](formatBytes(phase.doneBytes), formatBytes(phase.totalBytes));
      return html`<p>${text}</p>
        <button @click=${() => this.#work.abort()}>${words.cancel}</button>
        <progress max=${phase.totalBytes} value=${phase.doneBytes} aria-label=${text}></progress>`;
    }
    return html`${this.result(phase)}<button @click=${this.close}>${words.done}</button>`;
  }

  private result(phase: Ended): TemplateResult {
    const words = t().offline.check;
    if (phase.at === "failed") return html`<p role="status">${phase.message}</p>`;
    if (phase.at === "mended") return html`<p role="status" class="good">${words.mended(formatBytes(phase.bytes))}</p>`;
    const { damaged, bytes, canMend } = phase.report;
    if (damaged.length === 0) return html`<p role="status" class="good">${words.intact(formatBytes(bytes))}</p>`;
    const size = damaged.reduce((sum, piece) => sum + piece.bytes, 0);
    return html`<p role="status" class="bad">${words.damaged(damaged.length, formatBytes(size))} ${canMend ? nothing : words.noOrigin}</p>
      ${canMend ? html`<button class="primary" @click=${() => void this.mend(phase.report, size)}>${words.mend(formatBytes(size))}</button>` : nothing}`;
  }

  private mend({ damaged }: CheckReport, bytes: number): Promise<void> {
    return this.run("mending", async (onShare, signal) => {
      await mendModel(this.model, damaged, onShare, signal);
      return { at: "mended", bytes };
    });
  }

  private async run(at: "checking" | "mending", work: (onShare: (doneBytes: number, totalBytes: number) => void, signal: AbortSignal) => Promise<Ended>): Promise<void> {
    const { signal } = (this.#work = new AbortController());
    this.phase = { at, doneBytes: 0, totalBytes: 1 };
    try {
      this.phase = await work((doneBytes, totalBytes) => {
        if (!signal.aborted) this.phase = { at, doneBytes, totalBytes };
      }, signal);
    } catch (error) {
      const known = toAppError(error);
      this.phase = { at: "failed", message: known.code === "aborted" ? t().offline.check.stopped : known.message };
    }
  }

  private close(): void {
    this.dispatchEvent(new CustomEvent("check-closed", { bubbles: true, composed: true }));
  }
}

customElements.define("tw-model-check", ModelCheck);
