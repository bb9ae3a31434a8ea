// The downloads of models, a row each, on whichever tab they are looked at: how far, how fast, how long still, what is wrong,
// and what can be done. A screen reader hears a change of phase and each quarter, not every step.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { formatBytes } from "../../base/units.ts";
import type { DownloadState } from "../../engine/api.ts";
import { Component } from "../component.ts";
import { addSample, leftMs, rateOf, type Sample } from "../device/eta.ts";
import type { Session } from "../session/session.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { roughly } from "./consent.ts";

const ACTIVE: readonly DownloadState["phase"][] = ["running", "checking", "retrying", "offline"];

export class DownloadRows extends Component {
  static override properties = { session: { attribute: false }, downloads: { attribute: false }, persisted: { type: Boolean }, ending: { state: true } };
  declare session: Session;
  declare downloads: readonly DownloadState[];
  /** The browser has promised to keep what is stored. */
  declare persisted: boolean;
  /** The one of which is asked whether what has arrived is kept. */
  declare private ending: string | undefined;
  /** Of what came over the network, by model. */
  #samples = new Map<string, readonly Sample[]>();
  /** What was last said of each. */
  #said = new Map<string, string>();
  #spoken = "";
  #title = document.title;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        border-block-end: 1px solid var(--line);
        background: var(--raised);
      }
      .download {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 4px 12px;
        align-items: center;
        padding: 8px 14px 10px;
        font-size: 13.5px;
      }
      .download + .download {
        border-block-start: 1px solid var(--line);
      }
      .name {
        font-weight: 600;
        min-inline-size: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-end;
        gap: 6px;
      }
      .bar {
        grid-column: 1 / -1;
        block-size: 6px;
        border-radius: 3px;
        background: var(--sunken);
        border: 1px solid var(--line);
        overflow: hidden;
      }
      .bar span {
        display: block;
        block-size: 100%;
        inline-size: calc(var(--done) * 1%);
        background: var(--accent-ground);
      }
      .waits .bar span {
        background: var(--muted);
      }
      .numbers {
        grid-column: 1 / -1;
        margin: 0;
        color: var(--muted);
        font-variant-numeric: tabular-nums;
        overflow-wrap: anywhere;
      }
      .trouble .numbers {
        color: var(--bad);
      }
      .end {
        grid-column: 1 / -1;
        display: flex;
        flex-wrap: wrap;
        gap: 6px 10px;
        align-items: center;
      }
      .end p {
        margin: 0;
        flex: 1 1 200px;
      }
      @media (max-width: 420px) {
        .download {
          grid-template-columns: minmax(0, 1fr);
        }
        .buttons {
          justify-content: flex-start;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.downloads = [];
    this.persisted = false;
  }

  override disconnectedCallback(): void {
    document.title = this.#title;
    super.disconnectedCallback();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("downloads")) return;
    const now = performance.now();
    for (const { model, phase, receivedBytes } of this.downloads) {
      // A wait is no speed.
      this.#samples.set(model.id, ACTIVE.includes(phase) ? addSample(this.#samples.get(model.id) ?? [], { atMs: now, doneBytes: receivedBytes }) : []);
    }
    this.#speak();
    const running = this.downloads.find(({ phase }) => ACTIVE.includes(phase));
    document.title = running ? `${t().download.row.percent(percentOf(running))} · ${this.#title}` : this.#title;
  }

  override render(): TemplateResult {
    return html`<div class="visually-hidden" role="status">${this.#spoken}</div>${this.downloads.map((download) => this.row(download))}`;
  }

  private row(download: DownloadState): TemplateResult {
    const words = t().download.row;
    const { model, phase } = download;
    const percent = percentOf(download);
    const kind = phase === "failed" || phase === "full" ? "trouble waits" : ACTIVE.includes(phase) || phase === "done" ? "" : "waits";
    return html`<div class="download ${kind}" role="group" aria-label=${words.label(model.name)} data-phase=${phase}>
      <span class="name" title=${model.name}>${model.name}</span>
      <span class="buttons">${this.buttons(download)}</span>
      <div class="bar" role="progressbar" aria-label=${words.label(model.name)} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${percent} aria-valuetext=${`${words.percent(percent)}, ${this.what(download)}`} style=${`--done: ${percent}`}><span></span></div>
      <p class="numbers">${this.numbers(download)}</p>
      ${this.ending === model.id ? this.end(download) : nothing}
    </div>`;
  }

  private buttons({ model, phase }: DownloadState): TemplateResult {
    const words = t().download.row;
    const steer = (order: "pause" | "resume" | "dismiss") => () => void this.session.steerDownload(model.id, order);
    if (phase === "done") return html`<button class="primary use" @click=${() => this.use(model.id)}>${words.use}</button><button class="dismiss" @click=${steer("dismiss")}>${words.dismiss}</button>`;
    return html`${phase === "full" ? html`<button class="space" @click=${() => this.session.openDialog("offline")}>${words.storage}</button>` : nothing}
      ${ACTIVE.includes(phase) ? html`<button class="pause" @click=${steer("pause")}>${words.pause}</button>` : html`<button class="resume" @click=${steer("resume")}>${words.resume}</button>`}
      <button class="cancel" ?disabled=${this.ending === model.id} @click=${() => (this.ending = model.id)}>${words.cancel}</button>`;
  }

  private end({ model, doneBytes }: DownloadState): TemplateResult {
    const words = t().download.row;
    const order = (what: "keep" | "delete") => () => {
      this.ending = undefined;
      void this.session.steerDownload(model.id, what);
    };
    return html`<div class="end">
      <p>${words.keepOrNot(formatBytes(doneBytes))}</p>
      <button class="keep" @click=${order("keep")}>${words.keep}</button>
      <button class="delete" @click=${order("delete")}>${words.delete}</button>
      <button class="go-on" @click=${() => (this.ending = undefined)}>${words.goOn}</button>
    </div>`;
  }

  private what({ phase, neededBytes, problem, doneBytes, model }: DownloadState): string {
    const words = t().download.row;
    if (phase === "full") return neededBytes === undefined ? words.fullUnknown : words.full(formatBytes(neededBytes));
    if (phase === "failed") return words.failed(problem?.message ?? "");
    if (phase === "done") return `${words.done}. ${this.persisted ? words.kept : words.notKept}`;
    return phase === "running" && doneBytes >= model.bytes ? words.ending : words[phase];
  }

  private numbers(download: DownloadState): string {
    const words = t().download.row;
    const { model, phase, doneBytes } = download;
    const what = this.what(download);
    if (phase === "done") return `${formatBytes(model.bytes)} · ${what}`;
    const far = `${words.percent(percentOf(download))} · ${words.of(formatBytes(doneBytes), formatBytes(model.bytes))}`;
    const samples = this.#samples.get(model.id) ?? [];
    const rate = rateOf(samples);
    if (phase !== "running" || rate === undefined || doneBytes >= model.bytes) return `${far} · ${what}`;
    const received = samples.at(-1)?.doneBytes ?? 0;
    const left = leftMs(samples, received + model.bytes - doneBytes);
    return [far, words.rate(formatBytes(rate)), ...(left === undefined ? [] : [words.left(roughly(left / 1000))])].join(" · ");
  }

  #speak(): void {
    const words = t().download.row;
    for (const download of this.downloads) {
      const { model, phase } = download;
      const quarter = Math.floor(percentOf(download) / 25) * 25;
      const mark = `${phase} ${ACTIVE.includes(phase) ? quarter : ""}`;
      if (this.#said.get(model.id) === mark) continue;
      this.#said.set(model.id, mark);
      this.#spoken = words.said(model.name, phase === "running" ? `${words.percent(percentOf(download))}, ${this.what(download)}` : this.what(download));
    }
  }

  private use(id: string): void {
    void this.session.steerDownload(id, "dismiss");
    void this.session.loadModel(id);
  }
}

function percentOf({ doneBytes, model }: DownloadState): number {
  return model.bytes > 0 ? Math.min(100, Math.floor((100 * doneBytes) / model.bytes)) : 0;
}

customElements.define("tw-download-rows", DownloadRows);
