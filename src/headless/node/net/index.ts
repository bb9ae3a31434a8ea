// node:net.
import { unsupported } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { isIP, isIPv4, isIPv6 } from "./address.ts";
import { createServerClass } from "./server.ts";
import { connectArguments, createSocket } from "./socket.ts";

/** A class that may be called without `new`, as Node's older ones may. */
export function callable<C extends new (...args: never[]) => object>(type: C): C {
  const made: C = new Proxy(type, { apply: (target, _self, args) => Reflect.construct(target, args) as object });
  Object.defineProperty(type.prototype, "constructor", { value: made, writable: true, configurable: true });
  return made;
}

export function createNet(runtime: Runtime): Dict {
  // A Proxy's `apply` needs a target that can be called; a class is one, it merely refuses by itself.
  const Socket = callable(createSocket(runtime));
  const Server = callable(createServerClass(runtime, Socket));
  const connect = (...args: unknown[]): object => {
    const { options, done } = connectArguments(args);
    const socket = new Socket(options as Dict);
    if (options.timeout) socket.setTimeout(options.timeout);
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
