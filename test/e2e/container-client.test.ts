// The unmodified @webcontainer/api client against our /headless: file system, watching, export, boot and teardown.
import { unzipSync } from "fflate";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AppSite } from "../support/app-page.ts";
import { type ContainerWindow, openContainer } from "../support/container-page.ts";
import { type LabWindow, openLab } from "../support/page-sandbox.ts";

let site: AppSite;
let page: Page;

beforeAll(async () => {
  ({ site, page } = await openContainer());
});
afterAll(() => site?.close());

describe("the client's fs", () => {
  it("mounts text, bytes, links and nested folders, at the root or at a mount point", async () => {
    const seen = await page.evaluate(async () => {
      const { wc } = globalThis as ContainerWindow;
      await wc.mount({
        "a.txt": { file: { contents: "héllo" } },
        "b.bin": { file: { contents: new Uint8Array([0, 200, 255]) } },
        dir: { directory: { inner: { directory: { "c.js": { file: { contents: "1" } } } }, link: { file: { symlink: "inner/c.js" } } } },
      });
      await wc.fs.mkdir("deep/er", { recursive: true });
      await wc.mount({ "d.txt": { file: { contents: "d" } } }, { mountPoint: "deep/er" });
      return [
        wc.workdir, wc.path.split(":").includes("/usr/bin"), await wc.fs.readFile("a.txt", "utf8"), [...(await wc.fs.readFile("b.bin"))],
        await wc.fs.readFile("dir/link", "utf8"), await wc.fs.readFile("/home/project/deep/er/d.txt", "utf8"), await wc.fs.readFile("b.bin", "hex"),
      ];
    });
    expect(seen).toEqual(["/home/project", true, "héllo", [0, 200, 255], "1", "d", "00c8ff"]);
  });

  it("mounts a binary snapshot", async () => {
    const seen = await page.evaluate(async () => {
      const { wc, tabwrightLab } = globalThis as ContainerWindow;
      await wc.mount(tabwrightLab.container.encodeTree(new Map([["snap/x.bin", new Uint8Array([1, 254])]])));
      return [...(await wc.fs.readFile("snap/x.bin"))];
    });
    expect(seen).toEqual([1, 254]);
  });

  it("lists names, bytes and entries with their types", async () => {
    const seen = await page.evaluate(async () => {
      const { wc } = globalThis as ContainerWindow;
      const names = await wc.fs.readdir("dir");
      const bytes = await wc.fs.readdir("dir", "buffer");
      const entries = await wc.fs.readdir("dir", { withFileTypes: true });
      return [names, bytes.map((name) => new TextDecoder().decode(name as Uint8Array)), entries.map((entry) => [entry.name, entry.isFile(), entry.isDirectory()])];
    });
    expect(seen).toEqual([["inner", "link"], ["inner", "link"], [["inner", false, true], ["link", false, false]]]);
  });

  it("writes, renames and removes, and answers like Node when it cannot", async () => {
    const seen = await page.evaluate(async () => {
      const { wc, failure } = globalThis as ContainerWindow;
      await wc.fs.writeFile("w.txt", "6869", "hex");
      await wc.fs.writeFile("w.bin", new Uint8Array([7]));
      await wc.fs.rename("w.txt", "v.txt");
      const text = await wc.fs.readFile("v.txt", "utf8");
      await wc.fs.rm("v.txt");
      return [
        text,
        await failure(wc.fs.readFile("v.txt")), await failure(wc.fs.readdir("nowhere")), await failure(wc.fs.readFile("dir")), await failure(wc.fs.mkdir("dir")),
        await failure(wc.fs.rm("dir")), await failure(wc.fs.rm("nowhere")), await failure(wc.fs.rm("nowhere", { force: true })),
        await failure(wc.fs.writeFile("no/such/folder.txt", "x")), await failure(wc.fs.rename("nowhere", "x")),
      ];
    });
    expect(seen[0]).toBe("hi");
    for (const [k, part] of ["ENOENT", "ENOENT", "EISDIR", "EEXIST", "EISDIR", "ENOENT", "no error", "ENOENT", "ENOENT"].entries()) expect(seen[k + 1]).toContain(part);
  });

  it("watches a folder, deeply if asked, until closed; changes of processes count", async () => {
    const seen = await page.evaluate(async () => {
      const { wc, run, pause } = globalThis as ContainerWindow;
      await wc.fs.mkdir("watched/sub", { recursive: true });
      const deep: string[] = [];
      const flat: string[] = [];
      const deepWatch = wc.fs.watch("watched", { recursive: true }, (event, name) => deep.push(`${event} ${String(name)}`));
      wc.fs.watch("watched", (event, name) => flat.push(`${event} ${String(name)}`));
      await pause(50);
      await wc.fs.writeFile("watched/a", "1");
      await wc.fs.writeFile("watched/a", "2");
      await run("node", ["-e", "require('fs').writeFileSync('watched/sub/b', 'x')"]);
      await pause(50);
      deepWatch.close();
      await pause(20);
      await wc.fs.writeFile("watched/late", "1");
      await pause(50);
      return { deep, flat };
    });
    expect(seen.deep).toEqual(expect.arrayContaining(["rename a", "change a", "rename sub/b"]));
    expect(seen.deep).not.toContain("rename late");
    expect(seen.flat).toEqual(expect.arrayContaining(["rename a", "change a", "rename late"]));
    expect(seen.flat.some((line) => line.includes("sub/"))).toBe(false);
  });

  it("exports a tree, a snapshot that mounts again, and a zip, without what is excluded", async () => {
    const seen = await page.evaluate(async () => {
      const { wc } = globalThis as ContainerWindow;
      await wc.mount({ out: { directory: { "a.txt": { file: { contents: "a" } }, node_modules: { directory: { "m.js": { file: { contents: "m" } } } }, l: { file: { symlink: "a.txt" } } } } });
      const tree = await wc.export("out", { excludes: ["node_modules"] });
      const withModule = await wc.export("out", { excludes: ["node_modules"], includes: ["**/m.js"] });
      const binary = await wc.export("out", { format: "binary", excludes: ["**/node_modules"] });
      await wc.fs.mkdir("copy");
      await wc.mount(binary, { mountPoint: "copy" });
      const zip = await wc.export("out", { format: "zip" });
      return { tree, included: Object.keys(withModule), copy: await wc.fs.readdir("copy"), zip: Array.from(zip) };
    });
    expect(seen.tree).toEqual({ "a.txt": { file: { contents: "a" } }, l: { file: { symlink: "a.txt" } } });
    expect(seen.included.sort()).toEqual(["a.txt", "l", "node_modules"]);
    expect(seen.copy).toEqual(["a.txt", "l"]);
    expect(Object.keys(unzipSync(Uint8Array.from(seen.zip))).sort()).toEqual(["a.txt", "l", "node_modules/m.js"]);
  });

  it("takes a project of 20,000 files in, shows it to programs, and gives it out again", async () => {
    const seen = await page.evaluate(async () => {
      const w = globalThis as ContainerWindow;
      const { encodeTree, manyFiles } = w.tabwrightLab.container;
      await w.wc.fs.mkdir("large");
      await w.wc.fs.mkdir("again");
      await w.wc.mount(encodeTree(manyFiles(20_000, 8e6, true)), { mountPoint: "large" });
      await w.wc.fs.writeFile("sum.js", `
        const fs = require("fs"); const path = require("path"); const { createHash } = require("crypto");
        const of = (root) => { const names = fs.readdirSync(root, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => path.join(e.parentPath ?? e.path, e.name)).sort(); const hash = createHash("sha256"); for (const name of names) hash.update(path.relative(root, name)).update(fs.readFileSync(name)); return names.length + " " + hash.digest("hex"); };
        console.log(of(process.argv[2]));`);
      const before = await w.run("node", ["sum.js", "large"]);
      const binary = await w.wc.export("large", { format: "binary" });
      await w.wc.mount(binary, { mountPoint: "again" });
      const after = await w.run("node", ["sum.js", "again"]);
      const zip = await w.wc.export("large", { format: "zip" });
      for (const folder of ["large", "again"]) await w.wc.fs.rm(folder, { recursive: true });
      return { before: before.output, after: after.output, zipBytes: zip.length, zipStart: Array.from(zip.subarray(0, 4)) };
    });
    expect(seen.before).toMatch(/^20000 [0-9a-f]{64}\n$/);
    expect(seen.after).toBe(seen.before);
    expect(seen).toMatchObject({ zipStart: [0x50, 0x4b, 3, 4] });
    expect(seen.zipBytes).toBeGreaterThan(1e6);
  });

  it("has events to subscribe to and to leave, though previews never fire here", async () => {
    expect(
      await page.evaluate(async () => {
        const { wc, pause } = globalThis as ContainerWindow;
        const leave = [wc.on("port", () => undefined), wc.on("server-ready", () => undefined), wc.on("error", () => undefined)];
        await pause(30);
        for (const off of leave) off();
        await wc.setPreviewScript("console.log(1)");
        return leave.length;
      }),
    ).toBe(3);
  });
});

describe("booting (fault 17)", () => {
  it("is refused a second time, and possible again after a teardown, with nothing left of the first", async () => {
    const seen = await page.evaluate(async () => {
      const w = globalThis as ContainerWindow;
      const second = await w.failure(w.tabwrightLab.container.boot());
      const spinning = await w.wc.spawn("node", ["-e", "for (;;);"]);
      await w.pause(200);
      w.wc.teardown();
      const code = await Promise.race([spinning.exit, w.pause(3000).then(() => "hung")]);
      const after = await w.failure(w.wc.fs.readdir("."));
      const started = performance.now();
      w.wc = await w.tabwrightLab.container.boot();
      return { second, code, after, bootMs: performance.now() - started, files: await w.wc.fs.readdir("."), run: await w.run("node", ["-p", "1+1"]) };
    });
    expect(seen.second).toContain("Only a single WebContainer instance can be booted");
    expect(seen.code).toBe(143);
    expect(seen.after).not.toBe("no error");
    expect(seen.files).toEqual([]);
    expect(seen.run).toEqual({ code: 0, output: "2\n" });
  });

  it("ends in container/unavailable with a next step when the host never answers", async () => {
    const lonely = await site.browser.newPage();
    await lonely.route("**/headless**", (route) => route.abort());
    await lonely.goto(`${site.origin}/?lab`);
    await lonely.waitForFunction(() => (globalThis as LabWindow).tabwrightLab?.container !== undefined);
    const error = await lonely.evaluate(async () => {
      const { container } = (globalThis as LabWindow).tabwrightLab;
      return container.boot("local", 1500).then(() => null, (e: Error & { code: string }) => ({ code: e.code, message: e.message }));
    });
    expect(error?.code).toBe("container/unavailable");
    expect(error?.message).toMatch(/did not answer within 2 s.*Reload the page/);
    await lonely.close();
  });

  it("keeps to one host for the life of a page", async () => {
    const other = await openLab(site);
    const error = await other.evaluate(async () => {
      const { container } = (globalThis as LabWindow).tabwrightLab;
      (await container.boot("local")).teardown();
      return container.boot("stackblitz", 500).then(() => "booted", (e: Error) => e.message);
    });
    expect(error).toContain("already uses the local container");
  });
});
