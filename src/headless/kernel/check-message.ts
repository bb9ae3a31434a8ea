// A message from a process is hostile until it has passed here: user code shares the Worker and may post anything.
// What comes out is rebuilt field by field, so nothing that was not asked for travels on.
import { bytes, type Fields, fields, finite, integer, Malformed, text } from "../plain-data.ts";
import { resolvePath } from "../posix-path.ts";
import { checkQuestion, type RegistryQuestion } from "../registry/question.ts";
import { type Descriptor, type FromProcess, type KillWait, type Lead, type NetAddress, type OpenedFile, PROCESS_CHUNK_BYTES, SIGNAL_EXIT_CODES, type Signal, type SpawnRequest, SYNC_HEAD_BYTES, type SyncOutput, type SyncSpawnRequest, type Terminal, type ThreadStart } from "../protocol.ts";
import type { FileOp } from "../vfs-node.ts";

const MAX_PATH = 4096;
const MAX_ARGS = 10_000;
const MAX_OPS = 1_000_000;
const MAX_FD = 1024;
const MAX_TEXT = 1024 * 1024;

/** How each field is checked; what gives undefined is left out. */
type Shape<M> = { readonly [K in keyof M]-?: (value: unknown) => Record<never, never> extends Pick<M, K> ? M[K] | undefined : M[K] };
type Shapes<M, Key extends keyof M> = { readonly [T in M[Key] & string]: Shape<Omit<Extract<M, Record<Key, T>>, Key>> };

const anything = (value: unknown): unknown => value;
const isTrue = (value: unknown): boolean => value === true;
const orNull = <T>(check: (value: unknown) => T) => (value: unknown): T | null => (value === null ? null : check(value));
const optional = <T>(check: (value: unknown) => T) => (value: unknown): T | undefined => (value === undefined ? undefined : check(value));
const onlyTrue = (value: unknown): true | undefined => (value === true ? true : undefined);
const listOf = <T>(check: (value: unknown) => T, most: number) => (value: unknown): T[] => {
  if (!Array.isArray(value) || value.length > most) throw new Malformed();
  return value.map(check);
};

/** Field by field, and nothing else of it. */
function rebuilt(shape: Readonly<Record<string, (value: unknown) => unknown>>, given: Fields): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [name, check] of Object.entries(shape)) {
    const value = check(given[name]);
    if (value !== undefined) made[name] = value;
  }
  return made;
}

/** One of several, told apart by `key`. */
function oneOf<M>(shapes: object, key: keyof M & string, value: unknown): M {
  const given = fields(value);
  const kind = given[key];
  if (typeof kind !== "string" || !Object.hasOwn(shapes, kind)) throw new Malformed();
  return { [key]: kind, ...rebuilt((shapes as Readonly<Record<string, Readonly<Record<string, (value: unknown) => unknown>>>>)[kind] ?? {}, given) } as M;
}

/** The message, or undefined if it is not one of ours. */
export function checkFromProcess(value: unknown): FromProcess | undefined {
  try {
    return oneOf<FromProcess>(MESSAGES, "type", value);
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

const FILE_OPS: Shapes<FileOp, "op"> = {
  write: { path, data: bytes, mode: optional(bits) },
  append: { path, data: bytes },
  mkdir: { path, mode: optional(bits) },
  remove: { path },
  rename: { from: path, to: path },
  link: { from: path, to: path },
  symlink: { path, target: (value) => text(value, MAX_PATH) },
  chmod: { path, mode: bits },
  utimes: { path, mtimeMs: finite, atimeMs: optional(finite), link: onlyTrue },
};
const fileOp = (value: unknown): FileOp => oneOf<FileOp>(FILE_OPS, "op", value);

const FILE: Shape<OpenedFile> = { path, readable: isTrue, writable: isTrue, append: isTrue, position: notNegative };
const DESCRIPTOR: Shape<Descriptor> = { fd: above2, file: optional((value) => rebuilt(FILE, fields(value)) as unknown as OpenedFile) };
const THREAD: Shape<ThreadStart> = { id: integer, data: anything };

const SPAWN: Shape<SpawnRequest> = {
  command: (value) => text(value, MAX_PATH),
  args: listOf((value) => text(value, MAX_TEXT), MAX_ARGS),
  cwd: path,
  cwdGone: onlyTrue,
  env: environment,
  stdin: isTrue,
  ipc: isTrue,
  terminal: (value) => (value === undefined ? null : orNull(checkTerminal)(value)),
  thread: optional((value) => rebuilt(THREAD, fields(value)) as unknown as ThreadStart),
  detached: onlyTrue,
  descriptors: optional(listOf((value) => rebuilt(DESCRIPTOR, fields(value)) as unknown as Descriptor, MAX_FD)),
  leads: optional((value) => listOf(lead, 2)(value) as [Lead, Lead]),
  argv0: optional((value) => text(value, MAX_PATH)),
};
const spawnRequest = (value: unknown): SpawnRequest => rebuilt(SPAWN, fields(value)) as unknown as SpawnRequest;

const WAIT: Shape<KillWait> = { seen: integer, memory: shared };

const MESSAGES: Shapes<FromProcess, "type"> = {
  ready: {},
  processes: {},
  "stdin-wanted": { fd: optional(descriptor) },
  "terminal-mode": { raw: isTrue },
  file: { op: fileOp },
  files: { ops: listOf(fileOp, MAX_OPS) },
  registry: { request: integer, question },
  output: { fd: (value) => descriptor(value) || 1, data: chunk },
  "pipe-end": { fd: descriptor, broken: isTrue },
  exit: { code: (value) => integer(value) & 0xff, stays: optional(integer) },
  "handles-signal": { signal, on: isTrue },
  message: { message: anything },
  spawn: { child: integer, request: spawnRequest, pid: optional(integer) },
  "child-stdin": { child: integer, data: orNull(bytes), fd: optional(above2) },
  "child-broken": { child: integer, fd: descriptor },
  "child-message": { child: integer, message: anything },
  "child-kill": { child: integer, signal },
  "files-seen": { seq: integer },
  "spawn-sync": { spawn: syncSpawn, ...WAIT },
  "read-sync": { fd: descriptor, received: integer, ...WAIT },
  "input-seen": { fd: descriptor, received: integer },
  "input-taken": { fd: descriptor, bytes: notNegative },
  listen: { server: integer, address },
  unlisten: { server: integer },
  connect: { socket: aboveZero, address, port },
  "socket-data": { socket: integer, data: chunk },
  "socket-ack": { socket: integer, bytes: aboveZero },
  "socket-end": { socket: integer },
  "socket-close": { socket: integer, reset: isTrue },
  kill: { pid: integer, signal: orNull(signal), wait: optional((value) => rebuilt(WAIT, fields(value)) as unknown as KillWait) },
};

function question(value: unknown): RegistryQuestion {
  const checked = checkQuestion(value);
  if (!checked) throw new Malformed();
  return checked;
}

function chunk(value: unknown): Uint8Array<ArrayBuffer> {
  const data = bytes(value);
  if (data.length > PROCESS_CHUNK_BYTES) throw new Malformed();
  return data;
}

function aboveZero(value: unknown): number {
  const number = integer(value);
  if (number <= 0) throw new Malformed();
  return number;
}

function descriptor(value: unknown): number {
  const fd = integer(value);
  if (fd < 0 || fd > MAX_FD) throw new Malformed();
  return fd;
}

function above2(value: unknown): number {
  return 3 + descriptor(integer(value) - 3);
}

const lead = (value: unknown): Lead => (value === 1 || value === 2 || value === null || value === undefined ? value : path(value));

function environment(value: unknown): Record<string, string> {
  const env: Record<string, string> = {};
  // A variable of this name would be no variable but the record's prototype.
  for (const [name, each] of Object.entries(fields(value))) if (name !== "__proto__") env[text(name, MAX_TEXT)] = text(each, MAX_TEXT);
  return env;
}

function syncOutput(value: unknown): SyncOutput {
  if (value !== "keep" && value !== "inherit" && value !== "ignore") throw new Malformed();
  return value;
}

function notNegative(value: unknown): number {
  const number = finite(value);
  if (number < 0) throw new Malformed();
  return number;
}

function syncSpawn(value: unknown): SyncSpawnRequest {
  const shape: Shape<SyncSpawnRequest> = { request: spawnRequest, input: bytes, stdout: syncOutput, stderr: syncOutput, timeoutMs: orNull(finite), killSignal: signal, maxBytes: notNegative };
  return rebuilt(shape, fields(value)) as unknown as SyncSpawnRequest;
}

/** Memory of its own making that can hold the largest answer; where the page is not isolated there is none. */
function shared(value: unknown): SharedArrayBuffer {
  if (typeof SharedArrayBuffer === "undefined" || !(value instanceof SharedArrayBuffer) || !value.growable || value.byteLength < SYNC_HEAD_BYTES) throw new Malformed();
  return value;
}

/** A terminal, made sane. Throws nothing: odd values become 80×24. */
export function checkTerminal(value: unknown): Terminal {
  const side = (n: unknown, fallback: number): number => (typeof n === "number" && Number.isInteger(n) && n > 0 && n < 10_000 ? n : fallback);
  const t = typeof value === "object" && value !== null ? (value as Fields) : {};
  const { fds } = t;
  return { cols: side(t["cols"], 80), rows: side(t["rows"], 24), ...(typeof fds === "number" ? { fds: fds & 7 } : {}) };
}

function path(value: unknown): string {
  const p = text(value, MAX_PATH);
  if (p.includes("\0") || resolvePath(p) !== p) throw new Malformed();
  return p;
}

function port(value: unknown): number {
  const number = integer(value);
  if (number < 1 || number > 65_535) throw new Malformed();
  return number;
}

function address(value: unknown): NetAddress {
  return typeof value === "string" ? path(value) : port(value);
}

function bits(value: unknown): number {
  return integer(value) & 0o7777;
}

function signal(value: unknown): Signal {
  if (typeof value !== "string" || !Object.hasOwn(SIGNAL_EXIT_CODES, value)) throw new Malformed();
  return value as Signal;
}
