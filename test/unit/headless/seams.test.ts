// The small parts on the seams of the container: cutting, gating, checking, packing.
import { decode, encode as pack } from "@msgpack/msgpack";
import fc from "fast-check";
import { unzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { decodeTree, encodeTree } from "../../../src/container/snapshot.ts";
import { OUTPUT_WINDOW_BYTES } from "../../../src/headless/bridge.ts";
import { checkFromProcess } from "../../../src/headless/kernel/check-message.ts";
import { globMatcher } from "../../../src/headless/kernel/glob.ts";
import { OutputGate } from "../../../src/headless/kernel/output-gate.ts";
import { loadSnapshot, serialize } from "../../../src/headless/kernel/snapshot.ts";
import { Utf8Cutter } from "../../../src/headless/page/utf8-cutter.ts";
import { Vfs } from "../../../src/headless/vfs.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("output cut between characters", () => {
  test("decodes chunk by chunk to the same text as in one piece, wherever it was cut", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), fc.array(fc.nat(8), { maxLength: 60 }), (text, sizes) => {
        const all = bytes(text);
        const cutter = new Utf8Cutter();
        let out = "";
        let at = 0;
        for (const size of [...sizes, all.length]) {
          out += new TextDecoder("utf-8", { ignoreBOM: true }).decode(cutter.push(all.subarray(at, at + size)));
          at += size;
        }
        expect(out + new TextDecoder().decode(cutter.end())).toBe(text);
      }),
      { seed: 20261122 },
    );
  });

  test("does not hold back bytes that are no UTF-8", () => {
    expect([...new Utf8Cutter().push(new Uint8Array([0xff, 0x80, 0x41]))]).toEqual([0xff, 0x80, 0x41]);
  });
});

describe("the output gate", () => {
  test("sends one window, waits for the app, joins what piled up, and ends after the last byte", () => {
    const sent: number[] = [];
    let done = 0;
    const gate = new OutputGate((_fd, data) => sent.push(data.length));
    for (let i = 0; i < 100; i++) gate.push(1, new Uint8Array(16 * 1024));
    expect(sent.reduce((a, b) => a + b)).toBe(OUTPUT_WINDOW_BYTES);
    gate.end(() => done++, false);
    const before = sent.length;
    gate.ack(OUTPUT_WINDOW_BYTES);
    expect(sent.length - before).toBe(OUTPUT_WINDOW_BYTES / (64 * 1024));
    expect(done).toBe(0);
    for (let i = 0; i < 6; i++) gate.ack(OUTPUT_WINDOW_BYTES);
    expect(sent.reduce((a, b) => a + b)).toBe(100 * 16 * 1024);
    expect(done).toBe(1);
  });

  test("has few pieces on their way, however short they are", () => {
    const sent: number[] = [];
    const gate = new OutputGate((_fd, data) => sent.push(data.length));
    for (let i = 0; i < 1000; i++) gate.push(1, new Uint8Array(10));
    expect(sent).toEqual(Array<number>(32).fill(10));
    gate.ack(10);
    expect(sent.slice(32)).toEqual([968 * 10]);
  });

  test("keeps stdout and stderr apart and in order", () => {
    const sent: string[] = [];
    const gate = new OutputGate((fd, data) => sent.push(`${fd}:${new TextDecoder().decode(data)}`));
    gate.push(1, new Uint8Array(OUTPUT_WINDOW_BYTES));
    for (const [fd, text] of [[1, "a"], [1, "b"], [2, "c"], [1, "d"]] as const) gate.push(fd, bytes(text));
    sent.length = 0;
    gate.ack(OUTPUT_WINDOW_BYTES);
    expect(sent).toEqual(["1:ab", "2:c", "1:d"]);
  });

  test("forgets what waits when its process was killed", () => {
    let done = 0;
    const gate = new OutputGate(() => undefined);
    gate.push(1, new Uint8Array(OUTPUT_WINDOW_BYTES));
    gate.push(1, new Uint8Array(5));
    gate.end(() => done++, true);
    expect([done, gate.queuedBytes]).toEqual([1, 0]);
  });
});

describe("a message from a process", () => {
  test("passes when it is one of ours, without fields that nobody asked for", () => {
    expect(checkFromProcess({ type: "exit", code: 259, more: 1 })).toEqual({ type: "exit", code: 3 });
    expect(checkFromProcess({ type: "file", op: { op: "mkdir", path: "/a", x: 1 } })).toEqual({ type: "file", op: { op: "mkdir", path: "/a" } });
  });

  test("is refused when any part of it is forged", () => {
    const forged: unknown[] = [
      null, 5, "exit", {}, { type: "constructor" }, { type: "exit", code: "0" }, { type: "exit", code: 1.5 }, { type: "output", fd: 1, data: "text" },
      { type: "output", fd: 1, data: new Uint8Array(70_000) }, { type: "file", op: { op: "write", path: "../x", data: new Uint8Array() } },
      { type: "file", op: { op: "write", path: "/a/../b", data: new Uint8Array() } }, { type: "file", op: { op: "write", path: "/a\0", data: new Uint8Array() } },
      { type: "file", op: { op: "chown", path: "/a" } }, { type: "spawn", child: 1, request: { command: "node", args: [1], cwd: "/", env: {} } },
      { type: "spawn", child: 1, request: { command: "node", args: [], cwd: "relative", env: {} } }, { type: "kill", pid: 1, signal: "SIGNONE" },
      { type: "child-kill", child: 1, signal: "toString" },
      { type: "listen", server: 1, address: 0 }, { type: "listen", server: 1, address: 65_536 }, { type: "listen", server: 1, address: "a/../b" }, { type: "listen", server: "1", address: 80 },
      { type: "connect", socket: -1, address: 80, port: 1 }, { type: "connect", socket: 1, address: 80 }, { type: "socket-data", socket: 1, data: new Uint8Array(70_000) },
      { type: "socket-data", socket: 1, data: [1] }, { type: "socket-ack", socket: 1, bytes: -5 }, { type: "socket-ack", socket: 1, bytes: NaN }, { type: "socket-end" },
    ];
    for (const message of forged) expect(checkFromProcess(message), JSON.stringify(message)).toBeUndefined();
  });
});

describe("a snapshot", () => {
  const fill = (): Vfs => {
    const vfs = new Vfs();
    vfs.mkdir("/p/src", { recursive: true });
    vfs.mkdir("/p/node_modules/a", { recursive: true });
    vfs.mkdir("/p/empty");
    vfs.writeFile("/p/src/a.js", bytes("é\n"));
    vfs.writeFile("/p/src/__proto__", bytes("safe"));
    vfs.writeFile("/p/blob", new Uint8Array([0, 255, 128]));
    vfs.writeFile("/p/node_modules/a/index.js", bytes("x"));
    vfs.symlink("src/a.js", "/p/link");
    return vfs;
  };

  test.each(["json", "binary"] as const)("in %s comes back as the same files, links and empty folders", (format) => {
    const copy = new Vfs();
    loadSnapshot(copy, serialize(fill(), "/p", { format, includes: [], excludes: ["node_modules"] }), "/q");
    expect(copy.readdir("/q")).toEqual(["blob", "empty", "link", "src"]);
    expect([...copy.readFile("/q/blob")]).toEqual([0, 255, 128]);
    expect(copy.readlink("/q/link")).toBe("src/a.js");
    expect(new TextDecoder().decode(copy.readFile("/q/link"))).toBe("é\n");
    expect(copy.readdir("/q/src")).toEqual(format === "json" ? ["__proto__", "a.js"] : ["a.js"]);
  });

  test("in zip opens anywhere, links as their contents", () => {
    const files = unzipSync(serialize(fill(), "/p", { format: "zip", includes: [], excludes: ["**/node_modules"] }));
    expect(Object.keys(files).sort()).toEqual(["blob", "empty/", "link", "src/__proto__", "src/a.js"]);
  });

  test("leaves out what is excluded unless it is included again", () => {
    const tree = decode(serialize(fill(), "/p", { format: "binary", includes: ["**/index.js"], excludes: ["node_modules", "src"] }));
    expect(tree).toMatchObject({ d: { node_modules: { d: { a: { d: { "index.js": {} } } } } } });
    expect(Object.keys((tree as { d: object }).d)).not.toContain("src");
  });

  test("of folders as deep as they may be comes back", () => {
    const [vfs, copy] = [new Vfs(), new Vfs()];
    const deep = "/a".repeat(511);
    vfs.mkdir(deep, { recursive: true });
    vfs.writeFile(`${deep}/f`, bytes("x"));
    for (const format of ["json", "binary"] as const) {
      loadSnapshot(copy, serialize(vfs, "/a", { format, includes: [], excludes: [] }), `/${format.slice(0, 1)}`);
      expect(copy.exists(`/${format.slice(0, 1)}${deep.slice(2)}/f`)).toBe(true);
    }
  });

  test("that is malformed is refused before anything is written", () => {
    for (const bad of [{ d: { ok: { f: { c: "1" } }, "../up": { f: { c: "1" } } } }, { d: { a: { f: {} } } }, { d: { a: 1 } }, { d: { "": { d: {} } } }, [], 5]) {
      const vfs = new Vfs();
      expect(() => loadSnapshot(vfs, pack(bad), "/q")).toThrow(/mount/);
      expect(() => loadSnapshot(vfs, bytes(JSON.stringify(bad)), "/q")).toThrow(/mount/);
      expect(vfs.readdir("/")).toEqual([]);
    }
    expect(() => loadSnapshot(new Vfs(), new Uint8Array([0xc1, 1, 2]), "/q")).toThrow("mount: the snapshot is neither");
  });

  test("of the app's side is read by the kernel's, and the other way round", () => {
    const files = new Map([["a.txt", bytes("1")], ["d/e/b.bin", new Uint8Array([255])]]);
    const vfs = new Vfs();
    loadSnapshot(vfs, encodeTree(files, new Map([["l", "a.txt"]])), "/q");
    expect(vfs.readlink("/q/l")).toBe("a.txt");
    const back = decodeTree(serialize(vfs, "/q", { format: "binary", includes: [], excludes: [] }));
    expect(new Map([...back].map(([path, data]) => [path, [...data]]))).toEqual(new Map([...files].map(([path, data]) => [path, [...data]])));
  });
});

test("a glob matches names, folders with all below them, and any depth", () => {
  const matches = (pattern: string, path: string): boolean => globMatcher([pattern])(path);
  expect(matches("node_modules", "node_modules/a/b.js")).toBe(true);
  expect(matches("node_modules", "x/node_modules")).toBe(false);
  expect(matches("**/node_modules", "x/y/node_modules/z")).toBe(true);
  expect(matches("**/node_modules", "node_modules")).toBe(true);
  expect(matches("*.js", "a.js")).toBe(true);
  expect(matches("*.js", "a/b.js")).toBe(false);
  expect(matches("src/**/*.{ts,js}", "src/x/y.ts")).toBe(true);
  expect(matches("./a?c", "abc")).toBe(true);
  expect(matches("a.c", "abc")).toBe(false);
});
