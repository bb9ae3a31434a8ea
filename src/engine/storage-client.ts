// The page's side of the storage worker: started for one piece of work, and ended with it or to stop it.
import { proxy, type Remote, wrap } from "comlink";
import { abortedError, AppError } from "../base/errors.ts";
import { installErrorWire } from "../base/wire.ts";
import type { DamagedPiece } from "../storage/model-reader.ts";
import type { StoreSpeeds } from "../storage/store-choice.ts";
import type { CheckReport, OnShare, StorageApi } from "./storage-desk.ts";

export function checkModel(id: string, onShare: OnShare, signal?: AbortSignal): Promise<CheckReport> {
  return inWorker("Checking the model", (api) => api.check(id, proxy(onShare)), signal);
}

export function mendModel(id: string, pieces: readonly DamagedPiece[], onShare: OnShare, signal?: AbortSignal): Promise<void> {
  return inWorker("Repairing the model", (api) => api.mend(id, pieces, proxy(onShare)), signal);
}

export function measureStores(signal?: AbortSignal): Promise<StoreSpeeds> {
  return inWorker("Measuring", (api) => api.measure(), signal);
}

async function inWorker<T>(what: string, work: (api: Remote<StorageApi>) => Promise<T>, signal?: AbortSignal): Promise<T> {
  installErrorWire();
  const worker = new Worker(new URL("../../workers/storage.ts", import.meta.url), { type: "module", name: "storage" });
  try {
    return await new Promise<T>((resolve, reject) => {
      worker.addEventListener("error", ({ message }) => reject(new AppError("engine/stopped", `The storage worker stopped${message ? `: ${message}` : ""}. Reload the page and try again.`)));
      signal?.addEventListener("abort", () => reject(abortedError(what)), { once: true });
      if (signal?.aborted) reject(abortedError(what));
      else work(wrap<StorageApi>(worker)).then(resolve, reject);
    });
  } finally {
    worker.terminate();
  }
}
