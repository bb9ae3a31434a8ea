// The network inside the container: which process listens where, and the connections between processes. Bytes pass through
// here and are not kept; a sender that ignores the window is reported. Owners are processes; one that ends takes its
// servers and connections with it. What a connection of one process to itself does, that process does without us.
import { CONTAINER_LIMITS } from "../../base/limits.ts";
import { type ConnectAnswer, type NetAddress, SOCKET_WINDOW_BYTES, type SocketMessage, type ToProcess } from "../protocol.ts";

type NetMessage = Extract<ToProcess, { readonly type: "listening" | "listen-error" | "connection" }> | ConnectAnswer | SocketMessage;

interface Listener<Owner> {
  readonly owner: Owner;
  readonly server: number;
  readonly address: NetAddress;
}

/** One side of a connection. */
interface End<Owner> {
  readonly owner: Owner;
  readonly socket: number;
  peer: End<Owner> | undefined;
  /** Sent by this side and not yet taken by the other. */
  unreadBytes: number;
  ended: boolean;
}

interface Holdings<Owner> {
  readonly listeners: Map<number, Listener<Owner>>;
  readonly ends: Map<number, End<Owner>>;
}

export interface NetworkEvents<Owner> {
  post(to: Owner, message: NetMessage): void;
  /** A TCP port opened or closed. */
  port(port: number, open: boolean): void;
}

export class Network<Owner extends object> {
  readonly #events: NetworkEvents<Owner>;
  readonly #listeners = new Map<NetAddress, Listener<Owner>>();
  readonly #holdings = new Map<Owner, Holdings<Owner>>();
  #connections = 0;
  #accepted = 0;

  constructor(events: NetworkEvents<Owner>) {
    this.#events = events;
  }

  listen(owner: Owner, server: number, address: NetAddress): void {
    const { listeners } = this.#of(owner);
    const code = this.#listeners.has(address) || listeners.has(server) ? "EADDRINUSE" : this.#listeners.size >= CONTAINER_LIMITS.listeners ? "EMFILE" : undefined;
    if (code !== undefined) return this.#events.post(owner, { type: "listen-error", server, code });
    const listener = { owner, server, address };
    listeners.set(server, listener);
    this.#listeners.set(address, listener);
    this.#events.post(owner, { type: "listening", server });
    if (typeof address === "number") this.#events.port(address, true);
  }

  unlisten(owner: Owner, server: number): void {
    const { listeners } = this.#of(owner);
    const listener = listeners.get(server);
    if (!listener) return;
    listeners.delete(server);
    this.#listeners.delete(listener.address);
    if (typeof listener.address === "number") this.#events.port(listener.address, false);
  }

  connect(owner: Owner, socket: number, address: NetAddress, port: number): void {
    const { ends } = this.#of(owner);
    if (ends.has(socket)) return;
    const listener = this.#listeners.get(address);
    if (!listener) return this.#events.post(owner, { type: "connect-error", socket, code: typeof address === "number" ? "ECONNREFUSED" : "ENOENT" });
    if (this.#connections >= CONTAINER_LIMITS.connections) return this.#events.post(owner, { type: "connect-error", socket, code: "EMFILE" });
    const near: End<Owner> = { owner, socket, peer: undefined, unreadBytes: 0, ended: false };
    const far: End<Owner> = { owner: listener.owner, socket: -++this.#accepted, peer: near, unreadBytes: 0, ended: false };
    near.peer = far;
    ends.set(socket, near);
    this.#of(far.owner).ends.set(far.socket, far);
    this.#connections++;
    this.#events.post(far.owner, { type: "connection", server: listener.server, socket: far.socket, port });
    this.#events.post(owner, { type: "connected", socket });
  }

  /** Carries it to the other end. False when the sender has sent far more than its reader took. */
  carry(owner: Owner, message: SocketMessage): boolean {
    const end = this.#holdings.get(owner)?.ends.get(message.socket);
    const peer = end?.peer;
    if (!end || !peer) return true;
    switch (message.type) {
      case "socket-data":
        // Two windows: an acknowledgement may be on its way.
        if (end.ended || end.unreadBytes + message.data.length > 2 * SOCKET_WINDOW_BYTES) return false;
        end.unreadBytes += message.data.length;
        break;
      case "socket-ack":
        if (message.bytes > peer.unreadBytes) return false;
        peer.unreadBytes -= message.bytes;
        break;
      case "socket-end":
        if (end.ended) return true;
        end.ended = true;
        break;
      case "socket-close":
        this.#cut(end);
        break;
      default:
        message satisfies never;
    }
    this.#events.post(peer.owner, { ...message, socket: peer.socket });
    return true;
  }

  /** The process is gone: its servers close, and the other ends of its connections hear of it. */
  left(owner: Owner): void {
    const holdings = this.#holdings.get(owner);
    if (!holdings) return;
    for (const server of holdings.listeners.keys()) this.unlisten(owner, server);
    for (const end of holdings.ends.values()) {
      const { peer } = end;
      this.#cut(end);
      // An operating system closes what a process leaves open: an end for the reader, not an error.
      if (peer && peer.owner !== owner) this.#events.post(peer.owner, { type: "socket-close", socket: peer.socket, reset: false });
    }
    this.#holdings.delete(owner);
  }

  #cut(end: End<Owner>): void {
    const { peer } = end;
    this.#connections--;
    for (const side of peer ? [end, peer] : [end]) {
      this.#holdings.get(side.owner)?.ends.delete(side.socket);
      side.peer = undefined;
    }
  }

  #of(owner: Owner): Holdings<Owner> {
    let holdings = this.#holdings.get(owner);
    if (!holdings) {
      holdings = { listeners: new Map(), ends: new Map() };
      this.#holdings.set(owner, holdings);
    }
    return holdings;
  }
}
