// The stored files: verified when they arrive and when they are used, never half a version.
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { fileResponse, ISOLATION_HEADERS, isolated } from "../../../src/offline/isolation.ts";
import type { PrecacheList } from "../../../src/offline/precache.ts";
import { AppStore } from "../../../src/offline/store.ts";
import { memoryCaches } from "../../support/memory-caches.ts";

const ROOT = "https://tab.example/";
const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

async function listOf(files: Readonly<Record<string, string>>): Promise<PrecacheList> {
  return Promise.all(Object.entries(files).map(async ([url, text]) => ({ url, revision: await sha256Hex(encode(text)), bytes: encode(text).byteLength })));
}

/** A site whose files can change; `asked` keeps what was fetched and how. */
function siteWith(files: Record<string, string>): { caches: CacheStorage; asked: string[]; store: AppStore; files: Record<string, string> } {
  const caches = memoryCaches();
  const asked: string[] = [];
  const fetch = async (request: Request): Promise<Response> => {
    const path = request.url.slice(ROOT.length);
    asked.push(`${path} ${request.cache}`);
    const text = files[path];
    if (text === "offline") throw new TypeError("Failed to fetch");
    return text === undefined ? new Response("no", { status: 404 }) : new Response(text);
  };
  return { caches, asked, files, store: new AppStore({ caches, fetch, root: ROOT }) };
}

const FILES = { "index.html": "<head>", "assets/a-1.js": "a", "models/m.gguf": "weights" };

describe("installing a version", () => {
  it("stores every file, and the version is there only then", async () => {
    const { store } = siteWith({ ...FILES });
    const list = await listOf(FILES);
    await store.install("v1", list);
    expect([...(await store.lists()).keys()]).toEqual(["v1"]);
    expect(new TextDecoder().decode(await store.take("v1", list[2]!))).toBe("weights");
    expect(await store.measure("v1")).toEqual({ bytes: 6 + 1 + 7, files: 3 });
  });

  it.each([
    ["is another one", "tampered", "download/integrity"],
    ["is cut short", "", "download/integrity"],
    ["is missing", undefined, "download/failed"],
    ["cannot be reached", "offline", "download/failed"],
  ])("fails when a file %s, and goes on later with what it has", async (_, broken, code) => {
    const site = siteWith({ ...FILES, ...(broken === undefined ? {} : { "models/m.gguf": broken }) });
    if (broken === undefined) delete site.files["models/m.gguf"];
    const list = await listOf(FILES);
    await expect(site.store.install("v1", list)).rejects.toMatchObject({ code });
    expect((await site.store.lists()).size).toBe(0);

    site.files["models/m.gguf"] = FILES["models/m.gguf"];
    site.asked.length = 0;
    await site.store.install("v1", list);
    expect([...(await site.store.lists()).keys()]).toEqual(["v1"]);
    expect(site.asked).toEqual(["models/m.gguf default"]);
  });

  it("asks past the browser's own cache when that has another file", async () => {
    const site = siteWith({ ...FILES });
    const fresh = site.files["index.html"]!;
    const store = new AppStore({
      caches: site.caches,
      root: ROOT,
      fetch: async (request) => new Response(request.url.endsWith("index.html") && request.cache === "default" ? "yesterday's" : request.url.endsWith("index.html") ? fresh : site.files[request.url.slice(ROOT.length)]),
    });
    await store.install("v1", await listOf(FILES));
    expect((await store.lists()).size).toBe(1);
  });

  it("takes from the version before what has not changed", async () => {
    const site = siteWith({ ...FILES });
    await site.store.install("v1", await listOf(FILES));
    site.files["index.html"] = "<head>2";
    site.asked.length = 0;
    await site.store.install("v2", await listOf({ ...FILES, "index.html": "<head>2" }));
    expect(site.asked).toEqual(["index.html default"]);
    await site.store.delete("v1");
    expect(await site.store.measure("v2")).toEqual({ bytes: 7 + 1 + 7, files: 3 });
  });

  it("says how much there was no room for", async () => {
    const site = siteWith({ ...FILES });
    const full = await site.caches.open("tabwright-app-v1");
    full.put = () => Promise.reject(new DOMException("full", "QuotaExceededError"));
    await expect(site.store.install("v1", await listOf({ "index.html": "<head>" }))).rejects.toMatchObject({ code: "storage/quota", data: { neededBytes: 6 } });
  });
});

describe("a stored file", () => {
  it.each([["was changed", "x"], ["was deleted", undefined]])("that %s is fetched again, and stored again", async (_, damage) => {
    const site = siteWith({ ...FILES });
    const list = await listOf(FILES);
    await site.store.install("v1", list);
    const cache = await site.caches.open("tabwright-app-v1");
    if (damage === undefined) await cache.delete(`${ROOT}assets/a-1.js`);
    else await cache.put(`${ROOT}assets/a-1.js`, new Response(damage));
    site.asked.length = 0;
    expect(new TextDecoder().decode(await site.store.take("v1", list[1]!))).toBe("a");
    expect(new TextDecoder().decode(await site.store.take("v1", list[1]!))).toBe("a");
    expect(site.asked).toEqual(["assets/a-1.js default"]);
  });

  it("that was changed is refused with a sentence when the site has another one, or cannot be reached", async () => {
    const site = siteWith({ ...FILES });
    const list = await listOf(FILES);
    await site.store.install("v1", list);
    await (await site.caches.open("tabwright-app-v1")).put(`${ROOT}index.html`, new Response("x"));
    site.files["index.html"] = "<head>of a newer version";
    await expect(site.store.take("v1", list[0]!)).rejects.toMatchObject({ code: "download/integrity", message: expect.stringContaining("Reload") });
    site.files["index.html"] = "offline";
    await expect(site.store.take("v1", list[0]!)).rejects.toMatchObject({ code: "download/failed", message: expect.stringContaining("Connect") });
  });
});

describe("a response", () => {
  const bytes = encode("0123456789");

  it("carries isolation, a type by its name, and no redirect", async () => {
    const response = fileResponse("assets/a.js", bytes, null);
    for (const [name, value] of Object.entries(ISOLATION_HEADERS)) expect(response.headers.get(name)).toBe(value);
    expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    const passed = isolated(new Response("x", { status: 404, headers: { "content-type": "text/html", "cross-origin-embedder-policy": "unsafe-none" } }));
    expect([passed.status, passed.headers.get("cross-origin-embedder-policy"), passed.headers.get("content-type"), passed.redirected]).toEqual([404, "require-corp", "text/html", false]);
    expect(isolated(new Response(null, { status: 304 })).status).toBe(304);
  });

  it.each([
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=8-99", 206, "89", "bytes 8-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=0-1,4-5", 200, "0123456789", null],
    ["lines=1-2", 200, "0123456789", null],
  ])("to the range %s has status %i", async (range, status, text, contentRange) => {
    const response = fileResponse("m.gguf", bytes, range);
    expect([response.status, await response.text(), response.headers.get("content-range")]).toEqual([status, text, contentRange]);
  });
});
