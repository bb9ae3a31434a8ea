import * as fs from "node:fs";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { FsError } from "../../../src/headless/fs-error.ts";
import { type FileOp, Vfs } from "../../../src/headless/vfs.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

function codeOf(action: () => unknown): string {
  try {
    action();
    return "ok";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** The tree as sorted lines: path, kind and contents. */
function lines(vfs: Vfs, path = "/"): string[] {
  const out: string[] = [];
  for (const [name, node] of vfs.dir(path).entries) {
    const at = path === "/" ? `/${name}` : `${path}/${name}`;
    if (node.kind === "dir") out.push(`${at}/`, ...lines(vfs, at));
    else out.push(node.kind === "file" ? `${at}=${text(node.data)}` : `${at}->${node.target}`);
  }
  return out.sort();
}

describe("the in-memory file system", () => {
  test("reads back what was written, through folders and links", () => {
    const vfs = new Vfs();
    vfs.mkdir("/a/b", { recursive: true });
    vfs.writeFile("/a/b/c.txt", bytes("hello"));
    vfs.symlink("b", "/a/link");
    expect(text(vfs.readFile("/a/link/c.txt"))).toBe("hello");
    expect(vfs.realpath("/a/link/c.txt")).toBe("/a/b/c.txt");
    expect(vfs.readlink("/a/link")).toBe("b");
    expect(vfs.lstat("/a/link").kind).toBe("link");
    expect(vfs.stat("/a/link").kind).toBe("dir");
    expect(vfs.readdir("/a")).toEqual(["b", "link"]);
  });

  test("words its errors as Node does", () => {
    const vfs = new Vfs();
    expect(() => vfs.readFile("/none")).toThrow("ENOENT: no such file or directory, open '/none'");
    vfs.mkdir("/d");
    expect(() => vfs.rename("/d", "/d/e")).toThrow("EINVAL: invalid argument, rename '/d' -> '/d/e'");
    expect(() => vfs.rename("/none", "/x")).toThrow("ENOENT: no such file or directory, rename '/none' -> '/x'");
    try {
      vfs.readdir("/none");
    } catch (error) {
      expect(error).toBeInstanceOf(FsError);
      expect(error).toMatchObject({ code: "ENOENT", errno: -2, syscall: "scandir", path: "/none" });
    }
  });

  test("ends a loop of links with ELOOP and reports a broken link as missing", () => {
    const vfs = new Vfs();
    vfs.symlink("/b", "/a");
    vfs.symlink("/a", "/b");
    expect(codeOf(() => vfs.readFile("/a"))).toBe("ELOOP");
    vfs.symlink("/nowhere", "/broken");
    expect(vfs.exists("/broken")).toBe(false);
    expect(vfs.find("/broken", false)?.kind).toBe("link");
    vfs.writeFile("/broken", bytes("now there"));
    expect(text(vfs.readFile("/nowhere"))).toBe("now there");
  });

  test("refuses a write past its capacity and frees what is removed", () => {
    const vfs = new Vfs(undefined, 10);
    vfs.writeFile("/a", bytes("12345678"));
    expect(codeOf(() => vfs.writeFile("/b", bytes("12345")))).toBe("ENOSPC");
    vfs.writeFile("/a", bytes("1"));
    vfs.writeFile("/b", bytes("12345"));
    expect(vfs.usedBytes).toBe(6);
    vfs.rename("/b", "/a");
    expect(vfs.usedBytes).toBe(5);
    vfs.removeTree("/a");
    expect(vfs.usedBytes).toBe(0);
  });

  test("refuses one name more than its limit, which the message names, and frees what is removed or renamed over", () => {
    const { fileSystemNames } = LIMITS;
    const root = new Vfs().image();
    const vfs = new Vfs({ ...root, names: fileSystemNames - 3 });
    vfs.mkdir("/d");
    vfs.writeFile("/d/a", bytes("1"));
    vfs.symlink("a", "/d/l");
    for (const action of [() => vfs.writeFile("/b", bytes("")), () => vfs.mkdir("/e"), () => vfs.symlink("a", "/m"), () => vfs.link("/d/a", "/h")]) expect(action).toThrow(/^ENOSPC: no space left on device, .*512 MiB in 200000 files/);
    vfs.writeFile("/d/a", bytes("2"));
    vfs.rename("/d/a", "/d/l");
    vfs.writeFile("/b", bytes(""));
    vfs.removeTree("/d");
    expect(vfs.image().names).toBe(fileSystemNames - 2);
  });

  test("refuses names and paths that Linux would not take", () => {
    const vfs = new Vfs();
    vfs.writeFile(`/${"é".repeat(127)}x`, bytes(""));
    expect(codeOf(() => vfs.writeFile(`/${"é".repeat(128)}`, bytes("")))).toBe("ENAMETOOLONG");
    expect(codeOf(() => vfs.mkdir("/a".repeat(3000), { recursive: true }))).toBe("ENAMETOOLONG");
  });

  test("appends a hundred thousand lines without copying them for each; what was read before stays", () => {
    const vfs = new Vfs();
    vfs.writeFile("/log", bytes("x".repeat(5000)));
    vfs.append("/log", bytes("first\n"));
    const before = vfs.readFile("/log");
    const other = vfs.readFile("/log");
    vfs.writeFile("/copy", other);
    const started = performance.now();
    for (let i = 0; i < 100_000; i++) vfs.append("/log", bytes("one more line of the log, of some length, as logs have them\n"));
    expect(performance.now() - started).toBeLessThan(5000);
    vfs.append("/copy", bytes("own"));
    expect(text(before).slice(-6)).toBe("first\n");
    expect(text(vfs.readFile("/copy")).slice(-9)).toBe("first\nown");
    expect(vfs.readFile("/log")).toHaveLength(5006 + 100_000 * 60);
  });

  test("tells changes as fs.watch does: rename for a name that comes or goes, change for contents", () => {
    const vfs = new Vfs();
    const seen: string[] = [];
    vfs.onChange = ({ event, path }) => seen.push(`${event} ${path}`);
    vfs.writeFile("/a", bytes("1"));
    vfs.writeFile("/a", bytes("2"));
    vfs.rename("/a", "/b");
    vfs.unlink("/b");
    expect(seen).toEqual(["rename /a", "change /a", "change /a", "rename /a", "rename /b", "rename /b"]);
  });

  test("answers every operation with the same result or error code as the real file system of Linux", () => {
    const name = fc.constantFrom("a", "b", "c", "a/b", "a/b/c", "b/a", "l");
    const action = fc.oneof(
      fc.record({ kind: fc.constantFrom("write", "append", "mkdir", "mkdirp", "unlink", "rmdir", "read", "readdir", "stat", "realpath"), a: name, b: name }),
      fc.record({ kind: fc.constantFrom("rename", "symlink"), a: name, b: name }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 14 }), (actions) => {
        const dir = mkdtempSync(join(tmpdir(), "vfs-"));
        const vfs = new Vfs();
        const replica = vfs.clone();
        const ops: FileOp[] = [];
        vfs.onOp = (op) => ops.push(op);
        try {
          for (const { kind, a, b } of actions) {
            const [real, ours] = run(kind, dir, vfs, a, b);
            expect(ours, `${kind} ${a} ${b}`).toEqual(real);
          }
          for (const op of ops) replica.apply(structuredClone(op));
          expect(lines(replica)).toEqual(lines(vfs));
          expect(replica.usedBytes).toBe(vfs.usedBytes);
        } finally {
          fs.rmSync(dir, { recursive: true });
        }
      }),
      { numRuns: 150, seed: 20261122 },
    );
  });
});

/** The same action on the real file system and on ours; each side as its result or its error code. */
function run(kind: string, dir: string, vfs: Vfs, a: string, b: string): [unknown, unknown] {
  const both = (real: (path: string) => unknown, ours: (path: string) => unknown): [unknown, unknown] => [
    outcome(() => real(join(dir, a))),
    outcome(() => ours(`/${a}`)),
  ];
  switch (kind) {
    case "write":
      return both((p) => fs.writeFileSync(p, b), (p) => vfs.writeFile(p, bytes(b)));
    case "append":
      return both((p) => fs.appendFileSync(p, b), (p) => vfs.append(p, bytes(b)));
    case "mkdir":
      return both((p) => fs.mkdirSync(p), (p) => void vfs.mkdir(p));
    case "mkdirp":
      return both((p) => fs.mkdirSync(p, { recursive: true })?.slice(dir.length), (p) => vfs.mkdir(p, { recursive: true }));
    case "unlink":
      return both((p) => fs.unlinkSync(p), (p) => vfs.unlink(p));
    case "rmdir":
      return both((p) => fs.rmdirSync(p), (p) => vfs.rmdir(p));
    case "read":
      return both((p) => fs.readFileSync(p, "utf8"), (p) => text(vfs.readFile(p)));
    case "readdir":
      return both((p) => fs.readdirSync(p).sort(), (p) => vfs.readdir(p));
    case "stat":
      return both((p) => fs.statSync(p).isDirectory(), (p) => vfs.stat(p).kind === "dir");
    case "realpath":
      return both((p) => fs.realpathSync(p).slice(dir.length), (p) => vfs.realpath(p));
    case "rename":
      return both((p) => fs.renameSync(p, join(dir, b)), (p) => vfs.rename(p, `/${b}`));
    case "symlink":
      return both((p) => fs.symlinkSync(join(dir, b), p), (p) => vfs.symlink(`/${b}`, p));
    default:
      throw new Error(kind);
  }
}

function outcome(action: () => unknown): unknown {
  try {
    return { value: action() };
  } catch (error) {
    return { code: (error as { code?: string }).code };
  }
}
