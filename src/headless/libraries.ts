// What a Node process loads only when a program asks for it, each a script of its own: larger than all the rest, or rarely
// used. A call that needs one is synchronous as in Node, and a process can fetch nothing, so it must have its address
// when it starts (kernel/needed-libraries.ts decides).
import type { BrotliLibrary } from "./libraries/brotli.ts";
import type { KeyLibrary } from "./libraries/keys.ts";
import type { ReplLibrary } from "./libraries/repl.ts";
import type { TerminalLibrary } from "./libraries/terminal.ts";
import type { TypesLibrary } from "./libraries/types.ts";
import type { WasiLibrary } from "./libraries/wasi.ts";
import type { TypeScriptTransform } from "./node/loader/typescript.ts";

export interface Libraries {
  /** TypeScript with nothing but types in it. */
  readonly types: TypesLibrary;
  /** Decorators, namespaces. */
  readonly typescript: TypeScriptTransform;
  /** zlib's brotli functions. */
  readonly brotli: BrotliLibrary;
  /** crypto's ciphers, key pairs, signatures, key agreement, and crypto.subtle. */
  readonly keys: KeyLibrary;
  /** node:readline, keys included, and what stdin and stdout are at a terminal. */
  readonly terminal: TerminalLibrary;
  /** `node` without a program, at a terminal. */
  readonly repl: ReplLibrary;
  /** node:wasi. */
  readonly wasi: WasiLibrary;
}
export type LibraryName = keyof Libraries;

/** Where a library's script leaves what it offers. */
const LIBRARY_GLOBAL = "__tw_library";

/** The last statement of a library's script. */
export function offerLibrary<N extends LibraryName>(library: Libraries[N]): void {
  offer(library);
}

export function offer(library: object): void {
  Object.defineProperty(globalThis, LIBRARY_GLOBAL, { value: library, configurable: true });
}

/** What a script has offered; it leaves nothing behind. */
export function taken(): unknown {
  const library = (globalThis as Record<string, unknown>)[LIBRARY_GLOBAL];
  Reflect.deleteProperty(globalThis, LIBRARY_GLOBAL);
  return library;
}

/** Runs a library's script in this realm with `load` and takes what it offers; programs see nothing of it. */
export function takeLibrary<N extends LibraryName>(load: () => void): Libraries[N] {
  const global = globalThis as Record<string, unknown>;
  const { process } = global;
  // Some take a process for Node's own and would ask its `os` and `fs`.
  Object.defineProperty(globalThis, "process", { value: undefined, writable: true, configurable: true, enumerable: false });
  try {
    load();
  } finally {
    Object.defineProperty(globalThis, "process", { value: process, writable: true, configurable: true, enumerable: false });
  }
  return taken() as Libraries[N];
}
