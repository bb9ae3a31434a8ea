import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Checkpoints, type Restorable, treeHash } from "../../src/project/checkpoints.ts";
import type { FileTree } from "../../src/project/tree.ts";
import { textOf, treeOf } from "../support/trees.ts";

/** A project that is only its files. */
class Folder implements Restorable {
  files: FileTree;
  constructor(files: FileTree) {
    this.files = files;
  }
  snapshot(): Promise<FileTree> {
    return Promise.resolve(new Map([...this.files].map(([path, bytes]) => [path, bytes.slice()])));
  }
  restore(tree: FileTree): Promise<void> {
    this.files = new Map(tree);
    return Promise.resolve();
  }
}

describe("checkpoints", () => {
  it("go back and forward again to any state, files that a command made included", async () => {
    const folder = new Folder(treeOf({ "a.js": "1" }));
    const points = new Checkpoints();
    const first = await points.record(folder.files, "Start");
    folder.files = treeOf({ "a.js": "2", "made-by-shell.txt": "x" });
    const second = await points.record(folder.files, "Ran a command");
    folder.files = treeOf({ "made-by-shell.txt": "x" });
    const third = await points.record(folder.files, "Removed a.js");

    await points.restore(second.id, folder);
    expect([...folder.files.keys()]).toEqual(["a.js", "made-by-shell.txt"]);
    await points.restore(first.id, folder);
    expect([...folder.files.keys()]).toEqual(["a.js"]);
    await points.restore(third.id, folder);
    expect([...folder.files.keys()]).toEqual(["made-by-shell.txt"]);
    expect(points.entries).toHaveLength(3);
  });

  it("keep what was changed by hand before a restore", async () => {
    const folder = new Folder(treeOf({ "a.js": "1" }));
    const points = new Checkpoints();
    const start = await points.record(folder.files, "Start");
    folder.files = treeOf({ "a.js": "by hand" });
    await points.restore(start.id, folder);
    expect(textOf(folder.files, "a.js")).toBe("1");
    await points.restore(points.entries.at(-1)!.id, folder);
    expect(textOf(folder.files, "a.js")).toBe("by hand");
  });

  it("name the state they were made from, and keep both branches", async () => {
    const folder = new Folder(treeOf({ "a.js": "1" }));
    const points = new Checkpoints();
    const first = await points.record(folder.files, "1");
    await points.record(treeOf({ "a.js": "2" }), "2");
    folder.files = treeOf({ "a.js": "2" });
    await points.restore(first.id, folder);
    const third = await points.record(treeOf({ "a.js": "3" }), "3");
    expect(third.parent).toBe(first.id);
    expect(points.entries.map(({ label }) => label)).toEqual(["1", "2", "3"]);
  });

  it("take another name and stay what they are", async () => {
    const points = new Checkpoints();
    const first = await points.record(treeOf({ a: "1" }), "Opened");
    points.rename(first.id, "Before the release");
    expect(points.current).toEqual({ ...first, label: "Before the release" });
    expect(() => points.rename("7", "x")).toThrow(/no checkpoint 7/);
  });

  it("store equal files once and do not record a state twice", async () => {
    const points = new Checkpoints();
    const one = await points.record(treeOf({ a: "x", b: "x", c: "y" }), "one");
    const again = await points.record(treeOf({ c: "y", b: "x", a: "x" }), "again");
    expect(again).toBe(one);
    expect(points.toData().blobs.size).toBe(2);
  });

  it("are not called restored when the files are not what they were", async () => {
    const folder = new Folder(treeOf({ a: "1" }));
    const points = new Checkpoints();
    const start = await points.record(folder.files, "Start");
    folder.files = treeOf({ a: "2" });
    const broken: Restorable = { snapshot: () => folder.snapshot(), restore: (tree) => folder.restore(new Map([...tree, ["left-over", new Uint8Array(1)]])) };
    await expect(points.restore(start.id, broken)).rejects.toMatchObject({ code: "storage/corrupt" });
    expect(points.current?.label).toBe("Before a restore");
    await expect(points.restore("99", folder)).rejects.toMatchObject({ code: "storage/missing" });
  });

  it("survive being stored: a clone of their data restores as well", async () => {
    const points = new Checkpoints();
    await points.record(treeOf({ a: "1", __proto__: "no", "1": "number" }), "one");
    await points.record(treeOf({ a: "2" }), "two");
    const copy = new Checkpoints(structuredClone(points.toData()));
    const folder = new Folder(treeOf({ a: "2" }));
    await copy.restore(copy.entries[0]!.id, folder);
    expect(await treeHash(folder.files)).toBe(points.entries[0]!.hash);
  });

  it("have hashes that tell every two trees apart", async () => {
    const trees = [treeOf({}), treeOf({ a: "" }), treeOf({ a: "b" }), treeOf({ ab: "" }), treeOf({ a: "b", b: "" }), treeOf({ b: "b", a: "" })];
    expect(new Set(await Promise.all(trees.map(treeHash))).size).toBe(trees.length);
  });

  it("restore every state of a random session of 200 steps, in any order", async () => {
    const seed = Date.now() % 1_000_000;
    const random = seededRandom(seed);
    const folder = new Folder(treeOf({ "package.json": "{}" }));
    const points = new Checkpoints();
    const states: { id: string; hash: string }[] = [];
    for (let step = 0; step < 200; step++) {
      const files = new Map(folder.files);
      const names = [...files.keys()];
      const roll = random();
      if (roll < 0.15 && names.length > 1) files.delete(names[Math.floor(random() * names.length)]!);
      else if (roll < 0.25) for (let i = 0; i < 5; i++) files.set(`out/${step}-${i}.txt`, new Uint8Array(i).fill(step));
      else if (roll < 0.35 && states.length > 0) {
        const target = states[Math.floor(random() * states.length)]!;
        await points.restore(target.id, folder);
        continue;
      } else if (roll < 0.45 && points.current?.parent) {
        await points.restore(points.current.parent, folder);
        continue;
      } else files.set(`src/${Math.floor(random() * 20)}.js`, new TextEncoder().encode(`step ${step} ${random()}`));
      folder.files = files;
      const entry = await points.record(files, `Step ${step}`);
      states.push({ id: entry.id, hash: await treeHash(files) });
    }
    for (const { id, hash } of fc.sample(fc.shuffledSubarray(states, { minLength: states.length }), { numRuns: 1, seed })[0]!) {
      await points.restore(id, folder);
      expect(await treeHash(folder.files), `seed ${seed}, checkpoint ${id}`).toBe(hash);
    }
  });
});

/** mulberry32: small, seeded, good enough to choose steps. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
