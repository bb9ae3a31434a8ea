// node:stream, node:stream/promises, node:stream/consumers and node:stream/web.
import "./stream-errors.ts";
import streamModule from "readable-stream";
import { createDuplexPair } from "./duplex-pair.ts";
import { EventEmitter } from "./events.ts";
import { addNewerStreams } from "./stream-newer.ts";
import { addWebStreams } from "./stream-web.ts";
import { Buffer } from "./buffer.ts";
import { invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, StreamLike } from "../runtime.ts";

export interface StreamModule extends Dict {
  Readable: (new (options?: Dict) => StreamLike & { push(chunk: unknown, encoding?: string): boolean }) & Dict;
  Writable: (new (options?: Dict) => StreamLike) & Dict;
  Duplex: new (options?: Dict) => StreamLike;
}

let shared: StreamModule | undefined;

export function createStream(): StreamModule {
  if (shared) return shared;
  const stream = ((streamModule["default"] as StreamModule | undefined) ?? streamModule) as StreamModule;
  // In Node the module is the legacy Stream class with the others on it.
  const legacy = stream["Stream"] as (AnyFunction & Dict) | undefined;
  const exported = (typeof legacy === "function" ? legacy : function Stream() {}) as unknown as StreamModule & AnyFunction;
  for (const key of Object.keys(stream)) if (!(key in exported)) Object.defineProperty(exported, key, { value: stream[key], enumerable: true, configurable: true, writable: true });
  exported["Stream"] = exported;
  if (!(exported.prototype instanceof (EventEmitter as unknown as AnyFunction))) Object.setPrototypeOf(exported.prototype as object, EventEmitter.prototype as object);
  // And a subclass: the emitter's statics are there (`EventEmitter`, `once`).
  if (exported["EventEmitter"] === undefined) Object.setPrototypeOf(exported, EventEmitter as unknown as object);
  exported["isErrored"] ??= (value: Dict) => value?.["errored"] != null;
  exported["getDefaultHighWaterMark"] ??= (objectMode: boolean) => (objectMode ? 16 : 16 * 1024);
  exported["duplexPair"] = createDuplexPair(exported.Duplex);
  addNewerStreams(exported);
  addWebStreams(exported);
  shared = exported;
  return exported;
}

/** The kept streams' own: they know the options that may come last. */
export function createStreamPromises(): Dict {
  const { finished, pipeline } = createStream()["promises"] as Dict;
  return { finished, pipeline };
}

type Source = AsyncIterable<Uint8Array | string>;

async function* chunksOf(stream: Source): Source {
  if (stream instanceof ReadableStream && stream.locked) throw nodeError(TypeError, "ERR_INVALID_STATE", "Invalid state: ReadableStream is locked");
  yield* stream;
}

export function createStreamConsumers(): Dict {
  const buffer = async (stream: Source): Promise<Uint8Array> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of chunksOf(stream)) {
      // Like a blob, it takes objects by their text.
      if (ArrayBuffer.isView(chunk)) chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      else chunks.push(Buffer.from((chunk as unknown) instanceof ArrayBuffer ? chunk : String(chunk)));
    }
    return Buffer.concat(chunks);
  };
  const text = async (stream: Source): Promise<string> => {
    const decoder = new TextDecoder();
    let whole = "";
    for await (const chunk of chunksOf(stream)) {
      if (typeof chunk !== "string" && !ArrayBuffer.isView(chunk) && !((chunk as unknown) instanceof ArrayBuffer)) throw invalidArgType("list", ["SharedArrayBuffer", "ArrayBuffer", "ArrayBufferView"], chunk);
      whole += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    }
    return whole + decoder.decode();
  };
  return {
    buffer, text,
    json: async (stream: Source): Promise<unknown> => JSON.parse(await text(stream)) as unknown,
    arrayBuffer: async (stream: Source): Promise<ArrayBuffer> => new Uint8Array(await buffer(stream)).buffer,
    blob: async (stream: Source): Promise<Blob> => new Blob([new Uint8Array(await buffer(stream))]),
  };
}

export function createStreamWeb(): Dict {
  const names = [
    "ReadableStream", "ReadableStreamDefaultReader", "ReadableStreamBYOBReader", "ReadableStreamBYOBRequest", "ReadableByteStreamController", "ReadableStreamDefaultController",
    "TransformStream", "TransformStreamDefaultController", "WritableStream", "WritableStreamDefaultWriter", "WritableStreamDefaultController",
    "ByteLengthQueuingStrategy", "CountQueuingStrategy", "TextEncoderStream", "TextDecoderStream", "CompressionStream", "DecompressionStream",
  ];
  return Object.fromEntries(names.map((name) => [name, (globalThis as unknown as Dict)[name]]));
}
