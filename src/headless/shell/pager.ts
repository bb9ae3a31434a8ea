// What less shows and what its keys do: text that comes in pieces, in rows of a screen. It reads and writes nothing itself.
import { textWidth } from "../line-editor.ts";

export interface PagerOptions {
  readonly name: string;
  /** Long lines are cut and not wrapped (`-S`). */
  readonly chops: boolean;
  /** Colours go through (`-R`). */
  readonly colors: boolean;
  readonly numbers: boolean;
  /** Letters of either case match (`-i`). */
  readonly anyCase: boolean;
  /** Going on at the end leaves it, as in more. */
  readonly endsAtEnd: boolean;
}

interface Size {
  readonly rows: number;
  readonly columns: number;
}

const TAB_COLUMNS = 8;
/** A colour, or any one letter. */
// oxlint-disable-next-line no-control-regex -- what colours are
const PIECE = /\u001b\[[\d;:]*[mK]|./gsu;
const REVERSE = (text: string): string => `\u001b[7m${text}\u001b[0m`;

/** Colours taken out, and carriage returns: what is searched. */
// oxlint-disable-next-line no-control-regex -- what colours are
const plain = (line: string): string => line.replaceAll(/\u001b\[[\d;:]*[mK]|\r/g, "");

/** The keys in what a terminal sends at once. */
export function keysOf(sent: string): string[] {
  // oxlint-disable-next-line no-control-regex -- arrows and the like
  return sent.match(/\u001b[[O][\d;]*[A-Za-z~]|./gsu) ?? [];
}

export class Pager {
  readonly #options: PagerOptions;
  #size: Size;
  readonly #lines: string[] = [];
  #rest = "";
  #ended = false;
  /** What is shown of the lines: a row each, with the number of its line. */
  #rows: { readonly text: string; readonly line: number }[] = [];
  /** The row at the top of the screen. */
  #top = 0;
  #count = "";
  /** What is typed after `/`, `?` or `:`. */
  #typed: string | undefined;
  #search: { readonly pattern: RegExp; readonly back: boolean } | undefined;
  #said = "";
  #begun = false;
  /** What to do once all of it is there. */
  #atEnd: (() => void) | undefined;

  constructor(options: PagerOptions, size: Size) {
    this.#options = options;
    this.#size = size;
  }

  /** Whether more is to be read: for this screen and the next, or, after G and a search, to the end. */
  get wantsMore(): boolean {
    return !this.#ended && (this.#atEnd !== undefined || this.#rows.length < this.#top + 2 * this.#size.rows);
  }

  /** It is all on one screen. */
  get fits(): boolean {
    return this.#ended && this.#rows.length < this.#size.rows;
  }

  /** All of the text, as it is shown. */
  get text(): string {
    return this.#rows.map(({ text }) => `${text}\n`).join("");
  }

  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    this.#addLines(lines);
  }

  end(): void {
    if (this.#rest !== "") this.#addLines([this.#rest]);
    this.#rest = "";
    this.#ended = true;
    const waiting = this.#atEnd;
    this.#atEnd = undefined;
    waiting?.();
  }

  resize(size: Size): void {
    if (size.rows === this.#size.rows && size.columns === this.#size.columns) return;
    const line = this.#rows[this.#top]?.line ?? 0;
    this.#size = size;
    this.#rows = [];
    for (const [i, text] of this.#lines.entries()) this.#rows.push(...this.#laidOut(text, i));
    this.#goTo(Math.max(0, this.#rows.findIndex((row) => row.line === line)));
  }

  #addLines(lines: readonly string[]): void {
    for (const text of lines) {
      this.#rows.push(...this.#laidOut(text, this.#lines.length));
      this.#lines.push(text);
    }
  }

  #laidOut(text: string, line: number): { text: string; line: number }[] {
    const { colors, chops, numbers } = this.#options;
    const rows: { text: string; line: number }[] = [];
    let row = numbers ? `${String(line + 1).padStart(7)} ` : "";
    let width = row.length;
    let color = "";
    for (const [piece] of text.replace(/\r$/, "").matchAll(PIECE)) {
      if (piece.length > 1 && piece.startsWith("\u001b")) {
        if (colors && piece.endsWith("m")) {
          color = /\[0?m$/.test(piece) ? "" : color + piece;
          row += piece;
        } else if (!colors) row += REVERSE("ESC") + piece.slice(1);
        if (!colors) width += piece.length + 2;
        continue;
      }
      const code = piece.charCodeAt(0);
      const shown = piece === "\t" ? " ".repeat(TAB_COLUMNS - (width % TAB_COLUMNS)) : code === 27 ? REVERSE("ESC") : code < 32 ? REVERSE(`^${String.fromCharCode(code + 64)}`) : piece;
      const wide = textWidth(shown);
      if (width + wide > this.#size.columns) {
        if (chops) break;
        rows.push({ text: row + (color && "\u001b[0m"), line });
        row = color;
        width = 0;
      }
      row += shown;
      width += wide;
    }
    rows.push({ text: row + (color && "\u001b[0m"), line });
    return rows;
  }

  /** A screen is as high as its rows, but for the last: there it says where one is. */
  get #page(): number {
    return Math.max(1, this.#size.rows - 1);
  }

  get #last(): number {
    return Math.max(0, this.#rows.length - this.#page);
  }

  get #isAtEnd(): boolean {
    return this.#ended && this.#top >= this.#last;
  }

  #goTo(row: number): void {
    this.#top = Math.max(0, Math.min(row, this.#last));
  }

  /** False: it is to be left. */
  key(key: string): boolean {
    this.#said = "";
    if (this.#typed !== undefined) return this.#type(this.#typed, key);
    if (/^\d$/.test(key)) {
      this.#count += key;
      return true;
    }
    const count = this.#count === "" ? undefined : Number(this.#count);
    this.#count = "";
    this.#begun = true;
    switch (key) {
      case "q": case "Q": return false;
      case " ": case "f": case "\u0006": case "\u0016": case "\u001b[6~": return this.#forward(count ?? this.#page);
      case "d": case "\u0004": return this.#forward(count ?? Math.ceil(this.#page / 2));
      case "j": case "e": case "\r": case "\n": case "\u000e": case "\u0005": case "\u001b[B": case "\u001bOB": return this.#forward(count ?? 1);
      case "b": case "\u0002": case "\u001b[5~": this.#goTo(this.#top - (count ?? this.#page)); return true;
      case "u": case "\u0015": this.#goTo(this.#top - (count ?? Math.ceil(this.#page / 2))); return true;
      case "k": case "y": case "\u0010": case "\u0019": case "\u001b[A": case "\u001bOA": this.#goTo(this.#top - (count ?? 1)); return true;
      case "g": case "<": case "\u001b[H": case "\u001b[1~": this.#toLine(count ?? 1); return true;
      case "G": case ">": case "\u001b[F": case "\u001b[4~": this.#whenAll(() => (count === undefined ? this.#goTo(this.#last) : this.#toLine(count))); return true;
      case "p": case "%": this.#whenAll(() => this.#goTo(Math.floor(((count ?? 0) / 100) * this.#rows.length))); return true;
      case "n": case "N": this.#next(key === "N"); return true;
      case "/": case "?": case ":": this.#typed = key; return true;
      // Waiting for the end is over; what is there stays.
      case "\u0003": this.#atEnd = undefined; return true;
      default: return true;
    }
  }

  #forward(rows: number): boolean {
    if (this.#isAtEnd && this.#options.endsAtEnd) return false;
    this.#goTo(this.#top + rows);
    return true;
  }

  #toLine(line: number): void {
    const at = this.#rows.findIndex((row) => row.line >= line - 1);
    this.#goTo(at < 0 ? this.#last : at);
  }

  #whenAll(what: () => void): void {
    if (this.#ended) what();
    else this.#atEnd = what;
  }

  #type(typed: string, key: string): boolean {
    this.#typed = undefined;
    if (key === "\u0003" || key === "\u001b") return true;
    if (key === "\u007f" || key === "\b") {
      if (typed.length > 1) this.#typed = typed.slice(0, -1);
    } else if (key !== "\r" && key !== "\n") this.#typed = key >= " " && !key.startsWith("\u001b") ? typed + key : typed;
    else if (typed.startsWith(":")) return !/^:[qQ]/.test(typed);
    else this.search(typed.slice(1), typed.startsWith("?"));
    return true;
  }

  /** Looks for a pattern, or, for none, for the last one. */
  search(text: string, back = false): void {
    if (text !== "") {
      try {
        this.#search = { pattern: new RegExp(text, this.#options.anyCase ? "iu" : "u"), back };
      } catch {
        this.#said = "Invalid pattern"; // what is typed is a pattern once it is whole
        return;
      }
    }
    this.#next(false);
  }

  #next(turns: boolean): void {
    const { pattern, back } = this.#search ?? {};
    if (!pattern) {
      this.#said = "No previous regular expression";
      return;
    }
    const step = back !== turns ? -1 : 1;
    const from = this.#rows[this.#top]?.line ?? 0;
    const look = (): boolean => {
      for (let line = from + step; line >= 0 && line < this.#lines.length; line += step) {
        if (!pattern.test(plain(this.#lines[line] ?? ""))) continue;
        this.#toLine(line + 1);
        return true;
      }
      return false;
    };
    const first = step === 1 && !this.#begun && pattern.test(plain(this.#lines[0] ?? ""));
    if (first || look()) return;
    this.#whenAll(() => {
      if (!look()) this.#said = "Pattern not found";
    });
  }

  /** The whole screen, from its top left corner on. */
  draw(): string {
    const rows = Array.from({ length: this.#page }, (_, i) => this.#rows[this.#top + i]);
    const text = rows.map((row) => (row ? this.#marked(row.text) : this.#rows.length > 0 && this.#ended ? "~" : "")).map((row) => `\u001b[0m${row}\u001b[K\n`).join("");
    return `\u001b[?25l\u001b[H${text}\u001b[0m${this.#status()}\u001b[K\u001b[?25h`;
  }

  #marked(row: string): string {
    const pattern = this.#search?.pattern;
    if (!pattern || row.includes("\u001b")) return row;
    return row.replaceAll(new RegExp(pattern, `${pattern.flags}g`), (found) => (found === "" ? "" : REVERSE(found)));
  }

  #status(): string {
    const { endsAtEnd, name } = this.#options;
    if (this.#typed !== undefined) return this.#typed;
    if (this.#atEnd) return REVERSE("Waiting for the rest (Ctrl+C stops)");
    if (this.#said !== "") return REVERSE(`${this.#said}  (press RETURN)`);
    if (this.#count !== "") return `:${this.#count}`;
    if (endsAtEnd) return REVERSE(`--More--${this.#ended && this.#rows.length > 0 ? `(${Math.min(100, Math.floor((100 * (this.#top + this.#page)) / this.#rows.length))}%)` : ""}`);
    if (this.#isAtEnd) return REVERSE("(END)");
    return !this.#begun && name !== "" ? REVERSE(name) : ":";
  }
}
