// BroadcastChannel between the threads of one process, as Node has it: it keeps the process alive until it is closed.
import { inspect } from "node-inspect-extracted";
import { nodeError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { show } from "../builtins/web-inspect.ts";
import { cloneHere, receive, send } from "./message.ts";
import { handlerProperty } from "./port-class.ts";
import type { Letter } from "./port-state.ts";
import { dispatch } from "./ports.ts";
import type { Relay } from "./relay.ts";

interface Channel {
  readonly name: string;
  readonly queue: Letter[];
  readonly handlers: Map<string, unknown>;
  release: (() => void) | undefined;
  closed: boolean;
}

const channels = new WeakMap<object, Channel>();

/** What is posted to it and nobody has heard yet; undefined for anything else. */
export const channelQueue = (value: unknown): Letter[] | undefined => channels.get(value as object)?.queue;

export function broadcastChannelClass(runtime: Runtime, relay: Relay): unknown {
  const { loop } = runtime;
  const open = new Map<string, Set<BroadcastChannel>>();

  const own = (value: unknown): Channel => {
    const channel = channels.get(value as object);
    if (!channel) throw nodeError(TypeError, "ERR_INVALID_THIS", 'Value of "this" must be of type BroadcastChannel');
    return channel;
  };
  const hand = (target: BroadcastChannel, letter: Letter): void => {
    const channel = own(target);
    channel.queue.push(letter);
    loop.post(() => {
      const next = channel.closed ? undefined : channel.queue.shift();
      if (next) dispatch(target, new MessageEvent("message", { data: next.value }));
    });
  };
  relay.on("broadcast", ({ channel, sent }) => {
    for (const target of open.get(channel) ?? []) hand(target, receive(runtime, sent));
  });

  class BroadcastChannel extends EventTarget {
    constructor(...args: unknown[]) {
      if (args.length === 0) throw nodeError(TypeError, "ERR_MISSING_ARGS", 'The "name" argument must be specified');
      super();
      const name = `${args[0] as string}`;
      channels.set(this, { name, queue: [], handlers: new Map(), release: loop.hold(), closed: false });
      const all = open.get(name) ?? new Set();
      open.set(name, all.add(this));
    }

    get name(): string {
      return own(this).name;
    }

    close(): void {
      const channel = own(this);
      channel.closed = true;
      channel.release?.();
      open.get(channel.name)?.delete(this);
    }

    postMessage(...args: unknown[]): void {
      const channel = own(this);
      if (args.length === 0) throw nodeError(TypeError, "ERR_MISSING_ARGS", 'The "message" argument must be specified');
      if (channel.closed) throw new DOMException("BroadcastChannel is closed.", "InvalidStateError");
      const others = [...(open.get(channel.name) ?? [])].filter((other) => other !== this);
      // That it can be cloned is found out even where nobody listens.
      if (others.length === 0) cloneHere(runtime, args[0], []);
      for (const other of others) hand(other, cloneHere(runtime, args[0], []));
      send(runtime, args[0], [], (sent) => relay.spread({ kind: "broadcast", channel: channel.name, sent }));
    }

    ref(): this {
      const channel = own(this);
      if (!channel.closed) channel.release ??= loop.hold();
      return this;
    }

    unref(): this {
      const channel = own(this);
      channel.release?.();
      channel.release = undefined;
      return this;
    }
  }
  const { prototype } = BroadcastChannel;
  for (const type of ["message", "messageerror"]) handlerProperty(prototype, type, (target) => channels.get(target)?.handlers);
  show(prototype, function (this: BroadcastChannel, depth, options) {
    const { name, closed } = own(this);
    if (depth < 0) return "BroadcastChannel";
    return `BroadcastChannel ${inspect({ name, active: !closed }, { ...options, depth: options.depth === null ? null : options.depth - 1 } as never)}`;
  });
  for (const name of ["name", "close", "postMessage", "ref", "unref"]) Object.defineProperty(prototype, name, { enumerable: true });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: "BroadcastChannel", configurable: true });
  return BroadcastChannel;
}
