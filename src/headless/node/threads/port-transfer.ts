// A port that goes to another thread, and one that has come from there. Both ends of its channel speak through the engine from
// then on; on an isolated page what they say lies in shared memory as well.
import { asBytes, fromBytes, receive, send, type Sent } from "./message.ts";
import { Mailbox, newMailbox } from "./mailbox.ts";
import { CLOSED, type Letter, movePort, newState, type PortState, type Remote, stateOf } from "./port-state.ts";
import { enqueue } from "./ports.ts";
import type { Runtime } from "../runtime.ts";

export interface SentPort {
  readonly port: MessagePort;
  readonly inbox: SharedArrayBuffer | undefined;
  readonly outbox: SharedArrayBuffer | undefined;
  readonly taken: number;
  /** What it had received and nobody had asked for. */
  readonly pending: readonly (Pending | null)[];
}

interface Pending {
  readonly value: unknown;
  readonly ports: readonly SentPort[];
}

/** Null: there is mail in the box. `announced`: a word in the box holds this message's place. A number: the thread that has this end now. */
type Wire = (Sent & { readonly announced: boolean }) | null | number | "closed";

const { addEventListener } = EventTarget.prototype;
const native = MessagePort.prototype;
const { start } = native;
const post = native.postMessage as (this: MessagePort, message: Wire, transfer: Transferable[]) => void;
export const closeNative = native.close;

/** Before any listener of the program's: what the engine delivers is not for them. */
export function watchPort(runtime: Runtime, port: MessagePort): void {
  const on = (type: string, listener: (state: PortState, event: MessageEvent) => void): void =>
    addEventListener.call(port, type, ((event: MessageEvent) => {
      if (!event.isTrusted) return;
      event.stopImmediatePropagation();
      const state = stateOf(port);
      if (state) listener(state, event);
    }) as EventListener);
  on("message", (state, event) => arrived(runtime, state, event.data as Wire));
}

/** What has its other end in another thread, or had: both ends may have come back here. */
const remotes = new Set<PortState>();
const ended = new Set<number>();
/** Messages of a thread that has ended may still be on their way. */
const LAST_WORDS_MS = 20;
const nativeTimeout = globalThis.setTimeout.bind(globalThis);

/** The ends that it had are closed. */
export function threadEnded(runtime: Runtime, thread: number): void {
  ended.add(thread);
  for (const state of remotes) if (state.remote?.owner === thread) otherEndGone(runtime, state);
}

function otherEndGone(runtime: Runtime, state: PortState): void {
  nativeTimeout(() => {
    pull(runtime, state);
    enqueue(runtime, state, CLOSED);
  }, LAST_WORDS_MS);
}

/** The next message in shared memory, after what its sender had changed in files: the kernel answers any question with that. */
export const takeMail = (runtime: Runtime, { inbox }: Remote): ReturnType<Mailbox["take"]> => inbox?.take(() => void runtime.host.killSync?.(0, null));

/** Everything that lies in shared memory is received now: before what another thread has said since, the end for one. */
export function pullAll(runtime: Runtime): void {
  for (const state of remotes) pull(runtime, state);
}

function pull(runtime: Runtime, state: PortState): void {
  const { remote } = state;
  if (!remote) return;
  for (;;) {
    const bytes = takeMail(runtime, remote);
    if (!(bytes instanceof Uint8Array)) return;
    remote.taken++;
    enqueue(runtime, state, { value: fromBytes(runtime, bytes), ports: [] });
  }
}

export function forget(state: PortState): void {
  remotes.delete(state);
}

function arrived(runtime: Runtime, state: PortState, wire: Wire): void {
  const { remote } = state;
  if (!remote || state.gone) return;
  if (wire === "closed") return enqueue(runtime, state, CLOSED);
  if (typeof wire === "number") {
    remote.owner = wire;
    if (ended.has(wire)) otherEndGone(runtime, state);
    return;
  }
  if (wire) {
    if (wire.announced && remote.inbox?.take() === "elsewhere") remote.inbox.skip();
    return enqueue(runtime, state, receive(runtime, wire));
  }
  if (remote.taken > 0) {
    remote.taken--;
    return;
  }
  const bytes = takeMail(runtime, remote);
  if (bytes instanceof Uint8Array) enqueue(runtime, state, { value: fromBytes(runtime, bytes), ports: [] });
}

type Memory = SharedArrayBuffer | undefined;

function connect(runtime: Runtime, state: PortState, inbox: Memory, outbox: Memory, taken = 0): void {
  const box = outbox && new Mailbox(outbox);
  const changes = runtime.host.changes ?? (() => 0);
  let told = 0;
  state.peer = undefined;
  state.remote = {
    inbox: inbox && new Mailbox(inbox), outbox: box, taken,
    post: (value, transfer) => {
      const bytes = box && transfer.length === 0 ? asBytes(value) : undefined;
      const made = changes();
      if (bytes && box?.put(bytes, made !== told)) {
        told = made;
        return post.call(state.port, null, []);
      }
      const withdraw = box?.announce();
      try {
        send(runtime, value, transfer, (sent, natives) => post.call(state.port, { ...sent, announced: withdraw !== undefined }, natives));
      } catch (error) {
        withdraw?.();
        throw error;
      }
    },
    close: () => {
      post.call(state.port, "closed", []);
      closeNative.call(state.port);
    },
  };
  remotes.add(state);
  start.call(state.port);
}

/** What of it is sent, the ports inside that, and what is to be done here when it has been sent; until then it stays of use. `to`: the thread, where it is known. */
export function handOver(runtime: Runtime, state: PortState, to?: number): { readonly sent: SentPort; readonly inside: readonly MessagePort[]; readonly done: () => void } {
  const { peer } = state;
  if (peer) {
    const [inbox, outbox] = [newMailbox(), newMailbox()];
    connect(runtime, peer, outbox, inbox);
    connect(runtime, state, inbox, outbox);
    if (peer.remote) peer.remote.owner = to;
  }
  const { remote, queue, port } = state;
  const nested: ReturnType<typeof handOver>[] = [];
  const pending = queue.map((letter): Pending | null => {
    if (letter === CLOSED) return null;
    const ports = letter.ports.flatMap((each) => {
      const inner = stateOf(each);
      return inner ? handOver(runtime, inner, to) : [];
    });
    nested.push(...ports);
    return { value: letter.value, ports: ports.map(({ sent }) => sent) };
  });
  const done = (): void => {
    for (const each of nested) each.done();
    forget(state);
    movePort(state, undefined);
  };
  return {
    sent: { port, inbox: remote?.inbox?.memory, outbox: remote?.outbox?.memory, taken: remote?.taken ?? 0, pending },
    inside: nested.flatMap(({ sent, inside }) => [sent.port, ...inside]), done,
  };
}

export function adopt(runtime: Runtime, { port, inbox, outbox, taken, pending }: SentPort): MessagePort {
  const state = newState(port);
  watchPort(runtime, port);
  for (const each of pending) state.queue.push(each === null ? CLOSED : ({ value: each.value, ports: each.ports.map((sent) => adopt(runtime, sent)) } satisfies Letter));
  connect(runtime, state, inbox, outbox, taken);
  post.call(port, runtime.host.thread?.id ?? 0, []);
  return port;
}

/** It has been handed over inside this process: another object of the engine's is its end now. */
export function rebind(runtime: Runtime, state: PortState): void {
  watchPort(runtime, state.port);
  if (state.remote) start.call(state.port);
}
