// Where a project can come from. Every source ends in the same value: a name, a tree of files and where they are from.
// Each throws `project/archive`, `project/path` or `download/…` with a sentence; nothing is opened then.
import { readZip } from "../../project/archive.ts";
import { demoProject } from "../../project/demo.ts";
import { readFileList, readFolder } from "../../project/folder.ts";
import { openGitHub, type GitHubProgress } from "../../project/github.ts";
import { readGitHubAddress } from "../../project/github-address.ts";
import type { FileTree } from "../../project/tree.ts";
import { knownFolder } from "../../project/write-back.ts";
import type { PickedFolder } from "./file-picker.ts";
import type { Incoming } from "./incoming.ts";

export interface OpenedProject {
  readonly name: string;
  readonly files: FileTree;
}

/** The project that is open when nothing else is. */
export function openDemo(): OpenedProject {
  return { name: "corner-shop (demo)", files: demoProject() };
}

/** With what is needed to write back, where the browser gives a handle. */
export async function readPickedFolder(folder: PickedFolder, signal?: AbortSignal): Promise<Incoming> {
  if ("kind" in folder) {
    const files = await readFolder(folder, undefined, signal);
    return { name: folder.name || "folder", files, origin: { kind: "folder", handle: folder, known: await knownFolder(files) } };
  }
  const name = folder[0]?.webkitRelativePath.split("/")[0];
  return { name: name || "folder", files: await readFileList(folder, undefined, signal), origin: { kind: "folder" } };
}

export async function readZipFile(file: File, signal?: AbortSignal): Promise<Incoming> {
  return { name: file.name.replace(/\.zip$/i, "") || "zip", files: await readZip(new Uint8Array(await file.arrayBuffer()), undefined, signal), origin: { kind: "zip" } };
}

export interface GitHubRequest {
  readonly repository: string;
  readonly ref: string;
  readonly folder: string;
  /** "" for none; it is not kept. */
  readonly token: string;
}

export async function readGitHub({ repository, ref, folder, token }: GitHubRequest, onProgress: (progress: GitHubProgress) => void, signal: AbortSignal): Promise<Incoming> {
  const address = readGitHubAddress(repository, ref, folder);
  const { name, files, commit, skipped } = await openGitHub(address, { onProgress, ...(token === "" ? {} : { token }) }, signal);
  return { name, files, origin: { kind: "github", repository: `${address.owner}/${address.repo}`, commit, folder: name.split("/").slice(2).join("/") }, skipped };
}

/** What the files hold together, names not counted. */
export function totalBytes(files: FileTree): number {
  return [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
}
