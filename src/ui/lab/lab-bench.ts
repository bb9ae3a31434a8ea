// Measurements that need the page: the engine, the store and the container, each as `npm run bench` prints it.
import type { ConnectedEngine } from "../../engine/client.ts";
import { listModels } from "../../storage/catalogue.ts";
import { openDatabase } from "../../storage/database.ts";
import { containerBench } from "./lab-bench-container.ts";

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

export interface BenchLab {
  engine(connect: () => ConnectedEngine, model: string): Promise<readonly Figure[]>;
  container(): Promise<readonly Figure[]>;
}

const PROMPT_TOKENS = 256;
const DECODED_TOKENS = 64;

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

export const benchLab: BenchLab = { engine, container: containerBench };
