// The GPU memory that the user allows a model, kept in the browser's storage.
import { rethrowIfFatal } from "../../base/errors.ts";
import { openShelf } from "../../storage/shelf.ts";

const KEY = "gpu-mb";

/** MB that the user allows; undefined: as is guessed of the device. A browser that stores nothing has none. */
export async function keptBudget(): Promise<number | undefined> {
  try {
    const value = await (await openShelf<unknown>("settings")).get(KEY);
    return typeof value === "number" && value > 0 ? value : undefined;
  } catch (error) {
    rethrowIfFatal(error);
    return undefined;
  }
}

/** Undefined forgets it. Throws `storage/…`. */
export async function keepBudget(mb: number | undefined): Promise<void> {
  const shelf = await openShelf<unknown>("settings");
  await (mb === undefined ? shelf.delete(KEY) : shelf.put(KEY, mb));
}
