// What memory a process may take, and how one ends that takes more: as Node ends one whose heap is full, at once and with
// SIGABRT, so that the page and the other processes go on. Buffers are metered (buffer-meter.ts). Of the heap, objects and
// strings, no engine tells a Worker anything: of it only what a runaway loop most often fills is held, an array that grows
// for ever, by how many lie in it and by the arrays and long strings among them. What fills the heap in another way ends the renderer at about 4 GB.
import { CONTAINER_LIMITS } from "../../base/limits.ts";
import { SIGNAL_EXIT_CODES } from "../protocol.ts";
import { reportThreadError } from "./threads/thread-errors.ts";
import { isTrackedProxy } from "./proxies.ts";
import { BUFFER_LIMIT, BufferMeter, meterBuffers } from "./buffer-meter.ts";
import { ExitSignal, nodeError } from "./errors.ts";
import type { AnyFunction, Runtime } from "./runtime.ts";

// Kept before a program can replace the globals.
const { wait } = Atomics;
const { ceil, clz32 } = Math;
const { isArray } = Array;
const { apply } = Reflect;
const NativeSet = Set;
const { add, has } = Set.prototype;
const bed = globalThis.crossOriginIsolated ? new Int32Array(new SharedArrayBuffer(4)) : undefined;

/** Once, before any program code, in a Worker that is one process. A thread ends alone. */
export function limitMemory(runtime: Runtime): void {
  const { host } = runtime;
  const end = (limit: string, what: string): never => {
    if (!runtime.ended) {
      const words = `process ${host.pid} (node ${host.argv.join(" ").slice(0, 80)}) ${what}. Let go of what is done with, or work in smaller pieces`;
      if (host.thread) {
        reportThreadError(runtime, nodeError(Error, "ERR_WORKER_OUT_OF_MEMORY", `Worker terminated due to reaching memory limit: ${words}`));
        host.exit(1);
      } else {
        runtime.complain(`\nFATAL ERROR: Reached the limit of ${limit}: ${words}.\n`);
        host.handlesSignal("SIGABRT", false);
        host.kill(host.pid, "SIGABRT");
      }
      runtime.ended = true;
    }
    // Until the kernel ends it: a program that catches all would fill the 16 GB that all processes have for buffers together.
    if (bed) wait(bed, 0, 0);
    throw new ExitSignal(SIGNAL_EXIT_CODES.SIGABRT);
  };
  meterBuffers(new BufferMeter((bytes) => end("buffers", `holds ${ceil(bytes / 2 ** 20)} MiB in buffers and WebAssembly memories; ${BUFFER_LIMIT}`)));
  limitArrays((bytes) => {
    const what = bytes === undefined ? `${CONTAINER_LIMITS.arrayObjects} objects or strings` : `arrays and long strings of ${ceil(bytes / 2 ** 20)} MiB`;
    return end("the heap", `has put ${what} into one array; a process of the container may have no more in one`);
  });
}

/** As in wide-apply.ts: arguments lie on the stack, and are not put there twice. */
const MANY = 8192;

/** An array of fewer is not looked through; a longer one whenever it has grown by an eighth. */
const EIGHT = 8;
/** Looked at first, evenly spread: all only if these tell of too much. */
const SOME = 64;
/** Of an element, a pointer or a small number; what a string of so many characters takes at least in most ways to make one (`repeat` keeps its halves). */
const ELEMENT_BYTES = 4, LONG_STRING = 4096, LONG_STRING_BYTES = 256;

/** What the arrays and long strings in an array take at least, each array counted once, one of holes as nothing. */
function bytesInside(list: readonly unknown[]): number {
  let seen = new NativeSet();
  const bytesOf = (item: unknown): number => {
    if (typeof item === "string") return item.length > LONG_STRING ? LONG_STRING_BYTES : 0;
    if (!isArray(item) || apply(has, seen, [item]) === true || isTrackedProxy(item)) return 0;
    apply(add, seen, [item]);
    return item.length >> 1 in item ? item.length * ELEMENT_BYTES : 0;
  };
  const sum = (step: number): number => {
    let bytes = 0;
    for (let at = step - 1; at < list.length; at += step) bytes += bytesOf(list[at]);
    return bytes;
  };
  const step = ceil(list.length / SOME);
  if (sum(step) * step <= CONTAINER_LIMITS.arrayBytes) return 0;
  seen = new NativeSet();
  return sum(1);
}

/**
 * Numbers may be more: the engine itself refuses the 134 millionth. Ten million objects pushed one by one take 1.0 s instead of 0.7
 * by it, ten million numbers 0.5 instead of 0.3 (Node 20, 2026-11-27). Looking for arrays and long strings makes a mix of pushes 5 % slower.
 */
function limitArrays(over: (bytes?: number) => never): void {
  const list = Array.prototype;
  const native = list.push as AnyFunction;
  // A class: its code is strict wherever the bundle is not, so that nothing is not the global object.
  class Limited {
    push(this: unknown[], item: unknown): unknown {
      // Each call of the engine's from here: of a frame between the two, traces would tell (stack.ts).
      let length = 0;
      if (arguments.length === 1) length = native.call(this, item) as number;
      else if (arguments.length <= MANY) length = Reflect.apply(native, this, arguments) as number;
      else for (let at = 0; at < arguments.length; at++) length = native.call(this, arguments[at]) as number;
      // A sparse one takes no memory.
      if (length > CONTAINER_LIMITS.arrayObjects && (typeof item === "string" || Object(item) === item) && isArray(this) && this[length >> 1] !== undefined) over();
      if (length >= EIGHT && (length & ((1 << (28 - clz32(length))) - 1)) === 0 && (typeof item === "string" || isArray(item)) && isArray(this)) {
        const bytes = bytesInside(this);
        if (bytes > CONTAINER_LIMITS.arrayBytes) over(bytes);
      }
      return length;
    }
  }
  Object.defineProperty(list, "push", { value: Limited.prototype.push, writable: true, configurable: true });
}
