// One answer as formatted text. The formatter is a chunk of its own: until it has arrived the words stand there as they
// are. While words stream in, rendering takes its turn with the frames and never more than a share of the time. Over 300
// lines because almost half is the styles of what an answer can hold.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { copyText } from "./clipboard.ts";
import { dropFromQueue, queueForFrame } from "./frame-queue.ts";
import type { MarkdownView } from "./markdown.ts";

type Formatter = typeof import("./markdown.ts");

/** What a citation leads to. */
export interface Source {
  readonly title: string;
  readonly path?: string;
  readonly url?: string;
}

/** Characters shown before the formatter has had its first turn. */
const PLAIN_CHARACTERS = 4_000;
/** A frame of rendering is paid for with this many times its length without. */
const REST = 3;

let formatter: Formatter | undefined;
let loading: Promise<Formatter> | undefined;

function loadFormatter(): Promise<Formatter> {
  loading ??= import("./markdown.ts").then(
    (module) => (formatter = module),
    (error: unknown) => {
      loading = undefined; // the network was away: the next text asks again
      throw error;
    },
  );
  return loading;
}

export class MarkdownText extends Component {
  static override properties = { text: { attribute: false }, streaming: { type: Boolean }, sources: { attribute: false }, shown: { state: true }, asked: { state: true } };
  declare text: string;
  declare streaming: boolean;
  /** Numbered from 1, as the answer cites them. */
  declare sources: readonly Source[];
  /** Whether the formatter has taken over from the plain words. */
  declare private shown: boolean;
  /** The link whose address is shown. */
  declare private asked: string | undefined;

  #view: MarkdownView | undefined;
  #restUntil = 0;

  constructor() {
    super();
    this.text = "";
    this.streaming = false;
    this.sources = [];
    this.shown = false;
  }

  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        overflow-wrap: anywhere;
      }
      .plain {
        white-space: pre-wrap;
      }
      section {
        display: flow-root;
      }
      .settled {
        content-visibility: auto;
      }
      p,
      ul,
      ol,
      blockquote,
      hr,
      h3,
      h4,
      .scroller,
      tw-code-block {
        margin: 0 0 10px;
      }
      .body > :last-child > :last-child,
      .body:has(> div:empty) > section:nth-last-child(2) > :last-child {
        margin-block-end: 0;
      }
      ul,
      ol {
        padding-inline-start: 1.6em;
      }
      li > p {
        margin-block-end: 4px;
      }
      li > ul,
      li > ol {
        margin-block-end: 0;
      }
      h3 {
        font-size: 17px;
      }
      h4 {
        font-size: 15px;
      }
      code {
        background: var(--sunken);
        border-radius: 4px;
        padding: 1px 4px;
      }
      blockquote {
        border-inline-start: 3px solid var(--line);
        padding-inline-start: 12px;
        color: var(--muted);
      }
      hr {
        border: 0;
        border-block-start: 1px solid var(--line);
      }
      .scroller {
        overflow-x: auto;
      }
      table {
        border-collapse: collapse;
      }
      th,
      td {
        border: 1px solid var(--line);
        padding: 3px 10px;
        text-align: start;
      }
      th {
        background: var(--sunken);
      }
      .link,
      .citation {
        color: var(--accent);
        text-decoration: underline;
        text-underline-offset: 2px;
        cursor: pointer;
        border-radius: 3px;
      }
      .citation {
        text-decoration: none;
        font-size: 0.85em;
        vertical-align: 0.2em;
      }
      .host {
        color: var(--muted);
        font-size: 0.9em;
      }
      .hidden-character {
        font: 600 11px/1.4 var(--mono);
        color: var(--bad);
        background: var(--bad-ground);
        border-radius: 3px;
        padding: 0 3px;
        margin-inline: 1px;
        unicode-bidi: isolate;
      }
      .target {
        margin: auto;
        inset: 0;
        max-inline-size: min(480px, 90vw);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--raised);
        color: var(--text);
        padding: 14px 16px;
        box-shadow: 0 8px 30px rgb(0 0 0 / 25%);
      }
      .target p {
        margin: 0 0 8px;
      }
      .target .address {
        display: block;
        padding: 6px 8px;
        margin-block-end: 12px;
        max-block-size: 30vh;
        overflow: auto;
      }
      .actions {
        display: flex;
        gap: 8px;
        justify-content: flex-end;
      }
      .open {
        border: 1px solid var(--accent-ground);
        border-radius: var(--radius);
        background: var(--accent-ground);
        color: var(--accent-text);
        padding: 4px 10px;
        text-decoration: none;
      }
    `,
  ];

  override disconnectedCallback(): void {
    dropFromQueue(this.#job);
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    const long = this.text.length > PLAIN_CHARACTERS;
    return html`
      <div class="body" ?hidden=${!this.shown} @click=${this.clicked} @keydown=${this.key}></div>
      ${this.shown ? nothing : html`<div class="plain">${long ? `${this.text.slice(0, PLAIN_CHARACTERS)} …` : this.text}</div>`}
      <div class="target" popover role="dialog" aria-label=${t().chatParts.link.title} @keydown=${this.popoverKey} @toggle=${this.toggled}>${this.asked === undefined ? nothing : this.target(this.asked)}</div>
    `;
  }

  private target(address: string): TemplateResult {
    const { link } = t().chatParts;
    return html`<p>${link.explain}</p>
      <code class="address" tabindex="0">${address}</code>
      <div class="actions">
        <button class="copy" @click=${() => void this.copy(address)}>${link.copy}</button>
        <a class="open" href=${address} target="_blank" rel="noopener noreferrer" referrerpolicy="no-referrer" @click=${() => this.popover_().hidePopover()}>${link.open}</a>
      </div>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("sources") && this.#view && changed.get("sources")?.length !== this.sources.length) this.#view = undefined;
    if (changed.has("text") || changed.has("streaming") || changed.has("sources")) void this.format();
  }

  private async format(): Promise<void> {
    if (!formatter) {
      try {
        await loadFormatter();
      } catch {
        return; // the words are readable as they are
      }
    }
    if (this.isConnected) queueForFrame(this.#job);
  }

  readonly #job = (deadline: number): boolean => {
    const start = performance.now();
    if (this.streaming && start < this.#restUntil) return true;
    const body = this.renderRoot.querySelector<HTMLElement>(".body");
    if (!formatter || !body) return false;
    this.#view ??= new formatter.MarkdownView(body, this.sources.length);
    const more = this.#view.update(this.text, !this.streaming, deadline);
    this.shown = true;
    this.#restUntil = performance.now() + (performance.now() - start) * REST;
    return more;
  };

  private clicked(event: Event): void {
    const [element] = event.composedPath();
    const link = element instanceof Element ? element.closest(".link, .citation") : null;
    if (link) this.follow(link);
  }

  private key(event: KeyboardEvent): void {
    if (event.key !== "Enter" && event.key !== " ") return;
    const [element] = event.composedPath();
    if (!(element instanceof Element) || !element.matches(".link, .citation")) return;
    event.preventDefault();
    this.follow(element);
  }

  private follow(link: Element): void {
    const source = formatter?.citedSource(link);
    const cited = source === undefined ? undefined : this.sources[source - 1];
    const address = source === undefined ? formatter?.linkTarget(link) : cited?.url;
    if (address !== undefined && /^(?:https?:|mailto:)/i.test(address)) {
      this.asked = address;
      this.popover_().showPopover();
      void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(".copy")?.focus());
    } else if (cited) {
      this.dispatchEvent(new CustomEvent("source-opened", { detail: cited, bubbles: true, composed: true }));
    }
  }

  private async copy(address: string): Promise<void> {
    const { copied, said } = await copyText(address);
    this.dispatchEvent(new CustomEvent("said", { detail: said, bubbles: true, composed: true }));
    if (copied) this.popover_().hidePopover();
  }

  /** Escape closes the card alone: it must not stop the assistant too. */
  private popoverKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.popover_().hidePopover();
  }

  private toggled(event: Event): void {
    if ((event as ToggleEvent).newState === "closed") this.asked = undefined;
  }

  private popover_(): HTMLElement {
    const element = this.renderRoot.querySelector<HTMLElement>(".target");
    if (!element) throw new Error("The link's card is part of every rendering.");
    return element;
  }
}

customElements.define("tw-markdown", MarkdownText);

declare global {
  interface HTMLElementTagNameMap {
    "tw-markdown": MarkdownText;
  }
}
