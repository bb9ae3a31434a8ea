// Engine functions that finish on their own time (compression, blobs, WebAssembly) keep the process alive
// while they are at work: their promises are held by the event loop. A stream is at work only when the engine feeds it:
// reading one of the program's own may never end, and does not keep it alive. Only in a Worker that is the process.
import type { EventLoop } from "./event-loop.ts";
import type { AnyFunction, Dict } from "./runtime.ts";

type Names = readonly (readonly [string, readonly string[]])[];

const METHODS: Names = [
  ["Blob", ["arrayBuffer", "bytes", "text"]],
  ["Response", ["arrayBuffer", "blob", "bytes", "json", "text", "formData"]],
  ["Request", ["arrayBuffer", "blob", "bytes", "json", "text", "formData"]],
];
const STREAM_METHODS: Names = [
  ["ReadableStreamDefaultReader", ["read"]],
  ["ReadableStreamBYOBReader", ["read"]],
  ["ReadableStream", ["pipeTo", "cancel"]],
  ["WritableStreamDefaultWriter", ["write", "close"]],
];
/** What hands out streams that the engine feeds. */
const ENGINE_STREAMS: Names = [
  ["Blob", ["stream"]], ["Response", ["body"]], ["Request", ["body"]], ["CompressionStream", ["readable", "writable"]], ["DecompressionStream", ["readable", "writable"]],
];
const always = (): boolean => true;

function hold(loop: EventLoop, target: Dict, name: string, when: () => boolean = always): void {
  const original = target[name];
  if (typeof original !== "function") return;
  const wrapped = function (this: unknown, ...args: unknown[]): unknown {
    const result = (original as AnyFunction).apply(this, args);
    return result instanceof Promise && when() ? loop.track(result) : result;
  };
  Object.defineProperty(target, name, { value: Object.defineProperty(wrapped, "name", { value: name }), writable: true, configurable: true });
}

/** Calls `note` whenever the method is called or the getter is read. */
function watch(target: object, name: string, note: () => void): void {
  let holder: object | null = target;
  while (holder && !Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder) as object | null;
  const known = holder && Object.getOwnPropertyDescriptor(holder, name);
  const kind = known?.get ? "get" : "value";
  const original = known?.[kind] as AnyFunction | undefined;
  if (!original) return;
  const watched = function (this: unknown, ...args: unknown[]): unknown {
    note();
    return original.apply(this, args);
  };
  Object.defineProperty(target, name, { ...known, [kind]: Object.defineProperty(watched, "name", { value: original.name }) });
}

export function trackNatives(loop: EventLoop): void {
  const global = globalThis as unknown as Dict;
  const each = (list: Names, act: (prototype: Dict, name: string) => void): void => {
    for (const [type, names] of list) {
      const constructor = global[type] as { prototype: Dict } | undefined;
      if (constructor) for (const name of names) act(constructor.prototype, name);
    }
  };
  let engineFeeds = false;
  const isFed = (): boolean => engineFeeds;
  each(METHODS, (prototype, name) => hold(loop, prototype, name));
  each(STREAM_METHODS, (prototype, name) => hold(loop, prototype, name, isFed));
  each(ENGINE_STREAMS, (prototype, name) => watch(prototype, name, () => (engineFeeds = true)));
  // `for await` over an engine's stream (a blob's, a response's) asks an object that has no name.
  const iterator = new ReadableStream()[Symbol.asyncIterator]?.();
  if (iterator) for (const name of ["next", "return"]) hold(loop, Object.getPrototypeOf(iterator) as Dict, name, isFed);
  const wasm = global["WebAssembly"] as Dict | undefined;
  if (wasm) for (const name of ["compile", "instantiate", "compileStreaming", "instantiateStreaming"]) hold(loop, wasm, name);
}
