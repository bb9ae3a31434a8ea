// What the built-ins themselves tell the subscribers of node:diagnostics_channel.
import type { AnyFunction, Runtime } from "./runtime.ts";

export interface Channel {
  publish(message: object): void;
}

/** By its name in Node's documentation: `net.client.socket`. */
export function channelOf(runtime: Runtime, name: string): Channel {
  return (runtime.builtin("diagnostics_channel")["channel"] as AnyFunction)(name) as Channel;
}
