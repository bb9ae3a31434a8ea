// Where a project can come from, and how it leaves. Every source ends in the same value: a name and a tree of files.
import { readZip, writeZip } from "../project/archive.ts";
import { demoProject } from "../project/demo.ts";
import { readFileList, readFolder } from "../project/folder.ts";
import type { FileTree } from "../project/tree.ts";
import type { PickedFolder } from "./file-picker.ts";

export interface OpenedProject {
  readonly name: string;
  readonly files: FileTree;
}

export type ProjectSource = { readonly kind: "folder"; readonly folder: PickedFolder } | { readonly kind: "zip"; readonly file: File };

/** The project that is open when nothing else is. */
export function openDemo(): OpenedProject {
  return { name: "corner-shop (demo)", files: demoProject() };
}

/** Throws `project/archive` or `project/path` naming the entry; nothing is opened then. */
export async function openProject(source: ProjectSource, signal?: AbortSignal): Promise<OpenedProject> {
  if (source.kind === "zip") {
    return { name: source.file.name.replace(/\.zip$/i, ""), files: readZip(new Uint8Array(await source.file.arrayBuffer())) };
  }
  const { folder } = source;
  if ("entries" in folder && "kind" in folder) return { name: folder.name, files: await readFolder(folder, undefined, signal) };
  const name = folder[0]?.webkitRelativePath.split("/")[0];
  return { name: name || "folder", files: await readFileList(folder, undefined, signal) };
}

export { writeZip as zipOf };
