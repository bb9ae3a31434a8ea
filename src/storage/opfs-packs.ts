// The pack files in the origin private file system: where they lie, who has them open. A handle is exclusive; one that was
// just closed, or whose worker was just ended by a reload, may be held for a moment longer, so it is asked for again.
import { AppError } from "../base/errors.ts";
import { sha256Hex } from "../base/digest.ts";
import type { PackFolder, PackHandle } from "./pack-file.ts";

type WorkerFileHandle = FileSystemFileHandle & { createSyncAccessHandle(): Promise<PackHandle> };

const FOLDER = "tabwright-models";
const LOCKED_MS = 3000;
const AGAIN_MS = 100;

/** Only in a worker of one page: pages and shared workers have no synchronous handles. */
export function hasPacks(): boolean {
  return "navigator" in globalThis && "storage" in navigator && "getDirectory" in navigator.storage && "FileSystemFileHandle" in globalThis && "createSyncAccessHandle" in FileSystemFileHandle.prototype;
}

export const OPFS_PACKS: PackFolder = {
  async open({ id, name }, create) {
    if (!hasPacks()) throw new AppError("storage/unavailable", `This browser cannot open the fast storage that ${name} is in from here. Open it in a tab of its own, or load the model again into the database.`);
    const file = await fileOf(id, create);
    if (!file) return undefined;
    return whenFree(name, () => (file as WorkerFileHandle).createSyncAccessHandle());
  },
  async remove({ id, name }) {
    const bytes = await this.bytes({ id, name });
    const folder = await folderOf(false);
    if (bytes > 0 && folder) await whenFree(name, async () => folder.removeEntry(await fileName(id)));
    return bytes;
  },
  async bytes(entry) {
    return (await this.snapshot(entry))?.size ?? 0;
  },
  async snapshot({ id }) {
    return (await fileOf(id, false))?.getFile();
  },
};

/** Ids are names of files, longer than a name here may be. */
async function fileName(id: string): Promise<string> {
  return `${await sha256Hex(new TextEncoder().encode(id))}.pack`;
}

function folderOf(create: boolean): Promise<FileSystemDirectoryHandle | undefined> {
  return found(async () => (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create }));
}

async function fileOf(id: string, create: boolean): Promise<FileSystemFileHandle | undefined> {
  const folder = await folderOf(create);
  return folder && found(async () => folder.getFileHandle(await fileName(id), { create }));
}

async function found<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "NotFoundError") return undefined;
    throw new AppError("storage/unavailable", "The browser's file storage cannot be opened: it may be a private window, or storage is blocked for this site.", { cause });
  }
}

async function whenFree<T>(name: string, work: () => Promise<T>): Promise<T> {
  const until = performance.now() + LOCKED_MS;
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      if (!(cause instanceof DOMException) || cause.name !== "NoModificationAllowedError") throw new AppError("storage/unavailable", `The browser's file storage failed for ${name}. Reload the page.`, { cause });
      if (performance.now() > until) {
        throw new AppError("storage/locked", `${name} is in use: it is loaded here or in another tab. Load another model there, or close it, then try again.`, { cause });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}
