// The Buffer class of a process in the browser: bytes with a prototype of their own. It takes the place of npm's package of
// the same name in the container's bundle, for the streams as well; under Node, Node's own is used.
import { activeRuntime } from "../active.ts";
import { invalidArgType } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import { patchPrototype } from "./buffer-methods.ts";
import { patchStatics } from "./buffer-statics.ts";

/** What every Buffer is made as; its prototype is Buffer's, so it is never seen. */
class Bytes extends Uint8Array {}

interface BufferFunction extends AnyFunction, Dict {
  readonly prototype: Dict;
  readonly from: AnyFunction;
  readonly alloc: AnyFunction;
}

let warned = false;

/** Once, and for code of packages only when asked: who runs it cannot change that. */
function warnOfConstructor(): void {
  const runtime = activeRuntime();
  if (warned || !runtime) return;
  const caller = String(new Error("caller").stack).split("\n").find((line) => /\bat (?:.*\()?(?:file:\/\/)?\//.test(line)) ?? "";
  if (caller.includes("/node_modules/") && !runtime.options.pendingDeprecation) return;
  warned = true;
  runtime.process.emitWarning("Buffer() is deprecated due to security and usability issues. Please use the Buffer.alloc(), Buffer.allocUnsafe(), or Buffer.from() methods instead.", { type: "DeprecationWarning", code: "DEP0005" });
}

export const Buffer: BufferFunction = function Buffer(value: unknown, encodingOrOffset: unknown, length: unknown): unknown {
  warnOfConstructor();
  const { alloc, from } = Buffer as unknown as BufferFunction;
  if (typeof value !== "number") return from(value, encodingOrOffset, length);
  if (typeof encodingOrOffset === "string") throw invalidArgType("string", "string", value);
  return alloc(value);
} as unknown as BufferFunction;

Object.defineProperty(Buffer, "prototype", { value: Bytes.prototype, writable: false });
Object.setPrototypeOf(Buffer, Uint8Array);
Object.defineProperty(Bytes.prototype, "constructor", { value: Buffer, writable: true, configurable: true, enumerable: false });
// What subarray, map and the like make.
Object.defineProperty(Buffer, Symbol.species, { get: () => Bytes, configurable: true });
patchPrototype(Buffer.prototype);
patchStatics(Buffer);
