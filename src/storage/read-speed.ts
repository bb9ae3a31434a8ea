// How fast this browser's stores give records of the size of a large model's experts, in random order. The records are
// written just before, so they come from the system's cache: what is compared is what each store costs on top.
import { deleteDB, openDB } from "idb";
import { throwIfAborted } from "../base/errors.ts";
import { reading, writing } from "./database.ts";
import { hasPacks, OPFS_PACKS } from "./opfs-packs.ts";
import type { StoreSpeeds } from "./store-choice.ts";

/** One expert of an 80 B model at 4.5 bits a weight. */
const RECORD_BYTES = 1_770_000;
const RECORDS = 36;
/** As many reads are under way at once as one layer of such a model wants experts. */
const IN_FLIGHT = 10;
const SCRATCH = "tabwright-speed";

/** Takes a second or two and 64 MB of storage for as long. Throws `storage/quota` or `storage/unavailable`, or `aborted`. */
export async function measureStores(signal?: AbortSignal): Promise<StoreSpeeds> {
  const indexeddb = await measureDatabase(signal);
  const opfs = hasPacks() ? await measurePack(signal) : undefined;
  return { indexeddb, ...(opfs === undefined ? {} : { opfs }), measuredAt: Date.now() };
}

async function measureDatabase(signal?: AbortSignal): Promise<number> {
  try {
    return await writing("a measurement", RECORDS * RECORD_BYTES, async () => {
      const scratch = await openDB(SCRATCH, 1, { upgrade: (db) => void db.createObjectStore("records") });
      try {
        const record = sampleRecord();
        for (let key = 0; key < RECORDS; key++) {
          throwIfAborted(signal, "Measuring");
          await scratch.put("records", record, key);
        }
        return await timed(async (key) => ((await scratch.get("records", key)) as Uint8Array | undefined)?.byteLength ?? 0, signal);
      } finally {
        scratch.close();
      }
    });
  } finally {
    await reading(() => deleteDB(SCRATCH));
  }
}

async function measurePack(signal?: AbortSignal): Promise<number> {
  const entry = { id: SCRATCH, name: "a measurement" };
  const handle = (await OPFS_PACKS.open(entry, true))!;
  try {
    const record = sampleRecord();
    await writing("a measurement", RECORDS * RECORD_BYTES, async () => {
      for (let key = 0; key < RECORDS; key++) handle.write(record, { at: key * RECORD_BYTES });
      handle.flush();
    });
    return await timed(async (key) => handle.read(record, { at: key * RECORD_BYTES }), signal);
  } finally {
    handle.close();
    await OPFS_PACKS.remove(entry);
  }
}

function sampleRecord(): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(RECORD_BYTES);
  crypto.getRandomValues(record.subarray(0, 65_536)); // not all zeros: file systems store those as holes
  return record;
}

async function timed(read: (key: number) => Promise<number>, signal?: AbortSignal): Promise<number> {
  const queue = Array.from({ length: RECORDS }, (_, key) => ({ key, at: Math.random() })).sort((a, b) => a.at - b.at);
  let bytes = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (let next = queue.pop(); next; next = queue.pop()) {
        throwIfAborted(signal, "Measuring");
        bytes += await read(next.key);
      }
    }),
  );
  return (bytes * 1000) / Math.max(1, performance.now() - started);
}
