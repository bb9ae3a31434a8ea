// node:net.
import { unsupported } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { isIP, isIPv4, isIPv6 } from "./address.ts";
import { callable } from "./callable.ts";
import { createServerClass } from "./server.ts";
import { connectArguments } from "./connect-options.ts";
import { createSocket } from "./socket.ts";

export function createNet(runtime: Runtime): Dict {
  const Socket = callable(createSocket(runtime));
  const Server = callable(createServerClass(runtime, Socket));
  const connect = (...args: unknown[]): object => {
    const { options, done } = connectArguments(args);
    const socket = new Socket(options as Dict);
    return socket.connect(options, ...(done ? [done] : []));
  };
  let autoSelect = true;
  let attemptMs = 250;
  const absent = (name: string): unknown => class {
    constructor() {
      throw unsupported(`new net.${name}`);
    }
  };
  return {
    Socket, Stream: Socket, Server, connect, createConnection: connect, createServer: (...args: unknown[]) => new Server(...(args as [Dict, AnyFunction])),
    isIP, isIPv4, isIPv6, BlockList: absent("BlockList"), SocketAddress: absent("SocketAddress"),
    getDefaultAutoSelectFamily: () => autoSelect, setDefaultAutoSelectFamily: (on: boolean) => void (autoSelect = on),
    getDefaultAutoSelectFamilyAttemptTimeout: () => attemptMs, setDefaultAutoSelectFamilyAttemptTimeout: (ms: number) => void (attemptMs = ms),
  };
}
