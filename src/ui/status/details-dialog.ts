// The dialog "Figures": GPU memory by kind, time per layer, the expert cache as a picture and as a table, the last errors,
// and a report to copy. It asks the engine when it opens and whenever an answer has ended.
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { formatBytes, formatMs } from "../../base/units.ts";
import type { EngineDetails, MemoryPlanned, TokenProfile } from "../../engine/api.ts";
import { copyText } from "../chat/clipboard.ts";
import { Component } from "../component.ts";
import type { Session } from "../session/session.ts";
import type { SessionState } from "../session/session-state.ts";
import { currentLanguage } from "../strings/index.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { cacheRow, detailsReport } from "./details-report.ts";
import { detailsStyles } from "./details-styles.ts";
import { figures, MEMORY_KINDS } from "./stats-strip.ts";
import "./cache-picture.ts";

/** In the order they are shown. */
const PLAN_LINES = ["dense", "experts", "cache", "recurrent", "snapshots", "prefill", "staging", "scratch"] as const satisfies readonly (keyof MemoryPlanned["lines"])[];

export class DetailsDialog extends Component {
  static override properties = {
    session: { attribute: false },
    state: { attribute: false },
    details: { state: true },
    profile: { state: true },
    timing: { state: true },
    told: { state: true },
  };
  declare session: Session;
  declare state: SessionState;
  declare private details: EngineDetails | undefined;
  declare private profile: TokenProfile | undefined;
  declare private timing: boolean;
  declare private told: string;

  static override styles = [controlStyles, detailsStyles];

  override firstUpdated(): void {
    void this.ask();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("state") as SessionState | undefined;
    if (!before) return;
    const ended = before.activity !== "idle" && this.state.activity === "idle";
    const loaded = before.engine.phase !== this.state.engine.phase;
    if (loaded) this.profile = undefined;
    if (ended || loaded) void this.ask();
  }

  private async ask(): Promise<void> {
    try {
      this.details = await this.session.engine.api.details();
    } catch (error) {
      this.session.report(error);
    }
  }

  override render(): TemplateResult {
    const words = t().device.details;
    const { details } = this;
    if (!details) return html`<p class="muted">${words.loading}</p>`;
    return html`
      ${details.kind === "none" ? html`<p>${words.none}</p>` : nothing}
      ${details.kind === "webllm" ? html`<p>${words.webllm}</p>` : nothing}
      ${this.turn()}
      ${details.kind === "moe" ? html`${this.memory(details)} ${this.layers()} ${details.cache.length > 0 ? this.cache(details) : nothing}` : nothing}
      ${this.errors(details)}
    `;
  }

  private turn(): TemplateResult {
    const { stats, engine } = this.state;
    return html`<section aria-labelledby="turn">
      <h3 id="turn">${t().device.details.figures}</h3>
      <dl class="figures">${figures(stats, engine.loaded).map(([name, value, title]) => html`<div title=${title}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    </section>`;
  }

  private memory({ memory }: EngineDetails): TemplateResult {
    const { details: words, kinds } = t().device;
    const total = MEMORY_KINDS.reduce((sum, kind) => sum + memory[kind], 0);
    return html`<section aria-labelledby="memory">
      <h3 id="memory">${words.memory} <span class="total">${formatBytes(total)}</span></h3>
      <dl class="bars memory">
        ${MEMORY_KINDS.map((kind) => html`<div data-kind=${kind}><dt>${kinds[kind]}</dt><dd><span class="bar"><i style=${width(memory[kind] / total)}></i></span>${formatBytes(memory[kind])}</dd></div>`)}
      </dl>
      ${this.planned()}
    </section>`;
  }

  /** The budget as it was divided when the model was loaded. */
  private planned(): TemplateResult | typeof nothing {
    const { plan, contextLimit } = this.state.engine.loaded ?? {};
    if (!plan) return nothing;
    const words = t().device.planned;
    return html`<h4>${words.title} <span class="total">${words.sum(formatBytes(plan.totalBytes), (contextLimit ?? 0).toLocaleString(currentLanguage()))}</span></h4>
      <dl class="plan">${PLAN_LINES.filter((line) => plan.lines[line] > 0).map((line) => html`<div data-line=${line}><dt>${words.lines[line]}</dt><dd>${formatBytes(plan.lines[line])}</dd></div>`)}</dl>
      <p class="muted">${words.least(formatBytes(plan.leastBytes))}</p>`;
  }

  private layers(): TemplateResult {
    const words = t().device.details;
    const { profile } = this;
    return html`<section aria-labelledby="layers">
      <h3 id="layers">${words.layers}
        ${profile ? html`<span class="total">${words.sum(formatMs2(sumOf(profile)))}</span>` : nothing}
        <button class="time" ?disabled=${this.timing} @click=${this.time}>${this.timing ? words.measuring : words.measureLayers}</button>
      </h3>
      ${profile ? this.bars(profile) : html`<p class="muted">${words.notTimed}</p>`}
    </section>`;
  }

  private bars(profile: TokenProfile): TemplateResult {
    const words = t().device.details;
    const { clock, tokens, layers, embeddingMs, outputMs, roundTripMs } = profile;
    const longest = Math.max(embeddingMs, outputMs, ...layers.map(({ mixerMs, expertsMs }) => mixerMs + expertsMs), 1e-6);
    const part = (ms: number, kind: string): TemplateResult => html`<i class=${kind} style=${width(ms / longest)}></i>`;
    return html`
      <table class="layers">
        <thead><tr><th scope="col">${words.layer}</th><td></td><th scope="col" class="key mixer">${words.mixer}</th><th scope="col" class="key experts">${words.experts}</th>
          <th scope="col">${words.missed}</th><th scope="col">${words.load}</th></tr></thead>
        <tbody>
          <tr><th scope="row">${words.embedding}</th><td class="wide"><span class="bar">${part(embeddingMs, "other")}</span></td><td>${formatMs2(embeddingMs)}</td><td></td><td></td><td></td></tr>
          ${layers.map(
            (layer, index) => html`<tr class="layer"><th scope="row">${words.layerName(index)} <small>${words.kind[layer.kind]}</small></th>
              <td class="wide"><span class="bar">${part(layer.mixerMs, "mixer")}${part(layer.expertsMs, "experts")}</span></td>
              <td>${formatMs2(layer.mixerMs)}</td><td>${formatMs2(layer.expertsMs)}</td><td>${layer.missed}</td><td>${layer.missed > 0 ? formatMs2(layer.loadMs) : "–"}</td></tr>`,
          )}
          <tr><th scope="row">${words.output}</th><td class="wide"><span class="bar">${part(outputMs, "other")}</span></td><td>${formatMs2(outputMs)}</td><td></td><td></td><td></td></tr>
        </tbody>
      </table>
      <p class="muted">${clock === "gpu" ? words.gpuClock(tokens) : words.hostClock(tokens, formatMs2(roundTripMs))}</p>
    `;
  }

  private cache({ cache, expertSlots }: EngineDetails): TemplateResult {
    const words = t().device.details;
    const rows = cache.map(cacheRow);
    const resident = rows.reduce((sum, row) => sum + row.resident, 0);
    const used = rows.some(({ uses }) => uses > 0);
    const summary = words.cacheSummary(resident, cache.length * (cache[0]?.uses.length ?? 0), expertSlots);
    const count = (value: number): string => value.toLocaleString(currentLanguage());
    return html`<section aria-labelledby="cache">
      <h3 id="cache">${words.cache}</h3>
      <p class="muted">${summary} ${used ? words.cachePicture : words.cacheUnused}</p>
      <tw-cache-picture .layers=${cache} .label=${`${words.cache}. ${summary}`}></tw-cache-picture>
      <details>
        <summary>${words.cacheTable}</summary>
        <table class="cache">
          <thead><tr><th scope="col">${words.layer}</th><th scope="col">${words.resident}</th><th scope="col">${words.uses}</th><th scope="col">${words.hits}</th><th scope="col">${words.most}</th></tr></thead>
          <tbody>
            ${rows.map(
              (row, index) => html`<tr><th scope="row">${words.layerName(index)}</th><td>${row.resident} / ${cache[index]!.uses.length}</td><td>${count(row.uses)}</td>
                <td>${row.hitRate === undefined ? "–" : `${(100 * row.hitRate).toFixed(1)} %`}</td><td>${row.uses > 0 ? words.mostUsed(row.most, cache[index]!.uses[row.most]!) : "–"}</td></tr>`,
            )}
          </tbody>
        </table>
      </details>
    </section>`;
  }

  private errors({ errors }: EngineDetails): TemplateResult {
    const words = t().device.details;
    const time = (at: number): string => new Date(at).toLocaleTimeString(currentLanguage());
    return html`<section aria-labelledby="errors">
      <h3 id="errors">${words.errors}</h3>
      ${errors.length === 0 ? html`<p class="muted">${words.noErrors}</p>` : html`<ul>${errors.toReversed().map(({ at, code, message }) => html`<li><time>${time(at)}</time> <code>${code}</code> ${message}</li>`)}</ul>`}
      <div class="foot">
        <button class="copy" @click=${this.copy}>${words.copy}</button>
        <span role="status" class="muted">${this.told}</span>
      </div>
    </section>`;
  }

  private async time(): Promise<void> {
    this.timing = true;
    try {
      this.profile = await this.session.engine.api.profile();
      await this.ask();
    } catch (error) {
      this.session.report(error);
    } finally {
      this.timing = false;
    }
  }

  private async copy(): Promise<void> {
    if (!this.details) return;
    const { stats, device } = this.state;
    const report = detailsReport({ device, details: this.details, profile: this.profile, stats, userAgent: navigator.userAgent, isolated: crossOriginIsolated });
    const { copied, said } = await copyText(report);
    this.told = copied ? t().device.details.copied : said;
  }
}

function width(part: number): string {
  return `inline-size: ${(100 * (Number.isFinite(part) ? part : 0)).toFixed(2)}%`;
}

function sumOf({ layers, embeddingMs, outputMs }: TokenProfile): number {
  return layers.reduce((sum, { mixerMs, expertsMs }) => sum + mixerMs + expertsMs, embeddingMs + outputMs);
}

/** Layers take fractions of a millisecond. */
function formatMs2(ms: number): string {
  return ms < 100 ? `${ms.toFixed(2)} ms` : formatMs(ms);
}

customElements.define("tw-details-dialog", DetailsDialog);
