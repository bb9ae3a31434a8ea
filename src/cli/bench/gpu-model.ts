// The engine itself under Node: a model's file read in place, its weights on the GPU, prompts computed and tokens drawn as in the
// page's worker. Loaded through vite, which knows what `?raw` is; needs only a `navigator.gpu`.
import { open } from "node:fs/promises";
import { AppError } from "../../base/errors.ts";
import { sealEnvelope } from "../../engine/envelope.ts";
import { importModel } from "../../engine/import-model.ts";
import { MoePipeline } from "../../engine/pipeline.ts";
import type { ByteSource } from "../../gguf/source.ts";
import { openGpu } from "../../gpu/device.ts";
import type { TokenProfile } from "../../model/profile.ts";
import { Transformer } from "../../model/transformer.ts";
import { openModel } from "../../storage/catalogue.ts";
import { memoryDatabase } from "../../storage/memory-database.ts";
import type { StoredModel } from "../../storage/stored-model.ts";
import { ModelTokenizer } from "../../tokenizer/tokenizer.ts";
import { type OwnGeneration, promptIds, type Workload } from "./gpu-jobs.ts";

/** What the file is called in the catalogue, which is gone with the process. */
const ID = "bench";
/** Beside the weights: context, activations, the chunks of long prompts. */
const OTHER_BYTES = 4 * 2 ** 30;
const WARM_TOKENS = 4;
const GREEDY = { temperature: 0, top_p: 1 } as const;

/** Loads the file and times it; what is compiled at first use is used once before. */
export async function generateOnGpu({ model: path, slots, ...workload }: Workload & { readonly slots: number }): Promise<OwnGeneration> {
  const gpu = await openGpu();
  const file = await openFile(path);
  try {
    const began = performance.now();
    const database = memoryDatabase();
    await importModel(database, file.source, { id: ID, name: ID, source: "file", store: "file" }, () => undefined);
    const stored = await openModel(database, ID, { origin: () => Promise.resolve(file.source) });
    const contextTokens = Math.max(...workload.prompts) + workload.decoded + WARM_TOKENS + 1;
    const model = await Transformer.load(gpu, stored, { ...budgets(stored, file.source.size, slots), contextTokens, prefillLeast: 16 });
    const loadMs = performance.now() - began;
    const pipeline = new MoePipeline(model, new ModelTokenizer(stored.metadata));
    try {
      return { adapter: gpu.report.adapter, layers: model.config.layers, loadMs, ...(await times(pipeline, model, workload)) };
    } finally {
      pipeline.dispose();
    }
  } finally {
    await file.close();
    gpu.close();
  }
}

async function times(pipeline: MoePipeline, model: Transformer, { prompts, decoded, vocab }: Omit<Workload, "model">): Promise<Omit<OwnGeneration, "adapter" | "layers" | "loadMs">> {
  let first = 0;
  const run = async (tokens: number, generate: number): Promise<Pick<OwnGeneration, "decode" | "dispatches" | "readbacks" | "hits" | "loadedBytes"> & { readonly prefillMs: number }> => {
    const ids = promptIds(tokens, ++first, vocab);
    const config = { ...GREEDY, max_tokens: generate + 1 };
    await pipeline.prefillStep(sealEnvelope({ ids, topK: 0, minP: 0 }), undefined, undefined, config);
    const before = { ...model.stats, experts: { ...model.stats.experts } };
    while (!pipeline.stopped()) await pipeline.decodeStep(config);
    const { prefillMs, decodeMs } = pipeline.stats;
    const after = model.stats;
    const made = after.tokens - before.tokens;
    const uses = after.experts.uses - before.experts.uses;
    return {
      prefillMs,
      decode: { tokens: made, ms: decodeMs },
      dispatches: (after.dispatches - before.dispatches) / made,
      readbacks: (after.readbacks - before.readbacks) / made,
      hits: (after.experts.hits - before.experts.hits) / Math.max(1, uses),
      loadedBytes: (after.experts.loadedBytes - before.experts.loadedBytes) / made,
    };
  };
  await run(Math.max(...prompts), WARM_TOKENS);
  const prefill: OwnGeneration["prefill"][number][] = [];
  let decoding: Awaited<ReturnType<typeof run>> | undefined;
  for (const tokens of prompts) {
    const timed = await run(tokens, decoding ? 0 : decoded);
    decoding ??= timed;
    prefill.push({ tokens, ms: timed.prefillMs });
  }
  if (!decoding) throw new AppError("bug", "There is no prompt to measure.");
  const { prefillMs: _, ...rest } = decoding;
  return { ...rest, prefill, parts: partsOf(await pipeline.profile(new AbortController().signal)) };
}

function partsOf({ embeddingMs, layers, outputMs, roundTripMs }: TokenProfile): OwnGeneration["parts"] {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const mixer = (wanted: string): number => mean(layers.filter(({ kind }) => kind === wanted).map(({ mixerMs }) => mixerMs));
  return { embedding: embeddingMs, attention: mixer("attention"), deltanet: mixer("deltanet"), experts: mean(layers.map(({ expertsMs }) => expertsMs)), output: outputMs, roundTrip: roundTripMs };
}

function budgets({ records, experts }: StoredModel, fileBytes: number, slots: number): { readonly gpuBudgetBytes: number; readonly expertBudgetBytes?: number } {
  const gpuBudgetBytes = 2 * fileBytes + OTHER_BYTES;
  if (slots >= 1) return { gpuBudgetBytes };
  return { gpuBudgetBytes, expertBudgetBytes: Math.ceil(slots * records.reduce((sum, { bytes }) => sum + bytes * experts.experts, 0)) };
}

async function openFile(path: string): Promise<{ readonly source: ByteSource; close(): Promise<void> }> {
  const file = await open(path);
  const { size } = await file.stat();
  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) throw new AppError("model/format", `${path} ends too early: bytes up to ${offset + length} of ${size} were asked for. Delete it and run the command again.`);
      done += bytesRead;
    }
    return bytes;
  };
  return { source: { name: path, size, read }, close: () => file.close() };
}
