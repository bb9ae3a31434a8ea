// A message from the kernel's frame is hostile until it has passed here: user code may have taken the frame over. Whatever
// it sends, nothing but numbers, strings, byte arrays of their own and lists of these goes on to the app.
import type { EntryKind, FromKernel, KernelCalls, KernelMethod } from "../bridge.ts";
import type { WatchEvent } from "../change-queue.ts";
import type { ConnectAnswer, SocketMessage } from "../protocol.ts";
import { bytes, type Fields, fields, integer, Malformed, text } from "../plain-data.ts";
import { checkQuestion } from "../registry/question.ts";

const MAX_PATH = 4096;
const MAX_ERROR = 64 * 1024;

const KINDS: ReadonlySet<unknown> = new Set<EntryKind>(["file", "dir", "link"]);

/** The message with only its own fields, or undefined if it is not one of ours. `value` of a result is still unchecked. */
export function checkFromKernel(value: unknown): FromKernel | undefined {
  try {
    return message(value);
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function message(value: unknown): FromKernel {
  const m = fields(value);
  switch (m["type"]) {
    case "result":
      return { type: "result", id: integer(m["id"]), value: m["value"] };
    case "failure":
      // Whoever waits for it gets an answer, whatever the words are.
      return { type: "failure", id: integer(m["id"]), name: words(m["name"], "Error"), message: words(m["message"], "The container failed without saying why.") };
    case "output":
      return { type: "output", process: integer(m["process"]), fd: m["fd"] === 2 ? 2 : 1, data: bytes(m["data"]) };
    case "exit":
      return { type: "exit", process: integer(m["process"]), code: integer(m["code"]) & 0xff };
    case "pong":
      return { type: "pong" };
    case "registry": {
      const question = checkQuestion(m["question"]);
      if (!question) throw new Malformed();
      return { type: "registry", request: integer(m["request"]), question };
    }
    case "registry-cancel":
      return { type: "registry-cancel", request: integer(m["request"]) };
    case "port": {
      const port = integer(m["port"]);
      if (port < 1 || port > 65_535) throw new Malformed();
      return { type: "port", port, open: m["open"] === true };
    }
    case "network":
      return { type: "network", message: network(fields(m["message"])) };
    case "watch":
      return { type: "watch", watch: integer(m["watch"]), events: list(m["events"]).map(watchEvent) };
    default:
      throw new Malformed();
  }
}

function network(m: Fields): ConnectAnswer | SocketMessage {
  const socket = integer(m["socket"]);
  switch (m["type"]) {
    case "connected":
      return { type: "connected", socket };
    case "connect-error":
      return { type: "connect-error", socket, code: words(m["code"], "ECONNREFUSED") };
    case "socket-data":
      return { type: "socket-data", socket, data: bytes(m["data"]) };
    case "socket-ack":
      return { type: "socket-ack", socket, bytes: integer(m["bytes"]) };
    case "socket-end":
      return { type: "socket-end", socket };
    case "socket-close":
      return { type: "socket-close", socket, reset: m["reset"] === true };
    default:
      throw new Malformed();
  }
}

function words(value: unknown, otherwise: string): string {
  return typeof value === "string" && value.length <= MAX_ERROR ? value : otherwise;
}

const nothing = (): void => undefined;

const RESULTS: { readonly [M in KernelMethod]: (value: unknown) => ReturnType<KernelCalls[M]> } = {
  init: (value) => ({ path: text(fields(value)["path"], MAX_PATH), cwd: text(fields(value)["cwd"], MAX_PATH) }),
  readFile: (value) => (typeof value === "string" ? value : bytes(value)),
  writeFile: nothing,
  readdir: (value) => list(value).map(entry),
  mkdir: (value) => (value === null ? null : text(value, MAX_PATH)),
  rm: nothing,
  rename: nothing,
  watch: nothing,
  unwatch: nothing,
  spawn: nothing,
  stdin: nothing,
  kill: nothing,
  resize: nothing,
  serialize: (value) => bytes(value),
  loadFiles: nothing,
};

/** What a call resolves with. Throws an error that names the method for anything but what the protocol promises. */
export function checkResult<M extends KernelMethod>(method: M, value: unknown): ReturnType<KernelCalls[M]> {
  try {
    return RESULTS[method](value);
  } catch (cause) {
    if (!(cause instanceof Malformed)) throw cause;
    throw new Error(`The container answered ${method} with something else than was asked for. Reload the page.`, { cause });
  }
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Malformed();
  return value;
}

function watchEvent(value: unknown): WatchEvent {
  const [event, name] = list(value);
  return [event === "change" ? "change" : "rename", text(name, MAX_PATH)];
}

function entry(value: unknown): readonly [name: string, kind: EntryKind] {
  const [given, kind] = list(value);
  const name = text(given, MAX_PATH);
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name) || !KINDS.has(kind)) throw new Malformed();
  return [name, kind as EntryKind];
}
