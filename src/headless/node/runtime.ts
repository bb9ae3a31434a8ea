// What the parts of one Node process share. Builtins are made from it, once each, when a program first asks for them.
import type { Libraries } from "../libraries.ts";
import type { Vfs } from "../vfs.ts";
import type { Descriptor, Lead, SyncSpawnRequest, SyncSpawnResult, Terminal, ThreadStart } from "../protocol.ts";
import type { EventLoop } from "./event-loop.ts";
import type { Options } from "./options.ts";
import type { ModuleMocks } from "./loader/module-mocks.ts";
import type { NetworkHost } from "./net/wire.ts";
import type { Realm } from "./realm.ts";
import type { SourceTable } from "./stack.ts";

/** A builtin's exports, or a bag of options: values that program code hands in or takes out. */
export type Dict = Record<string, unknown>;
export type AnyFunction = (...args: unknown[]) => unknown;

/** What Node 20 this runtime behaves like; texts and defaults were compared against it. */
export const NODE_VERSION = "v20.20.0";

/** A child process as its parent drives it. Calls after its end have no effect. */
export interface ChildHandle {
  /** Undefined when there is no such command, and until it has started where the kernel chooses. */
  readonly pid: number | undefined;
  /** To its input, or to another descriptor that it reads. */
  write(data: Uint8Array | null, fd?: number): void;
  /** Nobody reads any more what it writes there. */
  broken?(fd: number): void;
  send(message: unknown, transfer?: Transferable[]): void;
  kill(signal: string): void;
}

export interface ChildRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly cwdGone?: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: boolean;
  readonly ipc: boolean;
  readonly terminal: Terminal | null;
  readonly thread?: ThreadStart;
  readonly detached?: boolean;
  readonly descriptors?: readonly Descriptor[];
  readonly leads?: readonly [output: Lead, errors: Lead];
  readonly argv0?: string;
}

/** What the parent is told about it. `exit` or `error` is last, and only one of them comes; `closed` after an exit that was `held`. */
export interface ChildEvents {
  started(pid: number): void;
  output(fd: number, data: Uint8Array): void;
  /** It writes no more there, and, if `broken`, reads no more either. */
  pipeEnd?(fd: number, broken: boolean): void;
  /** Of what it was sent it has read so much. */
  taken?(fd: number, bytes: number): void;
  message(message: unknown): void;
  exit(code: number | null, signal: string | null, held: boolean): void;
  closed?(): void;
  error(code: string, message: string): void;
  /** It reads its input from now on. */
  wantsInput?(fd: number): void;
}

/** What a process needs of the world around it. */
export interface NodeHost {
  readonly vfs: Vfs;
  /** Arguments after `node`. */
  readonly argv: readonly string[];
  /** What it was called. */
  readonly argv0: string;
  /** Absolute and existing. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly ppid: number;
  readonly terminal: Terminal | null;
  /** Whether input can come; otherwise stdin is at its end from the start. */
  readonly stdin: boolean;
  /** Those above 2 that are open from the start. */
  readonly descriptors?: readonly Descriptor[];
  readonly ipc: boolean;
  /** True when the Worker belongs to this process alone. */
  readonly ownsRealm: boolean;
  /** Connections to other processes; without it a process can only connect to itself. */
  readonly network?: NetworkHost;
  /** Set when it is a thread; undefined where there can be none, null for a process's main thread. */
  readonly thread?: ThreadStart | null;
  write(fd: number, bytes: Uint8Array): void;
  /** The program writes no more there, and, if `broken`, reads no more either. */
  pipeEnd?(fd: number, broken: boolean): void;
  /** The program has read so much. */
  inputTaken?(fd: number, bytes: number): void;
  /** The last call, made from inside whatever ended the process: code that goes on running no longer counts. */
  exit(code: number): void;
  spawn(request: ChildRequest, events: ChildEvents, transfer?: Transferable[]): ChildHandle;
  /** A library, where it is to be had; loaded when first asked for. */
  library<N extends keyof Libraries>(name: N): Libraries[N] | undefined;
  /** Runs a child to its end before it returns; only where the page shares memory. */
  readonly spawnSync?: (spawn: SyncSpawnRequest) => SyncSpawnResult;
  /** Waits for input before it returns: all that has come and was not handed to `stdin`. Only where the page shares memory. */
  readonly readSync?: (fd: number) => readonly (Uint8Array | null)[];
  /** How often this process has changed files. Absent where it has no memory in common with others. */
  readonly changes?: () => number;
  /** Only with `ipc`. */
  send(message: unknown, transfer?: Transferable[]): void;
  kill(pid: number, signal: string): void;
  /** The same, and says what went wrong; a null signal only asks. Only where the page shares memory. */
  readonly killSync?: (pid: number, signal: string | null) => "ESRCH" | "EPERM" | null;
  /** `setRawMode`, where there is a terminal. */
  rawMode?(on: boolean): void;
  /** The program reads its input, or another descriptor: told once. */
  wantsInput?(fd?: number): void;
  /** The program starts or stops listening for a signal. */
  handlesSignal(signal: string, on: boolean): void;
}

/** The event emitter as builtins use it; the real class comes from `node:events`. */
export interface Emitter {
  on(event: string, listener: AnyFunction): this;
  once(event: string, listener: AnyFunction): this;
  off(event: string, listener: AnyFunction): this;
  emit(event: string, ...args: unknown[]): boolean;
  listenerCount(event: string): number;
}

/** `process`, as far as other parts use it. */
export interface ProcessObject extends Emitter {
  argv: string[];
  execArgv: string[];
  env: Record<string, string | undefined>;
  pid: number;
  exitCode: number | string | undefined | null;
  stdout: StreamLike;
  stderr: StreamLike;
  stdin: StreamLike;
  nextTick(task: AnyFunction, ...args: unknown[]): void;
  cwd(): string;
  emitWarning(warning: string | Error, options?: unknown, code?: string): void;
  [key: string]: unknown;
}

export interface StreamLike extends Emitter {
  write(data: string | Uint8Array): boolean;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

/** What comes in on stdin, for its stream and for those who cannot wait for a stream. */
export type InputNeed = "some" | "all";

export interface Input {
  /** Null ends it. */
  deliver(chunk: Uint8Array | null): void;
  /** At least one byte of what comes next, at most `most`, waiting for it; none at the end. Throws where it would have to wait and cannot. */
  take(most: number): Uint8Array;
  /** Whether `take` would not have to wait: for the next byte, or for the end. */
  has(need: InputNeed): boolean;
  /** Calls once more has come, the end too; until then the process goes on. */
  onMore(then: () => void): void;
}

/** A pipe that the process began with: the parent's end is a stream of its `stdio`. */
export interface Pipe extends Input {
  readonly fd: number;
  /** Gives what comes to a socket from now on; null is the end. */
  listen(take: (chunk: Uint8Array | null) => void): void;
}

export interface Runtime {
  readonly host: NodeHost;
  readonly vfs: Vfs;
  readonly loop: EventLoop;
  readonly sources: SourceTable;
  readonly options: Options;
  realm: Realm;
  process: ProcessObject;
  input: Input;
  /** By descriptor, above 2. */
  readonly pipes: Map<number, Pipe>;
  /** Descriptors that nobody reads any more. */
  readonly broken: Set<number>;
  cwd: string;
  /** Permission bits that new files and folders do not get. */
  umask: number;
  /** True once the exit code is decided: nothing the program does counts any more. */
  ended: boolean;
  /** Of the parent, where there is a channel to it; null: it has disconnected. */
  receive: (message: unknown) => void;
  /** By name without `node:`. Throws ERR_UNKNOWN_BUILTIN_MODULE. */
  builtin(name: string): Dict;
  /** What a program has put in the place of `fs.readFileSync`, by which `require` reads then (vue-tsc). */
  replacedRead?: () => AnyFunction | undefined;
  /** Called when the process has ended, newest first. */
  atEnd(cleanup: () => void): void;
  /** Ends the process now. Returns only by throwing. */
  exit(code?: number | string | null): never;
  /** The same without the program's own `exit` listeners. */
  end(code: number): never;
  /** What `process._fatalException` does: true when the program has taken the error. */
  uncaught(error: unknown, origin: "uncaughtException" | "unhandledRejection"): boolean;
  /** An error nobody caught. */
  fatal(error: unknown, origin: "uncaughtException" | "unhandledRejection"): void;
  /** A rejection nobody handled. */
  unhandled(reason: unknown, promise: object): void;
  /** One that was, after that. */
  handledLate(promise: object): void;
  /** Text to stderr past the program's own `process.stderr`. */
  complain(text: string): void;
  loader: LoaderApi;
}

/** The module loader as builtins use it. */
export interface LoaderApi {
  /** `require` for code in `file`. */
  createRequire(file: string): AnyFunction & Dict;
  import(specifier: string, parentFile: string, options?: unknown): Promise<unknown>;
  readonly Module: AnyFunction & Dict;
  readonly mocks: ModuleMocks;
  /** `module.register`. */
  register(specifier: unknown, parent: unknown, options?: unknown): void;
  /** The module that a specifier in `parentFile` names. */
  locate(specifier: string, parentFile: string): { readonly url: string; readonly path: string; readonly isModule: boolean };
}
