// node:worker_threads: each thread is a process of the kernel's with a channel to its parent, whose pid it has. Memory is shared
// where the page may share it. (The parts are in ../threads.)
import { invalidArgType, nodeError, unsupported } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { channelQueue } from "../threads/broadcast-channel.ts";
import { receive } from "../threads/message.ts";
import { isDetached } from "../threads/port-state.ts";
import { receiveNow } from "../threads/ports.ts";
import { sharesMemory } from "../threads/mailbox.ts";
import { threadData, threadOf } from "../threads/thread.ts";
import { toThreads } from "../threads/to-thread.ts";
import { isMarkedAsUntransferable, isPort, markAsUntransferable } from "../threads/transfer-list.ts";
import { Relay } from "../threads/relay.ts";
import { workerClass } from "../threads/worker.ts";
import { SHARE_ENV } from "../threads/worker-options.ts";

export function createWorkerThreads(runtime: Runtime): Dict {
  const { host } = runtime;
  const given = threadData(runtime);
  const environment = new Map(given?.environment);
  const threadId = host.thread?.id ?? 0;
  const { relay = new Relay(threadId, undefined), parentPort = null, globals = {} } = threadOf(runtime) ?? {};
  const count = given?.count ?? (sharesMemory ? new SharedArrayBuffer(4) : undefined);
  let below = 0;
  const nextId = (): number => (count ? Atomics.add(new Int32Array(count), 0, 1) + 1 : threadId * 100 + ++below);
  const { MessageChannel, MessagePort, BroadcastChannel } = (threadOf(runtime) ? globals : globalThis) as Dict;
  return {
    isMainThread: !host.thread, MessagePort, MessageChannel, markAsUntransferable, isMarkedAsUntransferable,
    moveMessagePortToContext: (port: unknown) => {
      if (!isPort(port)) throw invalidArgType("port", "MessagePort", port);
      if (isDetached(port)) throw nodeError(Error, "ERR_CLOSED_MESSAGE_PORT", "Cannot send data on closed MessagePort");
      throw unsupported("worker_threads.moveMessagePortToContext");
    },
    receiveMessageOnPort: (port: unknown) => {
      const queue = channelQueue(port);
      if (!queue) return receiveNow(runtime, port);
      const letter = queue.shift();
      return letter && { message: letter.value };
    },
    resourceLimits: given?.resourceLimits ?? {}, postMessageToThread: toThreads(runtime, relay, threadId), threadId, SHARE_ENV,
    Worker: workerClass(runtime, { relay, environment, count, nextId }),
    parentPort: parentPort?.port ?? null, workerData: given ? receive(runtime, given.sent).value : null, BroadcastChannel,
    setEnvironmentData: (key: unknown, value: unknown) => void (value === undefined ? environment.delete(key) : environment.set(key, value)),
    getEnvironmentData: (key: unknown) => environment.get(key),
  };
}
