// Node programs inside a host that goes on living: unit tests, the task maker. One call is one process; its children
// (one per test file of `node --test`) run in the same realm, one after the other.
import type { Libraries } from "../libraries.ts";
import { types } from "../libraries/types.ts";
import type { Vfs } from "../vfs.ts";
import { SIGNAL_EXIT_CODES, type Signal } from "../protocol.ts";
import { startNodeProcess } from "./process-run.ts";
import type { ChildEvents, ChildHandle, ChildRequest, NodeHost } from "./runtime.ts";

export interface RunNodeOptions {
  readonly vfs: Vfs;
  /** Arguments after `node`: `["--test"]`. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdout?: (bytes: Uint8Array) => void;
  readonly stderr?: (bytes: Uint8Array) => void;
  /** Everything stdin will ever say; none: stdin is at its end. */
  readonly stdin?: Uint8Array;
  /** Those that the program may use beside the one for TypeScript. */
  readonly libraries?: Partial<Libraries>;
  /** Ends the program where it next returns to its event loop, with exit code 137. */
  readonly signal?: AbortSignal;
}

let pids = 100;

/**
 * Runs a program to its end; its exit code. The program shares the host's intrinsics and can block its thread: an
 * endless loop never returns here (in the page each process has a Worker that can be killed).
 */
export function runNode(options: RunNodeOptions): Promise<number> {
  const { vfs, argv, cwd, env = {}, stdout = ignore, stderr = ignore } = options;
  const input = [...(options.stdin ? [options.stdin] : []), null];
  const host = makeHost({ vfs, argv, cwd, env, stdout, stderr, stdin: options.stdin !== undefined, ipc: false, send: ignore, libraries: { types, ...options.libraries } });
  const process = startNodeProcess({ ...host, readSync: () => input.splice(0) });
  for (const piece of input.splice(0)) process.stdin(piece);
  options.signal?.addEventListener("abort", () => process.terminate(SIGNAL_EXIT_CODES.SIGKILL), { once: true });
  if (options.signal?.aborted) process.terminate(SIGNAL_EXIT_CODES.SIGKILL);
  return process.exitCode;
}

const ignore = (): void => undefined;

interface HostOptions {
  readonly vfs: Vfs;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: boolean;
  readonly ipc: boolean;
  readonly stdout: (bytes: Uint8Array) => void;
  readonly stderr: (bytes: Uint8Array) => void;
  readonly send: (message: unknown) => void;
  readonly libraries: Partial<Libraries>;
  readonly wantsInput?: () => void;
  readonly inputTaken?: (fd: number, bytes: number) => void;
}

function makeHost(options: HostOptions): NodeHost {
  return {
    vfs: options.vfs, argv: options.argv, argv0: "node", cwd: options.cwd, env: options.env, pid: pids++, ppid: 1, terminal: null, stdin: options.stdin, ipc: options.ipc, ownsRealm: false,
    write: (fd, bytes) => (fd === 1 ? options.stdout : options.stderr)(bytes), exit: ignore,
    spawn: (request, events) => spawnHere(options, request, events),
    library: (name) => options.libraries[name],
    send: options.send, kill: ignore, handlesSignal: ignore, ...(options.wantsInput ? { wantsInput: options.wantsInput } : {}), ...(options.inputTaken ? { inputTaken: options.inputTaken } : {}),
  };
}

/** A child in the same realm; only `node` can be one. */
function spawnHere({ vfs, libraries }: HostOptions, request: ChildRequest, events: ChildEvents): ChildHandle {
  if (!/(^|\/)node$/.test(request.command)) {
    queueMicrotask(() => events.error("ENOENT", `spawn ${request.command} ENOENT`));
    return { pid: undefined, write: ignore, send: ignore, kill: ignore };
  }
  const host = makeHost({
    vfs, argv: request.args, cwd: request.cwd, env: request.env, stdin: request.stdin, ipc: request.ipc,
    stdout: (bytes) => events.output(1, bytes), stderr: (bytes) => events.output(2, bytes), send: (message) => events.message(message), libraries, wantsInput: () => events.wantsInput?.(0), inputTaken: (fd, bytes) => events.taken?.(fd, bytes),
  });
  events.started(host.pid);
  const child = startNodeProcess(host);
  let killed: Signal | undefined;
  void child.exitCode.then((code) => events.exit(killed === undefined ? code : null, killed ?? null, false));
  return {
    pid: host.pid,
    write: (data) => child.stdin(data),
    send: (message) => child.message(message),
    kill: (signal) => {
      killed = signal as Signal;
      child.terminate(SIGNAL_EXIT_CODES[killed] ?? SIGNAL_EXIT_CODES.SIGTERM);
    },
  };
}
