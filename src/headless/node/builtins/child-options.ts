// What child_process was asked for: its argument forms, where the child's streams go, and Node's refusals.
import { resolvePath } from "../../posix-path.ts";
import { SIGNAL_EXIT_CODES, type Signal } from "../../protocol.ts";
import { invalidArgType, invalidArgValue, nodeError, outOfRange, unsupported } from "../errors.ts";
import { urlToFile } from "../file-url.ts";
import type { AnyFunction, ChildRequest, Dict, Runtime, StreamLike } from "../runtime.ts";
import { isTerminal } from "./tty.ts";

export interface SpawnOptions {
  readonly cwd?: string | URL | null;
  readonly env?: Record<string, unknown> | null;
  readonly argv0?: string;
  readonly stdio?: string | readonly unknown[] | null;
  readonly shell?: boolean | string;
  readonly detached?: boolean;
  readonly signal?: AbortSignal;
  readonly timeout?: number;
  readonly killSignal?: string | number;
  readonly encoding?: string | null;
  readonly maxBuffer?: number;
  readonly serialization?: string;
  readonly input?: unknown;
  readonly execArgv?: readonly string[];
  readonly silent?: boolean;
  readonly execPath?: string;
}

/** Where one of the child's streams goes. `fd`: an open file of this process's; `stream`: a stream of the program's. */
export type Stdio = "pipe" | "ignore" | "inherit" | "ipc" | { readonly fd: number } | { readonly stream: StreamLike };

function stdioOne(given: unknown, fd: number): Stdio {
  if (given === undefined || given === null) return fd < 3 ? "pipe" : "ignore";
  if (given === "pipe" || given === "overlapped") return "pipe";
  if (given === "ignore" || given === "ipc") return given;
  if (given === "inherit") return fd < 3 ? "inherit" : "ignore";
  if (typeof given === "number") return given < 3 ? (given === fd ? "inherit" : { fd: given }) : { fd: given };
  const stream = given as StreamLike & { fd?: number };
  if (typeof given === "object" && typeof stream.on === "function") return typeof stream.fd === "number" ? stdioOne(stream.fd, fd) : { stream };
  throw invalidArgValue("stdio", given);
}

/** At least three, one for each file descriptor of the child. */
export function stdioOf(given: SpawnOptions["stdio"], fallback = "pipe"): Stdio[] {
  if (typeof given === "string" && !["pipe", "ignore", "inherit", "overlapped"].includes(given)) throw invalidArgValue("stdio", given);
  if (given !== undefined && given !== null && typeof given !== "string" && !Array.isArray(given)) throw invalidArgValue("stdio", given);
  const list = Array.isArray(given) ? [...(given as unknown[])] : Array.from({ length: 3 }, () => given ?? fallback);
  while (list.length < 3) list.push(undefined);
  const kinds = list.map(stdioOne);
  if (kinds.filter((kind) => kind === "ipc").length > 1) throw nodeError(Error, "ERR_IPC_ONE_PIPE", "Child process can have only one IPC pipe");
  const extra = kinds.findIndex((kind, fd) => fd > 2 && kind === "pipe");
  if (extra > 0) throw unsupported(`child_process.spawn with a pipe as stdio[${extra}]`, "a child has stdin, stdout, stderr and messages");
  return kinds;
}

/** Of two names for one signal the first is Node's. */
const NUMBERS = new Map(Object.entries(SIGNAL_EXIT_CODES).reverse().map(([name, code]) => [code - 128, name as Signal]));

/** The signal, if it is one that a process could mind. */
export function signalOf(number: number): Signal | undefined {
  return NUMBERS.get(number);
}

/** A signal by name or number, or Node's error. */
export function signalName(signal: unknown): Signal {
  if (typeof signal === "number" && NUMBERS.has(signal)) return NUMBERS.get(signal) as Signal;
  if (typeof signal === "string" && Object.hasOwn(SIGNAL_EXIT_CODES, signal.toUpperCase())) return signal.toUpperCase() as Signal;
  throw nodeError(TypeError, "ERR_UNKNOWN_SIGNAL", `Unknown signal: ${String(signal)}`);
}

/** `(file, args?, options?)` as one, with the shell put in front. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** As `spawnargs` shows them. */
  readonly shown: readonly string[];
  readonly options: SpawnOptions;
}

export function commandOf(file: unknown, second: unknown, third: unknown): Command {
  if (typeof file !== "string") throw invalidArgType("file", "string", file);
  if (file === "") throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", "The argument 'file' cannot be empty. Received ''");
  if (file.includes("\0")) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'file' must be a string without null bytes. Received '${file.replaceAll("\0", "\\x00")}'`);
  const list = Array.isArray(second);
  if (!list && second !== undefined && second !== null && typeof second !== "object") throw invalidArgType("args", "object", second);
  const options = ((list || second === undefined || second === null ? third : second) ?? {}) as SpawnOptions;
  if (typeof options !== "object") throw invalidArgType("options", "object", options);
  const args = list ? (second as unknown[]).map(String) : [];
  checkOptions(options);
  if (!options.shell) return { file, args, shown: [options.argv0 ?? file, ...args], options };
  const shell = typeof options.shell === "string" ? options.shell : "/bin/sh";
  const shellArgs = ["-c", [file, ...args].join(" ")];
  return { file: shell, args: shellArgs, shown: [options.argv0 ?? shell, ...shellArgs], options };
}

/** For those that keep the output: `spawn` takes whatever is there, as execa gives it. */
export function checkMaxBuffer({ maxBuffer }: SpawnOptions): void {
  if (maxBuffer !== undefined && maxBuffer !== null && !(typeof maxBuffer === "number" && maxBuffer >= 0)) throw outOfRange("options.maxBuffer", "a positive number", maxBuffer);
}

function checkOptions(options: SpawnOptions): void {
  const { cwd, timeout, killSignal, signal, shell, argv0 } = options;
  if (cwd !== undefined && cwd !== null && typeof cwd !== "string" && !(cwd instanceof URL)) throw invalidArgType("options.cwd", ["string", "Buffer", "URL"], cwd);
  if (shell !== undefined && shell !== null && typeof shell !== "boolean" && typeof shell !== "string") throw invalidArgType("options.shell", ["boolean", "string"], shell);
  if (argv0 !== undefined && argv0 !== null && typeof argv0 !== "string") throw invalidArgType("options.argv0", "string", argv0);
  if (timeout !== undefined && timeout !== null && !(Number.isInteger(timeout) && timeout >= 0)) throw outOfRange("timeout", "an unsigned integer", timeout);
  if (killSignal !== undefined && killSignal !== null) signalName(killSignal);
  if (signal !== undefined && !(typeof signal === "object" && signal !== null && "aborted" in signal)) throw invalidArgType("options.signal", "AbortSignal", signal);
}

/** The process's own, as far as the child has its descriptors. */
function sharedTerminal({ host, process }: Runtime, kinds: readonly Stdio[]): ChildRequest["terminal"] {
  const own = [process.stdin, process.stdout, process.stderr];
  const shares = (kind: Stdio | undefined, fd: number): boolean => isTerminal(host, fd) && (kind === "inherit" || (typeof kind === "object" && ("fd" in kind ? kind.fd === fd : (kind.stream as unknown) === own[fd])));
  const fds = own.reduce((bits, _, fd) => (shares(kinds[fd], fd) ? bits | (1 << fd) : bits), 0);
  return host.terminal && fds > 0 ? { ...host.terminal, fds } : null;
}

/** What the kernel is asked for. */
export function requestOf(runtime: Runtime, { file, args, options }: Command, kinds: readonly Stdio[]): ChildRequest {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.env ?? runtime.process.env)) if (value !== undefined) env[name] = String(value);
  const ipc = kinds.includes("ipc");
  if (ipc && options.serialization === "advanced") env["NODE_CHANNEL_SERIALIZATION_MODE"] = "advanced";
  const cwd = options.cwd instanceof URL ? urlToFile(options.cwd) : (options.cwd ?? undefined);
  return {
    command: file, args, cwd: cwd === undefined ? runtime.cwd : resolvePath(cwd, runtime.cwd), env, stdin: kinds[0] !== "ignore", ipc,
    terminal: sharedTerminal(runtime, kinds), ...(options.argv0 == null ? {} : { argv0: options.argv0 }),
  };
}

/** `(a, [args], {options}, done)` in any of its shortened forms. */
export function looseArguments(rest: readonly unknown[]): { readonly args: string[]; readonly options: SpawnOptions; readonly done: AnyFunction | undefined } {
  return {
    args: Array.isArray(rest[0]) ? (rest[0] as unknown[]).map(String) : [],
    options: (rest.find((x) => typeof x === "object" && x !== null && !Array.isArray(x)) ?? {}) as SpawnOptions,
    done: rest.find((x) => typeof x === "function") as AnyFunction | undefined,
  };
}

const ERRNOS: Readonly<Record<string, number>> = { ENOENT: -2, E2BIG: -7, EAGAIN: -11, EACCES: -13, ENOBUFS: -105, ETIMEDOUT: -110 };

export function errnoOf(code: string): number {
  return ERRNOS[code] ?? -1;
}

/** The error of a child that did not start. A limit of the container keeps the kernel's sentence, which names it. */
export function spawnError(syscall: string, { file, shown }: Command, code: string, message: string): Error & Dict {
  const text = code === "ENOENT" || !message.includes(":") ? `${syscall} ${file} ${code}` : message;
  return Object.assign(new Error(text), { errno: errnoOf(code), code, syscall: `${syscall} ${file}`, path: file, spawnargs: shown.slice(1) }) as unknown as Error & Dict;
}
