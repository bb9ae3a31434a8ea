// Back to the user's folder, and only what they have seen: the folder is read again, compared with the project and with
// what was last known of it, and what changed there meanwhile is a conflict. Each file is read once more right before it
// is written and once after; deletions come first, so that a file may take the place of a folder.
import { AppError, toAppError } from "../base/errors.ts";
import { sameBytes } from "./changed-paths.ts";
import type { FileHandle, FolderHandle } from "./folder.ts";
import { gitBlobId } from "./git-blob.ts";
import type { FileTree } from "./tree.ts";

/** What is needed of a `FileSystemDirectoryHandle` that may be written to. */
export interface WritableFolder extends FolderHandle {
  getDirectoryHandle(name: string, options?: { create?: boolean }): Promise<WritableFolder>;
  getFileHandle(name: string, options?: { create?: boolean }): Promise<WritableFile>;
  removeEntry(name: string): Promise<void>;
}
export interface WritableFile extends FileHandle {
  createWritable(): Promise<{ write(data: Uint8Array<ArrayBuffer>): Promise<void>; close(): Promise<void>; abort(): Promise<void> }>;
}

/** Path → git's name of the content, as the folder was when it was last read or written. */
export type KnownFolder = ReadonlyMap<string, string>;

/** What is known of a folder that was just read. */
export async function knownFolder(files: FileTree): Promise<KnownFolder> {
  return new Map(await Promise.all([...files].map(async ([path, bytes]) => [path, await gitBlobId(bytes)] as const)));
}

/** One difference between folder and project. */
export interface WriteChange {
  readonly path: string;
  /** What writing would do to the folder. */
  readonly kind: "added" | "changed" | "removed";
  /** `conflict`: changed there as well; `theirs`: changed only there, and writing would undo it. */
  readonly state: "ours" | "conflict" | "theirs";
  /** As it is in the folder now, and as it is in the project; absent where there is no such file. */
  readonly disk?: Uint8Array;
  readonly project?: Uint8Array;
}

/** Every difference between folder and project, sorted by path. */
export async function planWriteBack(known: KnownFolder, disk: FileTree, project: FileTree): Promise<WriteChange[]> {
  const changes: WriteChange[] = [];
  for (const path of [...new Set([...disk.keys(), ...project.keys()])].sort()) {
    const [there, here] = [disk.get(path), project.get(path)];
    if (there && here && sameBytes(there, here)) continue;
    const [diskId, projectId] = await Promise.all([there && gitBlobId(there), here && gitBlobId(here)]);
    const before = known.get(path);
    changes.push({
      path,
      kind: !there ? "added" : !here ? "removed" : "changed",
      state: diskId === before ? "ours" : projectId === before ? "theirs" : "conflict",
      ...(there ? { disk: there } : {}),
      ...(here ? { project: here } : {}),
    });
  }
  return changes;
}

/** What became of each file: none is in two lists, and none is missing. */
export interface WriteReport {
  readonly written: readonly string[];
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
  /** After a stop, a full disk or a lost permission. */
  readonly untried: readonly string[];
}

/** Writes the changes the user ticked. Never throws for a file: the report says what became of each. */
export async function writeBack(folder: WritableFolder, changes: readonly WriteChange[], onProgress?: (done: number) => void, signal?: AbortSignal): Promise<WriteReport> {
  const order = [...changes.filter(({ kind }) => kind === "removed"), ...changes.filter(({ kind }) => kind !== "removed")];
  const written: string[] = [];
  const failed: { path: string; reason: string }[] = [];
  for (const [index, change] of order.entries()) {
    const rest = () => order.slice(failed.length + written.length).map(({ path }) => path);
    if (signal?.aborted) return { written, failed, untried: rest() };
    try {
      await writeOne(folder, change);
      written.push(change.path);
    } catch (error) {
      failed.push({ path: change.path, reason: reasonOf(error) });
      if (error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "QuotaExceededError")) return { written, failed, untried: rest() };
    }
    onProgress?.(index + 1);
  }
  return { written, failed, untried: [] };
}

/** What is known of the folder from now on: what was written, and what is the same on both sides anyway. */
export async function knownAfter(known: KnownFolder, changes: readonly WriteChange[], written: readonly string[], disk: FileTree): Promise<KnownFolder> {
  const different = new Map(changes.map((change) => [change.path, change]));
  const done = new Set(written);
  const next = new Map(await knownFolder(new Map([...disk].filter(([path]) => !different.has(path)))));
  for (const [path, change] of different) {
    const id = done.has(path) ? change.project && (await gitBlobId(change.project)) : known.get(path);
    if (id !== undefined) next.set(path, id);
  }
  return next;
}

async function writeOne(folder: WritableFolder, { path, disk, project }: WriteChange): Promise<void> {
  const now = await readFile(folder, path);
  if (disk ? !now || !sameBytes(now, disk) : now !== undefined) throw refusal("it was changed in the folder while the list was open; look at it again");
  const names = path.split("/");
  const name = names.pop()!;
  if (!project) return removeFile(folder, names, name);
  let parent = folder;
  for (const part of names) parent = await parent.getDirectoryHandle(part, { create: true });
  try {
    await fill(await makeFile(parent, name), project);
  } catch (error) {
    // A new file was made empty, to be filled. If that goes wrong too, the first error is the one to tell.
    if (!disk) await parent.removeEntry(name).catch(() => undefined);
    throw error;
  }
  const after = await readFile(folder, path);
  if (!after || !sameBytes(after, project)) throw refusal("the folder holds something else than was written; another program may be changing it");
}

/** All of it or nothing: the browser writes beside the file and puts it in place on close. */
async function fill(file: WritableFile, bytes: Uint8Array): Promise<void> {
  const writable = await file.createWritable();
  try {
    await writable.write(new Uint8Array(bytes));
    await writable.close();
  } catch (error) {
    await writable.abort().catch(() => undefined); // it may be closed already
    throw error;
  }
}

/** Folders that become empty go too, as git has it. */
async function removeFile(folder: WritableFolder, parents: readonly string[], name: string): Promise<void> {
  const chain = [folder];
  for (const part of parents) chain.push(await chain.at(-1)!.getDirectoryHandle(part));
  await chain.at(-1)!.removeEntry(name);
  for (let depth = parents.length; depth > 0; depth--) {
    for await (const entry of chain[depth]!.entries()) if (entry) return;
    await chain[depth - 1]!.removeEntry(parents[depth - 1]!);
  }
}

/** An empty folder of the same name makes room. */
async function makeFile(parent: WritableFolder, name: string): Promise<WritableFile> {
  try {
    return await parent.getFileHandle(name, { create: true });
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "TypeMismatchError") throw error;
    await parent.removeEntry(name);
    return parent.getFileHandle(name, { create: true });
  }
}

/** Undefined where there is no such file. */
async function readFile(folder: WritableFolder, path: string): Promise<Uint8Array | undefined> {
  const names = path.split("/");
  const name = names.pop()!;
  try {
    let parent = folder;
    for (const part of names) parent = await parent.getDirectoryHandle(part);
    return new Uint8Array(await (await (await parent.getFileHandle(name)).getFile()).arrayBuffer());
  } catch (error) {
    if (error instanceof DOMException && (error.name === "NotFoundError" || error.name === "TypeMismatchError")) return undefined;
    throw error;
  }
}

function refusal(reason: string): AppError {
  return new AppError("project/write-back", reason);
}

/** DOMException names as Chrome 143 gives them for files. */
const REASONS: Readonly<Record<string, string>> = {
  NotAllowedError: "the permission to write to the folder is gone; allow it and write again",
  QuotaExceededError: "the disk is full; make room and write again",
  NoModificationAllowedError: "the file is locked by another program or by the system",
  InvalidModificationError: "a folder of this name is in the way and is not empty",
  TypeMismatchError: "a folder is where the file should be, or the other way round",
  NotFoundError: "the folder is no longer there",
  InvalidStateError: "the file changed on the disk at the same moment; write again",
  TypeError: "the file system does not allow this name",
};

function reasonOf(error: unknown): string {
  if (error instanceof AppError) return error.message;
  const name = error instanceof Error ? error.name : "";
  return REASONS[name] ?? `the browser refused: ${toAppError(error).message}`;
}
