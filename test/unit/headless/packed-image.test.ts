// A tree that goes from the kernel to a process: packed, cloned by the engine, and unpacked as it is read.
import { describe, expect, it } from "vitest";
import { packImage, unpackImage } from "../../../src/headless/packed-image.ts";
import { Vfs } from "../../../src/headless/vfs.ts";
import type { DirNode, VfsNode } from "../../../src/headless/vfs-node.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const sent = (vfs: Vfs): Vfs => new Vfs(unpackImage(structuredClone(packImage(vfs.image()))));

/** All that a tree says, as plain data. */
function plain(node: VfsNode): unknown {
  if (node.kind !== "dir") return { ...node, ...(node.kind === "file" ? { data: [...node.data] } : {}) };
  const { kind, ino, mode, mtimeMs, ctimeMs, birthtimeMs, atimeMs } = node;
  return { kind, ino, mode, mtimeMs, ctimeMs, birthtimeMs, atimeMs, entries: [...node.entries].map(([name, child]) => [name, plain(child)]) };
}

function made(): Vfs {
  const vfs = new Vfs();
  vfs.mkdir("/a/b", { recursive: true });
  vfs.writeFile("/a/b/ü 🙂.txt", bytes("text"), { mode: 0o755 });
  vfs.writeFile("/a/empty", new Uint8Array());
  vfs.writeFile("/z", bytes("last"));
  vfs.writeFile("/m", bytes("middle"));
  vfs.symlink("../z", "/a/link");
  vfs.mkdir("/none");
  vfs.chmod("/none", 0o700);
  vfs.utimes("/z", 1234, 567);
  vfs.link("/m", "/a/b/m too");
  return vfs;
}

describe("a packed tree", () => {
  it("is the same tree, whatever is in it, names in their order", () => {
    const vfs = made();
    const copy = sent(vfs);
    expect(plain(copy.image().root)).toEqual(plain(vfs.image().root));
    expect({ ...copy.image(), root: 0 }).toEqual({ ...vfs.image(), root: 0 });
    expect(plain(sent(copy).image().root)).toEqual(plain(vfs.image().root));
    expect(plain(copy.clone().image().root)).toEqual(plain(vfs.image().root));
    expect(plain(sent(new Vfs()).image().root)).toMatchObject({ kind: "dir", entries: [] });
  });

  it("has one node for a file of several names", () => {
    const copy = sent(made());
    copy.writeFile("/a/b/m too", bytes("changed"));
    expect(new TextDecoder().decode(copy.readFile("/m"))).toBe("changed");
    expect(copy.stat("/m").links).toBe(2);
    copy.unlink("/m");
    expect(copy.stat("/a/b/m too").links).toBe(1);
  });

  it("is changed without the tree that it came from, and counts as that does", () => {
    const vfs = made();
    const copy = sent(vfs);
    for (const each of [vfs, copy]) {
      each.writeFile("/a/new", bytes("12345"));
      each.removeTree("/a/b");
      each.rename("/z", "/a/z");
    }
    expect(copy.usedBytes).toBe(vfs.usedBytes);
    expect(copy.image().names).toBe(vfs.image().names);
    expect(copy.readdir("/a")).toEqual(vfs.readdir("/a"));
  });

  it("leaves contents in the memory that they share", () => {
    const vfs = new Vfs();
    const block = new SharedArrayBuffer(16);
    const view = new Uint8Array(block, 4, 5);
    view.set(bytes("hello"));
    vfs.writeFile("/shared", view);
    vfs.writeFile("/own", bytes("own"));
    const { root } = unpackImage(packImage(vfs.image()));
    const file = (root as DirNode).entries.get("shared") as { data: Uint8Array };
    expect(file.data.buffer).toBe(block);
    expect([file.data.byteOffset, file.data.length]).toEqual([4, 5]);
  });
});
