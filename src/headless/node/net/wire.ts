// One end of a connection, below `net.Socket`: bytes, acknowledgements, an end and a close, in order, in both directions.
// A connection of a process to itself never leaves it (and is asynchronous all the same); any other goes through the kernel.
import type { NetAddress } from "../../protocol.ts";
import type { EventLoop } from "../event-loop.ts";

/** What the other side did. `closed` is last. */
export interface WireEvents {
  data(bytes: Uint8Array): void;
  /** The other side took this many bytes of ours. */
  taken(bytes: number): void;
  ended(): void;
  closed(reset: boolean): void;
}

/** After `close` nothing has an effect. */
export interface Wire {
  /** The bytes are given away. */
  send(bytes: Uint8Array): void;
  /** This many bytes were taken by our reader. */
  take(bytes: number): void;
  end(): void;
  close(reset: boolean): void;
}

export interface ListenEvents {
  listening(): void;
  failed(code: string): void;
  /** `accept` must be called at once. */
  connection(accept: (events: WireEvents) => Wire, remotePort: number): void;
}

export interface ConnectEvents extends WireEvents {
  connected(): void;
  failed(code: string): void;
}

/** Connections to other processes. Without it a process has only itself to talk to. */
export interface NetworkHost {
  /** First of the ephemeral ports that are this process's to hand out. */
  readonly firstPort: number;
  listen(address: NetAddress, events: ListenEvents): { close(): void };
  connect(address: NetAddress, localPort: number, events: ConnectEvents): Wire;
}

/** Runs each event in the loop, in the scope that the receiver had when it was made. */
export function inLoop<E extends WireEvents | ConnectEvents | ListenEvents>(loop: EventLoop, events: E): E {
  const { scope } = loop;
  const wrapped: Record<string, unknown> = {};
  for (const [name, run] of Object.entries(events) as [string, (...args: unknown[]) => void][]) {
    wrapped[name] = (...args: unknown[]) => loop.post(() => loop.within(scope, () => run(...args)));
  }
  return wrapped as unknown as E;
}

class LocalWire implements Wire {
  /** Already in the loop: see `inLoop`. */
  readonly events: WireEvents;
  peer: LocalWire | undefined;
  open = true;

  constructor(events: WireEvents) {
    this.events = events;
  }

  send(bytes: Uint8Array): void {
    this.peer?.events.data(bytes);
  }

  take(bytes: number): void {
    this.peer?.events.taken(bytes);
  }

  end(): void {
    this.peer?.events.ended();
  }

  close(reset: boolean): void {
    const { peer } = this;
    this.peer = undefined;
    this.open = false;
    if (!peer) return;
    peer.peer = undefined;
    peer.open = false;
    peer.events.closed(reset);
  }
}

/** Two ends joined; each side's events must be in its loop already. */
export function joinLocally(near: WireEvents, far: (accept: (events: WireEvents) => Wire) => void): Wire {
  const wire = new LocalWire(near);
  far((events) => {
    const other = new LocalWire(events);
    if (!wire.open) {
      // The client left before it was let in.
      other.open = false;
      events.closed(false);
      return other;
    }
    wire.peer = other;
    other.peer = wire;
    return other;
  });
  return wire;
}
