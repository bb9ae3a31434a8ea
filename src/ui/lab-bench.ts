// Measurements that need the page: the engine, the store and the container, each as `npm run bench` prints it.
import { bootContainer, type WebContainer } from "../container/client.ts";
import type { ConnectedEngine } from "../engine/client.ts";
import { listModels } from "../storage/catalogue.ts";
import { openDatabase } from "../storage/database.ts";
import { indexedDbExpertStore } from "../storage/indexeddb-expert-store.ts";

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

export interface BenchLab {
  engine(connect: () => ConnectedEngine, model: string): Promise<readonly Figure[]>;
  store(): Promise<readonly Figure[]>;
  container(): Promise<readonly Figure[]>;
}

const PROMPT_TOKENS = 256;
const DECODED_TOKENS = 64;
const ROUNDS = 5;

/** Decode and prefill with all experts resident, and with room for half of them. */
async function engine(connect: () => ConnectedEngine, model: string): Promise<readonly Figure[]> {
  const { lab } = connect();
  const figures: Figure[] = [];
  const full = await lab.load(model, {}, () => undefined);
  // One text serves as well as another: what is measured is time and traffic, not words.
  const text = "export function cartTotal(items) {\n  let total = 0;\n  for (const item of items) {\n    total += item.price;\n  }\n  return total;\n}\n";
  const ids = (await lab.encodePrompt(text.repeat(Math.ceil(PROMPT_TOKENS / 16)))).slice(0, PROMPT_TOKENS);
  const request = { ids, maxTokens: DECODED_TOKENS, sampling: { temperature: 1, seed: 1 }, stop: [] };

  const measure = async (name: string): Promise<void> => {
    await lab.generateIds({ ...request, maxTokens: 4 }); // compiles pipelines, fills the slots
    const before = await lab.counters();
    const { ids: made, stats } = await lab.generateIds({ ...request, ids: ids.toReversed() }); // another prompt: nothing is reused
    const after = await lab.counters();
    const tokens = after.tokens - before.tokens;
    const fresh = stats.promptTokens - stats.reusedTokens;
    figures.push(
      { what: `${name}: prefill`, value: (fresh / stats.prefillMs) * 1000, unit: `tokens/s (${fresh} tokens)` },
      { what: `${name}: decode`, value: ((made.length - 1) / stats.decodeMs) * 1000, unit: `tokens/s (${made.length} tokens)` },
      { what: `${name}: dispatches per token`, value: (after.dispatches - before.dispatches) / tokens, unit: "" },
      { what: `${name}: readbacks per token`, value: (after.readbacks - before.readbacks) / tokens, unit: "" },
      { what: `${name}: expert hits`, value: (100 * stats.expertHits) / Math.max(1, stats.expertUses), unit: "%" },
      { what: `${name}: streamed per token`, value: stats.streamedBytes / tokens / 1e3, unit: "KB" },
    );
  };
  await measure("all experts resident");
  const entry = (await listModels(await openDatabase())).find(({ id }) => id === full.id);
  if (entry) {
    const bytes = entry.records.reduce((sum, record) => sum + record.bytes, 0) * entry.experts;
    await lab.load(model, { expertMb: bytes / 2e6 }, () => undefined);
    await measure("half the experts resident");
  }
  return figures;
}

/** Every expert record of the first stored model, in random order, hashes checked. */
async function store(): Promise<readonly Figure[]> {
  const database = await openDatabase();
  const entry = (await listModels(database)).find(({ complete }) => complete);
  if (!entry) return [];
  const keys = entry.records.flatMap((_, layer) => Array.from({ length: entry.experts }, (_unused, expert) => [layer, expert] as const));
  keys.sort(() => Math.random() - 0.5);
  const figures: Figure[] = [];
  for (const inFlight of [1, 10]) {
    const source = indexedDbExpertStore(database, entry);
    const queue = [...keys];
    const started = performance.now();
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        for (let key = queue.pop(); key; key = queue.pop()) await source.read(key[0], key[1]);
      }),
    );
    const seconds = (performance.now() - started) / 1000;
    figures.push({ what: `IndexedDB, ${inFlight} in flight`, value: source.stats().readBytes / 1e6 / seconds, unit: `MB/s (${keys.length} records)` });
  }
  return figures;
}

async function container(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    figures.push({ what, value: performance.now() - started, unit: "ms" });
    return result;
  };
  const spawn = async (wc: WebContainer): Promise<void> => {
    const process = await wc.spawn("node", ["index.js"]);
    await process.exit;
  };
  const first = await timed("first boot", () => bootContainer());
  await first.mount({ "index.js": { file: { contents: "console.log('hello')" } } });
  await timed("first spawn of node, to its exit", () => spawn(first));
  first.teardown();
  const second = await timed("teardown and second boot", () => bootContainer());
  await second.mount({ "index.js": { file: { contents: "console.log('hello')" } } });
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // A pause between rounds, as between an agent's commands: the pool of warm workers refills.
    await new Promise((resolve) => setTimeout(resolve, 700));
    const started = performance.now();
    await spawn(second);
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  figures.push({ what: `spawn of node from the pool, to its exit (median of ${ROUNDS})`, value: times[ROUNDS >> 1] ?? 0, unit: "ms" });
  second.teardown();
  return figures;
}

export const benchLab: BenchLab = { engine, store, container };
