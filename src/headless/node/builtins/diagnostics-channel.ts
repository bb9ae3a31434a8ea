// node:diagnostics_channel.
import type { Dict } from "../runtime.ts";

type Listener = (message: unknown, name: string) => void;

class Channel {
  readonly name: string;
  readonly #listeners: Listener[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get hasSubscribers(): boolean {
    return this.#listeners.length > 0;
  }

  publish(message: unknown): void {
    for (const listener of this.#listeners.slice()) listener(message, this.name);
  }

  subscribe(listener: Listener): void {
    this.#listeners.push(listener);
  }

  unsubscribe(listener: Listener): boolean {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
    return at >= 0;
  }

  runStores(message: unknown, fn: (...args: unknown[]) => unknown, self?: unknown, ...args: unknown[]): unknown {
    this.publish(message);
    return fn.apply(self, args);
  }
}

export function createDiagnosticsChannel(): Dict {
  const channels = new Map<string, Channel>();
  const channel = (name: string): Channel => {
    const known = channels.get(name) ?? new Channel(name);
    channels.set(name, known);
    return known;
  };
  return {
    Channel, channel,
    hasSubscribers: (name: string) => channel(name).hasSubscribers,
    subscribe: (name: string, listener: Listener) => channel(name).subscribe(listener),
    unsubscribe: (name: string, listener: Listener) => channel(name).unsubscribe(listener),
    tracingChannel: (name: string) => Object.fromEntries(["start", "end", "asyncStart", "asyncEnd", "error"].map((event) => [event, channel(`tracing:${name}:${event}`)])),
  };
}
