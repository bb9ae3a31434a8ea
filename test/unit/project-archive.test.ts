import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { crc32, readZip, writeZip } from "../../src/project/archive.ts";
import { type FolderHandle, type PickedFile, readFileList, readFolder } from "../../src/project/folder.ts";
import { sameBytes } from "../../src/project/changed-paths.ts";
import { cpuMsOf } from "../support/cpu-time.ts";
import { textOf, treeOf } from "../support/trees.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function refusal(action: () => unknown): Promise<AppError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

/** A zip whose first entry is altered in the directory: what a hand-made, lying archive looks like. */
function altered(zip: Uint8Array, change: (view: DataView, entry: number) => void): Uint8Array {
  const copy = zip.slice();
  const view = new DataView(copy.buffer);
  let entry = 0;
  while (view.getUint32(entry, true) !== 0x02014b50) entry++;
  change(view, entry);
  return copy;
}

describe("a zip", () => {
  it("comes back as it went in, whatever the bytes and names", async () => {
    const tree = new Map([...treeOf({ "package.json": "{}", "src/ä b.js": "x\r\n", "src/empty.js": "", "deep/er/than/that.txt": "y".repeat(100_000), __proto__x: "p" }), ["bin/all.dat", Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7919) >> 3)]]);
    const back = await readZip(await writeZip(tree));
    expect([...back.keys()].sort()).toEqual([...tree.keys()].sort());
    for (const [path, content] of tree) expect(back.get(path), path).toEqual(content);
  });

  it("is the same for the same files in any order", async () => {
    expect(await writeZip(treeOf({ a: "1", b: "2" }))).toEqual(await writeZip(treeOf({ b: "2", a: "1" })));
  });

  it("loses the one folder that holds everything, dependencies and clutter", async () => {
    const zip = zipSync({ "demo-main/package.json": bytes("{}"), "demo-main/src/a.js": bytes("a"), "demo-main/node_modules/x/index.js": bytes("x"), "demo-main/.git/config": bytes("g"), "__MACOSX/demo-main/._a.js": bytes("m") });
    expect([...(await readZip(zip)).keys()]).toEqual(["package.json", "src/a.js"]);
  });

  it.each([
    ["../evil.js", /"\.\.\/evil\.js".*contains "\.\."/],
    ["src/../../evil.js", /contains "\.\."/],
    ["..\\evil.js", /contains "\.\."/],
    ["/etc/passwd", /"\/etc\/passwd" is absolute/],
    ["C:\\windows\\evil.dll", /is absolute/],
    ["a\u0000b.js", /control character/],
  ])("with an entry %j is refused by name", async (name, message) => {
    const error = await refusal(() => readZip(zipSync({ "ok.js": bytes("1"), [name]: bytes("2") })));
    expect(error.code).toBe("project/archive");
    expect(error.message).toMatch(message);
  });

  it("with two names that are one file on many disks is refused", async () => {
    expect((await refusal(() => readZip(zipSync({ "src/Readme.md": bytes("1"), "src/README.md": bytes("2") })))).message).toMatch(/"src\/Readme.md" and "src\/README.md"/);
    expect((await refusal(() => readZip(zipSync({ "./a.js": bytes("1"), "a.js": bytes("2") })))).message).toMatch(/"a.js" twice/);
    expect((await refusal(() => readZip(zipSync({ lib: bytes("1"), "lib/a.js": bytes("2") })))).message).toMatch(/"lib" both as a file and as the folder of "lib\/a.js"/);
  });

  it("with too many files, or too large ones, is refused before it is unpacked", async () => {
    const many = zipSync(Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i}`, bytes("x")])));
    expect((await refusal(() => readZip(many, { files: 10, bytes: 1_000 }))).message).toMatch(/more than 10 files/);
    expect((await refusal(() => readZip(many, { files: 3, bytes: 1_000 }))).message).toMatch(/12 entries, more than 9/);
    const large = zipSync({ "zeros.bin": new Uint8Array(5_000_000) });
    expect(large.byteLength).toBeLessThan(10_000);
    expect((await refusal(() => readZip(large, { files: 10, bytes: 1_000_000 }))).message).toMatch(/larger than 1\.0 MB unpacked \(reached at "zeros.bin"\)/);
  });

  it("that lies about a size is found out while unpacking, a bomb by its first piece", async () => {
    const bomb = altered(zipSync({ "bomb.bin": new Uint8Array(40_000_000) }, { level: 1 }), (view, entry) => view.setUint32(entry + 24, 100, true));
    expect(await cpuMsOf(async () => expect((await refusal(() => readZip(bomb))).message).toMatch(/"bomb.bin" in the zip file is not of the size the archive says/))).toBeLessThan(2_000);
    const short = altered(zipSync({ "a.txt": bytes("hello hello hello hello") }), (view, entry) => view.setUint32(entry + 24, 400, true));
    expect((await refusal(() => readZip(short))).message).toMatch(/"a.txt".*not of the size/);
  });

  it("whose bytes were damaged is refused, wherever the damage is", async () => {
    const zip = await writeZip(treeOf({ "a.txt": "some text that is long enough to be packed, packed, packed" }));
    expect((await readZip(zip)).get("a.txt")).toBeDefined();
    let refused = 0;
    for (let at = 0; at < zip.length; at++) {
      const damaged = zip.slice();
      damaged[at]! ^= 0x40;
      try {
        const text = textOf(await readZip(damaged), [...(await readZip(damaged)).keys()][0]!);
        expect(text).toBe("some text that is long enough to be packed, packed, packed"); // times, versions and names carry no content
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(60);
    for (let length = 0; length < zip.length; length++) expect((await refusal(() => readZip(zip.subarray(0, length)))).code).toBe("project/archive");
  });

  it("with links, passwords or unusual packing is refused with the reason", async () => {
    const zip = zipSync({ "a.txt": [bytes("target"), { os: 3, attrs: (0o120777 << 16) >>> 0 }] });
    expect((await refusal(() => readZip(zip))).message).toMatch(/symbolic link, "a.txt"/);
    expect((await refusal(() => readZip(altered(zipSync({ "a.txt": bytes("x") }), (view, entry) => view.setUint16(entry + 8, 1, true))))).message).toMatch(/encrypted/);
    expect((await refusal(() => readZip(altered(zipSync({ "a.txt": bytes("x") }), (view, entry) => view.setUint16(entry + 10, 14, true))))).message).toMatch(/method 14/);
    expect((await refusal(() => readZip(zipSync({ "node_modules/a.js": bytes("x") })))).message).toMatch(/holds no files/);
    expect((await refusal(() => readZip(bytes("not a zip at all, but long enough to be looked at")))).message).toMatch(/not a zip file/);
  });

  it("fault 27: with names in another coding is read by what zip says of it, with names that lie about theirs refused", async () => {
    const named = (name: readonly number[], utf8: boolean) => altered(zipSync({ "XX.js": bytes("1") }), (view, entry) => {
      name.forEach((byte, i) => view.setUint8(entry + 46 + i, byte));
      view.setUint16(entry + 8, utf8 ? 0x800 : 0, true);
    });
    expect([...(await readZip(named([0x81, 0xe1], false))).keys()]).toEqual(["üß.js"]); // code page 437, as Windows writes it
    expect([...(await readZip(named([0xc3, 0xbc], false))).keys()]).toEqual(["ü.js"]);
    expect((await refusal(() => readZip(named([0xc3, 0x28], true)))).message).toBe('The zip file holds a name that is not the UTF-8 it says it is, about "├(.js". Rename the file and zip it again.');
  });

  it("fault 27: with a hundred thousand entries is refused by their number, also where the count has wrapped around", async () => {
    const many = (count: number) => zipSync(Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, new Uint8Array()])), { level: 0 });
    expect((await refusal(() => readZip(many(65_000)))).message).toBe("The zip file holds 65000 entries, more than 60000. Leave out node_modules and build output, then zip it again.");
    expect((await refusal(() => readZip(many(70_000)))).message).toBe("The zip file holds more entries than the 4464 it says. Leave out node_modules and build output, then zip it again.");
    expect((await refusal(() => readZip(many(50_000)))).message).toBe("The zip file holds more than 20000 files. Leave out build output and data.");
    const zip64 = many(3);
    new DataView(zip64.buffer).setUint16(zip64.byteLength - 12, 0xffff, true);
    expect((await refusal(() => readZip(zip64))).message).toMatch(/uses zip64/);
  });

  it("fault 27: of nothing, and with empty files only", async () => {
    expect((await refusal(() => readZip(new Uint8Array()))).message).toMatch(/not a zip file/);
    expect((await refusal(() => readZip(zipSync({})))).message).toMatch(/holds no files/);
    expect((await refusal(() => readZip(zipSync({ "empty/": new Uint8Array() })))).message).toMatch(/holds no files/);
    expect([...(await readZip(zipSync({ "a.js": new Uint8Array() })))]).toEqual([["a.js", new Uint8Array()]]);
    expect((await refusal(async () => readZip(await writeZip(new Map())))).message).toMatch(/holds no files/);
  });

  it("fault 27: with emoji, right-to-left and combined names comes back the same", async () => {
    const tree = treeOf({ "👩‍👩‍👧‍👦/🚀.js": "1", "שלום/مرحبا.md": "2", "é.txt": "3", "‮gpj.exe": "4" });
    expect(new Map(await readZip(await writeZip(tree)))).toEqual(new Map(tree));
  });

  it("fault 27: with a large file is read and written with the thread free at least every 150 ms", async () => {
    const data = new Uint8Array(8_000_000);
    for (let i = 0; i < data.length; i++) data[i] = (i * 2_654_435_761) >>> (i % 13);
    const gaps: number[] = [];
    let last = process.cpuUsage();
    const ticker = setInterval(() => {
      const { user, system } = process.cpuUsage(last);
      gaps.push((user + system) / 1_000);
      last = process.cpuUsage();
    }, 1);
    const zip = await writeZip(new Map([["data.bin", data]]));
    const back = await readZip(zip);
    clearInterval(ticker);
    expect(sameBytes(back.get("data.bin")!, data)).toBe(true);
    expect(gaps.length).toBeGreaterThan(20);
    expect(Math.max(...gaps.slice(1))).toBeLessThan(150);
  }, 120_000);

  it("is no longer read or written after a stop", async () => {
    const tree = new Map([["data.bin", Uint8Array.from({ length: 5_000_000 }, (_, i) => (i * 2_654_435_761) >>> 7)]]);
    const zip = await writeZip(tree);
    await expect(readZip(zip, undefined, AbortSignal.abort())).rejects.toMatchObject({ code: "aborted" });
    await expect(writeZip(tree, AbortSignal.abort())).rejects.toMatchObject({ code: "aborted" });
  });

  it("has checksums as everyone computes them, in one piece or several", () => {
    expect(crc32(bytes("123456789"))).toBe(0xcbf43926);
    expect(crc32(bytes("6789"), crc32(bytes("12345")))).toBe(0xcbf43926);
  });
});

function file(name: string, text: string, path?: string): PickedFile {
  const content = bytes(text);
  return { name, size: content.byteLength, arrayBuffer: () => Promise.resolve(content.slice().buffer), ...(path === undefined ? {} : { webkitRelativePath: path }) };
}

function folder(name: string, entries: Readonly<Record<string, FolderHandle | string>>): FolderHandle {
  return {
    kind: "directory",
    name,
    async *entries() {
      for (const [key, value] of Object.entries(entries)) yield [key, typeof value === "string" ? { kind: "file" as const, name: key, getFile: () => Promise.resolve(file(key, value)) } : value];
    },
  };
}

describe("a folder", () => {
  const picked = folder("demo", { "package.json": "{}", src: folder("src", { "a.js": "a", lib: folder("lib", { "b.js": "b" }) }), node_modules: folder("node_modules", { "x.js": "x" }), ".git": folder(".git", { HEAD: "h" }) });

  it("is read through a directory handle without its dependencies", async () => {
    expect([...(await readFolder(picked)).keys()].sort()).toEqual(["package.json", "src/a.js", "src/lib/b.js"]);
  });

  it("is read from a list of files, its own name taken off", async () => {
    const tree = await readFileList([file("a.js", "a", "demo/src/a.js"), file("x.js", "x", "demo/node_modules/x.js"), file("package.json", "{}", "demo/package.json")]);
    expect([...tree.keys()]).toEqual(["src/a.js", "package.json"]);
    expect(textOf(tree, "src/a.js")).toBe("a");
  });

  it("that is too large is refused before the large file is read", async () => {
    await expect(readFolder(picked, { files: 2, bytes: 100 })).rejects.toMatchObject({ code: "project/archive", message: expect.stringContaining("more than 2 files") });
    const huge: PickedFile = { name: "video.mp4", size: 5e9, arrayBuffer: () => Promise.reject(new Error("must not be read")) };
    await expect(readFileList([huge])).rejects.toMatchObject({ code: "project/archive", message: expect.stringContaining('"video.mp4"') });
  });

  it("stops being read on request", async () => {
    await expect(readFolder(picked, undefined, AbortSignal.abort())).rejects.toMatchObject({ code: "aborted" });
  });
});
