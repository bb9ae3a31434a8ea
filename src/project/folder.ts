// Projects out of folders on the user's disk: a directory handle (File System Access) or the list of files that an
// `<input webkitdirectory>` gives. node_modules and .git are never entered. write-back.ts goes the other way.
import { throwIfAborted } from "../base/errors.ts";
import { Intake, INTAKE_LIMITS, type IntakeLimits } from "./intake.ts";
import { isIgnoredPath } from "./paths.ts";
import type { FileTree } from "./tree.ts";

/** What is needed of a `FileSystemDirectoryHandle`. */
export interface FolderHandle {
  readonly kind: "directory";
  readonly name: string;
  entries(): AsyncIterable<[string, FolderHandle | FileHandle]>;
}
export interface FileHandle {
  readonly kind: "file";
  readonly name: string;
  getFile(): Promise<PickedFile>;
}
/** What is needed of a `File`. */
export interface PickedFile {
  readonly name: string;
  readonly size: number;
  readonly webkitRelativePath?: string;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** All files below the handle. Throws `project/archive` when there are too many, too large or badly named ones. */
export async function readFolder(folder: FolderHandle, limits: IntakeLimits = INTAKE_LIMITS, signal?: AbortSignal): Promise<FileTree> {
  const intake = new Intake("folder", limits);
  const pending: [string, FolderHandle][] = [["", folder]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [prefix, handle] = next;
    for await (const [name, entry] of handle.entries()) {
      throwIfAborted(signal, "Opening the folder");
      const path = prefix + name;
      if (isIgnoredPath(path)) continue;
      if (entry.kind === "directory") pending.push([`${path}/`, entry]);
      else await take(intake, path, await entry.getFile());
    }
  }
  return intake.finish();
}

/** The files of an `<input webkitdirectory>`; the chosen folder's own name is taken off their paths. */
export async function readFileList(files: readonly PickedFile[], limits: IntakeLimits = INTAKE_LIMITS, signal?: AbortSignal): Promise<FileTree> {
  const intake = new Intake("folder", limits);
  for (const file of files) {
    throwIfAborted(signal, "Opening the folder");
    const path = (file.webkitRelativePath || file.name).replace(/^[^/]+\//, "");
    if (!isIgnoredPath(path)) await take(intake, path, file);
  }
  return intake.finish();
}

async function take(intake: Intake, name: string, file: PickedFile): Promise<void> {
  const path = intake.claim(name);
  if (file.size > intake.room) throw intake.tooLarge(path);
  intake.add(path, new Uint8Array(await file.arrayBuffer()));
}
