// How a budget of GPU memory becomes slots for experts. A pool is a set of equal slots that one or more layers share;
// while a layer runs, all its chosen experts must be in its pool at once, so no pool is smaller than top-k.
import { AppError } from "../base/errors.ts";

export interface Pool {
  readonly layers: readonly number[];
  readonly slots: number;
  /** Bytes of a slot: the largest record of its layers. */
  readonly slotBytes: number;
}

export interface PoolRequest {
  /** Bytes of an expert's record, per layer. */
  readonly recordBytes: readonly number[];
  /** Experts of one layer. */
  readonly experts: number;
  readonly topK: number;
  readonly budgetBytes: number;
  /** No pool may be larger than this: it is one binding. */
  readonly maxPoolBytes: number;
}

const MB = 1_000_000;

/** The smallest budget that `planPools` accepts: the experts one token takes in one layer; 0 for a model without experts. */
export function smallestBudgetBytes({ recordBytes, topK }: Pick<PoolRequest, "recordBytes" | "topK">): number {
  return topK * Math.max(0, ...recordBytes);
}

/** Bytes with which every expert of every layer has a slot. */
export function wholeBudgetBytes({ recordBytes, experts }: Pick<PoolRequest, "recordBytes" | "experts">): number {
  return recordBytes.reduce((sum, bytes) => sum + bytes * experts, 0);
}

/**
 * Every layer its own pool, as even as the bytes allow, when each can have top-k slots. With less, as many layers as
 * possible keep a pool of top-k (their next token may hit), and the rest share what is left, down to top-k slots in all.
 * Throws `gpu/memory` with the smallest possible MB.
 */
export function planPools(request: PoolRequest): readonly Pool[] {
  const { recordBytes, experts, topK, budgetBytes, maxPoolBytes } = request;
  if (recordBytes.length === 0) return []; // a dense model
  const smallest = smallestBudgetBytes(request);
  if (budgetBytes < smallest || maxPoolBytes < smallest) {
    const mb = Math.ceil(smallest / MB);
    throw new AppError("gpu/memory", `The expert budget of ${Math.floor(Math.min(budgetBytes, maxPoolBytes) / MB)} MB is too small: the ${topK} experts of one layer take ${mb} MB. Allow at least ${mb} MB.`, {
      data: { smallestMb: mb },
    });
  }
  const perSlotOfAll = recordBytes.reduce((sum, bytes) => sum + bytes, 0);
  const each = Math.floor(budgetBytes / perSlotOfAll);
  if (each >= topK) return ownPools(request, Math.min(each, experts), budgetBytes - each * perSlotOfAll);

  const pools: Pool[] = [];
  let left = budgetBytes;
  let layer = 0;
  for (; layer < recordBytes.length - 1 && left - recordBytes[layer]! * topK >= smallest; layer++) {
    pools.push({ layers: [layer], slots: topK, slotBytes: recordBytes[layer]! });
    left -= recordBytes[layer]! * topK;
  }
  const shared = recordBytes.map((_, index) => index).slice(layer);
  const slotBytes = Math.max(...recordBytes.slice(layer));
  pools.push({ layers: shared, slots: Math.min(Math.floor(Math.min(left, maxPoolBytes) / slotBytes), shared.length * experts), slotBytes });
  return pools;
}

/** One pool a layer with `each` slots; what is left over gives the first layers one more. */
function ownPools({ recordBytes, experts, maxPoolBytes }: PoolRequest, each: number, leftBytes: number): readonly Pool[] {
  let left = leftBytes;
  return recordBytes.map((slotBytes, layer) => {
    const extra = each < experts && left >= slotBytes ? 1 : 0;
    left -= extra * slotBytes;
    return { layers: [layer], slots: Math.min(each + extra, Math.floor(maxPoolBytes / slotBytes)), slotBytes };
  });
}
