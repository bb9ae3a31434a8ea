// What this library takes from the runtime that loads it.
import type { AnyFunction } from "../../node/runtime.ts";
import type * as errors from "../../node/errors.ts";

export type FileFunctions = Readonly<Record<
  "openSync" | "closeSync" | "readSync" | "writeSync" | "fstatSync" | "lstatSync" | "readlinkSync" | "ftruncateSync" | "fsyncSync" | "futimesSync" | "utimesSync" | "lutimesSync" | "readdirSync" | "mkdirSync" | "rmdirSync" | "renameSync" | "symlinkSync" | "linkSync" | "unlinkSync" | "statSync",
  AnyFunction
>>;

export interface WasiTools extends Pick<typeof errors, "nodeError" | "invalidArgType" | "invalidArgValue" | "outOfRange" | "unsupported"> {
  /** Node's, as they were when the module was made: a program that replaces one changes nothing here. */
  readonly fs: FileFunctions;
  readonly constants: Readonly<Record<string, number>>;
  readonly isTerminal: (fd: number) => boolean;
  readonly fillRandom: (bytes: Uint8Array) => void;
  /** Microseconds on a processor. */
  readonly cpuMicros: () => number;
  readonly raise: (signal: string) => void;
  /** Takes in what other threads and processes have changed of files; undefined where the event loop does. */
  readonly catchUp: (() => void) | undefined;
  /** Ends the process. */
  readonly exit: (code: number) => void;
}

export interface Stats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly nlink: bigint;
  readonly size: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
}
