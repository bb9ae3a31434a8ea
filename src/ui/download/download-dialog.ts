// The dialog "Get a model": where from, what is there, what the chosen one takes of this device, and the consent with its
// gigabytes. Nothing but lists and a file's first megabytes is fetched before that.
import { html, nothing, type TemplateResult } from "lit";
import { toAppError } from "../../base/errors.ts";
import { formatBytes } from "../../base/units.ts";
import { HUB_URL } from "../../download/address.ts";
import type { ModelNeeds, RemoteListing, RemoteModel } from "../../engine/api.ts";
import { Component } from "../component.ts";
import { loadMeasured } from "../device/measured.ts";
import { type Measured, modelVerdict } from "../device/model-verdict.ts";
import { modelStyles } from "../device/model-styles.ts";
import type { Session } from "../session/session.ts";
import type { SessionState } from "../session/session-state.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { consentView, downloadStyles } from "./consent.ts";
import { hubUrl, keepHubUrl } from "./hub-setting.ts";
import { pickModelFiles } from "./model-files.ts";

/** What is known of the model that is chosen. */
type Inspection = { readonly id: string } & ({ readonly step: "reading" } | { readonly step: "read"; readonly needs: ModelNeeds } | { readonly step: "refused"; readonly message: string });

export class DownloadDialog extends Component {
  static override properties = {
    session: { attribute: false },
    state: { attribute: false },
    busy: { state: true },
    problem: { state: true },
    listing: { state: true },
    inspection: { state: true },
    hub: { state: true },
    measured: { state: true },
  };
  declare session: Session;
  declare state: SessionState;
  /** Whom is being asked; empty when nobody is. */
  declare private busy: string;
  declare private problem: string;
  declare private listing: RemoteListing | undefined;
  declare private inspection: Inspection | undefined;
  declare private hub: string;
  declare private measured: Measured;
  /** Of the quantisation that was asked for and is not there. */
  #missing = "";

  static override styles = [controlStyles, modelStyles, downloadStyles];

  constructor() {
    super();
    this.busy = "";
    this.problem = "";
    this.hub = HUB_URL;
    this.measured = { rates: {} };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void loadMeasured().then((measured) => (this.measured = measured));
    void hubUrl().then((hub) => {
      this.hub = hub;
      if (this.state.wantedModel !== "") void this.look(this.state.wantedModel);
    });
  }

  override render(): TemplateResult {
    return html`${this.sources()} ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`} ${this.found()}`;
  }

  private sources(): TemplateResult {
    const words = t().download;
    const busy = this.busy !== "";
    return html`<form class="source" @submit=${this.submit}>
        <label for="address">${words.address}</label>
        <div class="row">
          <input id="address" name="address" required spellcheck="false" autocapitalize="off" autocomplete="off" placeholder=${words.addressHint} .value=${this.state.wantedModel} aria-describedby="explain" />
          <button class="look" ?disabled=${busy}>${words.look}</button>
        </div>
        <p class="hint" id="explain" role="status">${busy ? words.looking(this.busy) : words.explain}</p>
      </form>
      <details class="mirror">
        <summary>${words.mirror}</summary>
        <form class="row" @submit=${this.setHub}>
          <input name="hub" type="url" aria-label=${words.mirrorLabel} .value=${this.hub} />
          <button>${words.mirrorSave}</button>
        </form>
        <p class="hint">${words.mirrorSet(new URL(this.hub).host)}</p>
      </details>
      ${this.listing
        ? nothing
        : html`<div class="source">
            <b>${words.file}</b>
            <div class="row"><button class="pick" ?disabled=${this.state.activity !== "idle"} @click=${this.pick}>${words.pick}</button></div>
            <p class="hint">${words.fileHint}</p>
          </div>`}`;
  }

  private found(): TemplateResult | typeof nothing {
    const { listing, inspection } = this;
    if (!listing) return nothing;
    const words = t().download;
    const chosen = listing.models.find(({ id }) => id === inspection?.id);
    return html`<fieldset>
        <legend>${words.found(listing.models.length, listing.title)}</legend>
        ${this.#missing === "" ? nothing : html`<p class="hint">${words.notThere(this.#missing)}</p>`}
        ${listing.models.map((model) => this.line(model))}
      </fieldset>
      ${chosen && inspection ? consentView({ listing, model: chosen, ready: inspection.step === "read", onAgree: () => void this.agree(chosen) }) : nothing}`;
  }

  private line(model: RemoteModel): TemplateResult {
    const words = t().download;
    const { inspection } = this;
    const mine = inspection?.id === model.id ? inspection : undefined;
    const facts = [formatBytes(model.bytes), ...(model.files.length > 1 ? [words.parts(model.files.length)] : []), model.files.every(({ sha256 }) => sha256) ? words.hashed : words.unhashed];
    return html`<label class="model" data-model=${model.id}>
      <input type="radio" name="model" .checked=${mine !== undefined} @change=${() => void this.choose(model)} />
      <span><b>${model.name}</b> ${model.quantisation === "" ? nothing : html`<span class="tag">${model.quantisation}</span>`}</span>
      ${this.tag(model, mine)}
      <small>${facts.join("; ")}</small>
      ${this.verdict(model, mine)}
    </label>`;
  }

  private judged(model: RemoteModel, needs: ModelNeeds) {
    const { device } = this.state;
    return device && modelVerdict({ id: model.id, name: model.name, kind: "moe", source: "file", bytes: model.bytes, note: "", needs }, device, this.measured);
  }

  private tag(model: RemoteModel, inspection: Inspection | undefined): TemplateResult | typeof nothing {
    const { verdict } = t().device.model;
    if (inspection?.step === "refused") return html`<span class="tag cannot">${verdict.cannot}</span>`;
    const judged = inspection?.step === "read" ? this.judged(model, inspection.needs) : undefined;
    return judged ? html`<span class="tag ${judged.level}">${verdict[judged.level]}</span>` : nothing;
  }

  private verdict(model: RemoteModel, inspection: Inspection | undefined): TemplateResult | typeof nothing {
    if (!inspection) return nothing;
    if (inspection.step === "reading") return html`<small role="status">${t().download.inspecting}</small>`;
    if (inspection.step === "refused") return html`<small role="status">${inspection.message}</small>`;
    const judged = this.judged(model, inspection.needs);
    return judged ? html`<small role="status">${judged.needs}. ${judged.why} ${judged.expected === "" ? "" : `${judged.expected}.`}</small>` : nothing;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    void this.look(String(new FormData(event.target as HTMLFormElement).get("address") ?? ""));
  }

  private async look(address: string): Promise<void> {
    this.listing = undefined;
    this.inspection = undefined;
    this.problem = "";
    const { host } = new URL(/^https?:\/\//i.test(address) && URL.canParse(address) ? address : this.hub);
    this.busy = host;
    try {
      const listing = await this.session.engine.api.findModels(address);
      const asked = /:([\w.-]+)$/.exec(address)?.[1] ?? "";
      this.#missing = listing.chosen === undefined && !address.includes("://") ? asked : "";
      this.listing = listing;
      const chosen = listing.models.find(({ id }) => id === listing.chosen);
      if (chosen) void this.choose(chosen);
    } catch (error) {
      this.problem = toAppError(error).message;
    } finally {
      this.busy = "";
    }
  }

  private async choose(model: RemoteModel): Promise<void> {
    const { id } = model;
    this.inspection = { id, step: "reading" };
    const known = await this.session.engine.api.inspect(model).then(
      (needs): Inspection => ({ id, step: "read", needs }),
      (error: unknown): Inspection => ({ id, step: "refused", message: toAppError(error).message }),
    );
    if (this.inspection?.id === id) this.inspection = known;
  }

  /** The user's click: the browser is asked to keep what comes, and it begins. */
  private async agree(model: RemoteModel): Promise<void> {
    const asking = navigator.storage.persist().catch(() => false); // refused where storage is blocked
    await this.session.download(model);
    await asking;
    await this.session.lookAtDevice();
    this.session.closeDialog();
  }

  private async setHub(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    try {
      this.hub = await keepHubUrl(String(new FormData(event.target as HTMLFormElement).get("hub") ?? ""));
      this.problem = "";
    } catch (error) {
      this.problem = toAppError(error).message;
    }
  }

  private async pick(): Promise<void> {
    try {
      const files = await pickModelFiles();
      if (files.length === 0) return;
      this.session.closeDialog();
      await this.session.loadModel(files);
    } catch (error) {
      this.session.report(error);
    }
  }
}

customElements.define("tw-download-dialog", DownloadDialog);
