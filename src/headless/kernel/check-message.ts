// A message from a process is hostile until it has passed here: user code shares the Worker and may post anything.
// What comes out is rebuilt field by field, so nothing that was not asked for travels on.
import { bytes, type Fields, fields, finite, integer, Malformed, text } from "../plain-data.ts";
import { resolvePath } from "../posix-path.ts";
import { checkQuestion } from "../registry/question.ts";
import { type FromProcess, type NetAddress, PROCESS_CHUNK_BYTES, SIGNAL_EXIT_CODES, type Signal, type SpawnRequest, SYNC_HEAD_BYTES, type SyncOutput, type SyncSpawnRequest, type Terminal } from "../protocol.ts";
import type { FileOp } from "../vfs-node.ts";

const MAX_PATH = 4096;
const MAX_ARGS = 10_000;
const MAX_OPS = 1_000_000;
const MAX_TEXT = 1024 * 1024;

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
    case "processes":
      return { type: m["type"] };
    case "terminal-mode":
      return { type: "terminal-mode", raw: m["raw"] === true };
    case "stdin-wanted":
      return { type: "stdin-wanted" };
    case "file":
      return { type: "file", op: fileOp(fields(m["op"])) };
    case "files": {
      const { ops } = m;
      if (!Array.isArray(ops) || ops.length > MAX_OPS) throw new Malformed();
      return { type: "files", ops: ops.map((op: unknown) => fileOp(fields(op))) };
    }
    case "registry": {
      const question = checkQuestion(m["question"]);
      if (!question) throw new Malformed();
      return { type: "registry", request: integer(m["request"]), question };
    }
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
    case "files-seen":
      return { type: "files-seen", seq: integer(m["seq"]) };
    case "spawn-sync":
      return { type: "spawn-sync", spawn: syncSpawn(fields(m["spawn"])), seen: integer(m["seen"]), memory: shared(m["memory"]) };
    case "read-sync":
      return { type: "read-sync", received: integer(m["received"]), seen: integer(m["seen"]), memory: shared(m["memory"]) };
    case "input-seen":
      return { type: "input-seen", received: integer(m["received"]) };
    case "listen":
      return { type: "listen", server: integer(m["server"]), address: address(m["address"]) };
    case "unlisten":
      return { type: "unlisten", server: integer(m["server"]) };
    case "connect": {
      const socket = integer(m["socket"]);
      if (socket <= 0) throw new Malformed();
      return { type: "connect", socket, address: address(m["address"]), port: port(m["port"]) };
    }
    case "socket-data": {
      const data = bytes(m["data"]);
      if (data.length > PROCESS_CHUNK_BYTES) throw new Malformed();
      return { type: "socket-data", socket: integer(m["socket"]), data };
    }
    case "socket-ack": {
      const taken = integer(m["bytes"]);
      if (taken <= 0) throw new Malformed();
      return { type: "socket-ack", socket: integer(m["socket"]), bytes: taken };
    }
    case "socket-end":
      return { type: "socket-end", socket: integer(m["socket"]) };
    case "socket-close":
      return { type: "socket-close", socket: integer(m["socket"]), reset: m["reset"] === true };
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
    case "link":
      return { op: kind, from: path(op["from"]), to: path(op["to"]) };
    case "symlink":
      return { op: kind, path: path(op["path"]), target: text(op["target"], MAX_PATH) };
    case "chmod":
      return { op: kind, path: path(op["path"]), mode: bits(op["mode"]) };
    case "utimes":
      return {
        op: kind, path: path(op["path"]), mtimeMs: finite(op["mtimeMs"]), ...(op["atimeMs"] === undefined ? {} : { atimeMs: finite(op["atimeMs"]) }), ...(op["link"] === true ? { link: true } : {}),
      };
    default:
      throw new Malformed();
  }
}

function spawnRequest(r: Fields): SpawnRequest {
  const args = r["args"];
  if (!Array.isArray(args) || args.length > MAX_ARGS) throw new Malformed();
  const env: Record<string, string> = {};
  // A variable of this name would be no variable but the record's prototype.
  for (const [name, value] of Object.entries(fields(r["env"]))) if (name !== "__proto__") env[text(name, MAX_TEXT)] = text(value, MAX_TEXT);
  return {
    command: text(r["command"], MAX_PATH),
    args: args.map((arg) => text(arg, MAX_TEXT)),
    cwd: path(r["cwd"]),
    env,
    stdin: r["stdin"] === true,
    ipc: r["ipc"] === true,
    ...(r["thread"] === undefined ? {} : { thread: { id: integer(fields(r["thread"])["id"]), data: fields(r["thread"])["data"] } }),
    ...(r["argv0"] === undefined ? {} : { argv0: text(r["argv0"], MAX_PATH) }),
    terminal: r["terminal"] === null || r["terminal"] === undefined ? null : checkTerminal(r["terminal"]),
  };
}

function syncSpawn(s: Fields): SyncSpawnRequest {
  const output = (value: unknown): SyncOutput => {
    if (value !== "keep" && value !== "inherit" && value !== "ignore") throw new Malformed();
    return value;
  };
  const timeoutMs = s["timeoutMs"] === null ? null : finite(s["timeoutMs"]);
  const maxBytes = finite(s["maxBytes"]);
  if (maxBytes < 0) throw new Malformed();
  return {
    request: spawnRequest(fields(s["request"])), input: bytes(s["input"]), stdout: output(s["stdout"]), stderr: output(s["stderr"]),
    timeoutMs, killSignal: signal(s["killSignal"]), maxBytes,
  };
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
