// Where new models are put: what was measured here, and the user's word over it.
import { css, html, type TemplateResult } from "lit";
import { toAppError } from "../../base/errors.ts";
import { formatBytes } from "../../base/units.ts";
import { measureStores } from "../../engine/storage-client.ts";
import { fasterOf, keepStoreSetting, type StoreSetting, storeSetting } from "../../storage/store-choice.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";

const CHOICES = ["auto", "opfs", "indexeddb"] as const;

export class StoreChoiceRow extends Component {
  static override properties = { setting: { state: true }, busy: { state: true }, problem: { state: true } };
  declare private setting: StoreSetting;
  declare private busy: boolean;
  declare private problem: string;

  static override styles = [
    controlStyles,
    css`
      :host,
      .row {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 10px;
      }
      p {
        flex: 1 1 100%;
        margin: 0;
        color: var(--muted);
      }
    `,
  ];

  constructor() {
    super();
    this.setting = { choice: "auto" };
    this.busy = false;
    this.problem = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void storeSetting().then((setting) => (this.setting = setting));
  }

  override render(): TemplateResult {
    const words = t().offline.store;
    return html`<label class="row">${words.label}
        <select @change=${this.choose}>
          ${CHOICES.map((choice) => html`<option value=${choice} ?selected=${choice === this.setting.choice}>${words.choice[choice]}</option>`)}
        </select></label>
      <button ?disabled=${this.busy} @click=${this.measure}>${this.busy ? words.measuring : words.measure}</button>
      <p role="status">${this.problem || `${this.figures()} ${words.stays}`}</p>`;
  }

  private figures(): string {
    const words = t().offline.store;
    const { speeds } = this.setting;
    if (!speeds) return words.unmeasured;
    const day = new Date(speeds.measuredAt).toLocaleDateString();
    const database = formatBytes(speeds.indexeddb);
    return speeds.opfs === undefined ? words.onlyDatabase(database, day) : words.speeds(words.faster[fasterOf(speeds)], formatBytes(speeds.opfs), database, day);
  }

  private choose(event: Event): Promise<void> {
    const choice = CHOICES.find((name) => name === (event.target as HTMLSelectElement).value) ?? "auto";
    return this.change(() => keepStoreSetting({ choice }));
  }

  private async measure(): Promise<void> {
    this.busy = true;
    await this.change(async () => {
      await measureStores();
      return storeSetting();
    });
    this.busy = false;
  }

  private async change(work: () => Promise<StoreSetting>): Promise<void> {
    this.problem = "";
    try {
      this.setting = await work();
    } catch (error) {
      this.problem = toAppError(error).message;
    }
  }
}

customElements.define("tw-store-choice", StoreChoiceRow);
