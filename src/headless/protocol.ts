// Every message between the kernel and a process (one Worker each): plain, structured-cloneable data, nothing else.
// Order is meaning: a process's file operations, output and exit travel on one port, so a parent that sees a child's
// exit has already been sent every file the child wrote. The kernel checks each message from a process as hostile.
import type { FileImage, FileOp } from "./vfs-node.ts";

/** What runs in the Worker: our Node runtime or the shell. The kernel resolves `npm`, `npx` and paths to one of them. */
export type Program = "node" | "sh";

export type Signal = "SIGTERM" | "SIGKILL" | "SIGINT" | "SIGHUP";

/** The conventional exit code of a process ended by a signal, as a shell reports it: 128 + number. */
export const SIGNAL_EXIT_CODES: Readonly<Record<Signal, number>> = { SIGHUP: 129, SIGINT: 130, SIGKILL: 137, SIGTERM: 143 };

export interface Terminal {
  readonly cols: number;
  readonly rows: number;
}

/** The first message, sent once. Its Worker may have been waiting warm for a while. */
export interface StartMessage {
  readonly type: "start";
  readonly pid: number;
  readonly ppid: number;
  /** Arguments after the program's name: `["--test", "a.js"]` for `node --test a.js`, `["-c", "ls | wc"]` for a shell. */
  readonly argv: readonly string[];
  /** Absolute and existing. */
  readonly cwd: string;
  /** Complete: PATH, HOME, PWD and the like are in it. */
  readonly env: Readonly<Record<string, string>>;
  readonly files: FileImage;
  /** Null when stdout is not a terminal, as in a pipe. */
  readonly terminal: Terminal | null;
  /** False: end of input at once, as with `</dev/null`. */
  readonly stdin: boolean;
  /** True: `process.send` works and messages arrive (a child made by `fork`, or a test file's process). */
  readonly ipc: boolean;
}

export type ToProcess =
  | StartMessage
  /** A change made by another process or by the page. */
  | { readonly type: "file"; readonly op: FileOp }
  /** Null ends the input. */
  | { readonly type: "stdin"; readonly data: Uint8Array | null }
  | { readonly type: "resize"; readonly terminal: Terminal }
  /** Only for signals the process said it handles; any other signal ends it without a message. */
  | { readonly type: "signal"; readonly signal: Signal }
  /** From the parent, when `ipc`. `null` means the parent disconnected. */
  | { readonly type: "message"; readonly message: unknown }
  | { readonly type: "child-started"; readonly child: number; readonly pid: number }
  /** The child could not be started; no other message about it follows. `code` is ENOENT, EAGAIN or EACCES. */
  | { readonly type: "child-error"; readonly child: number; readonly code: string; readonly message: string }
  | { readonly type: "child-output"; readonly child: number; readonly fd: 1 | 2; readonly data: Uint8Array }
  | { readonly type: "child-message"; readonly child: number; readonly message: unknown }
  /** The last message about a child. Exactly one of `code` and `signal` is null. */
  | { readonly type: "child-exit"; readonly child: number; readonly code: number | null; readonly signal: Signal | null };

export interface SpawnRequest {
  /** `node`, `npm`, `npx`, `sh`, a name in `node_modules/.bin`, or a path. */
  readonly command: string;
  readonly args: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: boolean;
  readonly ipc: boolean;
  /** Passed on when the child writes to its parent's terminal (`stdio: "inherit"`). */
  readonly terminal: Terminal | null;
}

export type FromProcess =
  /** The Worker's script has run and waits for `start`. */
  | { readonly type: "ready" }
  | { readonly type: "file"; readonly op: FileOp }
  /** Whole bytes, any cut; at most PROCESS_CHUNK_BYTES each. The buffer is transferred. */
  | { readonly type: "output"; readonly fd: 1 | 2; readonly data: Uint8Array }
  /** The last message; the Worker is terminated on it. `code` 0-255. */
  | { readonly type: "exit"; readonly code: number }
  /** From now on (`on`) the signal is delivered as a message instead of ending the process. SIGKILL never is. */
  | { readonly type: "handles-signal"; readonly signal: Signal; readonly on: boolean }
  /** To the parent, when `ipc`. */
  | { readonly type: "message"; readonly message: unknown }
  /** `child` is a number the process chooses and does not use again. */
  | { readonly type: "spawn"; readonly child: number; readonly request: SpawnRequest }
  | { readonly type: "child-stdin"; readonly child: number; readonly data: Uint8Array | null }
  | { readonly type: "child-message"; readonly child: number; readonly message: unknown }
  | { readonly type: "child-kill"; readonly child: number; readonly signal: Signal }
  /** `process.kill(pid)`: a process may signal itself, its descendants and its siblings; others are ignored. */
  | { readonly type: "kill"; readonly pid: number; readonly signal: Signal };

/** Largest `output` message; a writer splits above it. */
export const PROCESS_CHUNK_BYTES = 64 * 1024;
