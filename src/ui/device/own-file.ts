// Models in the user's own files, read in place: to choose one, and to allow again what the browser forgets with each reload.
// Only where the browser gives handles that can be kept (Chrome, Edge).
import { css, html, nothing, type TemplateResult } from "lit";
import { keepHandles, keptHandles, mayRead } from "../../engine/model-origin.ts";
import { listModels } from "../../storage/catalogue.ts";
import type { KeptHandles } from "../../storage/database.ts";
import { sharedDatabase } from "../../storage/shelf.ts";
import { Component } from "../component.ts";
import type { Session } from "../session/session.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";

interface FilePicker {
  showOpenFilePicker?(options: { readonly multiple: boolean; readonly types: readonly { readonly description: string; readonly accept: Readonly<Record<string, readonly string[]>> }[] }): Promise<readonly FileSystemFileHandle[]>;
}

/** A model whose files may not be read now. */
interface Closed extends KeptHandles {
  readonly name: string;
}

export class OwnFile extends Component {
  static override properties = { session: { attribute: false }, busy: { type: Boolean }, closed: { state: true } };
  declare session: Session;
  declare busy: boolean;
  declare private closed: readonly Closed[];

  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 10px;
        margin-block-start: 12px;
      }
      p {
        flex: 1 1 18em;
        margin: 0;
        color: var(--muted);
        font-size: 13px;
      }
    `,
  ];

  constructor() {
    super();
    this.busy = false;
    this.closed = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.look();
  }

  override render(): TemplateResult | typeof nothing {
    if (!(globalThis as FilePicker).showOpenFilePicker) return nothing;
    const words = t().device.ownFile;
    return html`${this.closed.map((model) => html`<button class="primary allow" ?disabled=${this.busy} @click=${() => void this.allow(model)}>${words.allow(model.name)}</button>`)}
      <button class="in-place" ?disabled=${this.busy} @click=${() => void this.choose()}>${words.button}</button>
      <p>${words.explain}</p>`;
  }

  private async choose(): Promise<void> {
    try {
      const handles = await (globalThis as FilePicker).showOpenFilePicker!({ multiple: true, types: [{ description: "GGUF", accept: { "application/octet-stream": [".gguf"] } }] });
      const id = idOf(handles);
      await keepHandles(await sharedDatabase(), id, handles, true);
      await this.session.loadModel(id);
    } catch (error) {
      // The user changed their mind.
      if (!(error instanceof DOMException && error.name === "AbortError")) this.session.report(error);
    }
  }

  private async allow({ id }: Closed): Promise<void> {
    await this.session.allowModel(id);
    await this.look();
  }

  private async look(): Promise<void> {
    const database = await sharedDatabase();
    const closed: Closed[] = [];
    for (const { id, name, store } of await listModels(database)) {
      const kept = store === "file" ? await keptHandles(database, id) : undefined;
      if (kept && !(await mayRead(kept.handles, false))) closed.push({ ...kept, name });
    }
    this.closed = closed;
  }
}

/** What the catalogue calls it: the file's name, without the number of a part. */
function idOf(handles: readonly FileSystemFileHandle[]): string {
  const name = handles[0]?.name ?? "";
  return handles.length > 1 ? name.replace(/-\d{5}-of-\d{5}(?=\.gguf$)/i, "") : name;
}

customElements.define("tw-own-file", OwnFile);
