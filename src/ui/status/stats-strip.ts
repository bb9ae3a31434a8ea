// The strip at the foot of the page: what the engine is doing, in numbers that do not move about as they change.
import { css, html, nothing, type TemplateResult } from "lit";
import { formatBytes, formatMs } from "../../base/units.ts";
import type { GenerationStats, LoadedModel } from "../../engine/api.ts";
import { Component } from "../component.ts";
import type { EngineState } from "../session/session-state.ts";
import { currentLanguage } from "../strings/index.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";

export class StatsStrip extends Component {
  static override properties = { stats: { attribute: false }, engine: { attribute: false }, status: {} };
  declare stats: GenerationStats | undefined;
  declare engine: EngineState;
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
      .shared {
        color: var(--accent);
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
      button {
        margin-inline-start: auto;
        padding: 1px 10px;
        font-size: 13px;
      }
    `,
  ];

  override render(): TemplateResult {
    const { phase, progress, shared, loaded } = this.engine;
    const words = t().device;
    const known = phase === "loading" && progress && progress.totalBytes > 0 && progress.phase !== "ready";
    return html`
      <span class="status" part="status">
        <b>${this.status}</b>
        ${known
          ? html`<progress max=${progress.totalBytes} value=${progress.doneBytes} aria-label=${progress.text}></progress>
              ${words.strip.of(formatBytes(progress.doneBytes), formatBytes(progress.totalBytes))}`
          : nothing}
      </span>
      ${shared ? html`<span class="shared" role="note" title=${words.sharedTitle}>${words.shared}</span>` : nothing}
      <dl>${figures(this.stats, loaded).map(([name, value, title]) => html`<div title=${title}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      <button class="details" @click=${this.asked}>${words.strip.details}</button>
    `;
  }

  private asked(): void {
    this.dispatchEvent(new CustomEvent("details-asked", { bubbles: true, composed: true }));
  }
}

/** Name, value, meaning. A dash where nothing was measured yet. */
export function figures(stats: GenerationStats | undefined, loaded: LoadedModel | undefined): readonly (readonly [string, string, string])[] {
  const dash = "–";
  const words = t().device.strip;
  const count = (tokens: number): string => tokens.toLocaleString(currentLanguage());
  const rate = stats && stats.decodeMs > 0 && stats.completionTokens > 1 ? ((stats.completionTokens - 1) / stats.decodeMs) * 1000 : 0;
  const streams = !stats || stats.expertUses > 0 || loaded?.expertCount !== 0;
  return [
    [words.rate, rate > 0 ? rate.toFixed(1) : dash, words.rateTitle],
    [words.first, stats && stats.firstTokenMs > 0 ? formatMs(stats.firstTokenMs) : dash, words.firstTitle],
    [words.hits, stats && stats.expertUses > 0 ? `${((100 * stats.expertHits) / stats.expertUses).toFixed(1)} %` : dash, streams ? words.hitsTitle : words.nothingStreamed],
    [words.streamed, stats && streams ? formatBytes(perToken(stats)) : dash, streams ? words.streamedTitle : words.nothingStreamed],
    [words.memory, loaded && loaded.gpuBytes > 0 ? formatBytes(loaded.gpuBytes) : dash, memoryTitle(loaded)],
    [words.context, stats ? `${count(stats.contextTokens)} / ${count(stats.contextLimit)}` : dash, words.contextTitle],
  ];
}

/** In the order they are shown. */
export const MEMORY_KINDS = ["dense", "experts", "cache", "recurrent", "scratch"] as const satisfies readonly (keyof LoadedModel["memory"])[];

function memoryTitle(loaded: LoadedModel | undefined): string {
  const { kinds, strip } = t().device;
  if (!loaded || loaded.gpuBytes === 0) return strip.memory;
  return MEMORY_KINDS.map((kind) => `${kinds[kind]}: ${formatBytes(loaded.memory[kind])}`).join("\n");
}

function perToken(stats: GenerationStats): number {
  const tokens = stats.promptTokens - stats.reusedTokens + stats.completionTokens;
  return tokens > 0 ? stats.streamedBytes / tokens : 0;
}

customElements.define("tw-stats-strip", StatsStrip);
