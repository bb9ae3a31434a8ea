// A process's or thread's own part in threads: the port to its parent, its tie to the others, and the globals that they need.
// Made before any program code.
import { nodeError } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { LoopTimes } from "../loop-times.ts";
import { broadcastChannelClass } from "./broadcast-channel.ts";
import { catchUpAfterWaits } from "./catch-up.ts";
import { cloneHere, receive, send } from "./message.ts";
import { makePort, teachPorts } from "./port-class.ts";
import type { PortState } from "./port-state.ts";
import { enqueue } from "./ports.ts";
import { pullAll, threadEnded } from "./port-transfer.ts";
import { Relay, type ThreadLetter, type Tie } from "./relay.ts";
import { checkTransfer, cloneOptions } from "./transfer-list.ts";
import { fitProcess } from "./thread-process.ts";
import type { ThreadData } from "./worker.ts";

export interface Thread {
  readonly relay: Relay;
  /** Null in a main thread. */
  readonly parentPort: PortState | null;
  /** MessagePort and its like, for the global object. */
  readonly globals: Dict;
}

const threads = new WeakMap<object, Thread>();
const NativeChannel = MessageChannel;

/** By its host: the hooks of modules see the process through another runtime. */
export const threadOf = ({ host }: Runtime): Thread | undefined => threads.get(host);

export const threadData = ({ host }: Runtime): ThreadData | undefined => host.thread?.data as ThreadData | undefined;

/** In a Worker that is the process. Under Node (tests) ports are Node's already: undefined. */
export function startThread(runtime: Runtime): Thread | undefined {
  if ("hasRef" in MessagePort.prototype) return undefined;
  const { host } = runtime;
  const data = threadData(runtime);
  const parent: Tie | undefined = data ? { sharesEnv: data.sharesEnv, post: (letter, transfer) => host.send(letter, transfer) } : undefined;
  if (data?.times) runtime.loop.times = new LoopTimes(data.times);
  const relay = new Relay(host.thread?.id ?? 0, parent);
  const classes = teachPorts(runtime);
  const structuredClone = (...args: unknown[]): unknown => {
    if (args.length === 0) throw nodeError(TypeError, "ERR_MISSING_ARGS", "The value argument must be specified");
    return cloneHere(runtime, args[0], checkTransfer(cloneOptions(args[1]))).value;
  };
  const thread: Thread = { relay, parentPort: parent ? portTo(runtime, parent) : null, globals: { ...classes, BroadcastChannel: broadcastChannelClass(runtime, relay), structuredClone } };
  threads.set(host, thread);
  relay.on("alive", ({ thread: other }) => threadEnded(runtime, other));
  fitProcess(runtime, relay, data);
  catchUpAfterWaits(runtime);
  return thread;
}

/** Its messages go through the kernel, in order with file changes and the end. */
function portTo(runtime: Runtime, parent: Tie): PortState {
  const state = makePort(runtime, new NativeChannel().port1);
  state.remote = {
    taken: 0, close: () => undefined,
    post: (value, transfer) => send(runtime, value, transfer, (sent, natives) => parent.post({ kind: "message", sent }, natives)),
  };
  return state;
}

/** A letter of the parent's. */
export function fromParent(runtime: Runtime, letter: unknown): void {
  const thread = threadOf(runtime);
  const { relay, parentPort } = thread ?? {};
  if (!relay?.parent || !parentPort || typeof letter !== "object" || letter === null) return;
  pullAll(runtime);
  const { kind, sent } = letter as ThreadLetter & { sent: never };
  if (kind === "message") enqueue(runtime, parentPort, receive(runtime, sent));
  else relay.receive(letter as ThreadLetter, relay.parent);
}
