// What every expert store shares: the address is checked, a record is verified when it is first read, reads are counted.
import { AppError, throwIfAborted } from "../base/errors.ts";
import type { StoredBytes } from "./database.ts";
import type { ExpertStore, StoreStats } from "./expert-store.ts";
import { hashesMatch } from "./hash.ts";
import type { RecordLayout } from "./stored-model.ts";

/** An expert store over `fetchRecord`, which returns undefined for what is not there. `model` is its name, for messages. */
export function expertStore(
  kind: ExpertStore["kind"],
  model: string,
  layouts: readonly RecordLayout[],
  experts: number,
  fetchRecord: (layer: number, expert: number) => Promise<StoredBytes | undefined>,
): ExpertStore {
  const verified = new Set<number>();
  let reads = 0;
  let readBytes = 0;
  const where = (layer: number, expert: number) => ({ data: { model, layer, expert } });
  const layoutOf = (layer: number): RecordLayout => {
    const layout = layouts[layer];
    if (layout) return layout;
    throw new AppError("storage/missing", `Model ${model} has no layer ${layer}.`, { data: { model, layer } });
  };
  return {
    kind,
    layers: layouts.length,
    experts,
    recordBytes: (layer) => layoutOf(layer).bytes,
    stats: (): StoreStats => ({ reads, readBytes, verified: verified.size }),
    async read(layer, expert, signal) {
      throwIfAborted(signal, "Reading the model");
      const layout = layoutOf(layer);
      const stored = await fetchRecord(layer, expert);
      throwIfAborted(signal, "Reading the model");
      if (!stored) {
        throw new AppError("storage/missing", `Expert ${expert} of layer ${layer} of ${model} is missing from the browser's storage. Delete the model and load it again.`, where(layer, expert));
      }
      const { bytes, hashes } = stored;
      reads++;
      readBytes += bytes.byteLength;
      const key = layer * experts + expert;
      if (bytes.byteLength !== layout.bytes || (!verified.has(key) && !(await hashesMatch(bytes, hashes)))) {
        throw new AppError("storage/corrupt", `Expert ${expert} of layer ${layer} of ${model} is damaged in the browser's storage. Delete the model and load it again.`, where(layer, expert));
      }
      verified.add(key);
      return bytes;
    },
  };
}
