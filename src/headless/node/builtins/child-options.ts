// What child_process was asked for: its argument forms, where the child's streams go, and Node's refusals.
import { inspect } from "node-inspect-extracted";
import { resolvePath } from "../../posix-path.ts";
import { type Descriptor, type Lead, SIGNAL_EXIT_CODES, type Signal } from "../../protocol.ts";
import { checkString, invalidArgType, invalidArgValue, nodeError, outOfRange } from "../errors.ts";
import type { ChildRequest, Dict, Runtime, StreamLike } from "../runtime.ts";
import facts from "./facts.json" with { type: "json" };
import { descriptorsOf } from "./fs-descriptors.ts";
import { spelledPath } from "./fs-arguments.ts";
import { USER_ID } from "./process-user.ts";
import { isTerminal } from "./tty.ts";

export interface SpawnOptions {
  readonly cwd?: string | Uint8Array | URL | null;
  readonly env?: Record<string, unknown> | null;
  readonly uid?: number | null;
  readonly gid?: number | null;
  readonly windowsHide?: boolean;
  readonly windowsVerbatimArguments?: boolean;
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
  if (given === "inherit") return "inherit";
  if (typeof given === "number" && given < 0) return "pipe";
  if (typeof given === "number") return given < 3 ? (given === fd ? "inherit" : { fd: given }) : { fd: given };
  const stream = given as StreamLike & { fd?: number };
  if (typeof given === "object" && typeof stream.on === "function") return typeof stream.fd === "number" ? stdioOne(stream.fd, fd) : { stream };
  if (typeof given === "string" || ArrayBuffer.isView(given)) throw nodeError(TypeError, "ERR_INVALID_SYNC_FORK_INPUT", `Asynchronous forks do not support Buffer, TypedArray, DataView or string input: ${inspect(given)}`);
  throw invalidArgValue("stdio", given);
}

/** What may stand for all of them. */
export const isStdioWord = (given: string): boolean => ["pipe", "ignore", "inherit", "overlapped"].includes(given);

/** At least three, one for each file descriptor of the child. */
export function stdioOf(given: SpawnOptions["stdio"], fallback = "pipe"): Stdio[] {
  if (typeof given === "string" && !isStdioWord(given)) throw invalidArgValue("stdio", given);
  if (given !== undefined && given !== null && typeof given !== "string" && !Array.isArray(given)) throw invalidArgValue("stdio", given);
  const list = Array.isArray(given) ? [...(given as unknown[])] : Array.from({ length: 3 }, () => given ?? fallback);
  while (list.length < 3) list.push(undefined);
  const kinds = list.map(stdioOne);
  if (kinds.filter((kind) => kind === "ipc").length > 1) throw nodeError(Error, "ERR_IPC_ONE_PIPE", "Child process can have only one IPC pipe");
  return kinds;
}

/** Of two names for one signal the first is Node's. */
const NUMBERS = new Map(Object.entries(SIGNAL_EXIT_CODES).reverse().map(([name, code]) => [code - 128, name as Signal]));

/** The signal, if it is one that a process could mind. */
export function signalOf(number: number): Signal | undefined {
  return NUMBERS.get(number);
}

/** The name of a signal by name or number, or Node's error. */
export function signalName(signal: unknown): string {
  const names: Readonly<Record<string, number>> = facts.os.signals;
  const name = typeof signal === "number" ? (NUMBERS.get(signal) ?? Object.keys(names).find((each) => names[each] === signal)) : String(signal).toUpperCase();
  if (name === undefined || !Object.hasOwn(names, name)) throw nodeError(TypeError, "ERR_UNKNOWN_SIGNAL", `Unknown signal: ${String(signal)}`);
  return name;
}

/** Whether a process could mind it. */
export function isMinded(signal: string): signal is Signal {
  return Object.hasOwn(SIGNAL_EXIT_CODES, signal);
}

/** `(file, args?, options?)` as one, with the shell put in front. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** As `spawnargs` shows them. */
  readonly shown: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly options: SpawnOptions;
}

export function checkObject(value: unknown, name: string): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalidArgType(name, "object", value);
}

/** A copy of what is its own: what lies on Object.prototype is nobody's wish. */
export function ownOptions(given: unknown): SpawnOptions {
  return Object.assign(Object.create(null) as object, given);
}

/** No command line and no environment can hold one. */
export function checkNulls(value: unknown, name: string): void {
  if (typeof value === "string" && value.includes("\0")) throw invalidArgValue(name, value, "must be a string without null bytes");
}

function checkAllNulls(values: readonly unknown[], name: string): void {
  for (const [k, value] of values.entries()) checkNulls(value, `${name}[${k}]`);
}

/** What may be left out: null counts as undefined. */
function checkOption(options: SpawnOptions, name: keyof SpawnOptions, types: readonly string[]): void {
  const value = options[name];
  if (value !== undefined && value !== null && !types.includes(typeof value)) throw invalidArgType(`options.${name}`, types.length === 1 ? (types[0] as string) : types, value);
}

export function commandOf(runtime: Runtime, file: unknown, second: unknown, third: unknown): Command {
  checkString(file, "file");
  checkNulls(file, "file");
  if (file === "") throw invalidArgValue("file", file, "cannot be empty");
  if (second !== undefined && second !== null && typeof second !== "object") throw invalidArgType("args", "object", second);
  const args = Array.isArray(second) ? [...(second as unknown[])] : [];
  checkAllNulls(args, "args");
  const given = Array.isArray(second) || second === undefined || second === null ? third : second;
  if (given !== undefined) checkObject(given, "options");
  const options = ownOptions(given);
  checkSpawnOptions(options);
  const env = environmentOf(runtime, options.env);
  const { shell, argv0 } = options;
  if (!shell) return { file, args: args.map(String), shown: [argv0 ?? file, ...args.map(String)], env, options };
  const program = typeof shell === "string" ? shell : "/bin/sh";
  const shellArgs = ["-c", [file, ...args].join(" ")];
  return { file: program, args: shellArgs, shown: [argv0 ?? program, ...shellArgs], env, options };
}

function checkSpawnOptions(options: SpawnOptions): void {
  const { cwd } = options;
  if (cwd !== undefined && cwd !== null) spelledPath(cwd, "options.cwd");
  checkOption(options, "detached", ["boolean"]);
  for (const name of ["uid", "gid"] as const) {
    const value = options[name];
    if (value !== undefined && value !== null && value !== (value | 0)) throw invalidArgType(`options.${name}`, "int32", value);
  }
  checkOption(options, "shell", ["boolean", "string"]);
  checkOption(options, "argv0", ["string"]);
  checkNulls(options.argv0, "options.argv0");
  for (const name of ["windowsHide", "windowsVerbatimArguments"] as const) checkOption(options, name, ["boolean"]);
  checkNulls(options.shell, "options.shell");
}

/** What is on its prototypes counts, as in Node. */
function environmentOf(runtime: Runtime, given: SpawnOptions["env"]): Record<string, string> {
  const env: Record<string, string> = {};
  const from = given || { ...runtime.process.env };
  for (const name in from) {
    const value = from[name];
    if (value === undefined) continue;
    checkNulls(name, `options.env['${name}']`);
    checkNulls(value, `options.env['${name}']`);
    env[name] = String(value);
  }
  return env;
}

export function checkTimeout({ timeout }: SpawnOptions): void {
  if (timeout !== undefined && timeout !== null && !(Number.isInteger(timeout) && timeout >= 0)) throw outOfRange("timeout", "an unsigned integer", timeout);
}

/** For those that keep the output: `spawn` takes whatever is there, as execa gives it. */
export function checkMaxBuffer({ maxBuffer }: SpawnOptions): void {
  if (maxBuffer !== undefined && maxBuffer !== null && !(typeof maxBuffer === "number" && maxBuffer >= 0)) throw outOfRange("options.maxBuffer", "a positive number", maxBuffer);
}

export function checkSignal({ signal }: SpawnOptions): void {
  if (signal !== undefined && !(typeof signal === "object" && signal !== null && "aborted" in signal)) throw invalidArgType("options.signal", "AbortSignal", signal);
}

/** With what the child is ended. */
export function killSignalOf({ killSignal }: SpawnOptions): string | undefined {
  if (killSignal === undefined || killSignal === null) return undefined;
  if (typeof killSignal !== "string" && typeof killSignal !== "number") throw invalidArgType("options.killSignal", ["string", "number"], killSignal);
  return signalName(killSignal);
}

const MAX_PATH = 4095;
const MAX_NAME = 255;

function isTooLong(path: string): boolean {
  return path.length > MAX_PATH || path.split("/").some((name) => name.length > MAX_NAME);
}

/** Why the system would not so much as start it: another user's processes, a descriptor that is not open, a name or a folder longer than there can be. */
export function refusal(runtime: Runtime, { file, options: { uid, gid, cwd } }: Command, kinds: readonly Stdio[]): "EPERM" | "EBADF" | "ENAMETOOLONG" | undefined {
  if (kinds.some((kind) => typeof kind === "object" && "fd" in kind && kind.fd > 2 && !descriptorsOf(runtime)?.isOpen(kind.fd))) return "EBADF";
  if ((uid ?? USER_ID) !== USER_ID || (gid ?? USER_ID) !== USER_ID) return "EPERM";
  const folder = spelledPath(cwd ?? "");
  return [file, folder, resolvePath(folder, runtime.cwd)].some(isTooLong) ? "ENAMETOOLONG" : undefined;
}

/** The process's own, as far as the child has its descriptors. */
function sharedTerminal({ host, process }: Runtime, kinds: readonly Stdio[]): ChildRequest["terminal"] {
  const own = [process.stdin, process.stdout, process.stderr];
  const shares = (kind: Stdio | undefined, fd: number): boolean => isTerminal(host, fd) && (kind === "inherit" || (typeof kind === "object" && ("fd" in kind ? kind.fd === fd : (kind.stream as unknown) === own[fd])));
  const fds = own.reduce((bits, _, fd) => (shares(kinds[fd], fd) ? bits | (1 << fd) : bits), 0);
  return host.terminal && fds > 0 ? { ...host.terminal, fds } : null;
}

/** Of those above 2. */
function descriptorsFor(runtime: Runtime, kinds: readonly Stdio[]): Descriptor[] {
  return kinds.flatMap((kind, fd) => {
    if (fd < 3 || kind === "ignore" || kind === "ipc") return [];
    const own = kind === "inherit" ? fd : typeof kind === "object" && "fd" in kind ? kind.fd : undefined;
    const given = own === undefined || own < 3 ? "pipe" : descriptorsOf(runtime)?.given(own);
    return given === undefined ? [] : [given === "pipe" ? { fd } : { fd, file: given }];
  });
}

/** Where it goes on writing when this process has ended. */
function leadOf(runtime: Runtime, kind: Stdio | undefined, fd: 1 | 2): Lead {
  if (kind === "inherit") return fd;
  if (kind === "pipe") return undefined;
  if (typeof kind !== "object") return null;
  if ("stream" in kind) return kind.stream === runtime.process.stdout ? 1 : kind.stream === runtime.process.stderr ? 2 : undefined;
  if (kind.fd === 1 || kind.fd === 2) return kind.fd;
  const given = descriptorsOf(runtime)?.given(kind.fd);
  return typeof given === "object" ? given.path : null;
}

/** What the kernel is asked for. */
export function requestOf(runtime: Runtime, { file, args, env, options }: Command, kinds: readonly Stdio[]): ChildRequest {
  const ipc = kinds.includes("ipc");
  const leads = [leadOf(runtime, kinds[1], 1), leadOf(runtime, kinds[2], 2)] as const;
  const descriptors = kinds.length > 3 ? descriptorsFor(runtime, kinds) : [];
  const cwd = options.cwd === undefined || options.cwd === null ? undefined : spelledPath(options.cwd);
  return {
    command: file, args, cwd: cwd === undefined ? runtime.cwd : resolvePath(cwd, runtime.cwd), ...(cwd === undefined ? { cwdGone: true } : {}), env: ipc && options.serialization === "advanced" ? { ...env, NODE_CHANNEL_SERIALIZATION_MODE: "advanced" } : env,
    stdin: kinds[0] !== "ignore" && kinds[0] !== "ipc", ipc, terminal: sharedTerminal(runtime, kinds),
    ...(options.argv0 == null ? {} : { argv0: options.argv0 }), ...(options.detached ? { detached: true } : {}),
    ...(leads.every((lead) => lead === undefined) ? {} : { leads }), ...(descriptors.length > 0 ? { descriptors } : {}),
  };
}

const ERRNOS: Readonly<Record<string, number>> = { EPERM: -1, ENOENT: -2, E2BIG: -7, EBADF: -9, EAGAIN: -11, EACCES: -13, ENAMETOOLONG: -36, ENOBUFS: -105, ETIMEDOUT: -110 };

export function errnoOf(code: string): number {
  return ERRNOS[code] ?? -1;
}

/** The error of a child that did not start. A limit of the container keeps the kernel's sentence, which names it. */
export function spawnError(syscall: string, { file, shown }: Command, code: string, message: string): Error & Dict {
  const text = code === "ENOENT" || !message.includes(":") ? `${syscall} ${file} ${code}` : message;
  return Object.assign(new Error(text), { errno: errnoOf(code), code, syscall: `${syscall} ${file}`, path: file, spawnargs: shown.slice(1) }) as unknown as Error & Dict;
}
