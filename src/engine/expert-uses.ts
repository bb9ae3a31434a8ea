// How often each expert of a model was used, kept from visit to visit: after loading, those used most are read ahead. Losing
// it costs nothing but a slower first answer, so a browser that stores nothing is no error here.
import { rethrowIfFatal } from "../base/errors.ts";
import { openShelf } from "../storage/shelf.ts";

/** Layer by layer: `[experts]` each. */
export type ExpertUses = readonly Uint32Array[];

const KEY = "expert-uses-";

/** Undefined where nothing is known of the model. */
export async function loadUses(model: string): Promise<ExpertUses | undefined> {
  try {
    const known = await (await openShelf<unknown>("settings")).get(KEY + model);
    return Array.isArray(known) && known.every((layer) => layer instanceof Uint32Array) ? known : undefined;
  } catch (error) {
    rethrowIfFatal(error);
    return undefined;
  }
}

export async function keepUses(model: string, uses: ExpertUses): Promise<void> {
  try {
    await (await openShelf<ExpertUses>("settings")).put(KEY + model, uses);
  } catch (error) {
    rethrowIfFatal(error);
  }
}

/** Of a model that is deleted. */
export async function forgetUses(model: string): Promise<void> {
  try {
    await (await openShelf("settings")).delete(KEY + model);
  } catch (error) {
    rethrowIfFatal(error);
  }
}

/** This visit's uses, and those of earlier ones at half their weight. */
export function usesTogether(before: ExpertUses | undefined, now: ExpertUses): ExpertUses {
  return now.map((layer, index) => layer.map((uses, expert) => uses + ((before?.[index]?.[expert] ?? 0) >>> 1)));
}
