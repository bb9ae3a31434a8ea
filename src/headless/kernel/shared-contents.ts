// File contents in memory that all processes see. A process starts from the whole tree, cloned; where the page is isolated
// (it may have SharedArrayBuffer) contents are not cloned with it, so a start does not cost more the more bytes there are.
// Elsewhere they are. A process that writes into them breaks its own project's files, which it may do anyway.
import type { DirNode, FileNode } from "../vfs.ts";

/** Fewer fresh bytes than this are cloned: a block for each small change would be more work. */
const LEAST_BYTES = 64 * 1024;
/** How much more than what is used may be held, by blocks of which part was overwritten, before all is packed anew. */
const SLACK_BYTES = 32 * 1024 * 1024;

/** Moves the contents below `root` that are not shared yet; nothing where the page may not share memory. */
export function shareContents(root: DirNode): void {
  if (globalThis.crossOriginIsolated !== true) return;
  let fresh: FileNode[] = [];
  const shared: FileNode[] = [];
  const blocks = new Set<ArrayBufferLike>();
  let [freshBytes, sharedBytes] = [0, 0];
  const visit = (dir: DirNode): void => {
    for (const node of dir.entries.values()) {
      if (node.kind === "dir") visit(node);
      else if (node.kind === "file" && node.data.buffer instanceof SharedArrayBuffer) {
        shared.push(node);
        blocks.add(node.data.buffer);
        sharedBytes += node.data.length;
      } else if (node.kind === "file" && node.data.length > 0) {
        fresh.push(node);
        freshBytes += node.data.length;
      }
    }
  };
  visit(root);
  const heldBytes = [...blocks].reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (heldBytes > 2 * sharedBytes + SLACK_BYTES) {
    fresh = [...fresh, ...shared];
    freshBytes += sharedBytes;
  }
  if (freshBytes < LEAST_BYTES) return;
  let block: SharedArrayBuffer;
  try {
    block = new SharedArrayBuffer(freshBytes);
  } catch (error) {
    if (error instanceof RangeError) return; // no room for a second copy: they are cloned as they are
    throw error;
  }
  let at = 0;
  for (const node of fresh) {
    const view = new Uint8Array(block, at, node.data.length);
    view.set(node.data);
    node.data = view;
    at += view.length;
  }
}
