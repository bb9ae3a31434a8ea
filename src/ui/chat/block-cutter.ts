// Cuts growing Markdown into blocks without reading what is finished again. Fenced code at the margin is found here,
// line by line; the prose between is cut into sections of bounded size for the parser. Pure, except for its place.

/** A part of the text that is rendered by itself. */
export type Block =
  | { readonly kind: "prose"; readonly text: string }
  /** Too long in one line, or too deep, for the parser. */
  | { readonly kind: "plain"; readonly text: string }
  | { readonly kind: "code"; readonly info: string; readonly code: string };

/** Longest prose that is parsed at once: the parser takes 0.2 s for the worst 8,000 characters found, 3 s for 32,000. */
const MAX_PROSE = 8_000;
/** Quotes or lists in each other, as deep as nobody writes: the parser descends with them. */
const TOO_DEEP = /^[ \t]*(?:>|[>*+-][ \t]+){16}/m;

const OPENING = /^(`{3,}|~{3,})([^\n]*)\n?/;
const NEXT_FENCE = /\n(?:`{3,}[^`\n]*|~{3,}[^\n]*)(?=\n|$)/;

export class BlockCutter {
  #text = "";
  /** Where the first block that is not closed begins. */
  #from = 0;
  /** In open code: from where on the closing fence has not been looked for. */
  #scanned = 0;

  get text(): string {
    return this.#text;
  }

  /** How far the text is closed: views keep what stands before. */
  get closedTo(): number {
    return this.#from;
  }

  /** Does `text` only add to what was cut so far? (Looks at the ends alone: the same message only ever grows.) */
  continues(text: string): boolean {
    const old = this.#text;
    return text.length >= old.length && text.startsWith(old.slice(-64), Math.max(0, old.length - 64)) && text.startsWith(old.slice(0, 64));
  }

  reset(): void {
    this.#text = "";
    this.#from = 0;
    this.#scanned = 0;
  }

  /** The next block of `text`, or undefined when nothing more can be closed. `ended`: no more words will come. */
  next(text: string, ended: boolean): Block | undefined {
    this.#text = text;
    while (text[this.#from] === "\n") this.#from++;
    if (this.#from >= text.length) return undefined;
    const opening = OPENING.exec(text.slice(this.#from, this.#from + 1000));
    if (opening && fenceIsValid(opening)) return this.#code(opening, ended);
    const block = this.#prose(ended);
    return block && TOO_DEEP.test(block.text) ? { kind: "plain", text: block.text } : block;
  }

  /** What is left after `next` has returned undefined. */
  open(): Block | undefined {
    const rest = this.#text.slice(this.#from);
    if (rest.trim() === "") return undefined;
    const opening = OPENING.exec(rest);
    return opening && fenceIsValid(opening) ? { kind: "code", info: opening[2] ?? "", code: rest.slice(opening[0].length) } : { kind: TOO_DEEP.test(rest) ? "plain" : "prose", text: rest };
  }

  /** The parser has closed the first `length` characters of the open prose. */
  advance(length: number): void {
    this.#from += length;
  }

  #code(opening: RegExpExecArray, ended: boolean): Block | undefined {
    const fence = opening[1] ?? "```";
    const start = this.#from + opening[0].length;
    const closing = new RegExp(`^ {0,3}${fence}${fence[0]}*[ \\t]*$`, "gm");
    closing.lastIndex = Math.max(start, this.#scanned);
    const match = closing.exec(this.#text);
    // A fence at the very end may still grow into something else ("```js"): it closes only with its line or with the text.
    if (match && (ended || match.index + match[0].length < this.#text.length)) {
      const block: Block = { kind: "code", info: opening[2] ?? "", code: this.#text.slice(start, Math.max(start, match.index - 1)) };
      this.#from = match.index + match[0].length;
      this.#scanned = 0;
      return block;
    }
    this.#scanned = Math.max(start, this.#text.lastIndexOf("\n") + 1);
    if (!ended) return undefined;
    const block: Block = { kind: "code", info: opening[2] ?? "", code: this.#text.slice(start) };
    this.#from = this.#text.length;
    return block;
  }

  #prose(ended: boolean): Exclude<Block, { kind: "code" }> | undefined {
    const window = this.#text.slice(this.#from, this.#from + MAX_PROSE);
    const fence = NEXT_FENCE.exec(window);
    // A line that is not whole may still get a backtick that makes it no fence.
    const lineEnds = ended && this.#from + window.length === this.#text.length;
    if (fence && (lineEnds || fence.index + fence[0].length < window.length)) return this.#take(fence.index + 1);
    if (window.length < MAX_PROSE) return ended ? this.#take(window.length) : undefined;
    const blank = window.lastIndexOf("\n\n");
    const line = window.lastIndexOf("\n");
    if (blank > 0 || line > 0) return this.#take(blank > 0 ? blank + 2 : line + 1);
    return { ...this.#take(MAX_PROSE), kind: "plain" };
  }

  #take(length: number): { readonly kind: "prose"; readonly text: string } {
    const text = this.#text.slice(this.#from, this.#from + length);
    this.#from += length;
    return { kind: "prose", text };
  }
}

/** A fence of backticks has none in its info string: else it is inline code. */
function fenceIsValid(opening: RegExpExecArray): boolean {
  return !(opening[1]?.startsWith("`") && opening[2]?.includes("`"));
}
