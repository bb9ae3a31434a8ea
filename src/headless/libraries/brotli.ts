// Brotli: Google's own encoder and decoder as WebAssembly (brotli.sh makes it), driven as Node's C++ drives it. The
// streams take and give pieces of any size; several may be under way at once.
import wasm from "./brotli.wasm?gzip";
import { offerLibrary } from "../libraries.ts";

interface Exports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  malloc(bytes: number): number;
  free(pointer: number): void;
  BrotliEncoderCreateInstance(allocate: number, free: number, opaque: number): number;
  BrotliEncoderDestroyInstance(state: number): void;
  BrotliEncoderSetParameter(state: number, parameter: number, value: number): number;
  BrotliEncoderCompressStream(state: number, operation: number, availableIn: number, nextIn: number, availableOut: number, nextOut: number, total: number): number;
  BrotliDecoderCreateInstance(allocate: number, free: number, opaque: number): number;
  BrotliDecoderDestroyInstance(state: number): void;
  BrotliDecoderSetParameter(state: number, parameter: number, value: number): number;
  BrotliDecoderDecompressStream(state: number, availableIn: number, nextIn: number, availableOut: number, nextOut: number, total: number): number;
  BrotliDecoderGetErrorCode(state: number): number;
  BrotliDecoderErrorString(code: number): number;
}

/** One stream. Its names and results are those of zlib's (builtins/zlib-engine.ts). */
export interface BrotliStream {
  readonly error: { readonly message: string; readonly errno: number; readonly code: string } | undefined;
  write(operation: number, input: Uint8Array, inputAt: number, inputLength: number, output: Uint8Array, outputAt: number): { readonly inputLeft: number; readonly outputLeft: number };
  reset(): void;
  /** Frees its memory; it must not be written to any more. */
  close(): void;
}

/** `gunzip` unpacks the module. Undefined: the parameters are refused. */
export type BrotliLibrary = (gunzip: (bytes: Uint8Array) => Uint8Array) => (encodes: boolean, parameters: ReadonlyMap<number, number>) => BrotliStream | undefined;

const FINISH = 2;
const NEEDS_MORE_INPUT = 2;
const Z_BUF_ERROR = -5;
/** The four arguments of a call that are read and written through pointers. */
const WORDS = 4;

class Stream implements BrotliStream {
  error: BrotliStream["error"];
  readonly #wasm: Exports;
  readonly #encodes: boolean;
  readonly #parameters: ReadonlyMap<number, number>;
  readonly #words: number;
  #state = 0;
  /** The rest of the last input, which is not copied again. */
  #input: { readonly bytes: Uint8Array; readonly start: number; readonly end: number; readonly pointer: number; at: number } | undefined;
  #output = { pointer: 0, bytes: 0 };

  constructor(exports: Exports, encodes: boolean, parameters: ReadonlyMap<number, number>) {
    this.#wasm = exports;
    this.#encodes = encodes;
    this.#parameters = parameters;
    this.#words = exports.malloc(WORDS * 4);
  }

  /** False when a parameter is refused. */
  begin(): boolean {
    const { BrotliEncoderCreateInstance, BrotliEncoderSetParameter, BrotliDecoderCreateInstance, BrotliDecoderSetParameter } = this.#wasm;
    this.#state = (this.#encodes ? BrotliEncoderCreateInstance : BrotliDecoderCreateInstance)(0, 0, 0);
    const set = this.#encodes ? BrotliEncoderSetParameter : BrotliDecoderSetParameter;
    for (const [parameter, value] of this.#parameters) if (set(this.#state, parameter, value >>> 0) === 0) return false;
    return true;
  }

  write(operation: number, input: Uint8Array, inputAt: number, inputLength: number, output: Uint8Array, outputAt: number): { inputLeft: number; outputLeft: number } {
    const room = output.length - outputAt;
    if (this.error) return { inputLeft: 0, outputLeft: room };
    const { memory, BrotliEncoderCompressStream, BrotliDecoderDecompressStream } = this.#wasm;
    const from = this.#copied(input, inputAt, inputLength);
    const to = this.#outputOf(room);
    const words = new Uint32Array(memory.buffer, this.#words, WORDS);
    words.set([inputLength, from, room, to]);
    const [availableIn, nextIn, availableOut, nextOut] = [0, 4, 8, 12].map((at) => this.#words + at) as [number, number, number, number];
    const result = this.#encodes
      ? BrotliEncoderCompressStream(this.#state, operation, availableIn, nextIn, availableOut, nextOut, 0)
      : BrotliDecoderDecompressStream(this.#state, availableIn, nextIn, availableOut, nextOut, 0);
    const [inputLeft = 0, , outputLeft = 0] = new Uint32Array(memory.buffer, this.#words, WORDS); // it may have grown
    output.set(new Uint8Array(memory.buffer, to, room - outputLeft), outputAt);
    if (this.#input) this.#input.at = inputAt + inputLength - inputLeft;
    if (inputLeft === 0) this.#forget();
    this.#check(result, operation);
    return { inputLeft, outputLeft };
  }

  #copied(input: Uint8Array, at: number, length: number): number {
    const known = this.#input;
    if (known && known.bytes === input && known.at === at && known.end === at + length) return known.pointer + at - known.start;
    this.#forget();
    if (length === 0) return 0;
    const pointer = this.#wasm.malloc(length);
    new Uint8Array(this.#wasm.memory.buffer, pointer, length).set(input.subarray(at, at + length));
    this.#input = { bytes: input, start: at, end: at + length, pointer, at };
    return pointer;
  }

  #forget(): void {
    if (this.#input) this.#wasm.free(this.#input.pointer);
    this.#input = undefined;
  }

  #outputOf(bytes: number): number {
    if (bytes > this.#output.bytes) {
      this.#wasm.free(this.#output.pointer);
      this.#output = { pointer: this.#wasm.malloc(bytes), bytes };
    }
    return this.#output.pointer;
  }

  #check(result: number, operation: number): void {
    if (this.#encodes) {
      if (result === 0) this.error = { message: "Compression failed", errno: -1, code: "ERR_BROTLI_COMPRESSION_FAILED" };
      return;
    }
    const code = this.#wasm.BrotliDecoderGetErrorCode(this.#state);
    if (result === 0) this.error = { message: "Decompression failed", errno: code, code: `ERR_${this.#text(this.#wasm.BrotliDecoderErrorString(code))}` };
    else if (operation === FINISH && result === NEEDS_MORE_INPUT) this.error = { message: "unexpected end of file", errno: Z_BUF_ERROR, code: "Z_BUF_ERROR" };
  }

  #text(pointer: number): string {
    const bytes = new Uint8Array(this.#wasm.memory.buffer, pointer);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }

  reset(): void {
    this.error = undefined;
    this.#end();
    this.begin();
  }

  #end(): void {
    if (this.#state === 0) return;
    (this.#encodes ? this.#wasm.BrotliEncoderDestroyInstance : this.#wasm.BrotliDecoderDestroyInstance)(this.#state);
    this.#state = 0;
  }

  close(): void {
    this.#end();
    this.#forget();
    this.#wasm.free(this.#output.pointer);
    this.#wasm.free(this.#words);
    this.#output = { pointer: 0, bytes: 0 };
  }
}

export const brotli: BrotliLibrary = (gunzip) => {
  const module = new WebAssembly.Module(gunzip(Uint8Array.from(atob(wasm), (letter) => letter.charCodeAt(0))) as Uint8Array<ArrayBuffer>);
  // Asked for at the end of the world only: out of memory.
  const wasi = { proc_exit: (code: number) => {
    throw new RangeError(`brotli ended with code ${code}`);
  } };
  const exports = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi }).exports as unknown as Exports;
  exports._initialize();
  return (encodes, parameters) => {
    const stream = new Stream(exports, encodes, parameters);
    if (stream.begin()) return stream;
    stream.close();
    return undefined;
  };
};

offerLibrary<"brotli">(brotli);
