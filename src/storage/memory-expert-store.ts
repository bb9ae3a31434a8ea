// Expert records in memory: for small models in tests and tools. Passes the same contract suite as the stores on disk.
import type { ExpertStore } from "./expert-store.ts";
import { hashBlocks, hashesMatch } from "./hash.ts";
import { expertStore } from "./record-reader.ts";
import type { RecordLayout } from "./stored-model.ts";

/** `records[layer][expert]`; kept, not copied. */
export async function memoryExpertStore(
  model: string,
  layouts: readonly RecordLayout[],
  records: readonly (readonly Uint8Array<ArrayBuffer>[])[],
): Promise<ExpertStore> {
  const hashes = await Promise.all(records.map((layer) => Promise.all(layer.map(hashBlocks))));
  return expertStore({
    kind: "memory",
    model,
    layouts,
    experts: records[0]?.length ?? 0,
    async fetch(layer, expert, target) {
      const record = records[layer]?.[expert];
      if (record?.byteLength === target.byteLength) target.set(record);
      return record?.byteLength ?? 0;
    },
    isIntact: (layer, expert, record) => hashesMatch(record, hashes[layer]![expert]!),
  });
}
