// A task as the files of its folder: task.json, files/, hidden/, solution/, packages/.
import { encodeText } from "../project/text.ts";
import type { FileTree } from "../project/tree.ts";
import type { Task } from "./task.ts";

/** Paths relative to the task's folder. */
export function taskTree({ files, hidden, solution, packages, ...manifest }: Task): FileTree {
  const below = (folder: string, tree: FileTree): [string, Uint8Array][] => [...tree].map(([path, bytes]) => [`${folder}/${path}`, bytes]);
  return new Map([
    ["task.json", encodeText(`${JSON.stringify(manifest, null, 2)}\n`)],
    ...below("files", files),
    ...below("hidden", hidden),
    ...below("solution", solution),
    ...(packages ? below("packages", packages) : []),
  ]);
}
