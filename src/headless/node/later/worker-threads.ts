// node:worker_threads.
export { createWorkerThreads } from "../builtins/worker-threads.ts";
