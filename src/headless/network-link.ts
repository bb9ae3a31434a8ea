// The process's end of the kernel's network: connections to other processes as wires, over the process's link.
import type { ConnectEvents, ListenEvents, NetworkHost, Wire, WireEvents } from "./node/net/wire.ts";
import type { ProcessLink } from "./process-link.ts";
import { type NetAddress, PROCESS_CHUNK_BYTES, type ToProcess } from "./protocol.ts";

export class NetworkLink implements NetworkHost {
  readonly firstPort: number;
  readonly #link: ProcessLink;
  readonly #servers = new Map<number, ListenEvents>();
  readonly #sockets = new Map<number, WireEvents | ConnectEvents>();
  #numbers = 0;

  constructor(link: ProcessLink, firstPort: number) {
    this.#link = link;
    this.firstPort = firstPort;
  }

  listen(address: NetAddress, events: ListenEvents): { close(): void } {
    const server = ++this.#numbers;
    this.#servers.set(server, events);
    this.#link.post({ type: "listen", server, address });
    return {
      close: () => {
        if (this.#servers.delete(server)) this.#link.post({ type: "unlisten", server });
      },
    };
  }

  connect(address: NetAddress, localPort: number, events: ConnectEvents): Wire {
    const socket = ++this.#numbers;
    this.#sockets.set(socket, events);
    // A local socket's client has no port; the kernel wants a number all the same.
    this.#link.post({ type: "connect", socket, address, port: Math.max(1, localPort) });
    return this.#wire(socket);
  }

  /** True when the message was the network's. */
  receive(message: ToProcess): boolean {
    switch (message.type) {
      case "listening":
        this.#servers.get(message.server)?.listening();
        return true;
      case "listen-error":
        this.#servers.get(message.server)?.failed(message.code);
        this.#servers.delete(message.server);
        return true;
      case "connection":
        this.#accept(message.server, message.socket, message.port);
        return true;
      case "connected":
        (this.#sockets.get(message.socket) as ConnectEvents | undefined)?.connected();
        return true;
      case "connect-error":
        (this.#sockets.get(message.socket) as ConnectEvents | undefined)?.failed(message.code);
        this.#sockets.delete(message.socket);
        return true;
      case "socket-data":
        this.#sockets.get(message.socket)?.data(message.data);
        return true;
      case "socket-ack":
        this.#sockets.get(message.socket)?.taken(message.bytes);
        return true;
      case "socket-end":
        this.#sockets.get(message.socket)?.ended();
        return true;
      case "socket-close":
        this.#sockets.get(message.socket)?.closed(message.reset);
        this.#sockets.delete(message.socket);
        return true;
      default:
        return false;
    }
  }

  /** The program accepts when its loop comes to it; what the client sends meanwhile waits. */
  #accept(server: number, socket: number, port: number): void {
    const early: ((events: WireEvents) => void)[] = [];
    this.#sockets.set(socket, {
      data: (bytes) => early.push((events) => events.data(bytes)),
      taken: (bytes) => early.push((events) => events.taken(bytes)),
      ended: () => early.push((events) => events.ended()),
      closed: (reset) => early.push((events) => events.closed(reset)),
    });
    const wire = this.#wire(socket);
    const listener = this.#servers.get(server);
    if (!listener) return wire.close(false);
    listener.connection((events) => {
      if (this.#sockets.has(socket)) this.#sockets.set(socket, events);
      for (const tell of early) tell(events);
      return wire;
    }, port);
  }

  #wire(socket: number): Wire {
    return {
      send: (bytes) => {
        for (let at = 0; at < bytes.length; at += PROCESS_CHUNK_BYTES) {
          const data = new Uint8Array(bytes.subarray(at, at + PROCESS_CHUNK_BYTES));
          this.#link.post({ type: "socket-data", socket, data }, [data.buffer]);
        }
      },
      take: (bytes) => {
        if (this.#sockets.has(socket)) this.#link.post({ type: "socket-ack", socket, bytes });
      },
      end: () => this.#link.post({ type: "socket-end", socket }),
      close: (reset) => {
        if (this.#sockets.delete(socket)) this.#link.post({ type: "socket-close", socket, reset });
      },
    };
  }
}
