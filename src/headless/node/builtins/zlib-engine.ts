// One zlib stream as Node's C++ drives it: modes, several gzip members in a row, dictionaries, and the words of its errors.
import {
  ZStream, Z_BUF_ERROR, Z_FINISH, Z_NEED_DICT, Z_OK, Z_STREAM_END,
  zlibDeflate, zlibDeflateInit2, zlibDeflateReset, zlibDeflateSetDictionary, zlibInflate, zlibInflateInit2, zlibInflateReset, zlibInflateSetDictionary,
} from "pako";
import { codeNames } from "./zlib-constants.ts";

export type ZlibMode = "deflate" | "inflate" | "gzip" | "gunzip" | "deflateRaw" | "inflateRaw" | "unzip";

export interface EngineOptions {
  readonly windowBits: number;
  readonly level: number;
  readonly memLevel: number;
  readonly strategy: number;
  readonly dictionary?: Uint8Array | undefined;
}

/** What one call did: how much is left of the input, how much of the output is unused. */
export interface Written {
  readonly inputLeft: number;
  readonly outputLeft: number;
}

export interface EngineError {
  readonly message: string;
  readonly errno: number;
  readonly code: string;
}

const GZIP_MAGIC = [0x1f, 0x8b] as const;
const Z_DEFLATED = 8;

type Strategy = Parameters<typeof zlibDeflateInit2>[5];
type Flush = Parameters<typeof zlibDeflate>[1];

export class ZlibEngine {
  readonly #options: EngineOptions;
  readonly #compresses: boolean;
  readonly #stream = new ZStream();
  #mode: ZlibMode;
  /** How many bytes of gzip's magic number an `unzip` has seen. */
  #magicSeen = 0;
  #level: number;
  #strategy: number;
  #status: number = Z_OK;
  #begun = false;
  error: EngineError | undefined;

  constructor(mode: ZlibMode, options: EngineOptions) {
    this.#mode = mode;
    this.#options = options;
    this.#level = options.level;
    this.#strategy = options.strategy;
    this.#compresses = mode === "deflate" || mode === "gzip" || mode === "deflateRaw";
  }

  #begin(): void {
    this.#begun = true;
    const { windowBits, memLevel, dictionary } = this.#options;
    const bits = { deflate: windowBits, inflate: windowBits, gzip: windowBits + 16, gunzip: windowBits + 16, unzip: windowBits + 32, deflateRaw: -windowBits, inflateRaw: -windowBits }[this.#mode];
    if (this.#compresses) this.#status = zlibDeflateInit2(this.#stream, this.#level, Z_DEFLATED, bits, memLevel, this.#strategy as Strategy);
    else this.#status = zlibInflateInit2(this.#stream, bits);
    if (this.#status !== Z_OK) return this.#fail("Init error");
    return dictionary && this.#mode !== "inflate" ? this.#useDictionary(dictionary) : undefined;
  }

  #useDictionary(dictionary: Uint8Array): void {
    if (this.#compresses) this.#status = zlibDeflateSetDictionary(this.#stream, dictionary);
    else if (this.#mode === "inflateRaw") this.#status = zlibInflateSetDictionary(this.#stream, dictionary);
    else return;
    if (this.#status !== Z_OK) this.#fail("Failed to set dictionary");
  }

  /** Reads from `input` at `inputAt`, writes into all of `output` from `outputAt`. After an `error` it does nothing. */
  write(flush: number, input: Uint8Array, inputAt: number, inputLength: number, output: Uint8Array, outputAt: number): Written {
    const stream = this.#stream;
    if (!this.#begun) this.#begin();
    if (this.error) return { inputLeft: 0, outputLeft: output.length - outputAt };
    stream.input = input;
    stream.next_in = inputAt;
    stream.avail_in = inputLength;
    stream.output = output as Uint8Array<ArrayBuffer>;
    stream.next_out = outputAt;
    stream.avail_out = output.length - outputAt;
    if (this.#compresses) this.#status = zlibDeflate(stream, flush as Flush);
    else this.#inflate(flush as Flush);
    this.#check(flush);
    return { inputLeft: stream.avail_in, outputLeft: stream.avail_out };
  }

  #inflate(flush: Flush): void {
    const stream = this.#stream;
    if (this.#mode === "unzip") this.#sniff();
    this.#status = zlibInflate(stream, flush);
    const { dictionary } = this.#options;
    if (this.#mode !== "inflateRaw" && this.#status === Z_NEED_DICT && dictionary) {
      this.#status = zlibInflateSetDictionary(stream, dictionary);
      // A wrong dictionary is told as such, not as damaged data.
      if (this.#status === Z_OK) this.#status = zlibInflate(stream, flush);
      else this.#status = Z_NEED_DICT;
    }
    while (stream.avail_in > 0 && this.#mode === "gunzip" && this.#status === Z_STREAM_END && stream.input[stream.next_in] !== 0) {
      // Another member follows, or rubbish, which then is an error.
      zlibInflateReset(stream);
      this.#status = zlibInflate(stream, flush);
    }
  }

  /** The first bytes decide between gzip and zlib. */
  #sniff(): void {
    const stream = this.#stream;
    for (let at = 0; at < stream.avail_in && this.#mode === "unzip"; at++) {
      if (stream.input[stream.next_in + at] !== GZIP_MAGIC[this.#magicSeen]) this.#mode = "inflate";
      else if (++this.#magicSeen === GZIP_MAGIC.length) this.#mode = "gunzip";
    }
  }

  #check(flush: number): void {
    switch (this.#status) {
      case Z_OK:
      case Z_BUF_ERROR:
        if (this.#stream.avail_out !== 0 && flush === Z_FINISH) {
          this.#status = Z_BUF_ERROR;
          this.#fail("unexpected end of file");
        }
        return;
      case Z_STREAM_END:
        return;
      case Z_NEED_DICT:
        return this.#fail(this.#options.dictionary ? "Bad dictionary" : "Missing dictionary");
      default:
        return this.#fail("Zlib error");
    }
  }

  #fail(otherwise: string): void {
    const { msg } = this.#stream;
    const said = this.#status === Z_BUF_ERROR || this.#status === Z_NEED_DICT ? "" : msg;
    this.error = { message: said || otherwise, errno: this.#status, code: codeNames.get(this.#status) ?? "Z_STREAM_ERROR" };
  }

  reset(): void {
    this.error = undefined;
    if (!this.#begun) return;
    if (this.#compresses) zlibDeflateReset(this.#stream);
    else zlibInflateReset(this.#stream);
    if (this.#options.dictionary) this.#useDictionary(this.#options.dictionary);
  }

  close(): void {
    this.error = { message: "zlib binding closed", errno: -2, code: "Z_STREAM_ERROR" };
  }

  /** A new level and strategy for what is still to come; only before the first byte, or the stream is flushed first. */
  params(level: number, strategy: number): void {
    this.#level = level;
    this.#strategy = strategy;
    const state = this.#stream.state as { level: number; strategy: number } | null | undefined;
    if (!this.#begun || !state || !this.#compresses) return;
    state.level = level;
    state.strategy = strategy;
  }
}
