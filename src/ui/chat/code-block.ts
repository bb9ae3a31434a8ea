// One block of code in an answer: its language, its file, its colours, and what can be done with it. Nothing is run or
// written by itself: the buttons only ask. While words still come, they are appended; colours follow when it is complete.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { copyText } from "./clipboard.ts";
import { isShell, languageName } from "./fence.ts";
import { hasHiddenText, hiddenLabel, piecesOf } from "./hidden-text.ts";
import type { Colour } from "./highlight.ts";

/** Longer code is shown without colours: parsing it would hold up a frame. */
const COLOUR_CHARACTERS = 60_000;

/** What `insert-asked` carries. */
export interface InsertRequest {
  /** The file the block names; absent if it names none. */
  readonly path?: string;
  readonly text: string;
}

export class CodeBlock extends Component {
  static override properties = { code: { attribute: false }, language: {}, path: {}, open: { type: Boolean }, copied: { state: true } };
  declare code: string;
  /** As the fence says it. */
  declare language: string;
  declare path: string | undefined;
  /** Whether more code may come. */
  declare open: boolean;
  declare private copied: boolean;

  constructor() {
    super();
    this.code = "";
    this.language = "";
    this.open = false;
    this.copied = false;
  }

  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
      }
      .block {
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--sunken);
        overflow: hidden;
      }
      header {
        display: flex;
        align-items: center;
        gap: 6px;
        padding: 3px 6px 3px 12px;
        border-block-end: 1px solid var(--line);
        font-size: 12.5px;
        color: var(--muted);
      }
      .language {
        white-space: nowrap;
      }
      .path {
        font-family: var(--mono);
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        min-inline-size: 0;
      }
      .spring {
        flex: 1;
      }
      button {
        border-color: transparent;
        background: none;
        padding: 2px 8px;
        white-space: nowrap;
      }
      pre {
        margin: 0;
        padding: 10px 12px;
        overflow-x: auto;
        max-block-size: 32em;
        overflow-y: auto;
        tab-size: 2;
        line-height: 1.5;
      }
      .keyword,
      .tag {
        color: var(--accent);
      }
      .string {
        color: var(--good);
      }
      .number {
        color: var(--focus);
      }
      .comment {
        color: var(--muted);
        font-style: italic;
      }
      .name {
        font-weight: 600;
      }
      .hidden-character {
        font-weight: 600;
        color: var(--bad);
        background: var(--bad-ground);
        border-radius: 3px;
        padding: 0 3px;
        unicode-bidi: isolate;
      }
    `,
  ];

  override render(): TemplateResult {
    const words = t().chatParts.code;
    const name = languageName(this.language) || words.plain;
    return html`<div class="block" role="group" aria-label=${words.label(name)}>
      <header>
        <span class="language">${name}</span>
        ${this.path ? html`<span class="path" title=${this.path}>${this.path}</span>` : nothing}
        <span class="spring"></span>
        ${isShell(this.language) ? html`<button class="run" ?disabled=${this.open} @click=${() => this.ask("run-asked", this.code)}>${words.run}</button>` : nothing}
        <button class="insert" ?disabled=${this.open} @click=${() => this.ask("insert-asked", this.request())}>${words.insert}</button>
        <button class="copy" @click=${() => void this.copy()}>${this.copied ? t().chatParts.clipboard.copied : words.copy}</button>
      </header>
      <pre tabindex="0"><code></code></pre>
    </div>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has("code") && !changed.has("language") && !changed.has("open")) return;
    const target = this.renderRoot.querySelector("code");
    if (!target) return;
    const shown = target.firstChild;
    const before = changed.get("code");
    // Growing code is appended to the one text node it stands in.
    if (this.open && shown instanceof Text && target.childNodes.length === 1 && typeof before === "string" && this.code.startsWith(before) && shown.length === before.length) shown.appendData(this.code.slice(before.length));
    else if (changed.has("code") || !shown) target.replaceChildren(...plainNodes(this.code));
    if (!this.open) void this.colour(target);
  }

  private async colour(target: Element): Promise<void> {
    const { code, language } = this;
    if (code.length > COLOUR_CHARACTERS || language === "") return;
    const { canColour, colours } = await import("./highlight.ts");
    if (!canColour(language)) return;
    const runs = await colours(code, language);
    if (this.code === code && this.language === language && !this.open) target.replaceChildren(...runs.flatMap((run) => runNodes(run)));
  }

  private request(): InsertRequest {
    return { text: this.code.endsWith("\n") ? this.code : `${this.code}\n`, ...(this.path === undefined ? {} : { path: this.path }) };
  }

  private ask(name: "insert-asked" | "run-asked", detail: InsertRequest | string): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  private async copy(): Promise<void> {
    const { copied, said } = await copyText(this.code);
    this.copied = copied;
    this.dispatchEvent(new CustomEvent("said", { detail: said, bubbles: true, composed: true }));
  }
}

function runNodes({ text, kind }: Colour): Node[] {
  if (kind === "") return plainNodes(text);
  const span = document.createElement("span");
  span.className = kind;
  span.append(...plainNodes(text));
  return [span];
}

/** The text with its hidden characters named. */
function plainNodes(text: string): Node[] {
  if (!hasHiddenText(text)) return [document.createTextNode(text)];
  return piecesOf(text).map((piece) => {
    if ("text" in piece) return document.createTextNode(piece.text);
    const mark = document.createElement("span");
    mark.className = "hidden-character";
    mark.textContent = hiddenLabel(piece);
    return mark;
  });
}

customElements.define("tw-code-block", CodeBlock);

declare global {
  interface HTMLElementTagNameMap {
    "tw-code-block": CodeBlock;
  }
}
