// Messages between a process and its children, the same for both sides: what may be sent, what becomes of it on its way, and
// what is told when there is nobody to send it to.
import { invalidArgType, nodeError, unsupported } from "../errors.ts";
import type { AnyFunction, Emitter, Runtime } from "../runtime.ts";
import { checkObject } from "./child-options.ts";
import { deserialize, serialize } from "./v8-serializer.ts";

const KINDS = ["string", "object", "number", "boolean"];

export interface Messenger {
  send(...args: unknown[]): boolean;
  /** As it came from the other side. */
  receive(value: unknown): void;
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
  /** Those that came before anybody listened. */
  let waiting: unknown[] = [];
  const deliver = (message: unknown): void => {
    if (isInternal(message)) target.emit("internalMessage", message, undefined);
    else if (target.listenerCount("message") === 0) waiting.push(message);
    else target.emit("message", message, undefined);
  };
  target.on("newListener", (event) => {
    if (event !== "message" || waiting.length === 0) return;
    loop.nextTick(() => {
      const messages = waiting;
      waiting = [];
      for (const message of messages) deliver(message);
    });
  });
  return {
    send: (message, ...rest) => {
      const done = checkSend(runtime, rest);
      if (!isConnected()) {
        const error = nodeError(Error, "ERR_IPC_CHANNEL_CLOSED", "Channel closed");
        loop.nextTick(() => (done ? void done(error) : void target.emit("error", error)));
        return false;
      }
      if (message === undefined) throw nodeError(TypeError, "ERR_MISSING_ARGS", 'The "message" argument must be specified');
      if (!KINDS.includes(typeof message)) throw invalidArgType("message", KINDS, message);
      post(advanced ? Uint8Array.from(serialize(message)) : (JSON.parse(JSON.stringify(message)) as unknown));
      if (done) loop.nextTick(() => void done(null));
      return true;
    },
    receive: (value) => deliver(advanced ? deserialize(value) : value),
  };
}

/** `(message, handle?, options?, callback?)` without the first: the callback. */
function checkSend(runtime: Runtime, [handle, options, callback]: readonly unknown[]): AnyFunction | undefined {
  if (typeof handle === "function") return handle as AnyFunction;
  if (typeof options === "function") callback = options;
  else if (options !== undefined) checkObject(options, "options");
  if (handle) {
    const { Socket, Server } = runtime.builtin("net") as Readonly<Record<string, new () => object>>;
    if ([Socket, Server].some((each) => each && handle instanceof each)) throw unsupported("child_process: a server or a connection as a message's handle", "a connection stays with the process that made it");
    throw nodeError(TypeError, "ERR_INVALID_HANDLE_TYPE", "This handle type cannot be sent");
  }
  return typeof callback === "function" ? (callback as AnyFunction) : undefined;
}

/** Node's own among the messages. */
function isInternal(message: unknown): boolean {
  const cmd = typeof message === "object" && message !== null ? (message as { cmd?: unknown }).cmd : undefined;
  return typeof cmd === "string" && cmd.length > "NODE_".length && cmd.startsWith("NODE_");
}
