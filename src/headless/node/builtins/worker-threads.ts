// node:worker_threads: this is always the main thread; threads are not made.
import { unsupported } from "../errors.ts";
import type { Dict } from "../runtime.ts";

export function createWorkerThreads(): Dict {
  class Worker {
    constructor() {
      throw unsupported("new worker_threads.Worker", "a container process has one thread; use child_process.fork");
    }
  }
  return {
    isMainThread: true, parentPort: null, workerData: null, threadId: 0, resourceLimits: {}, SHARE_ENV: Symbol.for("nodejs.worker_threads.SHARE_ENV"), Worker,
    MessageChannel: globalThis.MessageChannel, MessagePort: globalThis.MessagePort, BroadcastChannel: globalThis.BroadcastChannel,
    markAsUntransferable: () => undefined, setEnvironmentData: () => undefined, getEnvironmentData: () => undefined, receiveMessageOnPort: () => undefined,
  };
}
