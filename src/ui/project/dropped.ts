// What was dropped on the page or into a field: folders with a handle where the browser gives one, zips, files, text.
// A DataTransfer is empty as soon as its event is over, so everything is taken hold of before anything is awaited.
import { throwIfAborted } from "../../base/errors.ts";
import { type FileHandle, type FolderHandle, type PickedFile, readFileList } from "../../project/folder.ts";
import type { FileTree } from "../../project/tree.ts";
import type { Incoming } from "./incoming.ts";
import { readPickedFolder, readZipFile } from "./project-source.ts";

export type Dropped =
  /** A folder or a zip: a whole project. */
  | { readonly kind: "project"; readonly incoming: Incoming }
  /** Single files, by name; of several folders and files the paths below each. */
  | { readonly kind: "files"; readonly files: FileTree }
  /** GGUF files and nothing else: a model, or all parts of a split one. */
  | { readonly kind: "model"; readonly model: readonly File[] }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "nothing" };

type Item = FileSystemHandle | FileSystemEntry | File;

/** Are there files in what is dragged over the page? Their names are hidden until they are dropped. */
export function carriesFiles(data: DataTransfer | null): boolean {
  return data?.types.includes("Files") === true;
}

/** Call it in the drop event itself. Throws `project/archive` for what cannot be taken in. */
export function readDropped(data: DataTransfer, signal?: AbortSignal): Promise<Dropped> {
  const text = data.getData("text/plain");
  const taken = [...data.items].filter(({ kind }) => kind === "file").map(take);
  return readTaken(taken, text, signal);
}

interface HandleItem {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

/** A handle, where there is one: it can be written back to. Else an entry (it may be a folder), else the file. */
function take(item: DataTransferItem): Promise<Item | null> {
  const plainFile = item.webkitGetAsEntry() ?? item.getAsFile();
  const handle = (item as HandleItem).getAsFileSystemHandle?.();
  return handle ? handle.then((found) => found ?? plainFile) : Promise.resolve(plainFile);
}

async function readTaken(taken: readonly Promise<Item | null>[], text: string, signal?: AbortSignal): Promise<Dropped> {
  const items = (await Promise.all(taken)).filter((item) => item !== null);
  const [only] = items;
  if (items.length === 1 && only && isFolder(only)) {
    if (only instanceof FileSystemHandle) return { kind: "project", incoming: await readPickedFolder(only as FileSystemDirectoryHandle, signal) };
    return { kind: "project", incoming: { name: only.name, files: await readFileList(await filesOf(items, signal), undefined, signal), origin: { kind: "folder" } } };
  }
  if (items.length > 0 && items.every((item) => !isFolder(item) && /\.gguf$/i.test(item.name))) return { kind: "model", model: await Promise.all(items.map(fileOf)) };
  const files = await filesOf(items, signal);
  const [first] = files;
  if (files.length === 1 && first instanceof File && /\.zip$/i.test(first.name)) return { kind: "project", incoming: await readZipFile(first, signal) };
  if (files.length > 0) {
    // Below a common name, which reading takes off: here single names are paths already.
    const below = files.map((file) => ({ ...plain(file), webkitRelativePath: `dropped/${file.webkitRelativePath || file.name}` }));
    return { kind: "files", files: await readFileList(below, undefined, signal) };
  }
  return text.trim() === "" ? { kind: "nothing" } : { kind: "text", text };
}

function fileOf(item: Item): Promise<File> {
  if (item instanceof File) return Promise.resolve(item);
  if (item instanceof FileSystemHandle) return (item as FileSystemFileHandle).getFile();
  return new Promise((resolve, reject) => (item as FileSystemFileEntry).file(resolve, reject));
}

function plain(file: PickedFile): PickedFile {
  return { name: file.name, size: file.size, arrayBuffer: () => file.arrayBuffer() };
}

function isFolder(item: Item): item is FileSystemDirectoryHandle | FileSystemDirectoryEntry {
  return item instanceof FileSystemHandle ? item.kind === "directory" : "isDirectory" in item && item.isDirectory;
}

/** All files of all items, with their paths from the item's own name on. */
async function filesOf(items: readonly Item[], signal?: AbortSignal): Promise<PickedFile[]> {
  const found: PickedFile[] = [];
  for (const item of items) {
    throwIfAborted(signal, "Reading what was dropped");
    if (item instanceof File) found.push(item);
    else if (item instanceof FileSystemHandle) await walkHandle(item as unknown as FolderHandle | FileHandle, "", found);
    else await walkEntry(item, "", found, signal);
  }
  return found;
}

async function walkHandle(handle: FolderHandle | FileHandle, prefix: string, found: PickedFile[]): Promise<void> {
  const path = prefix + handle.name;
  if (handle.kind === "file") {
    const file = await handle.getFile();
    found.push(prefix === "" ? file : { ...plain(file), webkitRelativePath: path });
    return;
  }
  if (handle.name === "node_modules" || handle.name === ".git") return;
  for await (const [, entry] of handle.entries()) await walkHandle(entry, `${path}/`, found);
}

/** The older interface gives a folder's entries in pieces until an empty one. */
async function walkEntry(entry: FileSystemEntry, prefix: string, found: PickedFile[], signal?: AbortSignal): Promise<void> {
  throwIfAborted(signal, "Reading what was dropped");
  const path = prefix + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push(prefix === "" ? file : { ...plain(file), webkitRelativePath: path });
    return;
  }
  if (entry.name === "node_modules" || entry.name === ".git") return;
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    for (const child of entries) await walkEntry(child, `${path}/`, found, signal);
  }
}
