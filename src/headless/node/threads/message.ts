// What is posted, from its sender's value to its receiver's. Mostly the engine clones it. Where it may go into shared memory,
// where it holds objects of Node's own, or where the engine refuses an object that Node clones as a plain one (a URL), it is
// written in bytes, with what bytes cannot say beside them.
import { Reader } from "../builtins/v8-reader.ts";
import { Writer } from "../builtins/v8-writer.ts";
import { isTrackedProxy } from "../proxies.ts";
import type { Runtime } from "../runtime.ts";
import { anyCloneable, isTransferable, kindOf, loadCloneable, type Saved } from "./cloneable.ts";
import { adopt, handOver, rebind, type SentPort } from "./port-transfer.ts";
import { type Letter, movePort, type PortState, stateOf } from "./port-state.ts";
import { cloneFailure, isPort, missingTransferable } from "./transfer-list.ts";

/** As it goes from thread to thread; what it hands over is sent beside it. */
export interface Sent {
  readonly content: Content;
  readonly ports: readonly SentPort[];
}

type Content = { readonly value: unknown } | Written;

interface Written {
  readonly bytes: Uint8Array;
  readonly beside: readonly (Saved | { readonly native: unknown })[];
}

const clone = globalThis.structuredClone.bind(globalThis);

/** What only the engine can clone, and what it refuses in its own words. */
const ENGINES = /^\[object (?:MessagePort|SharedArrayBuffer|Blob|File|ReadableStream|WritableStream|TransformStream|WebAssembly\.(?:Module|Memory)|DOMException|BigInt|Promise|WeakMap|WeakSet|WeakRef|FinalizationRegistry|Generator|AsyncGenerator|.* Iterator)\]$/;

interface Writing extends Written {
  /** Ports that objects of Node's take with them. */
  readonly passed: readonly MessagePort[];
}

/** Throws what cannot be cloned. */
function write(value: unknown, transfer: readonly object[]): Writing {
  const beside: (Saved | { native: unknown })[] = [];
  const passed: MessagePort[] = [];
  const handed = new Set(transfer);
  const writer = new Writer((object) => {
    const kind = kindOf(object);
    if (kind) {
      if (kind.transferOnly && !handed.has(object)) throw missingTransferable();
      return beside.push({ kind: kind.name, builtin: kind.builtin, data: kind.save(object, (port) => passed.push(port)) }) - 1;
    }
    const isEngines = handed.has(object) || isTrackedProxy(object) || (object instanceof ArrayBuffer && (object as { resizable?: boolean }).resizable === true);
    return isEngines || ENGINES.test(Object.prototype.toString.call(object)) ? beside.push({ native: object }) - 1 : undefined;
  });
  writer.write(value);
  return { bytes: writer.result().slice(), beside, passed };
}

function read(runtime: Runtime, { bytes, beside }: Written): unknown {
  return new Reader(bytes, beside.map((each) => ("native" in each ? (each.native as object) : loadCloneable(runtime, each)))).read();
}

function holdsCloneable(value: unknown): boolean {
  const seen = new Set<unknown>();
  const open = [value];
  const look = (inner: unknown): void => {
    if (typeof inner === "object" && inner !== null && !seen.has(inner)) open.push(inner);
  };
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null) return false;
    if (kindOf(next)) return true;
    seen.add(next);
    if (ArrayBuffer.isView(next) || isTrackedProxy(next)) continue;
    if (Array.isArray(next)) for (const inner of next as unknown[]) look(inner);
    else if (next instanceof Set) for (const inner of next) look(inner);
    else if (next instanceof Map) {
      for (const [key, inner] of next) {
        look(key);
        look(inner);
      }
    } else for (const name of Object.keys(next)) look(Reflect.getOwnPropertyDescriptor(next, name)?.value);
  }
  return false;
}

/** The engine's refusal as Node puts it. */
function reworded(error: unknown): unknown {
  if (!(error instanceof DOMException) || error.name !== "DataCloneError") return error;
  const message = error.message.replace(/^Failed to execute '\w+' on '\w+': /, "");
  if (/crossOriginIsolated/.test(message)) return cloneFailure("Memory can be shared with a thread only where the page is isolated (COOP and COEP headers), and this one is not.");
  return /not transferred/.test(message) ? missingTransferable() : cloneFailure(message);
}

/** Has the engine clone it, `use`, and where that fails tries it in bytes. */
function attempt<T>(value: unknown, transfer: readonly object[], use: (content: Content, transfer: Transferable[], passed: readonly MessagePort[]) => T): T {
  const natives = transfer.filter((each) => !isTransferable(each)) as Transferable[];
  const inBytes = (): T => {
    const { bytes, beside, passed } = write(value, transfer);
    return use({ bytes, beside }, [...natives, ...passed], passed);
  };
  if (anyCloneable() && holdsCloneable(value)) {
    try {
      return inBytes();
    } catch (error) {
      throw reworded(error);
    }
  }
  try {
    return use({ value }, natives, []);
  } catch (error) {
    if (!(error instanceof DOMException) || /not transferred/.test(error.message)) throw reworded(error);
    try {
      return inBytes();
    } catch {
      throw reworded(error);
    }
  }
}

const statesOf = (list: readonly unknown[]): PortState[] => list.flatMap((each) => (isPort(each) ? (stateOf(each) ?? []) : []));

/** Clones it for this process. */
export function cloneHere(runtime: Runtime, value: unknown, transfer: readonly object[]): Letter {
  return attempt(value, transfer, (content, natives) => {
    const states = statesOf(natives);
    const made = clone({ content, ports: states.map(({ port }) => port) }, { transfer: natives });
    for (const [k, state] of states.entries()) {
      movePort(state, made.ports[k]);
      rebind(runtime, state);
    }
    return { value: "bytes" in made.content ? read(runtime, made.content) : made.content.value, ports: made.ports };
  });
}

/** Sends it to another thread (`to`, where that is known): `post` is the engine's, or one like it. */
export function send(runtime: Runtime, value: unknown, transfer: readonly object[], post: (sent: Sent, transfer: Transferable[]) => void, to?: number): void {
  attempt(value, transfer, (content, natives) => {
    const states = statesOf(natives);
    const open = states.map((state) => handOver(runtime, state, to));
    post({ content, ports: open.map(({ sent }) => sent) }, [...natives, ...open.flatMap(({ inside }) => inside)]);
    for (const { done } of open) done();
  });
}

/** What was sent, in the thread that it was sent to. */
export function receive(runtime: Runtime, { content, ports }: Sent): Letter {
  return { ports: ports.map((sent) => adopt(runtime, sent)), value: "bytes" in content ? read(runtime, content) : content.value };
}

/** All of it in bytes; undefined if something has to go beside them. */
export function asBytes(value: unknown): Uint8Array | undefined {
  try {
    const { bytes, beside } = write(value, []);
    return beside.length === 0 ? bytes : undefined;
  } catch {
    return undefined; // the engine says what is wrong with it
  }
}

export const fromBytes = (runtime: Runtime, bytes: Uint8Array): unknown => read(runtime, { bytes, beside: [] });
