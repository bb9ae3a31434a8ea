// Replacements in a source text that never add or remove a line, with the way back: where a column of the result was
// in the original. Stack traces of transformed modules stay exact through it.

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** The engine names a call's place by the character after its callee; that one belongs to the replaced text. */
  readonly callee: boolean;
}

/** Edits as plain data. */
export type EditData = readonly (readonly [start: number, end: number, text: string, callee: boolean])[];

/** A line's pieces in order: from this column of the result on, the original is at `original` (+ distance, if `moving`). */
interface Piece {
  readonly from: number;
  readonly original: number;
  readonly moving: boolean;
}

/** Where an edit stands in the result, and what it replaced. */
interface EditPlace {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
}

/** A text with edits in it. */
export interface Rewritten {
  readonly code: string;
  /** For a 1-based line and column, the column in the original. */
  readonly columnBefore: (line: number, column: number) => number;
  /** What stood in the original where [from, to) of the code stands. */
  readonly textBefore: (from: number, to: number) => string;
}

export class Edits {
  readonly #source: string;
  readonly #edits: Edit[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  static of(source: string, data: EditData): Edits {
    const edits = new Edits(source);
    for (const [start, end, text, callee] of data) edits.#edits.push({ start, end, text, callee });
    return edits;
  }

  get data(): EditData {
    return this.#edits.map(({ start, end, text, callee }) => [start, end, text, callee]);
  }

  /** Replaces [start, end). Lines in it are kept: their line ends follow the new text. Ranges may touch, not overlap. */
  replace(start: number, end: number, text: string, callee = false): void {
    const lines = this.#source.slice(start, end).replace(/[^\n]/g, "");
    this.#edits.push({ start, end, text: text + lines, callee });
  }

  insert(at: number, text: string): void {
    this.#edits.push({ start: at, end: at, text, callee: false });
  }

  /** The new text with the ways back. Call once. */
  apply(): Rewritten {
    // Stable: insertions at one place keep the order in which they were made.
    const edits = [...this.#edits].sort((a, b) => a.start - b.start || a.end - b.end);
    const shifted = new Map<number, Piece[]>();
    const places: EditPlace[] = [];
    let code = "";
    let at = 0;
    let line = 1;
    let lineStart = 0;
    let originalLineStart = 0;
    const advance = (from: number, to: number): void => {
      for (let i = this.#source.indexOf("\n", from); i >= 0 && i < to; i = this.#source.indexOf("\n", i + 1)) {
        line++;
        originalLineStart = i + 1;
        lineStart = code.length + (i + 1 - from);
      }
    };
    for (const edit of edits) {
      advance(at, edit.start);
      code += this.#source.slice(at, edit.start);
      const pieces = shifted.get(line) ?? [];
      pieces.push({ from: code.length - lineStart, original: edit.start - originalLineStart, moving: false });
      shifted.set(line, pieces);
      places.push({ from: code.length, to: code.length + edit.text.length, start: edit.start, end: edit.end });
      code += edit.text;
      const lastBreak = edit.text.lastIndexOf("\n");
      if (lastBreak >= 0) {
        line += edit.text.split("\n").length - 1;
        lineStart = code.length - (edit.text.length - lastBreak - 1);
        originalLineStart = this.#source.lastIndexOf("\n", edit.end - 1) + 1;
      }
      const after = shifted.get(line) ?? [];
      const skip = edit.callee ? 1 : 0;
      after.push({ from: code.length - lineStart + skip, original: edit.end - originalLineStart + skip, moving: true });
      shifted.set(line, after);
      at = edit.end;
    }
    code += this.#source.slice(at);
    const source = this.#source;
    return {
      code,
      columnBefore: (l, column) => originalColumn(shifted.get(l), column),
      textBefore: (from, to) => source.slice(originalOffset(places, from, false), originalOffset(places, to - 1, true)),
    };
  }
}

/** Before or, if `end`, behind the character of the original that stands at `offset` of the result. */
function originalOffset(places: readonly EditPlace[], offset: number, end: boolean): number {
  const place = places.findLast((p) => p.from <= offset);
  if (!place) return offset + (end ? 1 : 0);
  if (offset < place.to) return end ? place.end : place.start;
  return place.end + (offset - place.to) + (end ? 1 : 0);
}

function originalColumn(pieces: readonly Piece[] | undefined, column: number): number {
  const zeroBased = column - 1;
  const piece = pieces?.findLast((p) => p.from <= zeroBased);
  if (!piece) return column;
  return 1 + piece.original + (piece.moving ? zeroBased - piece.from : 0);
}
