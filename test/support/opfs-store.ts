// The page's side of opfs-worker.ts: the worker's model as an expert store.
import { type Remote, wrap } from "comlink";
import { installErrorWire } from "../../src/base/wire.ts";
import { AppError } from "../../src/base/errors.ts";
import type { ExpertStore } from "../../src/storage/expert-store.ts";
import type { OpfsWorkerApi } from "./opfs-worker.ts";
import { EXPERTS } from "./tiny-weights.ts";

export interface OpfsWorker {
  readonly api: Remote<OpfsWorkerApi>;
  end(): void;
}

export function opfsWorker(): OpfsWorker {
  installErrorWire();
  const worker = new Worker(new URL("./opfs-worker.ts", import.meta.url), { type: "module" });
  return { api: wrap<OpfsWorkerApi>(worker), end: () => worker.terminate() };
}

export function remoteStore({ api }: OpfsWorker, sizes: readonly number[]): ExpertStore {
  let stats = { reads: 0, readBytes: 0, verified: 0 };
  const read = async (layer: number, expert: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> => {
    if (signal?.aborted) throw new AppError("aborted", "stopped");
    const bytes = (await api.read(layer, expert)) as Uint8Array<ArrayBuffer>;
    stats = await api.stats();
    return bytes;
  };
  return {
    kind: "opfs",
    layers: sizes.length,
    experts: EXPERTS,
    recordBytes: (layer) => sizes[layer]!,
    read,
    async readInto(layer, expert, target, signal) {
      if (target.byteLength !== sizes[layer]) throw new AppError("bug", "the target has another length");
      target.set(await read(layer, expert, signal));
    },
    stats: () => stats,
  };
}
