// The dialog "This device": the card, and the choice of a model: what each takes, whether it runs here and why, how fast it
// can be. Loading shows its progress and can be stopped.
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { formatBytes, formatMs } from "../../base/units.ts";
import type { ModelInfo } from "../../engine/api.ts";
import { addressOf, isStored, type ModelOffer, offeredModel, readOffers } from "../../engine/offers.ts";
import { Component } from "../component.ts";
import type { Session } from "../session/session.ts";
import type { SessionState } from "../session/session-state.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { addSample, leftMs, type Sample } from "./eta.ts";
import { keepSpeed, loadMeasured } from "./measured.ts";
import { type Measured, modelVerdict, recommendedModel } from "./model-verdict.ts";
import { modelStyles } from "./model-styles.ts";
import "./device-card.ts";
import "./gpu-budget.ts";
import "./own-file.ts";

export class DeviceDialog extends Component {
  static override properties = { session: { attribute: false }, state: { attribute: false }, chosen: { state: true }, offers: { state: true }, measured: { state: true }, measuring: { state: true }, budgetChanged: { state: true } };
  declare session: Session;
  declare state: SessionState;
  declare private chosen: string | undefined;
  declare private offers: readonly ModelOffer[];
  declare private measured: Measured;
  declare private measuring: boolean;
  /** Since the model was loaded: loading it again is then of use. */
  declare private budgetChanged: boolean;
  private samples: readonly Sample[] = [];

  static override styles = [controlStyles, modelStyles];

  constructor() {
    super();
    this.offers = [];
    this.measured = { rates: {} };
    this.measuring = false;
    this.budgetChanged = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void loadMeasured().then((measured) => (this.measured = measured));
    void readOffers().then((offers) => (this.offers = offers));
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const { progress } = this.state.engine;
    const before = (changed.get("state") as SessionState | undefined)?.engine.progress;
    if (progress?.phase !== before?.phase) this.samples = [];
    if (progress && progress !== before) this.samples = addSample(this.samples, { atMs: performance.now(), doneBytes: progress.doneBytes });
  }

  override render(): TemplateResult {
    const words = t().device.model;
    const { device } = this.state;
    const models = this.models();
    const best = device && recommendedModel(models, device);
    return html`
      <tw-device-card .report=${device}></tw-device-card>
      ${this.measurement()}
      <tw-gpu-budget .device=${this.state.device} .plan=${this.state.engine.loaded?.plan} .helperBytes=${this.state.engine.helper?.gpuBytes ?? 0} ?disabled=${this.state.activity !== "idle"}
        @budget-changed=${() => (this.budgetChanged = true)} @budget-failed=${(event: CustomEvent<unknown>) => this.session.report(event.detail)}></tw-gpu-budget>
      <fieldset>
        <legend>${words.list}</legend>
        ${models.map((model) => this.model(model, model.id === best?.id ? best.why : ""))}
      </fieldset>
      ${this.foot()}
      <tw-own-file .session=${this.session} ?busy=${this.state.activity !== "idle" || this.state.engine.phase === "loading"}></tw-own-file>
    `;
  }

  private measurement(): TemplateResult {
    const words = t().device.measure;
    const { speed } = this.measured;
    const rate = formatBytes;
    return html`<div class="row">
      <button class="measure" ?disabled=${this.measuring || this.state.activity !== "idle"} @click=${this.measure}>${this.measuring ? words.running : words.button}</button>
      <p role="status">${speed ? words.result(rate(speed.readPerSecond), rate(speed.uploadPerSecond), rate(speed.gpuPerSecond)) : words.explain}</p>
    </div>`;
  }

  /** What can be loaded, and what can be downloaded; the small ones of WebLLM last. */
  private models(): readonly ModelInfo[] {
    const { models } = this.state;
    const here = models.filter(({ kind }) => kind !== "webllm");
    const offered = this.offers.filter((offer) => !isStored(offer, models)).map(offeredModel);
    return [...here, ...offered, ...models.filter(({ kind }) => kind === "webllm")];
  }

  private model(model: ModelInfo, best: string): TemplateResult {
    const words = t().device.model;
    const { device, engine } = this.state;
    const verdict = device && modelVerdict(model, device, this.measured);
    const loaded = engine.phase === "ready" && engine.modelId === model.id;
    return html`<label class="model" data-model=${model.id} data-verdict=${verdict?.level ?? ""}>
      <input type="radio" name="model" value=${model.id} .checked=${model.id === this.choice} @change=${() => (this.chosen = model.id)} />
      <span><b>${model.name}</b> ${loaded ? html`<span class="tag">${words.loaded}</span>` : nothing} ${best === "" ? nothing : html`<span class="tag best">${words.recommended}</span>`}</span>
      ${verdict ? html`<span class="tag ${verdict.level}">${words.verdict[verdict.level]}</span>` : nothing}
      ${verdict
        ? html`<small>${[verdict.size, verdict.needs].filter(Boolean).join("; ")}</small>
            <small>${verdict.why} ${verdict.expected === "" ? "" : `${verdict.expected}.`}</small>
            ${best === "" ? nothing : html`<small class="why">${best}</small>`}`
        : nothing}
    </label>`;
  }

  /** What is chosen: the user's click, else what is loaded. */
  private get choice(): string {
    return this.chosen ?? this.state.engine.modelId;
  }

  private foot(): TemplateResult {
    const words = t().device.model;
    const { engine, activity } = this.state;
    const chosen = this.models().find(({ id }) => id === this.choice);
    const offer = this.offers.find(({ id }) => id === this.choice);
    if (engine.phase === "loading") return this.progress();
    const busy = activity !== "idle";
    const again = engine.phase === "ready" && engine.modelId === chosen?.id && !this.budgetChanged;
    return html`<div class="row foot">
      ${offer
        ? html`<button class="primary get" @click=${() => this.session.getModel(addressOf(offer))}>${words.get(offer.name)}</button>`
        : html`<button class="primary load" ?disabled=${busy || !chosen || again} @click=${this.load}>${chosen ? words.loadNamed(chosen.name) : words.load}</button>`}
      <button class="other" @click=${() => this.session.getModel("")}>${words.other}</button>
      ${busy ? html`<p>${words.busy}</p>` : nothing}
    </div>`;
  }

  private progress(): TemplateResult {
    const words = t().device.model;
    const { progress } = this.state.engine;
    const left = progress && leftMs(this.samples, progress.totalBytes);
    const known = progress !== undefined && progress.totalBytes > 0;
    return html`<div class="row foot" role="group" aria-label=${progress?.text ?? t().app.status.loading}>
      ${known ? html`<progress max=${progress.totalBytes} value=${progress.doneBytes} aria-label=${progress.text}></progress>` : html`<progress aria-label=${t().app.status.loading}></progress>`}
      <span class="numbers">${progress?.text ?? t().app.status.loading}${known ? html` · ${words.progress(formatBytes(progress.doneBytes), formatBytes(progress.totalBytes))}` : nothing}${left === undefined ? nothing : html` · ${words.left(formatMs(left))}`}</span>
      <button class="cancel" @click=${() => this.session.stop()}>${words.cancel}</button>
    </div>`;
  }

  /** A chosen model is worth keeping: the browser is asked not to clear it. A refusal changes nothing now. */
  private async load(): Promise<void> {
    const loading = this.session.loadModel(this.choice);
    this.budgetChanged = false;
    await navigator.storage.persist();
    await loading;
    await this.session.lookAtDevice();
  }

  private async measure(): Promise<void> {
    this.measuring = true;
    try {
      const speed = await this.session.engine.api.measure();
      await keepSpeed(speed);
      this.measured = { ...this.measured, speed };
    } catch (error) {
      this.session.report(error);
    } finally {
      this.measuring = false;
    }
  }
}

customElements.define("tw-device-dialog", DeviceDialog);
