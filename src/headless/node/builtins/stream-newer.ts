// What Node 20's streams do and the kept ones, which are Node 18's, do not. Each can go when readable-stream has it.
import { abortError, invalidArgType } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { unknownEncoding } from "./buffer-methods.ts";

interface State {
  readonly objectMode: boolean;
  readonly ending: boolean;
  readonly finished: boolean;
  readonly pendingcb: number | undefined;
  readonly buffered: readonly unknown[] | undefined;
  readonly bufferedIndex: number;
  readonly constructed: boolean;
  readonly writing: boolean;
  readonly corked: number;
  readonly bufferProcessing: boolean;
  readonly errored: unknown;
}
type Stream = Dict & {
  readonly _writableState?: State;
  readonly _readableState?: State;
  readonly destroyed: boolean;
  destroy(error?: unknown): unknown;
  cork(): void;
  uncork(): void;
  once(event: string, listener: AnyFunction): void;
  off(event: string, listener: AnyFunction): void;
};
interface Class {
  readonly prototype: Dict;
}

/** Any view is bytes, but to a stream of objects. */
function bytesOf(chunk: unknown, state: State | undefined): unknown {
  if (typeof chunk !== "object" || !ArrayBuffer.isView(chunk) || chunk instanceof Uint8Array || state?.objectMode === true) return chunk;
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

function wrap(target: Dict, name: string, make: (original: AnyFunction) => AnyFunction): void {
  const original = target[name] as AnyFunction;
  target[name] = Object.defineProperty(make(original), "name", { value: original.name });
}

/** What was written before a stream was ready goes before what is written now: the kept ones would let it wait a tick longer. */
function writeKept(stream: Stream): void {
  const state = stream._writableState;
  if (!state || !state.buffered || state.bufferedIndex === state.buffered.length || !state.constructed || state.writing || state.corked > 0 || state.bufferProcessing || state.errored || stream.destroyed) return;
  stream.cork();
  stream.uncork();
}

const telling = new WeakMap<object, AnyFunction>();

/** A callback is told `null`, not nothing, where nothing failed. One callback stays one: the streams compare them. */
function told(callback: unknown): unknown {
  if (typeof callback !== "function") return callback;
  const known = telling.get(callback);
  if (known) return known;
  const made: AnyFunction = (error) => void (callback as AnyFunction)(error ?? null);
  telling.set(callback, made);
  return made;
}

export function addNewerStreams(stream: Dict): void {
  const { Readable, Writable, Duplex } = stream as unknown as Readonly<Record<"Readable" | "Writable" | "Duplex", Class>>;
  for (const { prototype } of [Writable, Duplex]) {
    wrap(prototype, "write", (write) => function (this: Stream, chunk: unknown, encoding: unknown, done: unknown): unknown {
      writeKept(this);
      return write.call(this, bytesOf(chunk, this._writableState), told(encoding), told(done));
    });
    wrap(prototype, "end", (end) => function (this: Stream, chunk: unknown, encoding: unknown, done: unknown): unknown {
      return end.call(this, bytesOf(told(chunk), this._writableState), told(encoding), told(done));
    });
  }
  // The writable half tells those whose writes are lost.
  Duplex.prototype["destroy"] = Writable.prototype["destroy"];
  wrap(Readable.prototype, "setEncoding", (set) => function (this: Stream, encoding: unknown): unknown {
    if (encoding && !Buffer.isEncoding(encoding as string)) throw unknownEncoding(encoding);
    return set.call(this, encoding);
  });
  for (const name of ["push", "unshift"]) {
    wrap(Readable.prototype, name, (add) => function (this: Stream, chunk: unknown, encoding: unknown): unknown {
      return add.call(this, bytesOf(chunk, this._readableState), encoding);
    });
  }
  wrap(stream, "finished", finishedAfterWrites);
  const finished = stream["finished"] as AnyFunction;
  const wholly = (target: unknown, given?: Dict | null): Promise<void> => {
    const options = given ?? {};
    const { cleanup = false } = options;
    if (typeof cleanup !== "boolean") throw invalidArgType("cleanup", "boolean", cleanup);
    return new Promise((resolve, reject) => {
      const clean = finished(target, options, (error: unknown) => {
        if (cleanup) (clean as AnyFunction)();
        if (error) reject(error as Error);
        else resolve();
      });
    });
  };
  (stream["promises"] as Dict)["finished"] = Object.defineProperty(wholly, "name", { value: "finished" });
  Object.defineProperty(finished, Symbol.for("nodejs.util.promisify.custom"), { value: wholly, enumerable: true });
  const { asyncDispose } = Symbol as unknown as { readonly asyncDispose?: symbol };
  if (!asyncDispose) return;
  const dispose = async function (this: Stream): Promise<void> {
    const error = this.destroyed || this["writableFinished"] === true ? undefined : abortError();
    if (!this.destroyed) this.destroy(error);
    await wholly(this).catch((reason: unknown) => {
      if (reason !== error) throw reason;
    });
  };
  Object.defineProperty(Writable.prototype, asyncDispose, { value: dispose, writable: true, configurable: true });
}

/** What was ended but is not written yet is not finished, whatever became of the other half. */
function finishedAfterWrites(finished: AnyFunction): AnyFunction {
  return (...args) => {
    const [target, options, callback] = args;
    const state = (target as Stream | null)?._writableState;
    const waits = typeof callback === "function" && (options as Dict | null)?.["readable"] === false && state?.ending && !state.finished && (state.pendingcb ?? 0) > 0 && !(target as Stream).destroyed;
    if (!waits) return finished(...args);
    const stream = target as Stream;
    const events = ["finish", "error", "close"];
    let clean: unknown;
    const settled = (): void => {
      stop();
      clean = finished(...args);
    };
    const stop = (): void => events.forEach((event) => stream.off(event, settled));
    for (const event of events) stream.once(event, settled);
    return () => {
      stop();
      if (typeof clean === "function") clean();
    };
  };
}
