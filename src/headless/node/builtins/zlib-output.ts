// How output is cut into chunks, and the native half of a stream: the same for zlib's engine and brotli's.
import { Buffer } from "./buffer.ts";
import type { EngineError, Written } from "./zlib-engine.ts";

const engineError = ({ message, errno, code }: EngineError): Error => Object.assign(new Error(message), { errno, code });

/** What compresses or expands: zlib's or brotli's. */
export interface Engine {
  readonly error: EngineError | undefined;
  write(flush: number, input: Uint8Array, inputAt: number, inputLength: number, output: Uint8Array, outputAt: number): Written;
  reset(): void;
  params?(level: number, strategy: number): void;
  close?(): void;
}

/** Output goes on in the buffer that the piece before has not filled: chunks are cut where Node cuts them. */
export class Output {
  readonly #engine: Engine;
  readonly #chunkSize: number;
  #buffer: Uint8Array;
  #used = 0;
  /** Bytes of input that the engine has taken, of all pieces together. */
  taken = 0;

  constructor(engine: Engine, chunkSize: number) {
    this.#engine = engine;
    this.#chunkSize = chunkSize;
    this.#buffer = Buffer.alloc(chunkSize);
  }

  /** All output for one piece of input; returns how many bytes of it are left over, after the end of what is packed. */
  *of(flush: number, input: Uint8Array): Generator<Uint8Array, number> {
    let at = 0;
    let left = input.length;
    for (;;) {
      const { inputLeft, outputLeft } = this.#engine.write(flush, input, at, left, this.#buffer, this.#used);
      if (this.#engine.error) throw engineError(this.#engine.error);
      at += left - inputLeft;
      this.taken += left - inputLeft;
      left = inputLeft;
      const end = this.#chunkSize - outputLeft;
      const chunk = this.#buffer.subarray(this.#used, end);
      this.#used = end;
      if (end >= this.#chunkSize) {
        this.#buffer = Buffer.alloc(this.#chunkSize);
        this.#used = 0;
      }
      if (chunk.length > 0) yield chunk;
      if (outputLeft > 0) return left;
    }
  }
}

/** The native half as libraries see it (`stream._handle`). */
export class Handle {
  readonly engine: Engine;
  readonly output: Output;
  /** How much of the output is unused and of the input is left, after `writeSync`. */
  readonly writeState = new Uint32Array(2);
  /** Told what `writeSync` finds wrong. */
  onerror: ((message: string, errno: number, code: string) => void) | undefined;

  constructor(engine: Engine, chunkSize: number) {
    this.engine = engine;
    this.output = new Output(engine, chunkSize);
  }

  /** One step, as libraries take it that read a whole packed text at once; what is left is in `_writeState`. */
  writeSync(flush: number, input: Uint8Array | null | undefined, inputAt: number, inputLength: number, output: Uint8Array, outputAt: number, outputLength: number): void {
    const { inputLeft, outputLeft } = this.engine.write(flush, input ?? new Uint8Array(), inputAt, inputLength, output.subarray(0, outputAt + outputLength), outputAt);
    this.writeState[0] = outputLeft;
    this.writeState[1] = inputLeft;
    const { error } = this.engine;
    if (error) this.onerror?.(error.message, error.errno, error.code);
  }

  reset(): void {
    this.engine.reset();
  }

  close(): void {
    this.engine.close?.();
  }
}
