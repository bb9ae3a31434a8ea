// Where the widget's engine may keep its model. A browser gives a frame in another site's page storage of its own, so the
// model would be fetched once for every site; where it offers the Storage Access API beyond cookies, the frame may use
// what this site stored before. That handle's storage is the window's only, but its SharedWorker lives there wholly: so
// the engine runs in one. (Chromium 143: it has WebGPU and OPFS; 2026-11. Can go when workers can be given a handle.)
import type { SharedEngineWorker } from "../../engine/client.ts";
import inferenceUrl from "../../../workers/inference.ts?worker&url";
import { listModels } from "../../storage/catalogue.ts";
import { openDatabase } from "../../storage/database.ts";

/** What we use of https://privacycg.github.io/saa-non-cookie-storage/ */
interface StorageHandle {
  readonly indexedDB: IDBFactory;
  readonly locks: LockManager;
  SharedWorker(url: string, options: WorkerOptions): SharedWorker;
}
interface StorageAccessDocument {
  requestStorageAccess?(types: { readonly indexedDB: true; readonly locks: true; readonly SharedWorker: true }): Promise<StorageHandle | undefined>;
}

/** This site's own storage, as a frame in another site's page was given it. */
export interface SharedStorage {
  readonly hasModel: boolean;
  /** A worker of this frame alone; it ends with the frame. */
  startWorker(): SharedEngineWorker;
}

/** `none`: the browser stores nothing for this frame. */
export type OwnStorage = "model" | "empty" | "none";

/** What is in the storage that the frame has without asking. */
export async function ownStorage(): Promise<OwnStorage> {
  try {
    return (await hasModel(indexedDB)) ? "model" : "empty";
  } catch {
    return "none"; // said in the widget's banner
  }
}

async function hasModel(factory: IDBFactory): Promise<boolean> {
  const database = await openDatabase("tabwright", factory);
  try {
    return (await listModels(database)).some(({ complete, source }) => complete && source === "bundled");
  } finally {
    database.close();
  }
}

/** Told by a method of the same specification: asking where only cookies can be had would trouble the reader for nothing. */
export function canAskForSharedStorage(): boolean {
  return "requestStorageAccess" in document && "hasUnpartitionedCookieAccess" in document;
}

/** Was it granted before? Then asking needs no click. */
export async function mayShareStorage(): Promise<boolean> {
  if (!canAskForSharedStorage()) return false;
  try {
    return (await navigator.permissions.query({ name: "storage-access" })).state === "granted";
  } catch (error) {
    if (error instanceof TypeError) return false; // a browser that does not know the name
    throw error;
  }
}

/** Asks the browser, which may ask the reader; needs a click in this frame unless it was granted before. Undefined: refused. */
export async function askForSharedStorage(): Promise<SharedStorage | undefined> {
  try {
    const handle = await (document as StorageAccessDocument).requestStorageAccess?.({ indexedDB: true, locks: true, SharedWorker: true });
    if (!handle) return undefined; // a browser that gives cookies only
    return {
      hasModel: await hasModel(handle.indexedDB),
      startWorker() {
        const worker = handle.SharedWorker(inferenceUrl, { type: "module", name: `inference ${crypto.randomUUID()}` });
        return { port: worker.port, locks: handle.locks, addEventListener: (type, listener) => worker.addEventListener(type, listener) };
      },
    };
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}
