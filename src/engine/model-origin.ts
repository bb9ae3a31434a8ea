// Where a stored model came from, opened again: the user's own files by the handles that were kept, or the addresses they were
// fetched from. For models that are read in place, and for what is damaged in storage.
import { AppError } from "../base/errors.ts";
import { RemoteSource } from "../download/remote-source.ts";
import { blobSource, type ByteSource, joinedSource } from "../gguf/source.ts";
import { type CatalogueEntry, type Database, type KeptHandles, type OriginFile, reading, writing } from "../storage/database.ts";

interface AskableHandle extends FileSystemFileHandle {
  queryPermission?(options: { readonly mode: "read" }): Promise<PermissionState>;
  requestPermission?(options: { readonly mode: "read" }): Promise<PermissionState>;
}

/** Whether the files of these handles may be read now. With `ask`, which needs a click, the browser asks the user where it must. */
export async function mayRead(handles: readonly AskableHandle[], ask: boolean): Promise<boolean> {
  for (const handle of handles) {
    const state = ask ? await handle.requestPermission?.({ mode: "read" }) : await handle.queryPermission?.({ mode: "read" });
    if ((state ?? "granted") !== "granted") return false;
  }
  return true;
}

/** Remembers the user's files under a model's id: `load` finds them there, after a reload too. */
export async function keepHandles(database: Database, id: string, handles: readonly FileSystemFileHandle[], inPlace: boolean): Promise<void> {
  await writing("the choice of files", 1000, () => database.put("handles", { id, handles, inPlace }));
}

/** Nothing where the files were given without handles, or the model is not from the user's disk. */
export function keptHandles(database: Database, id: string): Promise<KeptHandles | undefined> {
  return reading(() => database.get("handles", id));
}

/** The files as they are on the disk now, and what is to be remembered of them. Undefined when there are no handles. Throws `storage/file`. */
export async function openHandles(database: Database, id: string): Promise<{ readonly source: ByteSource; readonly files: readonly OriginFile[]; readonly inPlace: boolean } | undefined> {
  const kept = await keptHandles(database, id);
  if (!kept || kept.handles.length === 0) return undefined;
  const files = await Promise.all(kept.handles.map((handle) => openHandle(handle, id)));
  return { source: filesSource(files), files: files.map(originFile), inPlace: kept.inPlace };
}

/** One file, or all parts of a split one in any order. */
export function filesSource(files: readonly File[]): ByteSource {
  const parts = files.map((file) => blobSource(file.name, file));
  return parts.length === 1 ? parts[0]! : joinedSource(parts);
}

export function originFile({ name, size, lastModified }: File): OriginFile {
  return { name, bytes: size, lastModified };
}

/** What the model was stored from, if it can be had. Throws `storage/file` for files that may not be read, or are others now. */
export async function openOrigin(database: Database, entry: CatalogueEntry): Promise<ByteSource | undefined> {
  const own = await openHandles(database, entry.id);
  if (own) {
    checkUnchanged(entry, own.files);
    return own.source;
  }
  const remote = entry.files?.flatMap(({ name, bytes, url }) => (url === undefined ? [] : [new RemoteSource({ name, url, bytes })])) ?? [];
  if (remote.length === 0 || remote.length !== entry.files?.length) return undefined;
  return remote.length === 1 ? remote[0] : joinedSource(remote);
}

async function openHandle(handle: AskableHandle, id: string): Promise<File> {
  const fail = (reason: "permission" | "gone", why: string, cause?: unknown): AppError => new AppError("storage/file", `${handle.name} ${why}`, { data: { model: id, reason }, cause });
  if (!(await mayRead([handle], false))) {
    throw fail("permission", "may not be read until you allow it again, as after every reload.");
  }
  try {
    return await handle.getFile();
  } catch (cause) {
    throw fail("gone", "is no longer where it was. Choose the file again.", cause);
  }
}

function checkUnchanged(entry: CatalogueEntry, found: readonly OriginFile[]): void {
  for (const known of entry.files ?? []) {
    const file = found.find(({ name }) => name === known.name) ?? (found.length === 1 && entry.files?.length === 1 ? found[0] : undefined);
    const sameTime = known.lastModified === undefined || file?.lastModified === known.lastModified;
    if (file && file.bytes === known.bytes && sameTime) continue;
    const what = !file ? "is no longer there" : file.bytes !== known.bytes ? `has ${file.bytes} bytes now and had ${known.bytes}` : "was written to since it was opened";
    throw new AppError("storage/file", `${known.name} ${what}. Choose the file again: it is then read as a new one.`, { data: { model: entry.id, reason: "changed" } });
  }
}
