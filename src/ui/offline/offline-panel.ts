// What works without a network, and what is stored, in bytes, thing by thing, with a way to delete it.
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { toAppError } from "../../base/errors.ts";
import { formatBytes } from "../../base/units.ts";
import { Component } from "../component.ts";
import { holdWorkspace } from "../session/session-store.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { type Capability, capabilitiesOf } from "./capabilities.ts";
import { deleteStored, type Inventory, type StoredThing, takeInventory } from "./inventory.ts";
import type { OfflineLink, OfflineState } from "./offline-link.ts";
import "./model-check.ts";
import "./store-choice.ts";
import { panelStyles } from "./offline-panel-styles.ts";

const OFF: OfflineState = { phase: "off", problem: undefined, version: undefined, updateReady: false };
const MARKS = { yes: "✓", no: "✗", soon: "…" } as const;

/** `forget` deletes a project: that is the session's. */
export class OfflinePanel extends Component {
  static override properties = {
    link: { attribute: false },
    project: { attribute: false },
    model: { attribute: false },
    forget: { attribute: false },
    inventory: { state: true },
    offline: { state: true },
    asked: { state: true },
    checked: { state: true },
    said: { state: true },
  };
  /** Undefined where no copy is made. */
  declare link: OfflineLink | undefined;
  /** Ids of what is open and loaded: not to be deleted now. */
  declare project: string;
  declare model: string;
  declare forget: (project: string) => Promise<void>;
  declare private inventory: Inventory | undefined;
  declare private offline: OfflineState;
  /** The thing whose deletion waits for a second word. */
  declare private asked: StoredThing | undefined;
  /** The model that is being checked. */
  declare private checked: string | undefined;
  declare private said: string;
  #stopListening: () => void = () => undefined;

  static override styles = [controlStyles, panelStyles];

  constructor() {
    super();
    this.offline = OFF;
    this.said = "";
    this.forget = () => Promise.resolve();
  }

  override disconnectedCallback(): void {
    this.#stopListening();
    super.disconnectedCallback();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("link") && this.hasUpdated) return;
    this.#stopListening();
    this.offline = this.link?.state ?? OFF;
    this.#stopListening = this.link?.listen((state) => {
      this.offline = state;
      void this.measure();
    }) ?? (() => undefined);
    void this.measure();
  }

  override render(): TemplateResult {
    const words = t().offline;
    return html`
      <section aria-labelledby="works">
        <h3 id="works">${words.worksTitle}</h3>
        ${this.inventory ? html`<ul>${capabilitiesOf({ phase: this.offline.phase, ...this.inventory }).map((line) => this.capability(line))}</ul>` : html`<p>${words.measuring}</p>`}
        ${this.offline.problem === undefined ? nothing : html`<p class="problem">${this.offline.problem} <button @click=${() => void this.link?.retry()}>${words.retry}</button></p>`}
      </section>
      <section aria-labelledby="stored">
        <h3 id="stored">${words.storedTitle}</h3>
        ${this.inventory ? this.stored(this.inventory.things) : html`<p>${words.measuring}</p>`}
      </section>
      <section aria-labelledby="where">
        <h3 id="where">${words.store.title}</h3>
        <tw-store-choice></tw-store-choice>
      </section>
      ${this.inventory ? this.keeping(this.inventory.persisted) : nothing}
      <p class="said" role="status">${this.said}</p>
    `;
  }

  private capability({ what, works, why, names, count }: Capability): TemplateResult {
    const words = t().offline;
    const reasons: unknown = words.why[what];
    const reason = typeof reasons === "string" ? reasons : (reasons as Readonly<Record<string, string | ((...holes: readonly unknown[]) => string)>>)[why];
    const holes = names.length > 0 ? [names.join(", "), count] : [count];
    return html`<li class="line">
      <span class="mark ${works}" role="img" aria-label=${words.works[works]}>${MARKS[works]}</span>
      <span class="what">${words.what[what]}</span>
      <span class="why">${typeof reason === "function" ? reason(...holes) : reason}</span>
    </li>`;
  }

  private stored(things: readonly StoredThing[]): TemplateResult {
    const words = t().offline;
    const total = things.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total === 0) return html`<p>${words.nothing}</p>`;
    return html`<ul>${things.filter(({ bytes }) => bytes > 0).map((thing) => this.thing(thing))}</ul>
      <p class="note">${words.total(formatBytes(total))}</p>`;
  }

  private thing(thing: StoredThing): TemplateResult {
    const words = t().offline;
    const isAsked = this.asked?.kind === thing.kind && this.asked.id === thing.id;
    return html`<li class="thing">
      <span class="kind">${thing.kind === "app" && thing.id !== this.offline.version ? words.appOld : words.kind[thing.kind]}</span>
      <span class="name">${this.nameOf(thing)} <span class="note">${this.notesOf(thing).join(" · ")}</span></span>
      <span class="bytes" title=${`${thing.bytes} B`}>${formatBytes(thing.bytes)}</span>
      <span class="act">
        ${thing.canCheck && !isAsked ? html`<button aria-label=${words.check.label(this.nameOf(thing))} ?disabled=${this.checked === thing.id} @click=${() => (this.checked = thing.id)}>${words.check.button}</button>` : nothing}
        ${isAsked
          ? html`<button class="bad" @click=${() => void this.deleteThing(thing)}>${words.confirm(formatBytes(thing.bytes))}</button>
              <button @click=${() => (this.asked = undefined)}>${words.keepIt}</button>`
          : this.canDelete(thing)
            ? html`<button aria-label=${words.removeLabel(this.nameOf(thing))} @click=${() => (this.asked = thing)}>${words.remove}</button>`
            : nothing}
      </span>
      ${thing.kind === "model" && this.checked === thing.id ? html`<tw-model-check .model=${thing.id} @check-closed=${() => (this.checked = undefined)}></tw-model-check>` : nothing}
    </li>`;
  }

  private nameOf({ kind, name, id }: StoredThing): string {
    if (kind === "app") return id === this.offline.version && this.link ? t().offline.thisVersion(this.link.build, name) : name;
    return kind === "chats" || kind === "states" || kind === "settings" || kind === "packages" ? "" : name;
  }

  private notesOf(thing: StoredThing): readonly string[] {
    const words = t().offline;
    const notes: string[] = [];
    if (thing.kind === "project" && thing.id === this.project) notes.push(words.open);
    if (thing.kind === "project" && thing.detail > 0) notes.push(words.checkpoints(formatBytes(thing.detail)));
    if (thing.kind === "model" && thing.id === this.model) notes.push(words.loaded);
    if (thing.store) notes.push(words.place[thing.store]);
    if (thing.kind === "chats" || thing.kind === "states" || thing.kind === "packages") notes.push(words.count(thing.detail));
    if (!thing.complete && thing.kind !== "webllm") notes.push(words.unfinished);
    return notes;
  }

  /** What runs is not deleted under itself; chats go in the history, where each can be read first. */
  private canDelete({ kind, id }: StoredThing): boolean {
    if (kind === "project") return id !== this.project;
    if (kind === "app") return id !== this.offline.version;
    return kind === "states" || kind === "packages" || ((kind === "model" || kind === "webllm") && id !== this.model);
  }

  private keeping(persisted: boolean): TemplateResult {
    const words = t().offline;
    return html`<section aria-labelledby="kept">
      <h3 id="kept">${words.keepTitle}</h3>
      <p>${persisted ? words.persisted : words.notPersisted}</p>
      ${persisted ? nothing : html`<button class="persist" @click=${() => void this.persist()}>${words.persist}</button>`}
    </section>`;
  }

  private async persist(): Promise<void> {
    const granted = await navigator.storage.persist();
    await this.measure();
    this.said = granted ? t().offline.persistGranted : t().offline.persistDenied;
  }

  private async deleteThing(thing: StoredThing): Promise<void> {
    const words = t().offline;
    this.asked = undefined;
    const name = this.nameOf(thing) || words.kind[thing.kind];
    try {
      if (thing.kind === "app") this.said = (await this.link?.tidy()) ? words.removed(name, formatBytes(thing.bytes)) : words.inUse;
      else if (thing.kind === "project" && !(await this.forgetProject(thing.id))) this.said = words.busyElsewhere(name);
      else {
        await deleteStored(thing);
        this.said = words.removed(name, formatBytes(thing.bytes));
      }
    } catch (error) {
      this.said = toAppError(error).message;
    }
    await this.measure();
  }

  /** False when another tab has it open. */
  private async forgetProject(id: string): Promise<boolean> {
    const release = await holdWorkspace(id);
    if (!release) return false;
    try {
      await this.forget(id);
    } finally {
      release();
    }
    return true;
  }

  private async measure(): Promise<void> {
    this.inventory = await takeInventory(this.offline.version);
  }
}

customElements.define("tw-offline-panel", OfflinePanel);
