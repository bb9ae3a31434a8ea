// Expert records in memory: for small models in tests and tools. Passes the same contract suite as the stores on disk.
import type { ExpertStore } from "./expert-store.ts";
import { hashBlocks } from "./hash.ts";
import { expertStore } from "./record-reader.ts";
import type { RecordLayout } from "./stored-model.ts";

/** `records[layer][expert]`; kept, not copied. */
export async function memoryExpertStore(
  model: string,
  layouts: readonly RecordLayout[],
  records: readonly (readonly Uint8Array<ArrayBuffer>[])[],
): Promise<ExpertStore> {
  const experts = records[0]?.length ?? 0;
  const hashes = await Promise.all(records.map((layer) => Promise.all(layer.map(hashBlocks))));
  return expertStore("memory", model, layouts, experts, async (layer, expert) => {
    const record = records[layer]?.[expert];
    return record && { bytes: record.slice(), hashes: hashes[layer]![expert]! };
  });
}
