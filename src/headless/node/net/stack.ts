// The network as one process sees it: which ports are its own, which ephemeral ones are free, who answers a connection.
import { FIRST_EPHEMERAL_PORT, type NetAddress, PORTS_PER_PROCESS } from "../../protocol.ts";
import type { Runtime } from "../runtime.ts";
import { type ConnectEvents, inLoop, joinLocally, type ListenEvents, type Wire } from "./wire.ts";

export interface Listening {
  readonly address: NetAddress;
  close(): void;
}

export class NetStack {
  readonly #runtime: Runtime;
  readonly #servers = new Map<NetAddress, ListenEvents>();
  readonly #usedPorts = new Map<number, number>();
  #nextPort = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Port 0 becomes a free one at once. `undefined` when another server of this process has the address. */
  listen(wanted: NetAddress, events: ListenEvents): Listening | undefined {
    const address = wanted === 0 ? this.#freePort() : wanted;
    if (this.#servers.has(address)) return undefined;
    const { loop, host } = this.#runtime;
    const looped = inLoop(loop, events);
    const { scope } = loop;
    const connection: ListenEvents["connection"] = (accept, port) =>
      loop.post(() => loop.within(scope, () => events.connection((given) => accept(inLoop(loop, given)), port)));
    this.#servers.set(address, { ...looped, connection });
    let remote: { close(): void } | undefined;
    if (host.network) {
      remote = host.network.listen(address, {
        ...looped,
        connection,
        failed: (code) => {
          this.#servers.delete(address);
          looped.failed(code);
        },
      });
    } else looped.listening();
    return {
      address,
      close: () => {
        this.#servers.delete(address);
        this.#release(address);
        remote?.close();
      },
    };
  }

  /** A connection from this process; the local port is in use until it closes. `asPort`: in the name of another's. */
  connect(address: NetAddress, events: ConnectEvents, asPort?: number): { readonly wire: Wire; readonly localPort: number } {
    const { loop, host } = this.#runtime;
    const localPort = asPort ?? (typeof address === "number" ? this.#freePort() : 0);
    const looped = inLoop(loop, {
      ...events,
      closed: (reset: boolean) => {
        this.#release(localPort);
        events.closed(reset);
      },
    });
    const own = this.#servers.get(address);
    if (own) {
      const wire = joinLocally(looped, (accept) => own.connection(accept, localPort));
      looped.connected();
      return { wire: this.#releasing(wire, localPort), localPort };
    }
    if (host.network) return { wire: this.#releasing(host.network.connect(address, localPort, looped), localPort), localPort };
    looped.failed(typeof address === "number" ? "ECONNREFUSED" : "ENOENT");
    return { wire: { send: ignore, take: ignore, end: ignore, close: () => this.#release(localPort) }, localPort };
  }

  #releasing(wire: Wire, localPort: number): Wire {
    return {
      send: (bytes) => wire.send(bytes),
      take: (bytes) => wire.take(bytes),
      end: () => wire.end(),
      close: (reset) => {
        this.#release(localPort);
        wire.close(reset);
      },
    };
  }

  #freePort(): number {
    const first = this.#runtime.host.network?.firstPort ?? FIRST_EPHEMERAL_PORT;
    for (let tries = 0; tries < PORTS_PER_PROCESS; tries++) {
      const port = first + (this.#nextPort++ % PORTS_PER_PROCESS);
      if (this.#usedPorts.has(port) || this.#servers.has(port)) continue;
      this.#usedPorts.set(port, 1);
      return port;
    }
    return first; // all in use: whoever listens hears EADDRINUSE
  }

  #release(address: NetAddress): void {
    if (typeof address === "number") this.#usedPorts.delete(address);
  }
}

const ignore = (): void => undefined;

const stacks = new WeakMap<Runtime, NetStack>();

/** The process's own. */
export function netStack(runtime: Runtime): NetStack {
  let stack = stacks.get(runtime);
  if (!stack) {
    stack = new NetStack(runtime);
    stacks.set(runtime, stack);
  }
  return stack;
}
