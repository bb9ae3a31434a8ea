// `npm run bench -- full`: streaming, decode and prefill of a random model with the published model's dimensions and fewer
// layers. Its file, 0.98 GB a layer, is made in the system's temporary folder and kept there for the next time.
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { StoreChoice } from "../../engine/api.ts";
import type { StreamPhase } from "../../engine/stream-speed.ts";
import type { Lab } from "../../ui/lab/lab.ts";
import { type LabPage, openLabPage } from "../lab-page.ts";
import { makeFullModel } from "./full-model.ts";
import type { Measurement } from "./measurement.ts";
import { measureRivals } from "./rivals.ts";

export interface FullOptions {
  readonly layers: number;
  /** Tokens of the prompt whose prefill is measured. */
  readonly prompt: number;
  readonly decoded: number;
  /** Compare with llama.cpp and wllama on the same file too. */
  readonly rivals: boolean;
}

/** Tokens whose misses are streamed: 10 records a layer and token, each once. */
const STREAMED_TOKENS = 40;
const STORES = ["opfs", "indexeddb", "file"] as const satisfies readonly StoreChoice[];

type LabWindow = typeof globalThis & { tabwrightLab?: Lab };

function row(what: string, value: number, unit = ""): Measurement {
  return { section: "full", what, value, unit };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Empties the system's file cache where that is allowed (Linux, as root). */
async function dropCaches(): Promise<boolean> {
  return writeFile("/proc/sys/vm/drop_caches", "3").then(
    () => true,
    () => false,
  );
}

export async function measureFull({ layers, prompt, decoded, rivals }: FullOptions): Promise<readonly Measurement[]> {
  const path = join(tmpdir(), `tabwright-full-${layers}.gguf`);
  if (!existsSync(path)) say(`Writing ${path} …`);
  const file = await makeFullModel(path, layers);
  const rows = [row(`layers of the random model (hidden 2,048, 512 experts, top 10), file`, file.bytes / 1e9, `GB in ${layers} layers`)];
  for (const store of STORES) {
    const lab = await openLabPage();
    try {
      rows.push(...(await streaming(lab, path, store)));
      if (store === "opfs") rows.push(...(await generation(lab, prompt, decoded, file.bytes)));
    } finally {
      await lab.close();
    }
  }
  if (!rivals) return rows;
  const lab = await openLabPage();
  try {
    return [...rows, ...(await measureRivals(lab, path, 1, decoded, cpus().length))];
  } finally {
    await lab.close();
  }
}

/** Puts the model into the store and streams its records: each half of the way alone, then the whole, cold and warm. */
async function streaming(lab: LabPage, path: string, store: (typeof STORES)[number]): Promise<readonly Measurement[]> {
  const { page } = lab;
  say(`Storing the model: ${store} …`);
  await page.setInputFiles("#tabwright-lab-file", path);
  const importMs = await page.evaluate(async (kind) => {
    const { engine } = (globalThis as LabWindow).tabwrightLab!;
    const started = performance.now();
    await engine.connect().lab.load(engine.modelFile(), { store: kind, expertMb: 200, contextTokens: 4096 }, () => undefined);
    return performance.now() - started;
  }, store);
  const rows = [row(`${store}: stored and loaded`, importMs / 1000, "s")];
  const speed = async (phase: StreamPhase): Promise<number> => {
    const { bytes, ms } = await page.evaluate(([tokens, kind]) => (globalThis as LabWindow).tabwrightLab!.engine.connect().lab.streamSpeed(tokens, kind), [STREAMED_TOKENS, phase] as const);
    return bytes / ms / 1e6;
  };
  await speed("read"); // the hashes are checked at the first read; what is measured is streaming
  for (const cold of [true, false]) {
    const ready = async (): Promise<boolean> => !cold || dropCaches();
    if (!(await ready())) continue;
    const how = `${store}, ${cold ? "cold" : "warm"}`;
    const read = await speed("read");
    const upload = await speed("upload");
    await ready();
    const stream = await speed("stream");
    say(`${how}: read ${read.toFixed(2)}, upload ${upload.toFixed(2)}, stream ${stream.toFixed(2)} GB/s`);
    rows.push(row(`${how}: records read`, read, "GB/s"), row(`${how}: records uploaded from memory`, upload, "GB/s"), row(`${how}: store to slot`, stream, "GB/s"), row(`${how}: store to slot ÷ the slower of the two`, stream / Math.min(read, upload)));
  }
  return rows;
}

/** Prefill and decode with slots for a quarter of the experts. */
async function generation({ page }: LabPage, prompt: number, decoded: number, fileBytes: number): Promise<readonly Measurement[]> {
  say(`Prefill of ${prompt} tokens, then ${decoded} more …`);
  const result = await page.evaluate(
    async ([tokens, generate, expertMb]) => {
      const { engine } = (globalThis as LabWindow).tabwrightLab!;
      const { lab } = engine.connect();
      await lab.load(engine.modelFile(), { expertMb, contextTokens: 4096 }, () => undefined);
      // The last token of a prompt goes by itself, since its answer is wanted.
      const ids = Array.from({ length: tokens + 1 }, (_, at) => (at * 7919) % 150_000);
      const before = await lab.counters();
      const prefill = await lab.generateIds({ ids, maxTokens: 1, sampling: { temperature: 0 }, stop: [] });
      const between = await lab.counters();
      const decode = await lab.generateIds({ ids: [...ids, ...prefill.ids], maxTokens: generate, sampling: { temperature: 0 }, stop: [] });
      const after = await lab.counters();
      return { before, between, after, prefill: prefill.stats, decode: decode.stats, made: decode.ids.length };
    },
    [prompt, decoded, fileBytes / 4e6] as const,
  );
  const { before, between, after, prefill, decode, made } = result;
  const read = between.experts.loadedBytes - before.experts.loadedBytes;
  const touched = between.prefill.touchedBytes - before.prefill.touchedBytes;
  const tokens = after.tokens - between.tokens;
  const uses = after.experts.uses - between.experts.uses;
  return [
    row(`prefill of ${prompt} tokens`, (prompt * 1000) / prefill.prefillMs, "tokens/s"),
    row(`prefill of ${prompt} tokens: expert bytes read ÷ bytes of the experts touched`, read / touched),
    row("decode", ((made - 1) * 1000) / decode.decodeMs, "tokens/s"),
    row("decode: expert hits", (100 * (after.experts.hits - between.experts.hits)) / Math.max(1, uses), "%"),
    row("decode: read from the store", (after.experts.loadedBytes - between.experts.loadedBytes) / tokens / 1e6, "MB per token"),
    row("decode: dispatches per token", (after.dispatches - between.dispatches) / tokens),
    row("decode: readbacks per token", (after.readbacks - between.readbacks) / tokens),
  ];
}
