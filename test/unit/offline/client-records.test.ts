// Which client runs on which version: what is noted outlives the worker, and goes with the client, never before it came.
import { describe, expect, it } from "vitest";
import { ClientRecords } from "../../../src/offline/client-records.ts";
import { memoryCaches } from "../../support/memory-caches.ts";

const ROOT = "https://tab.example/";

describe("the record of a client", () => {
  it("is there again after the worker was stopped", async () => {
    const caches = memoryCaches();
    await (await ClientRecords.open(caches, ROOT)).set("page/1", "v1");
    expect([...(await ClientRecords.open(caches, ROOT)).known]).toEqual([["page/1", "v1"]]);
  });

  it("stays while its page is on the way, and goes when the page has been there and is gone", async () => {
    const records = await ClientRecords.open(memoryCaches(), ROOT);
    await records.set("new", "v1");
    await records.keep(new Set(["other"]));
    expect(records.known.get("new")).toBe("v1");
    await records.keep(new Set(["new"]));
    await records.keep(new Set(["other"]));
    expect(records.known.has("new")).toBe(false);
  });

  it("of a page that never came is forgotten by the next worker", async () => {
    const caches = memoryCaches();
    await (await ClientRecords.open(caches, ROOT)).set("never", "v1");
    const next = await ClientRecords.open(caches, ROOT);
    await next.keep(new Set());
    expect(next.known.size).toBe(0);
    expect((await ClientRecords.open(caches, ROOT)).known.size).toBe(0);
  });
});
