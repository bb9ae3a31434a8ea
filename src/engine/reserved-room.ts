// Room for what the user makes while a model fills the disk: a few MB are taken before a download writes and given back when
// it finds the storage full, so that chats and projects are still saved then.
import { AppError, rethrowIfFatal, toAppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { openShelf } from "../storage/shelf.ts";

const KEY = "reserved-room";

/** Throws `storage/quota` with what is missing, `neededBytes` of the model included. */
export async function reserveRoom(neededBytes: number): Promise<void> {
  try {
    const shelf = await openShelf<Uint8Array>("settings");
    if ((await shelf.get(KEY)) === undefined) await shelf.put(KEY, noise(LIMITS.reservedBytes));
  } catch (error) {
    if (toAppError(error).code !== "storage/quota") throw error;
    const missing = neededBytes + LIMITS.reservedBytes;
    throw new AppError("storage/quota", `The browser has no room for the model: ${Math.ceil(missing / 1e6)} MB more are needed. Free disk space or delete a model, then go on; what is stored is kept.`, { data: { neededBytes: missing }, cause: error });
  }
}

/** Nothing where nothing is reserved. */
export async function giveRoomBack(): Promise<void> {
  try {
    await (await openShelf<Uint8Array>("settings")).delete(KEY);
  } catch (error) {
    rethrowIfFatal(error); // a storage that is gone holds no room
  }
}

/** Bytes that no file system stores as a hole. */
function noise(bytes: number): Uint8Array {
  const all = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(all.subarray(at, Math.min(bytes, at + 65_536)));
  return all;
}
