// From what a person writes to the models that are there: the address, the hub's listing, any server's file.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAddress } from "../../src/download/address.ts";
import { probeFile } from "../../src/download/probe.ts";
import { addressOf, isStored, offeredModel, readOffers } from "../../src/engine/offers.ts";
import { findRemoteModels, inspectRemote } from "../../src/engine/remote-models.ts";
import { type HubServer, openHubServer } from "../support/hub-server.ts";
import { readFileSync } from "node:fs";

const MICRO = new Uint8Array(readFileSync(new URL("../../public/models/tabwright-micro.gguf", import.meta.url)));
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const code = (expected: string, message = "") => expect.objectContaining({ code: expected, message: expect.stringContaining(message) });
let hub: HubServer;

beforeAll(async () => {
  hub = await openHubServer({
    "README.md": text("# Tiny"),
    "tiny-Q4_K_M.gguf": MICRO,
    "tiny-UD-Q8_K_XL.gguf": text("not a GGUF by its bytes."),
    "mmproj-F16.gguf": text("not a model"),
    "BF16/tiny-BF16-00001-of-00002.gguf": text("one"),
    "BF16/tiny-BF16-00002-of-00002.gguf": text("two!"),
    "broken-Q2_K-00001-of-00003.gguf": text("one of three"),
  });
});
afterAll(() => hub?.close());

describe("an address", () => {
  const whole = { kind: "hub", repository: "owner/name-GGUF", revision: "main", path: "", quantisation: "" };
  it.each([
    ["owner/name-GGUF", whole],
    [" owner/name-GGUF ", whole],
    ["hf.co/owner/name-GGUF:Q4_K_M", { ...whole, quantisation: "Q4_K_M" }],
    ["owner/name-GGUF@v1.0", { ...whole, revision: "v1.0" }],
    ["owner/name-GGUF@abc123/sub/file.gguf", { ...whole, revision: "abc123", path: "sub/file.gguf" }],
    ["owner/name-GGUF/file.gguf", { ...whole, path: "file.gguf" }],
    ["https://huggingface.co/owner/name-GGUF", whole],
    ["https://huggingface.co/owner/name-GGUF/tree/dev", { ...whole, revision: "dev" }],
    ["https://huggingface.co/owner/name-GGUF/blob/main/a%20b.gguf", { ...whole, path: "a b.gguf" }],
    ["https://huggingface.co/owner/name-GGUF/resolve/dev/x/y.gguf?download=true", { ...whole, revision: "dev", path: "x/y.gguf" }],
    ["https://files.example/m.gguf?key=1#part", { kind: "url", url: "https://files.example/m.gguf?key=1" }],
    ["http://localhost:8080/m.gguf", { kind: "url", url: "http://localhost:8080/m.gguf" }],
  ])("%s", (written, expected) => {
    expect(parseAddress(written)).toEqual(expected);
  });

  it.each(["", "name", "a b/c", "owner/name/../..:x y", "https://huggingface.co/owner", "https://huggingface.co/datasets/a/b", "http://files.example/m.gguf", "https://me:secret@files.example/m.gguf", "javascript:alert(1)"])("“%s” names none", (written) => {
    expect(() => parseAddress(written)).toThrow(code("download/address"));
  });
});

describe("a repository of the hub", () => {
  it("lists its models smallest first, parts together, with size, hash and commit, as the hub publishes them", async () => {
    const { models, commit, chosen, title, place } = await findRemoteModels("acme/tiny-GGUF:q4_k_m", hub.origin);
    expect([title, commit, place, chosen]).toEqual(["acme/tiny-GGUF", hub.commit, new URL(hub.origin).host, "acme/tiny-GGUF/tiny-Q4_K_M.gguf"]);
    expect(models.map(({ name, quantisation, bytes, files }) => [name, quantisation, bytes, files.length])).toEqual([
      ["tiny-BF16", "BF16", 7, 2],
      ["tiny-UD-Q8_K_XL", "UD-Q8_K_XL", 24, 1],
      ["tiny-Q4_K_M", "Q4_K_M", MICRO.byteLength, 1],
    ]);
    const [file] = models[2]!.files;
    expect(file?.url).toBe(`${hub.origin}/acme/tiny-GGUF/resolve/${hub.commit}/tiny-Q4_K_M.gguf`);
    expect(file?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("a named file is chosen, a part of a split one with its others", async () => {
    const { models, chosen } = await findRemoteModels("acme/tiny-GGUF/BF16/tiny-BF16-00002-of-00002.gguf", hub.origin);
    expect(models).toHaveLength(1);
    expect(models[0]).toMatchObject({ id: chosen, bytes: 7 });
  });

  it("that is not there, holds no model or cannot be reached is told apart", async () => {
    await expect(findRemoteModels("acme/nothing", hub.origin)).rejects.toThrow(code("download/failed", "no public model acme/nothing"));
    await expect(findRemoteModels("acme/tiny-GGUF@other", hub.origin)).rejects.toThrow(code("download/failed", "revision other"));
    await expect(findRemoteModels("acme/tiny-GGUF/none.gguf", hub.origin)).rejects.toThrow(code("download/failed", "no GGUF file called none.gguf"));
    await expect(findRemoteModels("acme/tiny-GGUF", "http://localhost:1")).rejects.toThrow(code("download/failed", "cannot be reached"));
  });

  it("needs only a model's header to say what it takes, or that it cannot run", async () => {
    const { models } = await findRemoteModels("acme/tiny-GGUF", hub.origin);
    const needs = await inspectRemote(models[2]!, false);
    expect(needs.gpuBytes).toBeGreaterThan(needs.leastGpuBytes);
    expect(needs.leastGpuBytes).toBeGreaterThan(0);
    await expect(inspectRemote(models[1]!, false)).rejects.toThrow(code("model/format"));
  });
});

describe("a file at any address", () => {
  it("is measured by its server's first answer, and no hash is made up for it", async () => {
    const url = `${hub.origin}/acme/tiny-GGUF/resolve/main/tiny-Q4_K_M.gguf`;
    expect(await probeFile(url)).toEqual({ name: "tiny-Q4_K_M.gguf", url, bytes: MICRO.byteLength });
    const { models, commit } = await findRemoteModels(url);
    expect([models[0]?.id, commit]).toEqual([url, undefined]);
  });

  it("of a server that hides the range from other sites is measured by its length", async () => {
    const hiding: typeof fetch = async (_url, init) =>
      new Headers(init?.headers).has("range") ? new Response("G", { status: 206 }) : new Response("GGUF", { headers: { "content-length": "4" } });
    expect(await probeFile("https://files.example/m.gguf", undefined, hiding)).toMatchObject({ bytes: 4 });
  });

  it("is refused, with what to do instead, from a server without ranges or sizes, and where there is a page", async () => {
    const answer = (body: string, init: ResponseInit) => probeFile("https://files.example/m.gguf", undefined, async () => new Response(body, init));
    await expect(answer("GGUF", { status: 200 })).rejects.toThrow(code("download/failed", "only whole files"));
    await expect(answer("<html>", { status: 206, headers: { "content-type": "text/html" } })).rejects.toThrow(code("download/failed", "a web page"));
    await expect(answer("", { status: 404 })).rejects.toThrow(code("download/failed", "404"));
    await expect(answer("G", { status: 206 })).rejects.toThrow(code("download/failed", "how large"));
    await expect(probeFile("http://localhost:1/m.gguf")).rejects.toThrow(code("download/failed", "cannot be reached"));
  });
});

describe("what this site offers", () => {
  const list = readFileSync(new URL("../../public/models.json", import.meta.url), "utf8");
  const served: typeof fetch = async () => new Response(list, { headers: { "content-type": "application/json" } });

  it("is Qwen3-Coder-Next in two or three quantisations and a model for 16 GB, each an address that is understood", async () => {
    const offers = await readOffers(served);
    expect(offers.length).toBe((JSON.parse(list) as { offers: unknown[] }).offers.length);
    const next = offers.filter(({ name }) => name.startsWith("Qwen3-Coder-Next"));
    expect(new Set(next.map(({ quantisation }) => quantisation)).size).toBeGreaterThanOrEqual(2);
    expect(offers.some(({ memoryGb }) => memoryGb === 16)).toBe(true);
    for (const offer of offers) expect(parseAddress(addressOf(offer))).toEqual({ kind: "hub", repository: offer.repository, revision: "main", path: "", quantisation: offer.quantisation });
  });

  it("claims no hash and no size that was not looked up: all its numbers are estimates, near what arithmetic says", async () => {
    expect(list).not.toMatch(/sha256|[0-9a-f]{64}/i);
    const [q4] = await readOffers(served);
    // 24 layers of Q6_K and 24 of Q4_K downs, 512 experts; the rest at Q4_K with a Q6_K head.
    const experts = 48 * 512 * (2 * 589_824 + (589_824 + 860_160) / 2);
    expect(q4!.estimate.bytes / (experts + 1.48 * 2 ** 30)).toBeCloseTo(1, 2);
    expect(offeredModel(q4!)).toMatchObject({ source: "offer", bytes: q4!.estimate.bytes, memoryGb: 32 });
  });

  it("is nothing where there is no list or a broken one, and no longer what is stored", async () => {
    for (const body of ["<!doctype html>", "{}", '{"offers":[{"id":"x"}]}', "null"]) expect(await readOffers(async () => new Response(body))).toEqual([]);
    expect(await readOffers(() => Promise.reject(new TypeError("Failed to fetch")))).toEqual([]);
    const [q4] = await readOffers(served);
    const stored = { id: `${q4!.repository}/Qwen3-Coder-Next-Q4_K_M.gguf`, name: "", kind: "moe", source: "file", note: "" } as const;
    expect([isStored(q4!, [stored]), isStored(q4!, [{ ...stored, id: "other/x-Q4_K_M.gguf" }])]).toEqual([true, false]);
  });
});
