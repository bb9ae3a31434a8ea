// Streaming as the page does it, measured in the browser: decode, uploads, the cache's policies, what JavaScript keeps.
import type { Lab } from "../../ui/lab/lab.ts";
import type { LabPage } from "../lab-page.ts";
import { measureCache, syntheticTraces } from "./cache.ts";
import { workerHeap } from "./heap.ts";
import type { Measurement } from "./measurement.ts";

type LabWindow = typeof globalThis & { tabwrightLab?: Lab };

export const STREAMING_SECTIONS = ["decode", "upload", "cache", "heap"] as const;
export type StreamingSection = (typeof STREAMING_SECTIONS)[number];

const TRACED_TOKENS = 1200;
const HEAP_TOKENS = 500;
const HEAP_STEP = 100;

export function measureStreaming(lab: LabPage, section: StreamingSection, model: string): Promise<readonly Measurement[]> {
  return { decode, upload, cache, heap }[section](lab, model);
}

async function decode({ page }: LabPage, model: string): Promise<readonly Measurement[]> {
  const figures = await page.evaluate((id) => {
    const { streaming, engine } = (globalThis as LabWindow).tabwrightLab!;
    return streaming.decode(engine.connect, id);
  }, model);
  return figures.map((figure) => ({ section: "decode", ...figure }));
}

async function upload({ page }: LabPage, model: string): Promise<readonly Measurement[]> {
  const figures = await page.evaluate(async (id) => {
    const { streaming, engine } = (globalThis as LabWindow).tabwrightLab!;
    // Imports it into the one store that can be read from here.
    await engine.connect().api.load(id, { store: "indexeddb" }, () => undefined);
    return streaming.uploads(id);
  }, model);
  return figures.map((figure) => ({ section: "upload", ...figure }));
}

async function cache({ page }: LabPage, model: string): Promise<readonly Measurement[]> {
  const { layers, ...shape } = await page.evaluate(
    ([id, tokens]) => {
      const { streaming, engine } = (globalThis as LabWindow).tabwrightLab!;
      return streaming.routing(engine.connect, id, tokens);
    },
    [model, TRACED_TOKENS] as const,
  );
  return measureCache([{ name: `${model}, ${layers[0]?.length ?? 0} tokens`, ...shape, layers }, ...syntheticTraces()]);
}

/** Slots for a third of the experts, so that every token streams. */
async function heap({ page }: LabPage, model: string): Promise<readonly Measurement[]> {
  await page.evaluate((id) => {
    const { streaming, engine } = (globalThis as LabWindow).tabwrightLab!;
    return streaming.streamBegin(engine.connect, id);
  }, model);
  const worker = await workerHeap(page, "inference");
  const rows: Measurement[] = [];
  const sizes: number[] = [];
  for (let tokens = 0; tokens <= HEAP_TOKENS; tokens += HEAP_STEP) {
    const { heapBytes, bufferBytes } = await worker.measure();
    sizes.push(heapBytes + bufferBytes);
    rows.push({ section: "heap", what: `the engine's worker after ${tokens} tokens`, value: (heapBytes + bufferBytes) / 1e6, unit: `MB (${(bufferBytes / 1e6).toFixed(1)} of them buffers)` });
    if (tokens === HEAP_TOKENS) break;
    const hits = await page.evaluate((count) => {
      const { streaming, engine } = (globalThis as LabWindow).tabwrightLab!;
      return streaming.streamOn(engine.connect, count);
    }, HEAP_STEP);
    if (tokens === 0) rows.push({ section: "heap", what: "expert hits meanwhile", value: 100 * hits, unit: "%" });
  }
  rows.push({ section: "heap", what: `growth over the last ${HEAP_TOKENS - HEAP_STEP} tokens`, value: (sizes.at(-1)! - sizes[1]!) / 1e6, unit: "MB" });
  return rows;
}
