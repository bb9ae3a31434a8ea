// node:net.
import { channelOf } from "../channels.ts";
import { checkInteger, invalidArgType } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { isIP, isIPv4, isIPv6 } from "./address.ts";
import { BlockList } from "./block-list.ts";
import { callable } from "./callable.ts";
import { createServerClass } from "./server.ts";
import { connectArguments } from "./connect-options.ts";
import { createSocket } from "./socket.ts";
import { SocketAddress } from "./socket-address.ts";

const LEAST_ATTEMPT_MS = 10;

export function createNet(runtime: Runtime): Dict {
  const Socket = callable(createSocket(runtime));
  const Server = callable(createServerClass(runtime, Socket));
  const connecting = channelOf(runtime, "net.client.socket");
  const connect = (...args: unknown[]): object => {
    const { options, done } = connectArguments(args);
    const socket = new Socket(options as Dict);
    connecting.publish({ socket });
    return socket.connect(options, ...(done ? [done] : []));
  };
  let autoSelect = true;
  let attemptMs = 250;
  return {
    Socket, Stream: Socket, Server, connect, createConnection: connect, createServer: (...args: unknown[]) => new Server(...(args as [Dict, AnyFunction])),
    isIP, isIPv4, isIPv6, BlockList, SocketAddress,
    getDefaultAutoSelectFamily: () => autoSelect, getDefaultAutoSelectFamilyAttemptTimeout: () => attemptMs,
    setDefaultAutoSelectFamily: (on: unknown) => {
      if (typeof on !== "boolean") throw invalidArgType("value", "boolean", on);
      autoSelect = on;
    },
    setDefaultAutoSelectFamilyAttemptTimeout: (ms: unknown) => {
      checkInteger(ms, "value", 1, 2 ** 31 - 1);
      attemptMs = Math.max(LEAST_ATTEMPT_MS, ms);
    },
  };
}
