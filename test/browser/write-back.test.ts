// Against real directory handles: the origin private file system has the same interface as a folder on the disk.
import { beforeEach, describe, expect, it } from "vitest";
import { readFolder } from "../../src/project/folder.ts";
import type { FileTree } from "../../src/project/tree.ts";
import { knownAfter, type KnownFolder, knownFolder, planWriteBack, type WritableFolder, writeBack, type WriteChange } from "../../src/project/write-back.ts";
import { treeOf } from "../support/trees.ts";

let folder: FileSystemDirectoryHandle;

async function put(path: string, content: string | Uint8Array): Promise<void> {
  const names = path.split("/");
  let parent = folder;
  for (const name of names.slice(0, -1)) parent = await parent.getDirectoryHandle(name, { create: true });
  const writable = await (await parent.getFileHandle(names.at(-1)!, { create: true })).createWritable();
  await writable.write(typeof content === "string" ? content : new Uint8Array(content));
  await writable.close();
}

const plain = (tree: FileTree) => Object.fromEntries([...tree].map(([path, bytes]) => [path, [...bytes].map((byte) => String.fromCharCode(byte)).join("")]));
const onDisk = async () => plain(await readFolder(folder));
const states = (changes: readonly WriteChange[]) => changes.map(({ path, kind, state }) => `${path} ${kind} ${state}`);

const START = { "a.js": "1\n", "b.js": "2\n", "lib/c.js": "3\n", "lib/deep/d.js": "4\n" };
let known: KnownFolder;

beforeEach(async () => {
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys()) await root.removeEntry(name, { recursive: true });
  folder = await root.getDirectoryHandle("project", { create: true });
  for (const [path, text] of Object.entries(START)) await put(path, text);
  await put("node_modules/x/index.js", "kept");
  known = await knownFolder(await readFolder(folder));
});

/** The handle, with something that happens at a call of one of its methods, or of one of its files' or folders'. */
function tampered<T extends object>(handle: T, at: (method: string, name: string) => void): T {
  return new Proxy(handle, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        at(String(key), "name" in target ? String(target.name) : "");
        const result: unknown = Reflect.apply(value, target, args);
        if (!(result instanceof Promise)) return result;
        return result.then((made: unknown) => (made instanceof FileSystemHandle || made instanceof FileSystemWritableFileStream ? tampered(made, at) : made));
      };
    },
  });
}

describe("writing back to a folder", () => {
  it("makes the folder equal to the project: new, changed and removed files, folders that are new or become empty", async () => {
    const project = treeOf({ "a.js": "1 changed\r\n", "b.js": "2\n", "neu/größe 🚀.js": "5\n", lib: "now a file\n" });
    const changes = await planWriteBack(known, await readFolder(folder), project);
    expect(states(changes)).toEqual(["a.js changed ours", "lib added ours", "lib/c.js removed ours", "lib/deep/d.js removed ours", "neu/größe 🚀.js added ours"]);
    const report = await writeBack(folder, changes);
    expect(report).toMatchObject({ failed: [], untried: [] });
    expect(await onDisk()).toEqual(plain(project));
    const kept = await (await (await folder.getDirectoryHandle("node_modules")).getDirectoryHandle("x")).getFileHandle("index.js");
    expect(await (await kept.getFile()).text()).toBe("kept");
    const after = await knownAfter(known, changes, report.written, await readFolder(folder));
    expect(after).toEqual(await knownFolder(project));
    expect(await planWriteBack(after, await readFolder(folder), project)).toEqual([]);
  });

  it("calls what changed in the folder meanwhile a conflict, and what changed only there theirs", async () => {
    await put("a.js", "theirs\n");
    await put("b.js", "theirs\n");
    await put("lib/new.js", "theirs\n");
    await folder.removeEntry("node_modules", { recursive: true });
    const project = treeOf({ "a.js": "ours\n", "b.js": "2\n", "lib/deep/d.js": "4 ours\n" });
    const changes = await planWriteBack(known, await readFolder(folder), project);
    expect(states(changes)).toEqual(["a.js changed conflict", "b.js changed theirs", "lib/c.js removed ours", "lib/deep/d.js changed ours", "lib/new.js removed theirs"]);
    const report = await writeBack(folder, changes.filter(({ state }) => state === "ours"));
    expect(report.written).toEqual(["lib/c.js", "lib/deep/d.js"]);
    expect(await onDisk()).toEqual({ "a.js": "theirs\n", "b.js": "theirs\n", "lib/deep/d.js": "4 ours\n", "lib/new.js": "theirs\n" });
    // What was left is still what it was the next time.
    const after = await knownAfter(known, changes, report.written, await readFolder(folder));
    expect(states(await planWriteBack(after, await readFolder(folder), project))).toEqual(["a.js changed conflict", "b.js changed theirs", "lib/new.js removed theirs"]);
  });

  it("takes no notice where both sides made the same change", async () => {
    await put("a.js", "same\n");
    const project = treeOf({ ...START, "a.js": "same\n" });
    expect(await planWriteBack(known, await readFolder(folder), project)).toEqual([]);
    // From here on that is what the folder is known to hold: a later change here is ours.
    const after = await knownAfter(known, [], [], await readFolder(folder));
    expect(states(await planWriteBack(after, await readFolder(folder), treeOf({ ...START, "a.js": "later\n" })))).toEqual(["a.js changed ours"]);
  });

  it("does not write over what changed while the list was open", async () => {
    const project = treeOf({ ...START, "a.js": "ours\n", "new.js": "ours\n", "b.js": "ours\n" });
    const changes = await planWriteBack(known, await readFolder(folder), project);
    await put("a.js", "just now\n");
    await put("new.js", "just now\n");
    const report = await writeBack(folder, changes);
    expect(report.written).toEqual(["b.js"]);
    expect(report.failed.map(({ path, reason }) => `${path}: ${reason}`)).toEqual(["a.js", "new.js"].map((path) => `${path}: it was changed in the folder while the list was open; look at it again`));
    expect(await onDisk()).toEqual({ ...START, "a.js": "just now\n", "new.js": "just now\n", "b.js": "ours\n" });
  });

  it("says which files were and were not written when it fails at any call, and every file is old or new, never between", async () => {
    const project = treeOf({ "a.js": "ours\n", "b.js": "ours\n", "lib/c.js": "ours\n", "new/e.js": "ours\n" });
    let calls = 0;
    await writeBack(tampered(folder, () => void calls++) as WritableFolder, await planWriteBack(known, await readFolder(folder), project));
    expect(calls).toBeGreaterThan(20);
    for (let failing = 1; failing <= calls; failing++) {
      for (const path of Object.keys(await onDisk())) await remove(path);
      for (const [path, text] of Object.entries(START)) await put(path, text);
      const changes = await planWriteBack(known, await readFolder(folder), project);
      let call = 0;
      const report = await writeBack(tampered(folder, () => {
        if (++call === failing) throw new DOMException("injected", failing % 2 ? "NoModificationAllowedError" : "NotAllowedError");
      }) as WritableFolder, changes);
      const named = [...report.written, ...report.failed.map(({ path }) => path), ...report.untried];
      expect(named.sort(), `call ${failing}`).toEqual(changes.map(({ path }) => path));
      const disk = await onDisk();
      for (const { path, disk: before, project: after } of changes) {
        const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : new TextDecoder().decode(bytes));
        if (report.written.includes(path)) expect(disk[path], `call ${failing}, ${path}`).toBe(text(after));
        else if (report.untried.includes(path)) expect(disk[path], `call ${failing}, ${path}`).toBe(text(before));
        else expect([text(before), text(after)], `call ${failing}, ${path}`).toContain(disk[path]);
      }
    }
  });

  it("goes no further when the permission is lost or the disk is full, and goes on past a locked file", async () => {
    const project = treeOf({ "a.js": "ours\n", "b.js": "ours\n", "lib/c.js": "ours\n", "lib/deep/d.js": "4\n" });
    const attempt = async (name: string) => {
      const changes = await planWriteBack(known, await readFolder(folder), project);
      return writeBack(tampered(folder, (method, file) => {
        if (method === "createWritable" && file === "b.js") throw new DOMException("no", name);
      }) as WritableFolder, changes);
    };
    expect(await attempt("QuotaExceededError")).toEqual({ written: ["a.js"], failed: [{ path: "b.js", reason: "the disk is full; make room and write again" }], untried: ["lib/c.js"] });
    expect(await attempt("NoModificationAllowedError")).toMatchObject({ written: ["lib/c.js"], failed: [{ path: "b.js" }], untried: [] });
  });

  it("can be stopped between two files", async () => {
    const changes = await planWriteBack(known, await readFolder(folder), treeOf({ "a.js": "x\n", "b.js": "x\n", "lib/c.js": "3\n", "lib/deep/d.js": "4\n" }));
    const stop = new AbortController();
    expect(await writeBack(folder, changes, () => stop.abort(), stop.signal)).toEqual({ written: ["a.js"], failed: [], untried: ["b.js"] });
  });
});

async function remove(path: string): Promise<void> {
  const names = path.split("/");
  let parent = folder;
  for (const name of names.slice(0, -1)) parent = await parent.getDirectoryHandle(name);
  await parent.removeEntry(names.at(-1)!);
}
