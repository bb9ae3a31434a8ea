// Text that commands read line by line: as UTF-8 where it is, else each byte as a letter, so that what goes out is what came in.
import { joined } from "../../../base/bytes.ts";
import { fromLatin1, latin1 } from "../../kernel/text-encoding.ts";
import type { Stream } from "../streams.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A line without its end; `bare`: it had none, as only the last can. `raw`: its letters are bytes. */
export interface Line {
  readonly text: string;
  readonly bare: boolean;
  readonly raw: boolean;
}

/** What was decoded as `raw` says, as bytes again. */
export const bytesOf = (text: string, raw: boolean): Uint8Array => (raw ? fromLatin1(text) : new TextEncoder().encode(text));

export class LineReader {
  readonly #stream: Stream;
  readonly #signal: AbortSignal;
  readonly #end: string;
  #lines: Line[] = [];
  #at = 0;
  #rest: Uint8Array = new Uint8Array();
  #ended = false;
  /** A NUL was among what has been read. */
  binary = false;

  constructor(stream: Stream, signal: AbortSignal, end = "\n") {
    this.#stream = stream;
    this.#signal = signal;
    this.#end = end;
  }

  /** What can be had without waiting, after waiting for something; undefined at the end. */
  async batch(): Promise<readonly Line[] | undefined> {
    if (this.#at >= this.#lines.length) await this.#fill();
    const lines = this.#lines.slice(this.#at);
    this.#at = this.#lines.length;
    return lines.length > 0 ? lines : undefined;
  }

  /** Whether the next line is here already. */
  get isAhead(): boolean {
    return this.#at < this.#lines.length;
  }

  async next(): Promise<Line | undefined> {
    if (this.#at >= this.#lines.length) await this.#fill();
    return this.#lines[this.#at++];
  }

  /** Whether no line is left; waits for one. */
  async isEmpty(): Promise<boolean> {
    if (this.#at >= this.#lines.length) await this.#fill();
    return this.#at >= this.#lines.length;
  }

  async #fill(): Promise<void> {
    this.#lines = [];
    this.#at = 0;
    while (!this.#ended && this.#lines.length === 0) {
      const piece = await this.#stream.read(this.#signal);
      this.#ended = piece === undefined;
      if (piece?.includes(0)) this.binary = true;
      const end = piece ? piece.lastIndexOf(this.#end.charCodeAt(0)) + 1 : this.#rest.length;
      const whole = piece ? (end > 0 ? joined([this.#rest, piece.subarray(0, end)]) : new Uint8Array()) : this.#rest;
      this.#rest = piece ? (end > 0 ? piece.slice(end) : joined([this.#rest, piece])) : new Uint8Array();
      if (whole.length > 0) this.#lines = this.#split(whole);
    }
  }

  #split(bytes: Uint8Array): Line[] {
    let text: string;
    let raw = false;
    try {
      text = UTF8.decode(bytes);
    } catch {
      text = latin1(bytes);
      raw = true;
    }
    const parts = text.split(this.#end);
    const bare = parts.at(-1) !== "";
    if (!bare) parts.pop();
    return parts.map((part, i) => ({ text: part, bare: bare && i === parts.length - 1, raw }));
  }
}
