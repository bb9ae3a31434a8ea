// A line being typed at a terminal: editing keys, history, completion, as in readline. Keys come in as a terminal sends them;
// what goes out are moves that any terminal knows.

export interface LineEditorOptions {
  write(text: string): void;
  columns(): number;
  /** Oldest first. */
  readonly history: readonly string[];
  /** Has the terminal say what is pasted: it is put into the line as it is, and runs with Enter. */
  readonly bracketsPaste?: boolean;
  /** What may stand at the end of the text before the cursor; `from` is where it begins in it. */
  complete?(before: string): Completion | Promise<Completion>;
}

export interface Completion {
  readonly from: number;
  /** As they are inserted, quoted where they must be. */
  readonly candidates: readonly string[];
}

/** A line; null for Ctrl+D on an empty one; "interrupt" for Ctrl+C. */
export type Typed = { readonly line: string } | null | "interrupt";

const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const COMBINING = /\p{Mn}|\u200d|\ufe0f/u;

/** Columns that it takes on a screen. */
export function textWidth(text: string): number {
  let sum = 0;
  // oxlint-disable-next-line no-control-regex -- colours of a prompt take no room
  for (const c of text.replaceAll(/\u001b\[[\d;]*m/g, "")) sum += COMBINING.test(c) ? 0 : WIDE.test(c) ? 2 : 1;
  return sum;
}

const PASTE_END = "\u001b[201~";
const TAB_COLUMNS = 8;

/** Tabs as spaces, up to the next column that they go to. */
function untabbed(text: string): string {
  const [first = "", ...parts] = text.split("\t");
  return parts.reduce((out, part) => out + " ".repeat(TAB_COLUMNS - (textWidth(out.slice(out.lastIndexOf("\n") + 1)) % TAB_COLUMNS)) + part, first);
}

/** Where a text ends on a screen: rows down from its first, and the column. */
function endOf(text: string, columns: number): { readonly row: number; readonly column: number } {
  let row = 0;
  let width = 0;
  for (const [i, line] of text.split("\n").entries()) {
    if (i > 0) row += Math.max(1, Math.ceil(width / columns));
    width = textWidth(line);
  }
  return { row: row + Math.floor(width / columns), column: width % columns };
}

export class LineEditor {
  readonly #options: LineEditorOptions;
  #prompt = "";
  #line: string[] = [];
  #cursor = 0;
  /** Rows between the prompt's first and the cursor's. */
  #row = 0;
  #back = 0;
  #draft = "";
  #cut = "";
  #listed = "";
  #escape = "";
  /** What comes is pasted, up to PASTE_END. */
  #pasting = false;
  /** Ctrl+R: what is searched, how far back it is, and the line that was there. */
  #search: { query: string; back: number; readonly line: readonly string[]; found: boolean } | undefined;
  #done: ((typed: Typed) => void) | undefined;
  /** Keys that came while nothing was read, or after the line's end. */
  #waiting = "";
  #busy = false;

  constructor(options: LineEditorOptions) {
    this.#options = options;
  }

  get reading(): boolean {
    return this.#done !== undefined;
  }

  /** Shows the prompt and resolves with the line. Its last line is where one types. */
  read(prompt: string): Promise<Typed> {
    const newline = prompt.lastIndexOf("\n") + 1;
    this.#options.write((this.#options.bracketsPaste ? "\u001b[?2004h" : "") + prompt.slice(0, newline));
    this.#prompt = prompt.slice(newline);
    this.#line = [];
    this.#cursor = this.#row = this.#back = 0;
    this.#listed = "";
    this.#draw();
    return new Promise((resolve) => {
      this.#done = resolve;
      const keys = this.#waiting;
      this.#waiting = "";
      this.type(keys);
    });
  }

  type(keys: string): void {
    this.#waiting += keys;
    if (this.#busy) return;
    for (;;) {
      if (this.#pasting && !this.#paste()) return;
      if (this.#waiting === "" || !this.reading) return;
      // Letters that came together are drawn together.
      // oxlint-disable-next-line no-control-regex -- up to the next key
      const letters = this.#search || this.#escape !== "" ? "" : (/^[^\u0000-\u001f\u007f]*/.exec(this.#waiting)?.[0] ?? "");
      if (letters !== "") {
        this.#waiting = this.#waiting.slice(letters.length);
        this.#insert(letters);
        continue;
      }
      const point = String.fromCodePoint(this.#waiting.codePointAt(0) ?? 0);
      this.#waiting = this.#waiting.slice(point.length);
      if (this.#search && this.#searchKey(point)) continue;
      if (this.#escape !== "" || point === "\u001b") this.#sequence(point);
      else if (point === "\t") {
        this.#busy = true;
        void this.#complete().finally(() => {
          this.#busy = false;
          this.type("");
        });
        return;
      } else this.#key(point);
    }
  }

  /** Keys that came after the line's end, and are nobody's yet. */
  takeRest(): string {
    const rest = this.#waiting;
    this.#waiting = "";
    return rest;
  }

  /** False until all of it has come. What is not text is left out: it could be a key. */
  #paste(): boolean {
    const end = this.#waiting.indexOf(PASTE_END);
    if (end < 0) return false;
    this.#pasting = false;
    const text = this.#waiting.slice(0, end);
    this.#waiting = this.#waiting.slice(end + PASTE_END.length);
    // oxlint-disable-next-line no-control-regex -- all of them but tab and newline
    this.#insert(text.replaceAll(/\r\n?/g, "\n").replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, ""));
    return true;
  }

  /** Draws again after something else was printed above. */
  redraw(): void {
    this.#row = 0;
    this.#draw();
  }

  #key(key: string): void {
    switch (key) {
      case "\r":
      case "\n": return this.#finish({ line: this.#line.join("") }, "\n");
      case "\u0003": return this.#finish("interrupt", "^C\n");
      case "\u0004": return this.#line.length === 0 ? this.#finish(null, "") : this.#remove(this.#cursor, this.#cursor + 1);
      case "\u007f":
      case "\b": return this.#remove(this.#cursor - 1, this.#cursor);
      case "\u0001": return this.#move(0);
      case "\u0005": return this.#move(this.#line.length);
      case "\u0002": return this.#move(this.#cursor - 1);
      case "\u0006": return this.#move(this.#cursor + 1);
      case "\u0012":
        this.#search = { query: "", back: 0, line: [...this.#line], found: true };
        return this.#draw();
      case "\u0010": return this.#recall(1);
      case "\u000e": return this.#recall(-1);
      case "\u000b": return this.#kill(this.#cursor, this.#line.length);
      case "\u0015": return this.#kill(0, this.#cursor);
      case "\u0017": return this.#kill(this.#wordStart(true), this.#cursor);
      case "\u0019": return this.#insert(this.#cut);
      case "\u000c":
        this.#options.write("\u001b[H\u001b[2J");
        return this.redraw();
      default:
        if (key >= " ") this.#insert(key);
    }
  }

  /** Arrows, Home, End, Delete and words, in the forms that terminals send. */
  #sequence(key: string): void {
    if (key === "\u001b") {
      this.#escape = key;
      return;
    }
    this.#escape += key;
    const text = this.#escape.slice(1);
    if (/^(\[|O|\[[\d;]*)$/.test(text)) return;
    this.#escape = "";
    const word = /;[35]/.test(text);
    if (/^[[O].*A$/.test(text)) this.#recall(1);
    else if (/^[[O].*B$/.test(text)) this.#recall(-1);
    else if (/^[[O].*C$/.test(text) || text === "f") this.#move(word || text === "f" ? this.#wordEnd() : this.#cursor + 1);
    else if (/^[[O].*D$/.test(text) || text === "b") this.#move(word || text === "b" ? this.#wordStart(false) : this.#cursor - 1);
    else if (/^([[O]H|\[[17]~)$/.test(text)) this.#move(0);
    else if (/^([[O]F|\[[48]~)$/.test(text)) this.#move(this.#line.length);
    else if (text === "[3~") this.#remove(this.#cursor, this.#cursor + 1);
    else if (text === "[200~") this.#pasting = true;
    else if (text === "\u007f") this.#kill(this.#wordStart(false), this.#cursor);
    else if (text === "d") this.#kill(this.#cursor, this.#wordEnd());
  }

  #finish(typed: Typed, shown: string): void {
    this.#cursor = this.#line.length;
    this.#draw();
    this.#options.write((this.#options.bracketsPaste ? "\u001b[?2004l" : "") + shown);
    const done = this.#done;
    this.#done = undefined;
    done?.(typed);
  }

  #move(to: number): void {
    this.#cursor = Math.min(Math.max(to, 0), this.#line.length);
    this.#draw();
  }

  #insert(text: string): void {
    const letters = [...text];
    this.#line = [...this.#line.slice(0, this.#cursor), ...letters, ...this.#line.slice(this.#cursor)];
    this.#cursor += letters.length;
    this.#draw();
  }

  #remove(from: number, to: number): void {
    if (from < 0) return;
    this.#line.splice(from, to - from);
    this.#cursor = from;
    this.#draw();
  }

  #kill(from: number, to: number): void {
    if (to > from) this.#cut = this.#line.slice(from, to).join("");
    this.#remove(from, to);
  }

  #wordStart(bySpace: boolean): number {
    const isWord = (c = ""): boolean => (bySpace ? c !== " " : /[\p{L}\p{N}_]/u.test(c));
    let at = this.#cursor;
    while (at > 0 && !isWord(this.#line[at - 1])) at--;
    while (at > 0 && isWord(this.#line[at - 1])) at--;
    return at;
  }

  #wordEnd(): number {
    const isWord = (c = ""): boolean => /[\p{L}\p{N}_]/u.test(c);
    let at = this.#cursor;
    while (at < this.#line.length && !isWord(this.#line[at])) at++;
    while (at < this.#line.length && isWord(this.#line[at])) at++;
    return at;
  }

  /** False: the key ends the search and does what it does. */
  #searchKey(key: string): boolean {
    const search = this.#search;
    if (!search) return false;
    if (key === "\u0007" || key === "\u0003") {
      this.#line = [...search.line];
      this.#search = undefined;
    } else if (key === "\u0012") this.#look(search, search.back + 1);
    else if (key === "\u007f" || key === "\b") {
      search.query = [...search.query].slice(0, -1).join("");
      this.#look(search, 1);
    } else if (key >= " ") {
      search.query += key;
      this.#look(search, Math.max(1, search.back));
    } else {
      this.#search = undefined;
      this.#move(this.#cursor);
      return false;
    }
    this.#cursor = this.#line.length;
    this.#draw();
    return true;
  }

  /** Shows the newest line from so far back on that holds what is searched. */
  #look(search: { query: string; back: number; found: boolean }, from: number): void {
    const { history } = this.#options;
    for (let back = from; search.query !== "" && back <= history.length; back++) {
      const line = history[history.length - back] ?? "";
      if (!line.includes(search.query)) continue;
      this.#line = [...line];
      Object.assign(search, { back, found: true });
      return;
    }
    search.found = search.query === "";
  }

  #recall(step: 1 | -1): void {
    const { history } = this.#options;
    const back = Math.min(Math.max(this.#back + step, 0), history.length);
    if (back === this.#back) return;
    if (this.#back === 0) this.#draft = this.#line.join("");
    this.#back = back;
    this.#line = [...(back === 0 ? this.#draft : (history[history.length - back] ?? ""))];
    this.#move(this.#line.length);
  }

  async #complete(): Promise<void> {
    const before = this.#line.slice(0, this.#cursor).join("");
    const found = await this.#options.complete?.(before);
    if (!found || found.candidates.length === 0 || !this.reading) return;
    const typed = before.slice(found.from);
    let common = found.candidates[0] ?? "";
    for (const candidate of found.candidates) while (!candidate.startsWith(common)) common = common.slice(0, -1);
    if (common.length > typed.length) {
      const start = Array.from(before.slice(0, found.from)).length;
      this.#line.splice(start, this.#cursor - start);
      this.#cursor = start;
      return this.#insert(found.candidates.length === 1 && !common.endsWith("/") ? `${common} ` : common);
    }
    if (found.candidates.length === 1) return common.endsWith("/") ? undefined : this.#insert(" ");
    // The second Tab on the same text shows what there is.
    if (this.#listed === before) this.#list(found.candidates.map((candidate) => candidate.replace(/^.*\/(?=.)/, "")));
    this.#listed = before;
  }

  #list(names: readonly string[]): void {
    const wide = Math.max(...names.map(textWidth)) + 2;
    const columns = Math.max(1, Math.floor(this.#options.columns() / wide));
    const rows = Math.ceil(names.length / columns);
    const { length } = this.#line;
    const cursor = this.#cursor;
    this.#move(length);
    let text = "\n";
    for (let row = 0; row < rows; row++) text += `${Array.from({ length: columns }, (_, column) => names[column * rows + row]).filter((name) => name !== undefined).map((name) => name + " ".repeat(wide - textWidth(name))).join("").trimEnd()}\n`;
    this.#options.write(text);
    this.#cursor = cursor;
    this.redraw();
  }

  #draw(): void {
    const columns = Math.max(1, this.#options.columns());
    const prompt = this.#search ? `(${this.#search.found ? "" : "failed "}reverse-i-search)\`${this.#search.query}': ` : this.#prompt;
    const shown = untabbed(prompt + this.#line.join(""));
    const end = endOf(shown, columns);
    const at = endOf(untabbed(prompt + this.#line.slice(0, this.#cursor).join("")), columns);
    let out = `${this.#row > 0 ? `\u001b[${this.#row}A` : ""}\r\u001b[J${shown}`;
    // At the right margin a terminal waits with the new row until something comes.
    if (end.column === 0 && !/(^|\n)$/.test(shown)) out += " \r\u001b[K";
    this.#row = at.row;
    if (end.row > at.row) out += `\u001b[${end.row - at.row}A`;
    out += "\r";
    if (at.column > 0) out += `\u001b[${at.column}C`;
    this.#options.write(out);
  }
}
