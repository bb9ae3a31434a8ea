// The strip at the foot of the page: what the engine is doing, in numbers that do not move about as they change.
import { css, html, LitElement, type TemplateResult } from "lit";
import { formatBytes, formatMs } from "../base/units.ts";
import type { GenerationStats, LoadProgress } from "../engine/api.ts";
import { controlStyles } from "./theme.ts";

export class StatsStrip extends LitElement {
  static override properties = { stats: { attribute: false }, progress: { attribute: false }, status: {} };
  declare stats: GenerationStats | undefined;
  declare progress: LoadProgress | undefined;
  /** "Ready", "Loading the model", … */
  declare status: string;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 18px;
        align-items: center;
        min-block-size: 34px;
        padding: 4px 14px;
        border-block-start: 1px solid var(--line);
        background: var(--sunken);
        color: var(--muted);
        font-size: 13px;
        font-variant-numeric: tabular-nums;
      }
      b {
        color: var(--text);
        font-weight: 600;
      }
      .status {
        min-inline-size: 12em;
      }
      progress {
        inline-size: 120px;
        accent-color: var(--accent-ground);
      }
      dl {
        display: contents;
      }
      dl div {
        display: flex;
        gap: 6px;
      }
      dt,
      dd {
        margin: 0;
      }
      dd {
        color: var(--text);
        font-weight: 600;
        min-inline-size: 3.5em;
      }
    `,
  ];

  override render(): TemplateResult {
    const { progress } = this;
    return html`
      <span class="status" part="status">
        <b>${this.status}</b>
        ${progress && progress.totalBytes > 0 && progress.phase !== "ready"
          ? html`<progress max=${progress.totalBytes} value=${progress.doneBytes} aria-label=${progress.text}></progress>
              ${formatBytes(progress.doneBytes)} of ${formatBytes(progress.totalBytes)}`
          : ""}
      </span>
      <dl>${figures(this.stats).map(([name, value, title]) => html`<div title=${title}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    `;
  }
}

/** Name, value, meaning. A dash where nothing was measured yet. */
function figures(stats: GenerationStats | undefined): readonly (readonly [string, string, string])[] {
  const dash = "–";
  const rate = stats && stats.decodeMs > 0 && stats.completionTokens > 1 ? ((stats.completionTokens - 1) / stats.decodeMs) * 1000 : 0;
  return [
    ["tokens/s", rate > 0 ? rate.toFixed(1) : dash, "Tokens written per second in the last turn"],
    ["first token", stats && stats.firstTokenMs > 0 ? formatMs(stats.firstTokenMs) : dash, "From the request to the first token"],
    ["expert hits", stats && stats.expertUses > 0 ? `${((100 * stats.expertHits) / stats.expertUses).toFixed(1)} %` : dash, "Experts found in GPU memory"],
    ["streamed/token", stats ? formatBytes(perToken(stats)) : dash, "Bytes of expert weights read from storage per token"],
    ["context", stats ? `${stats.contextTokens.toLocaleString("en")} / ${stats.contextLimit.toLocaleString("en")}` : dash, "Tokens of the model's context in use"],
  ];
}

function perToken(stats: GenerationStats): number {
  const tokens = stats.promptTokens - stats.reusedTokens + stats.completionTokens;
  return tokens > 0 ? stats.streamedBytes / tokens : 0;
}

customElements.define("tw-stats-strip", StatsStrip);
