// Engine functions that finish on their own time (compression, blobs, WebAssembly) keep the process alive
// while they are at work: their promises are held by the event loop. Only in a Worker that is the process.
import type { EventLoop } from "./event-loop.ts";
import type { AnyFunction, Dict } from "./runtime.ts";

const METHODS: readonly (readonly [string, readonly string[]])[] = [
  ["Blob", ["arrayBuffer", "bytes", "text"]],
  ["Response", ["arrayBuffer", "blob", "bytes", "json", "text", "formData"]],
  ["Request", ["arrayBuffer", "blob", "bytes", "json", "text", "formData"]],
  ["ReadableStreamDefaultReader", ["read"]],
  ["ReadableStreamBYOBReader", ["read"]],
  ["ReadableStream", ["pipeTo", "cancel"]],
  ["WritableStreamDefaultWriter", ["write", "close"]],
];

function hold(loop: EventLoop, target: Dict, name: string): void {
  const original = target[name];
  if (typeof original !== "function") return;
  const wrapped = function (this: unknown, ...args: unknown[]): unknown {
    const result = (original as AnyFunction).apply(this, args);
    return result instanceof Promise ? loop.track(result) : result;
  };
  Object.defineProperty(target, name, { value: Object.defineProperty(wrapped, "name", { value: name }), writable: true, configurable: true });
}

export function trackNatives(loop: EventLoop): void {
  const global = globalThis as unknown as Dict;
  for (const [type, names] of METHODS) {
    const constructor = global[type] as { prototype: Dict } | undefined;
    if (constructor) for (const name of names) hold(loop, constructor.prototype, name);
  }
  // `for await` over an engine's stream (a blob's, a response's) asks an object that has no name.
  const iterator = new ReadableStream()[Symbol.asyncIterator]?.();
  if (iterator) for (const name of ["next", "return"]) hold(loop, Object.getPrototypeOf(iterator) as Dict, name);
  const wasm = global["WebAssembly"] as Dict | undefined;
  if (wasm) for (const name of ["compile", "instantiate", "compileStreaming", "instantiateStreaming"]) hold(loop, wasm, name);
}
