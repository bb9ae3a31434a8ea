// /dev/null, which lies in no folder here: empty when it is read, and whatever is written to it is gone.
import type { Vfs, VfsNode, VfsStat } from "../../vfs.ts";

const PATH = "/dev/null";

export const NULL_NODE: VfsNode = { kind: "file", ino: 4, mode: 0o666, links: 1, atimeMs: 0, mtimeMs: 0, ctimeMs: 0, birthtimeMs: 0, data: new Uint8Array() };

/** A character device. */
export const NULL_STAT: VfsStat = { kind: "file", ino: 4, mode: 0o020666, size: 0, links: 1, atimeMs: 0, mtimeMs: 0, ctimeMs: 0, birthtimeMs: 0 };

/** Unless a project has brought a file of that name. */
export const isNull = (vfs: Vfs, path: string): boolean => path === PATH && !vfs.exists(path);
