// What a port does, whichever way its messages go. Each message is a callback of the event loop's of its own, as in Node.
import { nodeError, unsupported } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { closeHandle, openHandle } from "../active-resources.ts";
import { quietPorts } from "../builtins/quiet-ports.ts";
import { cloneHere, fromBytes } from "./message.ts";
import { CLOSED, type Letter, type PortState, stateOf } from "./port-state.ts";
import { closeNative, forget, takeMail } from "./port-transfer.ts";
import { checkTransfer, transferListOf } from "./transfer-list.ts";

const { dispatchEvent } = EventTarget.prototype;
const NativeEvent = Event;
const NativeMessageEvent = MessageEvent;
/** What listeners in Node's style are called with instead of the event. */
const plainValues = new WeakMap<Event, unknown>();

export const plainValueOf = (event: Event): unknown => (plainValues.has(event) ? plainValues.get(event) : event);

/** Calls the listeners: those of `on` with the value alone. */
export function dispatch(target: EventTarget, event: Event, ...plain: [] | [unknown]): boolean {
  if (plain.length > 0) plainValues.set(event, plain[0]);
  return dispatchEvent.call(target, event);
}

class MessagePortCloseEvent extends NativeEvent {
  constructor() {
    super("close");
  }
}

export function enqueue(runtime: Runtime, state: PortState, letter: Letter | typeof CLOSED): void {
  if (state.gone) return;
  state.queue.push(letter);
  runtime.loop.post(() => deliver(runtime, state));
}

/** The next of its messages. One that nobody listens to stays; that the other end is closed is heard all the same. */
function deliver(runtime: Runtime, state: PortState): void {
  const [letter] = state.queue;
  if (state.gone || letter === undefined || (letter !== CLOSED && !state.started)) return;
  state.queue.shift();
  if (letter === CLOSED) finish(runtime, state);
  else dispatch(state.port, new NativeMessageEvent("message", { data: letter.value, ports: [...letter.ports] }), letter.value);
}

function finish(runtime: Runtime, state: PortState): void {
  if (state.gone) return;
  state.gone = state.closing = true;
  state.queue.length = 0;
  unref(state);
  const { peer, remote } = state;
  state.peer = undefined;
  forget(state);
  if (peer) {
    peer.peer = undefined;
    enqueue(runtime, peer, CLOSED);
  }
  if (remote) remote.close();
  else closeNative.call(state.port);
  dispatch(state.port, new MessagePortCloseEvent());
}

export function close(runtime: Runtime, state: PortState): void {
  if (state.closing || state.gone) return;
  state.closing = true;
  runtime.loop.post(() => finish(runtime, state));
}

export function post(runtime: Runtime, state: PortState | undefined, port: MessagePort, value: unknown, given: unknown): void {
  const transfer = checkTransfer(transferListOf(given), port);
  const { peer, remote } = state ?? {};
  if (remote && !state?.closing) return remote.post(value, transfer);
  const takesItself = peer !== undefined && transfer.includes(peer.port);
  // What is handed over is gone, though nobody gets it.
  const letter = cloneHere(runtime, value, transfer);
  if (!state || state.closing || !peer || peer.closing) return;
  if (!takesItself) return enqueue(runtime, peer, letter);
  runtime.process.emitWarning("The target port was posted to itself, and the communication channel was lost");
  finish(runtime, state);
}

export function start(runtime: Runtime, state: PortState): void {
  if (state.started) return;
  state.started = true;
  for (let k = state.queue.length; k > 0; k--) runtime.loop.post(() => deliver(runtime, state));
}

export function stop(state: PortState): void {
  state.started = false;
}

export function ref(runtime: Runtime, state: PortState): void {
  const { port } = state;
  if (state.release || state.gone || state.closing || quietPorts.has(port)) return;
  const release = runtime.loop.hold();
  openHandle(runtime, port, "MessagePort", () => true);
  state.release = () => {
    release();
    closeHandle(runtime, port);
  };
}

export function unref(state: PortState): void {
  state.release?.();
  state.release = undefined;
}

/** The next message, without a turn of the event loop. */
export function receiveNow(runtime: Runtime, port: unknown): { message: unknown } | undefined {
  const state = stateOf(port);
  if (!state) throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", 'The "port" argument must be a MessagePort instance');
  const [letter] = state.queue;
  if (letter !== undefined && letter !== CLOSED) {
    state.queue.shift();
    return { message: letter.value };
  }
  const { remote } = state;
  const bytes = remote && takeMail(runtime, remote);
  if (!remote || bytes === undefined) return undefined;
  if (bytes === "elsewhere") throw unsupported("worker_threads.receiveMessageOnPort of a message with handed over or shared objects", "a page hands those out only from its event loop; listen to the port, or send a copy");
  remote.taken++;
  return { message: fromBytes(runtime, bytes) };
}
