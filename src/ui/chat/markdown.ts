// The one file that turns text into HTML. The model's words are untrusted, so there are three locks, each enough alone:
// HTML in the text is shown as text, DOMPurify removes whatever could run or load, and what is left is built without
// targets: a link knows its address only here, an image is a link. Growing text is rendered block by block: what is
// finished stays as it is, only the last open block is made again.
import DOMPurify, { type Config } from "dompurify";
import { Marked, Lexer, type Token, type Tokens, type TokensList } from "marked";
import { type Block, BlockCutter } from "./block-cutter.ts";
import { CodeBlock } from "./code-block.ts";
import { fenceInfo } from "./fence.ts";
import { hasHiddenText, hiddenLabel, piecesOf } from "./hidden-text.ts";

const TAGS = ["p", "br", "strong", "em", "del", "code", "pre", "ul", "ol", "li", "blockquote", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td", "hr", "a"];
const TARGET = /^(?:https?:\/\/|mailto:)/i;
const SANITISER: Config = {
  ALLOWED_TAGS: TAGS,
  ALLOWED_ATTR: ["href", "start", "align", "data-info"],
  ADD_URI_SAFE_ATTR: ["start", "align", "data-info"],
  ALLOWED_URI_REGEXP: TARGET,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};
/** Closed blocks are grouped, so that the browser lays out only the groups in view. */
const SECTION_CHARACTERS = 8_000;
/** An open list longer than this gives up all items but its last. */
const LIST_CHARACTERS = 4_000;
const CITATION = /\[(\d{1,2})\]/g;

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

const parser = new Marked({
  gfm: true,
  renderer: {
    html: ({ raw }) => (/^<br\s*\/?>$/i.test(raw) ? "<br>" : escaped(raw)),
    code: ({ text, lang }) => `<pre data-info="${escaped(lang ?? "")}"><code>${escaped(text)}</code></pre>`,
    image: ({ href, text }) => `<a href="${escaped(href)}">${escaped(text || href)}</a>`,
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
    heading({ tokens, depth }) {
      const level = depth > 2 ? 4 : 3; // below the page's own two
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
    },
  },
});

/**
 * A parser's HTML as nodes that can do nothing: no scripts, styles, images, frames, forms or handlers.
 * Where the browser enforces Trusted Types, DOMPurify's own policy is the one that parses.
 */
export function sanitised(html: string): DocumentFragment {
  return DOMPurify.sanitize(html, { ...SANITISER, RETURN_DOM_FRAGMENT: true });
}

/** The address of a link that `MarkdownView` made, as the browser would write it; undefined for any other element. */
export function linkTarget(element: Element): string | undefined {
  return targets.get(element);
}
const targets = new WeakMap<Element, string>();

/** Which of the turn's sources a citation names: 1 is the first. */
export function citedSource(element: Element): number | undefined {
  return citations.get(element);
}
const citations = new WeakMap<Element, number>();

/** Shows one growing text inside an element that nobody else writes to. */
export class MarkdownView {
  readonly #root: HTMLElement;
  readonly #open = document.createElement("div");
  readonly #cutter = new BlockCutter();
  #links: TokensList["links"] = emptyLinks();
  #lateLink = false;
  #section: HTMLElement | undefined;
  #sectionCharacters = 0;
  /** Whether a heading of the first level stands already: none of the second comes before it. */
  #headed = false;
  /** How many numbered sources the text may cite. */
  #sources: number;

  constructor(root: HTMLElement, sources = 0) {
    this.#root = root;
    this.#sources = sources;
    root.replaceChildren(this.#open);
  }

  /** Renders what is new until `deadline` (of performance.now). True: call again, there is more. `ended`: no more words will come. */
  update(text: string, ended: boolean, deadline = Number.POSITIVE_INFINITY): boolean {
    if (!this.#cutter.continues(text)) this.#restart(emptyLinks());
    for (;;) {
      const block = this.#cutter.next(text, ended);
      if (!block) break;
      this.#close(block);
      if (performance.now() > deadline) return true;
    }
    if (ended && this.#lateLink) {
      this.#restart(this.#links);
      return this.update(text, true, deadline);
    }
    this.#showOpen(this.#cutter.open());
    return false;
  }

  #restart(links: TokensList["links"]): void {
    this.#cutter.reset();
    this.#root.replaceChildren(this.#open);
    this.#open.replaceChildren();
    this.#section = undefined;
    this.#sectionCharacters = 0;
    this.#links = links;
    this.#lateLink = false;
    this.#headed = false;
  }

  #close(block: Block): void {
    if (block.kind === "code") {
      const last = this.#openCode();
      this.#append(filled(last ?? new CodeBlock(), block.info, block.code, false), block.code.length);
    } else if (block.kind === "plain") {
      this.#append(this.#plain(block.text), block.text.length);
    } else {
      this.#append(this.#nodes(this.#lex(block.text)), block.text.length);
    }
    this.#open.replaceChildren();
  }

  #showOpen(block: Block | undefined): void {
    if (!block) return this.#open.replaceChildren();
    if (block.kind === "code") {
      const last = this.#openCode();
      const code = filled(last ?? new CodeBlock(), block.info, block.code, true);
      if (!last) this.#open.replaceChildren(code);
      return;
    }
    if (block.kind === "plain") return this.#open.replaceChildren(this.#plain(block.text));
    const tokens = this.#lex(block.text);
    const last = tokens.findLastIndex(({ type }) => type !== "space");
    const closed = [...tokens.slice(0, Math.max(0, last)), ...closedItems(tokens[last])];
    const length = closed.reduce((sum, { raw }) => sum + raw.length, 0);
    if (length > 0) {
      this.#append(this.#nodes(closed), length);
      this.#cutter.advance(length);
    }
    this.#open.replaceChildren(this.#nodes(length > 0 ? this.#lex(block.text.slice(length)) : tokens));
  }

  #openCode(): CodeBlock | undefined {
    const first = this.#open.firstElementChild;
    return first instanceof CodeBlock && this.#open.childElementCount === 1 ? first : undefined;
  }

  #append(node: Node, characters: number): void {
    if (!this.#section || this.#sectionCharacters > SECTION_CHARACTERS) {
      if (this.#section) settle(this.#section);
      this.#section = document.createElement("section");
      this.#sectionCharacters = 0;
      this.#open.before(this.#section);
    }
    this.#sectionCharacters += characters;
    this.#section.append(node);
  }

  #lex(text: string): TokensList {
    const lexer = new Lexer(parser.defaults);
    lexer.tokens.links = { ...this.#links };
    const tokens = lexer.lex(text);
    for (const [name, link] of Object.entries(tokens.links)) {
      if (name in this.#links) continue;
      this.#links[name] = link;
      this.#lateLink ||= this.#section !== undefined;
    }
    return tokens;
  }

  #nodes(tokens: readonly Token[]): DocumentFragment {
    return this.#decorated(sanitised(parser.parser([...tokens])));
  }

  #plain(text: string): HTMLElement {
    const paragraph = document.createElement("p");
    paragraph.className = "plain";
    paragraph.textContent = text;
    return this.#decorated(paragraph);
  }

  /** Code gets its frame, links lose their address, hidden characters are named. */
  #decorated<T extends ParentNode & Node>(root: T): T {
    for (const pre of root.querySelectorAll("pre")) pre.replaceWith(filled(new CodeBlock(), pre.dataset["info"] ?? "", (pre.textContent ?? "").replace(/\n$/, ""), false));
    for (const link of root.querySelectorAll("a")) disarm(link);
    for (const heading of root.querySelectorAll("h3, h4")) {
      if (heading.localName === "h3" || this.#headed) this.#headed = true;
      else heading.replaceWith(raised(heading));
    }
    for (const table of root.querySelectorAll("table")) {
      const scroller = document.createElement("div");
      scroller.className = "scroller";
      scroller.tabIndex = 0;
      table.replaceWith(scroller);
      scroller.append(table);
    }
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    while (walker.nextNode()) texts.push(walker.currentNode as Text);
    for (const text of texts) this.#decorateText(text);
    return root;
  }

  #decorateText(node: Text): void {
    if (hasHiddenText(node.data)) {
      const pieces = piecesOf(node.data).map((piece) => ("text" in piece ? document.createTextNode(piece.text) : mark("hidden-character", hiddenLabel(piece))));
      node.replaceWith(...pieces);
      for (const piece of pieces) if (piece instanceof Text) this.#cite(piece);
    } else {
      this.#cite(node);
    }
  }

  #cite(node: Text): void {
    if (this.#sources === 0 || node.parentElement?.closest("code, a")) return;
    const pieces: Node[] = [];
    let from = 0;
    for (const match of node.data.matchAll(CITATION)) {
      const source = Number(match[1]);
      if (source < 1 || source > this.#sources) continue;
      const link = mark("citation", match[0]);
      link.setAttribute("role", "link");
      link.tabIndex = 0;
      citations.set(link, source);
      pieces.push(document.createTextNode(node.data.slice(from, match.index)), link);
      from = match.index + match[0].length;
    }
    if (pieces.length > 0) node.replaceWith(...pieces, document.createTextNode(node.data.slice(from)));
  }
}

/** A full section keeps its height, so that the browser need not lay it out again while it is out of view. */
function settle(section: HTMLElement): void {
  section.style.containIntrinsicBlockSize = `auto ${section.offsetHeight}px`;
  section.className = "settled";
}

/** The items of a long list that is still being written, all but the last, as a list of their own. */
function closedItems(token: Token | undefined): Token[] {
  if (token?.type !== "list" || token.raw.length < LIST_CHARACTERS) return [];
  const list = token as Tokens.List;
  const items = list.items.slice(0, -1);
  const raw = items.map((item) => item.raw).join("");
  return items.length > 0 && token.raw.startsWith(raw) ? [{ ...list, items, raw }] : [];
}

function filled(block: CodeBlock, info: string, code: string, open: boolean): CodeBlock {
  const { language, path } = fenceInfo(info, code);
  block.language = language;
  block.path = path;
  block.code = code;
  block.open = open;
  return block;
}

/** A link keeps its words and shows its host; the address is known to this file alone until the reader asks for it. */
function disarm(link: HTMLAnchorElement): void {
  const target = addressOf(link.getAttribute("href"));
  link.removeAttribute("href");
  if (target === undefined) return link.replaceWith(...link.childNodes);
  link.className = "link";
  link.setAttribute("role", "link");
  link.tabIndex = 0;
  targets.set(link, target.href);
  const place = target.host || target.href;
  if (link.textContent !== place && addressOf(link.textContent)?.href !== target.href) link.append(mark("host", ` (${place})`));
}

/** The heading one level up. */
function raised(heading: Element): HTMLElement {
  const higher = document.createElement("h3");
  higher.append(...heading.childNodes);
  return higher;
}

function addressOf(href: string | null): URL | undefined {
  return href !== null && TARGET.test(href) && URL.canParse(href) ? new URL(href) : undefined;
}

function mark(name: string, text: string): HTMLElement {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = text;
  return span;
}

function emptyLinks(): TokensList["links"] {
  return Object.create(null) as TokensList["links"];
}
