// What the project's servers serve: one of the open ports in a frame, with its path, back, forward and reload. The frame's page
// is our own (src/headless/preview); what is served runs walled off inside it.
import { css, html, type PropertyValues, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { panelStyles } from "./work-styles.ts";

/** A TCP port that a server of the container listens on, and where it can be seen. */
export interface OpenPort {
  readonly port: number;
  /** For an iframe of this page; a path may be added. */
  readonly url: string;
}

export class PreviewPanel extends Component {
  static override properties = { ports: { attribute: false }, port: { state: true }, path: { state: true }, outside: { state: true } };
  /** The last is the newest. */
  declare ports: readonly OpenPort[];
  /** The one that is shown: it stays when its server ends. */
  declare private port: OpenPort | undefined;
  /** Where the page in the frame is. */
  declare private path: string;
  /** An address that the page wanted and that is no server of the container. */
  declare private outside: string;
  /** What the frame was last sent to. */
  #src = "";

  static override styles = [
    controlStyles,
    panelStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        block-size: 100%;
        min-block-size: 0;
      }
      form {
        display: contents;
      }
      input {
        flex: 1;
        font-family: var(--mono);
      }
      iframe {
        flex: 1;
        border: 0;
        min-block-size: 0;
        background: white;
      }
      .outside {
        color: var(--muted);
        overflow-wrap: anywhere;
      }
    `,
  ];

  constructor() {
    super();
    this.ports = [];
    this.path = "/";
    this.outside = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("message", this.#onMessage);
  }

  override disconnectedCallback(): void {
    removeEventListener("message", this.#onMessage);
    super.disconnectedCallback();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("ports")) return;
    // A server that has come last is what was just started; one that ended stays until there is another.
    const before = changed.get("ports") ?? [];
    const came = this.ports.findLast(({ port }) => !before.some((old) => old.port === port));
    if (came && !this.ports.some(({ port }) => port === this.port?.port)) this.#choose(came);
  }

  override render(): TemplateResult {
    const words = t().work.preview;
    const { port, ports } = this;
    if (!port) return html`<p class="empty">${words.none}</p>`;
    const listed = ports.some((open) => open.port === port.port) ? ports : [...ports, port];
    return html`<form class="bar" @submit=${this.#go}>
        <button type="button" class="quiet small" title=${words.back} aria-label=${words.back} @click=${() => this.#history(-1)}>←</button>
        <button type="button" class="quiet small" title=${words.forward} aria-label=${words.forward} @click=${() => this.#history(1)}>→</button>
        <button type="button" class="small" @click=${() => this.#reload()}>${words.reload}</button>
        <select aria-label=${words.port} @change=${(event: Event) => this.#choose(listed[(event.target as HTMLSelectElement).selectedIndex])}>
          ${listed.map((open) => html`<option ?selected=${open.port === port.port}>${open.port}</option>`)}
        </select>
        <input type="text" aria-label=${words.path} .value=${this.path} spellcheck="false" autocomplete="off" />
        ${this.outside === "" ? "" : html`<span class="outside" role="status">${words.outside(this.outside)}</span>`}
      </form>
      <iframe title=${words.page(port.port)} src=${this.#src} allow="cross-origin-isolated"></iframe>`;
  }

  #frame(): HTMLIFrameElement | null {
    return this.renderRoot.querySelector("iframe");
  }

  #choose(port: OpenPort | undefined): void {
    if (!port) return;
    this.port = port;
    this.path = "/";
    this.outside = "";
    this.#src = port.url;
  }

  #go(event: SubmitEvent): void {
    event.preventDefault();
    const path = this.renderRoot.querySelector("input")?.value ?? "/";
    const { port } = this;
    const frame = this.#frame();
    if (!port || !frame?.contentWindow) return;
    this.outside = "";
    // The same address again is a reload.
    const hash = `#${port.port}${path.startsWith("/") ? path : `/${path}`}`;
    if (frame.contentWindow.location.hash === hash) this.#reload();
    else frame.contentWindow.location.hash = hash;
  }

  #history(by: number): void {
    this.#frame()?.contentWindow?.history.go(by);
  }

  #reload(): void {
    this.#frame()?.contentWindow?.postMessage({ type: "preview-reload" }, location.origin);
  }

  /** From our own page in the frame: where it is. */
  readonly #onMessage = ({ source, origin, data }: MessageEvent<{ readonly type?: unknown; readonly path?: unknown; readonly url?: unknown } | null>): void => {
    if (origin !== location.origin || !source || source !== this.#frame()?.contentWindow) return;
    if (data?.type === "preview-at") {
      this.path = String(data.path);
      this.outside = "";
    } else if (data?.type === "preview-outside") this.outside = String(data.url);
  };
}

customElements.define("tw-preview-panel", PreviewPanel);
