// Where a model's weights are put: what the user chose, else the store that gave records faster when both were measured, once,
// on this device. Small models are read whole when they are loaded, so that nothing is gained by measuring for them.
import { rethrowIfFatal } from "../base/errors.ts";
import type { ExpertStore } from "./expert-store.ts";
import { hasPacks } from "./opfs-packs.ts";
import { measureStores } from "./read-speed.ts";
import { openShelf } from "./shelf.ts";

export const STORE_CHOICES = ["auto", "opfs", "indexeddb", "file", "memory"] as const;
export type StoreChoice = (typeof STORE_CHOICES)[number];

/** What both gave, in bytes a second. */
export interface StoreSpeeds {
  readonly indexeddb: number;
  /** Absent where this browser has none in this place. */
  readonly opfs?: number;
  /** ms since 1970. */
  readonly measuredAt: number;
}

/** As it is kept: what the user chose for models that are stored from now on, and what was measured. */
export interface StoreSetting {
  readonly choice: "auto" | "opfs" | "indexeddb";
  readonly speeds?: StoreSpeeds;
}

const KEY = "expert-store";
const SMALL_BYTES = 512e6;

export function fasterOf({ indexeddb, opfs }: StoreSpeeds): "opfs" | "indexeddb" {
  return opfs !== undefined && opfs > indexeddb ? "opfs" : "indexeddb";
}

/** `auto` and nothing measured where the browser stores nothing. */
export async function storeSetting(): Promise<StoreSetting> {
  try {
    const kept = await (await openShelf<unknown>("settings")).get(KEY);
    return isSetting(kept) ? kept : { choice: "auto" };
  } catch (error) {
    rethrowIfFatal(error);
    return { choice: "auto" };
  }
}

export async function keepStoreSetting(change: Partial<StoreSetting>): Promise<StoreSetting> {
  const next = { ...(await storeSetting()), ...change };
  await (await openShelf<StoreSetting>("settings")).put(KEY, next);
  return next;
}

/** `asked`: for this import alone. `goesOn`: where an interrupted import of the same content lies, which it stays in unless another is asked for. */
export async function storeFor(asked: StoreChoice = "auto", goesOn: ExpertStore["kind"] | undefined, bytes: number, signal?: AbortSignal): Promise<ExpertStore["kind"]> {
  if (asked !== "auto") return asked;
  if (goesOn) return goesOn;
  const { choice, speeds } = await storeSetting();
  if (choice !== "auto") return choice === "opfs" && !hasPacks() ? "indexeddb" : choice;
  if (!hasPacks() || bytes < SMALL_BYTES) return "indexeddb";
  return fasterOf(speeds ?? (await measureAndKeep(signal)));
}

/** Measures both stores and remembers it. Throws `storage/quota`, `storage/unavailable` or `aborted`. */
export async function measureAndKeep(signal?: AbortSignal): Promise<StoreSpeeds> {
  const speeds = await measureStores(signal);
  await keepStoreSetting({ speeds });
  return speeds;
}

function isSetting(value: unknown): value is StoreSetting {
  if (typeof value !== "object" || value === null) return false;
  const { choice, speeds } = value as { readonly choice?: unknown; readonly speeds?: { readonly indexeddb?: unknown; readonly measuredAt?: unknown } };
  const measured = speeds === undefined || (typeof speeds === "object" && typeof speeds.indexeddb === "number" && typeof speeds.measuredAt === "number");
  return (choice === "auto" || choice === "opfs" || choice === "indexeddb") && measured;
}
