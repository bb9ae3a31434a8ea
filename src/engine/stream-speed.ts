// How fast expert records come from the store into GPU slots, beside what each half of the way takes alone on the same
// records: reading them, and uploading bytes that are in memory. For `npm run bench -- full`.
import { ExpertCache } from "../experts/cache.ts";
import { type ExpertKey, RecordLoader } from "../experts/loader.ts";
import type { Pool } from "../experts/pools.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ExpertStore } from "../storage/expert-store.ts";

/** `read`: store to JavaScript memory. `upload`: JavaScript memory to GPU. `stream`: store to GPU slots, as a token does it. */
export type StreamPhase = "read" | "upload" | "stream";

export interface StreamSpeed {
  readonly bytes: number;
  readonly ms: number;
}

/** What one layer of one token wants. */
interface Group {
  readonly layer: number;
  readonly experts: readonly number[];
}

/** Layer after layer, `topK` experts each that no group before had: so many tokens of nothing but misses. */
function groupsOf({ layers, experts }: ExpertStore, topK: number, tokens: number): readonly Group[] {
  let state = 1;
  const random = (below: number): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) % below;
  const orders = Array.from({ length: layers }, () => {
    const order = Array.from({ length: experts }, (_, expert) => expert);
    for (let i = experts - 1; i > 0; i--) {
      const j = random(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  });
  return Array.from({ length: Math.min(tokens, Math.floor(experts / topK)) * layers }, (_, at) => {
    const [layer, token] = [at % layers, Math.floor(at / layers)];
    return { layer, experts: orders[layer]!.slice(token * topK, (token + 1) * topK) };
  });
}

/** One phase over the records of `tokens` tokens; the same records in every phase. */
export async function measureStreaming(gpu: Gpu, store: ExpertStore, topK: number, tokens: number, phase: StreamPhase): Promise<StreamSpeed> {
  const groups = groupsOf(store, topK, tokens);
  const bytes = groups.reduce((sum, { layer, experts }) => sum + experts.length * store.recordBytes(layer), 0);
  const run = { read: () => readAll(store, groups), upload: () => uploadAll(gpu, store, groups, topK), stream: () => streamAll(gpu, store, groups, topK) }[phase];
  return { bytes, ms: await run() };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** The records of a group together, as many reads under way as a layer has misses. */
async function readAll(store: ExpertStore, groups: readonly Group[]): Promise<number> {
  const largest = Math.max(...groups.map(({ layer }) => store.recordBytes(layer)));
  const targets = Array.from({ length: groups[0]?.experts.length ?? 0 }, () => new Uint8Array(largest));
  return timed(async () => {
    for (const { layer, experts } of groups) await Promise.all(experts.map((expert, i) => store.readInto(layer, expert, targets[i]!.subarray(0, store.recordBytes(layer)))));
  });
}

/** Through the same staging as streaming, from a store that only copies out of memory. */
async function uploadAll(gpu: Gpu, store: ExpertStore, groups: readonly Group[], topK: number): Promise<number> {
  const largest = Math.max(...groups.map(({ layer }) => store.recordBytes(layer)));
  const source = new Uint8Array(largest).fill(7);
  const memory: ExpertStore = { ...store, recordBytes: store.recordBytes.bind(store), readInto: async (layer, _expert, target) => target.set(source.subarray(0, store.recordBytes(layer))) };
  const loader = await RecordLoader.open(gpu, memory);
  const slots = gpu.memory.storage("slots", topK * largest);
  try {
    return await timed(async () => {
      for (const { layer, experts } of groups) {
        const together = loader.atOnce(layer);
        for (let from = 0; from < experts.length; from += together) {
          const keys = experts.slice(from, from + together).map((expert): ExpertKey => ({ layer, expert }));
          loader.put(await loader.stage(keys), keys.map((_, i) => ({ buffer: slots, offset: (from + i) * largest })));
        }
      }
      await gpu.device.queue.onSubmittedWorkDone();
    });
  } finally {
    loader.close();
    gpu.memory.free(slots);
  }
}

/** Through the cache, with slots for two tokens: each group's experts are waited for before the next group, as a token waits. */
async function streamAll(gpu: Gpu, store: ExpertStore, groups: readonly Group[], topK: number): Promise<number> {
  const pools = Array.from({ length: store.layers }, (_, layer): Pool => ({ layers: [layer], slots: 2 * topK, slotBytes: store.recordBytes(layer) }));
  const cache = await ExpertCache.open(gpu, store, pools);
  try {
    return await timed(async () => {
      for (const { layer, experts } of groups) await cache.load(layer, experts);
      await gpu.device.queue.onSubmittedWorkDone();
    });
  } finally {
    cache.close();
  }
}
