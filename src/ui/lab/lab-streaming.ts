// What the bench asks of the engine about streaming: recorded routing, where a decoded token's time goes, and how fast
// records get from a store into GPU memory.
import type { ConnectedEngine } from "../../engine/client.ts";
import type { Routing } from "../../engine/lab.ts";
import { RecordLoader } from "../../experts/loader.ts";
import { type Gpu, openGpu } from "../../gpu/device.ts";
import { type UploadMethod, UploadRing } from "../../gpu/upload-ring.ts";
import { demoProject } from "../../project/demo.ts";
import { openModel } from "../../storage/catalogue.ts";
import { openDatabase } from "../../storage/database.ts";
import type { ExpertStore } from "../../storage/expert-store.ts";
import type { Figure } from "./lab-bench.ts";

export interface StreamingLab {
  /** The experts that the model takes, token by token, in `tokens` tokens of code and of its own answer. */
  routing(connect: () => ConnectedEngine, model: string, tokens: number): Promise<Routing>;
  decode(connect: () => ConnectedEngine, model: string): Promise<readonly Figure[]>;
  /** Loads the model with slots for a third of its experts, and generates once. */
  streamBegin(connect: () => ConnectedEngine, model: string): Promise<void>;
  /** Generates so many tokens more; the share of experts that were found in a slot. */
  streamOn(connect: () => ConnectedEngine, tokens: number): Promise<number>;
  uploads(model: string): Promise<readonly Figure[]>;
}

const CODE = `export function cartTotal(items, taxRate) {
  let total = 0;
  for (const item of items) {
    total += item.price * item.quantity;
  }
  return Math.round(total * (1 + taxRate) * 100) / 100;
}

test("an empty cart costs nothing", () => {
  assert.equal(cartTotal([], 0.19), 0);
});
`;
const DECODED_TOKENS = 256;
const ANSWER_TOKENS = 64;
/** One expert of an 80 B model at 4.5 bits a weight, and how many of them one measurement moves. */
const RECORD_BYTES = 1_769_472;
const RECORDS = 64;
const ROUNDS = 3;
/** Reads under way: four staging buffers of eight small records. */
const IN_FLIGHT = 32;

async function routing(connect: () => ConnectedEngine, model: string, tokens: number): Promise<Routing> {
  const { lab } = connect();
  await lab.load(model, {}, () => undefined);
  const ids: number[] = [];
  // The demo's files, one question each, and what the model answers: the work that it is there for.
  const files = [...demoProject()].filter(([path]) => /\.(js|md)$/.test(path));
  for (let turn = 0; ids.length < tokens; turn++) {
    const [path, bytes] = files[turn % files.length]!;
    const question = await lab.encodeChat(`Fix the failing test.\n${path}\n${new TextDecoder().decode(bytes)}`);
    const answer = await lab.generateIds({ ids: question, maxTokens: ANSWER_TOKENS, sampling: { temperature: 1, seed: turn + 1 }, stop: [] });
    ids.push(...question, ...answer.ids);
  }
  return lab.routing(ids.slice(0, tokens));
}

/** All experts resident. The GPU's clock times each token's pass; the rest of a token is the host's. */
async function decode(connect: () => ConnectedEngine, model: string): Promise<readonly Figure[]> {
  const { lab } = connect();
  const { ids, prompt } = { ids: [] as number[], prompt: CODE.repeat(2) };
  await lab.load(model, {}, () => undefined);
  ids.push(...(await lab.encodePrompt(prompt)).slice(0, 128));
  const request = { ids, maxTokens: 8, sampling: { temperature: 1, seed: 1 }, stop: [] };
  const begun = await lab.generateIds(request); // compiles, warms up
  const before = await lab.counters();
  const { stats, passMs, ids: made } = await lab.timedIds({ ...request, ids: [...ids, ...begun.ids], maxTokens: DECODED_TOKENS });
  const after = await lab.counters();
  const tokens = after.tokens - before.tokens;
  const layers = (await lab.details()).cache.length;
  const decoded = made.length - 1;
  const gpuMs = passMs.slice(-decoded).reduce((sum, ms) => sum + ms, 0);
  const outside = stats.decodeMs - gpuMs;
  return [
    { what: "all resident: dispatches per token and layer", value: (after.dispatches - before.dispatches) / tokens / layers, unit: `(embedding and head included; ${layers} layers)` },
    { what: "all resident: readbacks per token", value: (after.readbacks - before.readbacks) / tokens, unit: "" },
    { what: "all resident: a token", value: stats.decodeMs / decoded, unit: `ms (${decoded} tokens)` },
    { what: "all resident: of it, GPU work", value: passMs.length > 0 ? gpuMs / decoded : Number.NaN, unit: "ms" },
    { what: "all resident: share outside GPU work", value: passMs.length > 0 ? (100 * outside) / stats.decodeMs : Number.NaN, unit: "%" },
  ];
}

async function streamBegin(connect: () => ConnectedEngine, model: string): Promise<void> {
  const { lab } = connect();
  const full = await lab.load(model, {}, () => undefined);
  await lab.load(model, { expertMb: (full.plan?.lines.experts ?? 0) / 3e6 }, () => undefined);
  await streamOn(connect, 8);
}

async function streamOn(connect: () => ConnectedEngine, tokens: number): Promise<number> {
  const { lab } = connect();
  const ids = await lab.encodePrompt(CODE);
  let [left, hits, uses] = [tokens, 0, 0];
  for (let seed = 1; left > 0; seed++) {
    const { stats } = await lab.generateIds({ ids: ids.slice(0, 16 + (seed % 16)), maxTokens: left, sampling: { temperature: 1, seed }, stop: [] });
    left -= stats.completionTokens;
    hits += stats.expertHits;
    uses += stats.expertUses;
  }
  return hits / Math.max(1, uses);
}

async function uploads(model: string): Promise<readonly Figure[]> {
  const gpu = await openGpu();
  try {
    const figures: Figure[] = [];
    const source = crypto.getRandomValues(new Uint8Array(65_536));
    const record = Uint8Array.from({ length: RECORD_BYTES }, (_, i) => source[i % source.length]!);
    for (const [name, method, together] of [["writeBuffer", "written", 1], ["mapped staging, one record a buffer", "mapped", 1], ["mapped staging, four records a buffer", "mapped", 4]] as const) {
      figures.push({ what: `uploads, ${name}`, value: await best(() => uploadRate(gpu, record, method, together)), unit: `MB/s (${RECORDS} records of ${(RECORD_BYTES / 1e6).toFixed(2)} MB)` });
    }
    const stored = await openModel(await openDatabase(), model);
    const { experts } = stored;
    const reads = await best(() => readRate(experts));
    const raw = await best(() => uploadRate(gpu, new Uint8Array(experts.recordBytes(0)), "mapped", 8));
    const streamed = await best(() => streamRate(gpu, experts));
    const count = `MB/s (${experts.layers * experts.experts} records of ${(experts.recordBytes(0) / 1e3).toFixed(0)} KB, ${experts.kind})`;
    figures.push({ what: "store: records read into memory", value: reads, unit: count }, { what: "store: the same bytes uploaded", value: raw, unit: count });
    figures.push({ what: "store: read into staging and copied into slots", value: streamed, unit: count });
    await stored.close();
    figures.push({ what: "store: streaming ÷ the slower of reads and uploads", value: streamed / Math.min(reads, raw), unit: "" });
    return figures;
  } finally {
    gpu.close();
  }
}

/** The best of a few runs, MB/s: what else the machine does only makes one slower. */
async function best(run: () => Promise<number>): Promise<number> {
  let most = 0;
  for (let round = 0; round < ROUNDS; round++) most = Math.max(most, await run());
  return most;
}

async function uploadRate(gpu: Gpu, record: Uint8Array<ArrayBuffer>, method: UploadMethod, together: number): Promise<number> {
  const bytes = record.byteLength;
  const ring = await UploadRing.open(gpu, bytes * together, 4, method);
  const target = gpu.memory.storage("slots", bytes * RECORDS);
  await gpu.device.queue.onSubmittedWorkDone();
  const started = performance.now();
  for (let first = 0; first < RECORDS; first += together) {
    const granule = await ring.take();
    for (let i = 0; i < together; i++) granule.bytes.set(record, i * bytes);
    ring.submit(granule, Array.from({ length: together }, (_, i) => ({ from: i * bytes, to: target, at: (first + i) * bytes, bytes })));
  }
  await gpu.device.queue.onSubmittedWorkDone();
  const ms = performance.now() - started;
  ring.close();
  gpu.memory.free(target);
  return (bytes * RECORDS) / 1e3 / ms;
}

function keysOf(store: ExpertStore) {
  const keys = Array.from({ length: store.layers }, (_, layer) => Array.from({ length: store.experts }, (_unused, expert) => ({ layer, expert })));
  return keys.map((layer) => layer.sort(() => Math.random() - 0.5));
}

function bytesOf(store: ExpertStore): number {
  return Array.from({ length: store.layers }, (_, layer) => store.recordBytes(layer) * store.experts).reduce((sum, bytes) => sum + bytes, 0);
}

/** As many at once, layer by layer, as streaming reads. */
async function readRate(store: ExpertStore): Promise<number> {
  const targets = Array.from({ length: IN_FLIGHT }, () => new Uint8Array(store.recordBytes(0)));
  const started = performance.now();
  for (const layer of keysOf(store)) {
    const queue = [...layer];
    await Promise.all(
      targets.map(async (target) => {
        for (let key = queue.pop(); key; key = queue.pop()) await store.readInto(key.layer, key.expert, target.subarray(0, store.recordBytes(key.layer)));
      }),
    );
  }
  return bytesOf(store) / 1e3 / (performance.now() - started);
}

async function streamRate(gpu: Gpu, store: ExpertStore): Promise<number> {
  const leased = gpu.leased();
  const loader = await RecordLoader.open(leased, store);
  const slots = leased.memory.storage("slots", store.recordBytes(0) * store.experts);
  await gpu.device.queue.onSubmittedWorkDone();
  const started = performance.now();
  for (const layer of keysOf(store)) {
    const parts = Array.from({ length: Math.ceil(layer.length / loader.atOnce(0)) }, (_, i) => layer.slice(i * loader.atOnce(0), (i + 1) * loader.atOnce(0)));
    await Promise.all(
      parts.map(async (keys) => {
        const staged = await loader.stage(keys);
        loader.put(staged, keys.map(({ expert }) => ({ buffer: slots, offset: expert * store.recordBytes(0) })));
      }),
    );
  }
  await gpu.device.queue.onSubmittedWorkDone();
  const ms = performance.now() - started;
  loader.close();
  leased.memory.close();
  return bytesOf(store) / 1e3 / ms;
}

export const streamingLab: StreamingLab = { routing, decode, streamBegin, streamOn, uploads };
