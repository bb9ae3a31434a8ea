// Servers and connections that go to another process with a message. The connection stays with the process that had it, which
// carries its bytes: they meet at an address of their own. So that process does not end before what it gave away does.
import type { NetAddress } from "../../protocol.ts";
import type { Dict, Runtime } from "../runtime.ts";
import type { SocketPlace } from "./address.ts";
import type { Server, Sharer } from "./server.ts";
import type { Socket } from "./socket.ts";
import { netStack } from "./stack.ts";
import type { Wire, WireEvents } from "./wire.ts";

/** As it lies in a message. */
export type SentHandle =
  | { readonly type: "net.Socket"; readonly address: string; readonly local: SocketPlace | undefined; readonly remote: SocketPlace | undefined }
  | { readonly type: "net.Server"; readonly address: string; readonly place: { readonly host: string; readonly address: NetAddress } };

interface NetModule {
  readonly Socket: new (options?: Dict) => Socket;
  readonly Server: new (options?: Dict) => Server;
}

const netOf = (runtime: Runtime): NetModule => runtime.builtin("net") as unknown as NetModule;
let count = 0;
/** Where no program listens. */
const meetingPlace = (runtime: Runtime): string => `/proc/${runtime.host.pid}/handle/${++count}`;

/** Two ends of which one is made later; what is told before waits. */
class Relay {
  readonly #release: () => void;
  readonly #done: () => void;
  #early: ((wire: Wire) => void)[] = [];
  #far: Wire | undefined;
  near: Wire | undefined;
  /** Of what the far side takes, this much was acknowledged before. */
  taken = 0;

  constructor(runtime: Runtime, done: () => void) {
    this.#release = runtime.loop.hold();
    this.#done = done;
  }

  /** What the near end tells. */
  readonly fromNear: WireEvents = {
    data: (bytes) => this.#toFar((far) => far.send(bytes.slice())),
    taken: (bytes) => this.#toFar((far) => far.take(bytes)),
    ended: () => this.#toFar((far) => far.end()),
    closed: (reset) => {
      this.#toFar((far) => far.close(reset));
      this.#end();
    },
  };

  /** What the far end tells. */
  readonly fromFar: WireEvents = {
    data: (bytes) => this.near?.send(bytes),
    taken: (bytes) => {
      const before = Math.min(bytes, this.taken);
      this.taken -= before;
      if (bytes > before) this.near?.take(bytes - before);
    },
    ended: () => this.near?.end(),
    closed: (reset) => this.close(reset),
  };

  meet(far: Wire): void {
    this.#far = far;
    for (const tell of this.#early.splice(0)) tell(far);
  }

  /** The far end has gone, or never came. */
  close(reset: boolean): void {
    this.near?.close(reset);
    this.#end();
  }

  #end(): void {
    this.near = undefined;
    this.#release();
    this.#done();
  }

  #toFar(tell: (far: Wire) => void): void {
    if (this.#far) tell(this.#far);
    else this.#early.push(tell);
  }
}

/** Whether it can go with a message. */
export function isHandle(runtime: Runtime, handle: unknown): handle is Socket | Server {
  const { Socket, Server } = netOf(runtime);
  return handle instanceof Socket || handle instanceof Server;
}

/** What goes with a message in its place; undefined for a connection or a server that is closed. `kept`: it stays open here, too. */
export function sendHandle(runtime: Runtime, handle: Socket | Server, kept: boolean): SentHandle | undefined {
  return handle instanceof netOf(runtime).Socket ? sendSocket(runtime, handle, kept) : sendServer(runtime, handle as Server);
}

function sendSocket(runtime: Runtime, socket: Socket, kept: boolean): SentHandle | undefined {
  const { localPlace, remotePlace } = socket;
  let server: Server | undefined;
  const relay = new Relay(runtime, () => server?.connectionClosed());
  const given = socket.handOver(relay.fromNear, kept);
  if (!given) {
    relay.close(false);
    return undefined;
  }
  ({ server } = given);
  relay.taken = given.taken;
  // A connection that is kept is not the other process's to close.
  relay.near = kept ? { ...given.wire, send: (bytes) => given.wire.send(bytes), take: (bytes) => given.wire.take(bytes), end: () => given.wire.end(), close: () => undefined } : given.wire;
  const address = meetingPlace(runtime);
  const meeting = netStack(runtime).listen(address, {
    listening: nothing,
    failed: () => relay.close(true),
    connection: (accept) => {
      meeting?.close();
      relay.meet(accept(relay.fromFar));
    },
  });
  return { type: "net.Socket", address, local: localPlace, remote: remotePlace };
}

function sendServer(runtime: Runtime, server: Server): SentHandle | undefined {
  const address = meetingPlace(runtime);
  const take: Sharer = (accept, remotePort) => {
    const relay = new Relay(runtime, nothing);
    const { wire } = netStack(runtime).connect(address, { ...relay.fromFar, connected: () => relay.meet(wire), failed: () => relay.close(false) }, remotePort);
    relay.near = accept(relay.fromNear);
  };
  const place = server.share(take);
  // A connection that says nothing but, by its end, that the other process has closed the server.
  const meeting = place && netStack(runtime).listen(openAt(address), {
    listening: nothing,
    failed: () => server.unshare(take),
    connection: (accept) => {
      meeting?.close();
      accept({ data: nothing, taken: nothing, ended: nothing, closed: () => server.unshare(take) });
    },
  });
  return place && { type: "net.Server", address, place };
}

const openAt = (address: string): string => `${address}/open`;
const nothing = (): void => undefined;

/** What the program gets with the message. */
export function receiveHandle(runtime: Runtime, sent: SentHandle): object {
  const { Socket, Server } = netOf(runtime);
  if (sent.type === "net.Server") {
    const server = new Server();
    const { wire } = netStack(runtime).connect(openAt(sent.address), { connected: nothing, failed: nothing, data: nothing, taken: nothing, ended: nothing, closed: nothing });
    server.adopt(sent.address, sent.place, () => wire.close(false));
    return server;
  }
  const socket = new Socket();
  const { events, use } = socket.attach(sent.local, sent.remote);
  use(netStack(runtime).connect(sent.address, { ...events, connected: nothing, failed: () => events.closed(true) }).wire);
  runtime.loop.nextTick(() => {
    if (!socket.destroyed && !socket.isPaused()) socket.read(0);
  });
  return socket;
}
