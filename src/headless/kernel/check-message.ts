// A message from a process is hostile until it has passed here: user code shares the Worker and may post anything.
// What comes out is rebuilt field by field, so nothing that was not asked for travels on.
import { resolvePath } from "../posix-path.ts";
import { type FromProcess, PROCESS_CHUNK_BYTES, SIGNAL_EXIT_CODES, type Signal, type SpawnRequest, type Terminal } from "../protocol.ts";
import type { FileOp } from "../vfs-node.ts";

const MAX_PATH = 4096;
const MAX_ARGS = 10_000;
const MAX_TEXT = 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

class Malformed extends Error {}

/** The message, or undefined if it is not one of ours. */
export function checkFromProcess(value: unknown): FromProcess | undefined {
  try {
    return message(fields(value));
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function message(m: Fields): FromProcess {
  switch (m["type"]) {
    case "ready":
      return { type: "ready" };
    case "file":
      return { type: "file", op: fileOp(fields(m["op"])) };
    case "output": {
      const data = bytes(m["data"]);
      if (data.length > PROCESS_CHUNK_BYTES) throw new Malformed();
      return { type: "output", fd: m["fd"] === 2 ? 2 : 1, data };
    }
    case "exit":
      return { type: "exit", code: integer(m["code"]) & 0xff };
    case "handles-signal":
      return { type: "handles-signal", signal: signal(m["signal"]), on: m["on"] === true };
    case "message":
      return { type: "message", message: m["message"] };
    case "spawn":
      return { type: "spawn", child: integer(m["child"]), request: spawnRequest(fields(m["request"])) };
    case "child-stdin":
      return { type: "child-stdin", child: integer(m["child"]), data: m["data"] === null ? null : bytes(m["data"]) };
    case "child-message":
      return { type: "child-message", child: integer(m["child"]), message: m["message"] };
    case "child-kill":
      return { type: "child-kill", child: integer(m["child"]), signal: signal(m["signal"]) };
    case "kill":
      return { type: "kill", pid: integer(m["pid"]), signal: signal(m["signal"]) };
    default:
      throw new Malformed();
  }
}

function fileOp(op: Fields): FileOp {
  const kind = op["op"];
  switch (kind) {
    case "write": {
      const mode = op["mode"] === undefined ? {} : { mode: bits(op["mode"]) };
      return { op: kind, path: path(op["path"]), data: bytes(op["data"]), ...mode };
    }
    case "append":
      return { op: kind, path: path(op["path"]), data: bytes(op["data"]) };
    case "mkdir":
      return { op: kind, path: path(op["path"]), ...(op["mode"] === undefined ? {} : { mode: bits(op["mode"]) }) };
    case "remove":
      return { op: kind, path: path(op["path"]) };
    case "rename":
      return { op: kind, from: path(op["from"]), to: path(op["to"]) };
    case "symlink":
      return { op: kind, path: path(op["path"]), target: text(op["target"], MAX_PATH) };
    case "chmod":
      return { op: kind, path: path(op["path"]), mode: bits(op["mode"]) };
    case "utimes":
      return { op: kind, path: path(op["path"]), mtimeMs: finite(op["mtimeMs"]) };
    default:
      throw new Malformed();
  }
}

function spawnRequest(r: Fields): SpawnRequest {
  const args = r["args"];
  if (!Array.isArray(args) || args.length > MAX_ARGS) throw new Malformed();
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields(r["env"]))) env[name] = text(value, MAX_TEXT);
  return {
    command: text(r["command"], MAX_PATH),
    args: args.map((arg) => text(arg, MAX_TEXT)),
    cwd: path(r["cwd"]),
    env,
    stdin: r["stdin"] === true,
    ipc: r["ipc"] === true,
    terminal: r["terminal"] === null || r["terminal"] === undefined ? null : checkTerminal(r["terminal"]),
  };
}

/** A terminal's size, made sane. Throws nothing: odd values become 80×24. */
export function checkTerminal(value: unknown): Terminal {
  const side = (n: unknown, fallback: number): number => (typeof n === "number" && Number.isInteger(n) && n > 0 && n < 10_000 ? n : fallback);
  const t = typeof value === "object" && value !== null ? (value as Fields) : {};
  return { cols: side(t["cols"], 80), rows: side(t["rows"], 24) };
}

function fields(value: unknown): Fields {
  if (typeof value !== "object" || value === null) throw new Malformed();
  return value as Fields;
}

function text(value: unknown, max: number): string {
  if (typeof value !== "string" || value.length > max) throw new Malformed();
  return value;
}

function path(value: unknown): string {
  const p = text(value, MAX_PATH);
  if (p.includes("\0") || resolvePath(p) !== p) throw new Malformed();
  return p;
}

/** Bytes of their own: memory shared with a process could change after the check. */
function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Malformed();
  return value.buffer instanceof ArrayBuffer ? value : value.slice();
}

function integer(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new Malformed();
  return value;
}

function finite(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Malformed();
  return value;
}

function bits(value: unknown): number {
  return integer(value) & 0o7777;
}

function signal(value: unknown): Signal {
  if (typeof value !== "string" || !Object.hasOwn(SIGNAL_EXIT_CODES, value)) throw new Malformed();
  return value as Signal;
}
