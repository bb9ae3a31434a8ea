// Messages between a process and its children, the same for both sides: what may be sent, what becomes of it on its way, and
// what is told when there is nobody to send it to.
import { invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Emitter, Runtime } from "../runtime.ts";
import { checkObject } from "./child-options.ts";
import { isHandle, receiveHandle, sendHandle, type SentHandle } from "../net/handles.ts";
import type { Server } from "../net/server.ts";
import type { Socket } from "../net/socket.ts";
import { deserialize, serialize } from "./v8-serializer.ts";

const KINDS = ["string", "object", "number", "boolean"];

export interface Messenger {
  send(...args: unknown[]): boolean;
  /** As it came from the other side. */
  receive(value: unknown): void;
  /** Runs what comes after the messages that have come. */
  inTurn(run: () => void): void;
}

interface MessengerParts {
  /** What has `send`, and is told. */
  readonly target: Emitter;
  /** With V8's serialisation: more kinds of values, Buffers among them. */
  readonly advanced: boolean;
  readonly isConnected: () => boolean;
  readonly post: (value: unknown) => void;
}

export function createMessenger(runtime: Runtime, { target, advanced, isConnected, post }: MessengerParts): Messenger {
  const { loop } = runtime;
  let hasSentHandles = false;
  /** Those that came before anybody listened. */
  let waiting: (readonly [message: unknown, handle: object | undefined])[] = [];
  const deliver = (message: unknown, handle?: object): void => {
    if (isWithHandle(message)) deliver(message.message, receiveHandle(runtime, message.handle));
    else if (isInternal(message)) target.emit("internalMessage", message, undefined);
    else if (target.listenerCount("message") === 0) waiting.push([message, handle]);
    else target.emit("message", message, handle);
  };
  target.on("newListener", (event) => {
    if (event !== "message" || waiting.length === 0) return;
    loop.nextTick(() => {
      const messages = waiting;
      waiting = [];
      for (const [message, handle] of messages) deliver(message, handle);
    });
  });
  // What the other side wrote to a connection of ours before it wrote a message is on its way through here, too: it goes first.
  const inTurn = (run: () => void): void => {
    if (hasSentHandles) loop.post(run);
    else run();
  };
  return {
    inTurn,
    send: (message, ...rest) => {
      const { handle, kept, done } = checkSend(runtime, rest);
      if (!isConnected()) {
        const error = nodeError(Error, "ERR_IPC_CHANNEL_CLOSED", "Channel closed");
        loop.nextTick(() => (done ? void done(error) : void target.emit("error", error)));
        return false;
      }
      if (message === undefined) throw nodeError(TypeError, "ERR_MISSING_ARGS", 'The "message" argument must be specified');
      if (!KINDS.includes(typeof message)) throw invalidArgType("message", KINDS, message);
      const sent = handle && sendHandle(runtime, handle, kept);
      hasSentHandles ||= sent !== undefined;
      const whole = sent ? ({ cmd: WITH_HANDLE, message, handle: sent } satisfies WithHandle) : message;
      post(advanced ? Uint8Array.from(serialize(whole)) : (JSON.parse(JSON.stringify(whole)) as unknown));
      if (done) loop.nextTick(() => void done(null));
      return true;
    },
    receive: (value) => {
      const message: unknown = advanced ? deserialize(value) : value;
      inTurn(() => deliver(message));
    },
  };
}

interface Sending {
  readonly handle: Socket | Server | undefined;
  /** The connection stays open here, too. */
  readonly kept: boolean;
  readonly done: AnyFunction | undefined;
}

/** `(message, handle?, options?, callback?)` without the first. */
function checkSend(runtime: Runtime, [handle, options, callback]: readonly unknown[]): Sending {
  if (typeof handle === "function") return { handle: undefined, kept: false, done: handle as AnyFunction };
  if (typeof options === "function") callback = options;
  else if (options !== undefined) checkObject(options, "options");
  if (handle && !isHandle(runtime, handle)) throw nodeError(TypeError, "ERR_INVALID_HANDLE_TYPE", "This handle type cannot be sent");
  const { keepOpen } = (typeof options === "object" ? options : {}) as { keepOpen?: unknown };
  return { handle: isHandle(runtime, handle) ? handle : undefined, kept: Boolean(keepOpen), done: typeof callback === "function" ? (callback as AnyFunction) : undefined };
}

const WITH_HANDLE = "NODE_HANDLE";

interface WithHandle {
  readonly cmd: typeof WITH_HANDLE;
  readonly message: unknown;
  readonly handle: SentHandle;
}

function isWithHandle(message: unknown): message is WithHandle {
  return typeof message === "object" && message !== null && (message as { cmd?: unknown }).cmd === WITH_HANDLE && "handle" in message;
}

/** Node's own among the messages. */
function isInternal(message: unknown): boolean {
  const cmd = typeof message === "object" && message !== null ? (message as { cmd?: unknown }).cmd : undefined;
  return typeof cmd === "string" && cmd.length > "NODE_".length && cmd.startsWith("NODE_");
}
