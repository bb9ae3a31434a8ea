// Which process the realm is running: engine-wide events (a rejection nobody handled, an error in a native callback)
// carry no owner. A Worker has one process; in a shared realm a parent waits while its child runs, so the newest counts.
import streamProcess from "process/browser.js";
import type { Runtime } from "./runtime.ts";

const running: Runtime[] = [];

export function activeRuntime(): Runtime | undefined {
  return running.at(-1);
}

interface NodeEvents {
  listeners(event: string): ((...args: unknown[]) => void)[];
  removeAllListeners(event: string): void;
  on(event: string, listener: (...args: unknown[]) => void): void;
}
interface EventSource {
  addEventListener?(type: string, listener: (event: Event & { reason?: unknown; promise?: unknown; error?: unknown }) => void): void;
  removeEventListener?(type: string, listener: (event: Event & { reason?: unknown; promise?: unknown; error?: unknown }) => void): void;
}

const hostProcess = (globalThis as { process?: NodeEvents & { versions?: { node?: string } } }).process;
const nodeHost = hostProcess?.versions?.node === undefined ? undefined : hostProcess;
let uninstall: (() => void) | undefined;

/** Makes the runtime the one that owns unowned events. Returns what ends that. */
export function activate(runtime: Runtime): () => void {
  running.push(runtime);
  if (running.length === 1) uninstall = nodeHost ? listenInNode(nodeHost) : listenInBrowser(globalThis);
  return () => {
    const at = running.indexOf(runtime);
    if (at >= 0) running.splice(at, 1);
    if (running.length > 0) return;
    uninstall?.();
    uninstall = undefined;
  };
}

function rejected(reason: unknown, promise: unknown): void {
  const runtime = activeRuntime();
  if (!runtime) return;
  const { loop } = runtime;
  // Node's is the promise's own; the engine tells no more than what ran last.
  const scope = loop.rejectedIn.get(promise as object) ?? loop.scope;
  loop.run(() => {
    loop.scope = scope;
    runtime.unhandled(reason, promise as object);
  });
}

function handledLate(promise: unknown): void {
  const runtime = activeRuntime();
  runtime?.loop.run(() => runtime.handledLate(promise as object));
}

function listenInBrowser(target: EventSource): () => void {
  const onRejection = (event: Event & { reason?: unknown; promise?: unknown }): void => {
    event.preventDefault();
    rejected(event.reason, event.promise);
  };
  const onHandled = (event: { promise?: unknown }): void => handledLate(event.promise);
  const onError = (event: Event & { error?: unknown }): void => {
    event.preventDefault();
    activeRuntime()?.fatal(event.error, "uncaughtException");
  };
  target.addEventListener?.("unhandledrejection", onRejection);
  target.addEventListener?.("rejectionhandled", onHandled);
  target.addEventListener?.("error", onError);
  // What a pipe never ends: the streams compare where they lead with these.
  for (const name of ["stdout", "stderr"] as const) Object.defineProperty(streamProcess, name, { get: () => activeRuntime()?.process[name], configurable: true });
  streamProcess.nextTick = (task, ...args) => {
    const runtime = activeRuntime();
    if (runtime) runtime.loop.nextTick(() => task(...args));
    else queueMicrotask(() => task(...args));
  };
  return () => {
    target.removeEventListener?.("unhandledrejection", onRejection);
    target.removeEventListener?.("rejectionhandled", onHandled);
    target.removeEventListener?.("error", onError);
  };
}

/** The host's own listeners (a test runner's) are put aside meanwhile: the program's rejections are not theirs. */
function listenInNode(host: NodeEvents): () => void {
  const events = { unhandledRejection: rejected, rejectionHandled: handledLate, uncaughtException: (error: unknown) => activeRuntime()?.fatal(error, "uncaughtException") };
  const aside = Object.keys(events).map((event) => ({ event, listeners: host.listeners(event) }));
  for (const [event, listener] of Object.entries(events)) {
    host.removeAllListeners(event);
    host.on(event, listener as (...args: unknown[]) => void);
  }
  return () => {
    for (const { event, listeners } of aside) {
      host.removeAllListeners(event);
      for (const listener of listeners) host.on(event, listener);
    }
  };
}
