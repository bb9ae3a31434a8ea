// Every message between the trusted /headless page and the kernel in the opaque frame: plain data over one MessagePort.
// The page checks each message from the kernel as hostile: user code may have taken over the frame.
import type { WatchEvent } from "./change-queue.ts";
import type { ConnectAnswer, ScriptName, SocketMessage, Terminal } from "./protocol.ts";
import type { RegistryAnswer, RegistryQuestion } from "./registry/question.ts";

export interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Relative ones start at the working directory. */
  readonly cwd: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly terminal: Terminal | null;
}

export interface SerializeOptions {
  readonly format: "json" | "binary" | "zip";
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
}

export interface RuntimeInfo {
  readonly path: string;
  readonly cwd: string;
}

export type EntryKind = "file" | "dir" | "link";

/** What the page may ask of the kernel. Paths are absolute or relative to the working directory. */
export interface KernelCalls {
  init(workdirName: string): RuntimeInfo;
  /** Bytes without an encoding, text with one. */
  readFile(path: string, encoding: string | null): Uint8Array | string;
  writeFile(path: string, data: Uint8Array | string, encoding: string | null): void;
  readdir(path: string): readonly (readonly [name: string, kind: EntryKind])[];
  mkdir(path: string, recursive: boolean): string | null;
  rm(path: string, recursive: boolean, force: boolean): void;
  rename(from: string, to: string): void;
  /** `watch` is the page's number for it; events carry it. */
  watch(watch: number, path: string, recursive: boolean): void;
  unwatch(watch: number): void;
  /** `process` is the page's number for it; output and exit carry it. */
  spawn(process: number, options: SpawnOptions): void;
  stdin(process: number, data: string): void;
  kill(process: number): void;
  resize(process: number, terminal: Terminal): void;
  serialize(path: string, options: SerializeOptions): Uint8Array;
  loadFiles(snapshot: Uint8Array, mountPoint: string): void;
}
export type KernelMethod = keyof KernelCalls;

/** A connection that a page makes to a TCP port of the container; `socket` is the page's number for it, above zero. */
export interface PageConnect {
  readonly type: "connect";
  readonly socket: number;
  readonly port: number;
}

export type ToKernel =
  | { readonly type: "call"; readonly id: number; readonly method: KernelMethod; readonly args: readonly unknown[] }
  /** Answered at once, so that the page knows that the kernel lives. */
  | { readonly type: "ping" }
  /** The app has taken one piece of the process's output, of so many bytes: more may be sent. */
  | { readonly type: "ack"; readonly process: number; readonly bytes: number }
  | { readonly type: "registry-answer"; readonly request: number; readonly answer: RegistryAnswer }
  | { readonly type: "network"; readonly message: PageConnect | SocketMessage };

export type FromKernel =
  | { readonly type: "result"; readonly id: number; readonly value: unknown }
  | { readonly type: "failure"; readonly id: number; readonly name: string; readonly message: string }
  | { readonly type: "pong" }
  | { readonly type: "output"; readonly process: number; readonly fd: 1 | 2; readonly data: Uint8Array }
  /** After the last output. */
  | { readonly type: "exit"; readonly process: number; readonly code: number }
  /** Answered once, whatever happens. */
  | { readonly type: "registry"; readonly request: number; readonly question: RegistryQuestion }
  /** Nobody waits for the answer any more. */
  | { readonly type: "registry-cancel"; readonly request: number }
  /** A server of the container started or stopped listening on a TCP port. */
  | { readonly type: "port"; readonly port: number; readonly open: boolean }
  | { readonly type: "network"; readonly message: ConnectAnswer | SocketMessage }
  /** What has changed since the last of these; an empty name: more than can be told. */
  | { readonly type: "watch"; readonly watch: number; readonly events: readonly WatchEvent[] };

/** Between the kernel and the page that made its frame: the source of a process Worker, asked for when first needed. */
export type ToFrame = { readonly type: "kernel-ready" } | { readonly type: "source-wanted"; readonly program: ScriptName };
export type FromFrame =
  | { readonly type: "connect" }
  | { readonly type: "source"; readonly program: ScriptName; readonly source: string };

/** Bytes of a process's output that may be on their way to the app before it has taken any. */
export const OUTPUT_WINDOW_BYTES = 256 * 1024;
