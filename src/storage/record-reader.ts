// What every expert store shares: the address is checked, a record is verified when it is first read, what is damaged is
// fetched again where that can be done, reads are counted.
import { AppError, throwIfAborted } from "../base/errors.ts";
import type { ExpertStore, StoreStats } from "./expert-store.ts";
import type { RecordLayout } from "./stored-model.ts";

/** What stands behind a store. `model` is its name, for messages. */
export interface RecordSource {
  readonly kind: ExpertStore["kind"];
  readonly model: string;
  readonly layouts: readonly RecordLayout[];
  /** Of one layer. */
  readonly experts: number;
  /** Puts a record into the target; how many bytes are there, whether they fit or not. 0: it is missing. */
  fetch(layer: number, expert: number, target: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<number>;
  /** Whether the record is as it was stored. Absent: nobody knows. */
  isIntact?(layer: number, expert: number, record: Uint8Array<ArrayBuffer>): Promise<boolean>;
  /** Fetches what is damaged of it from where the model came from, keeps it, and completes `record`. False: that place is not at hand. */
  mend?(layer: number, expert: number, record: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<boolean>;
}

/** What the user can do about damage that cannot be mended by itself. */
export const MENDING = "Open the model's file again to replace what is damaged, or delete the model and load it again.";

export function expertStore(source: RecordSource): ExpertStore {
  const { kind, model, layouts, experts } = source;
  const verified = new Set<number>();
  let reads = 0;
  let readBytes = 0;
  const failure = (code: "storage/missing" | "storage/corrupt", layer: number, expert: number): AppError =>
    new AppError(code, `Expert ${expert} of layer ${layer} of ${model} is ${code === "storage/missing" ? "missing from" : "damaged in"} the browser's storage. ${MENDING}`, { data: { model, layer, expert } });
  const recordBytes = (layer: number): number => {
    const layout = layouts[layer];
    if (layout) return layout.bytes;
    throw new AppError("storage/missing", `Model ${model} has no layer ${layer}.`, { data: { model, layer } });
  };
  const readInto = async (layer: number, expert: number, target: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<void> => {
    throwIfAborted(signal, "Reading the model");
    const bytes = recordBytes(layer);
    if (target.byteLength !== bytes) throw new AppError("bug", `A record of layer ${layer} takes ${bytes} bytes; ${target.byteLength} were given for it.`);
    if (expert < 0 || expert >= experts) throw failure("storage/missing", layer, expert);
    const found = await source.fetch(layer, expert, target, signal);
    throwIfAborted(signal, "Reading the model");
    reads++;
    readBytes += found;
    const key = layer * experts + expert;
    const intact = found === bytes && (verified.has(key) || source.isIntact === undefined || (await source.isIntact(layer, expert, target)));
    if (!intact && !(await source.mend?.(layer, expert, target, signal))) throw failure(found === 0 ? "storage/missing" : "storage/corrupt", layer, expert);
    if (source.isIntact) verified.add(key);
  };
  return {
    kind,
    layers: layouts.length,
    experts,
    recordBytes,
    readInto,
    async read(layer, expert, signal) {
      const record = new Uint8Array(recordBytes(layer));
      await readInto(layer, expert, record, signal);
      return record;
    },
    stats: (): StoreStats => ({ reads, readBytes, verified: verified.size }),
  };
}
