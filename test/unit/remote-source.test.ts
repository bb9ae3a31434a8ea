// Faults 1 and 3: a file from a server that drops, lies, stalls and sends login pages. A real server on this machine; the
// blocks are small so that a thousand drops take a second.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { abortedError } from "../../src/base/errors.ts";
import { BROWSER_NETWORK, type Network, type Patience } from "../../src/download/network.ts";
import type { RemoteFile } from "../../src/download/range-request.ts";
import { type RemoteOptions, type RemoteProgress, RemoteSource } from "../../src/download/remote-source.ts";
import { type HubServer, type Misdeed, openHubServer } from "../support/hub-server.ts";

const BLOCK = 16 * 1024;
const SIZE = 40 * BLOCK + 1234;
const BYTES = Uint8Array.from({ length: SIZE }, (_, i) => (i * 2654435761) >>> 13);
/** As patient as the product in tries, faster in time. */
const FAST: Patience = { tries: 8, firstMs: 1, mostMs: 4, silentMs: 150 };

let hub: HubServer;
let file: RemoteFile;
const open: RemoteSource[] = [];

beforeAll(async () => {
  hub = await openHubServer({ "model.gguf": BYTES });
  file = { name: "model.gguf", url: `${hub.origin}/${hub.repository}/resolve/main/model.gguf`, bytes: SIZE };
});
afterAll(() => hub?.close());
beforeEach(() => {
  hub.requests.length = 0;
});
afterEach(() => {
  Object.assign(hub.mood, { misdeed: undefined, times: 0, drops: [], flips: [], speed: 0, expired: false });
  for (const source of open.splice(0)) source.close();
});

function remote(options: RemoteOptions = {}): RemoteSource {
  const source = new RemoteSource(file, { blockBytes: BLOCK, patience: FAST, ...options });
  open.push(source);
  return source;
}

/** As the importer reads: on and on, in pieces that are no blocks. */
async function readAll(source: RemoteSource): Promise<Uint8Array> {
  const all = new Uint8Array(source.size);
  for (let at = 0; at < source.size; at += 10_000) all.set(await source.read(at, Math.min(10_000, source.size - at)), at);
  return all;
}

function same(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, BYTES) === 0;
}

const code = (expected: string, message = "") => expect.objectContaining({ code: expected, message: expect.stringContaining(message) });

describe("a file on a server", () => {
  it("is read in order, several blocks at once, from where the hub's redirect leads, each byte once", async () => {
    const before = hub.sent();
    expect(same(await readAll(remote()))).toBe(true);
    expect(hub.sent() - before).toBe(SIZE);
    expect(hub.requests.filter(({ path }) => path.includes("/resolve/")).length).toBeLessThanOrEqual(2);
    for (const { range } of hub.requests) expect(range).toMatch(/^bytes=\d+-\d+$/);
  });

  it("fetches what is looked at, and more ahead only while the reader goes straight on", async () => {
    const before = hub.sent();
    const source = remote();
    await source.read(3, 5);
    await source.read(BLOCK - 1, 1);
    await new Promise((done) => setTimeout(done, 50));
    expect(hub.sent() - before).toBe(BLOCK);
    await source.read(20 * BLOCK, 1);
    await new Promise((done) => setTimeout(done, 50));
    expect(hub.sent() - before).toBe(2 * BLOCK);
  });

  it("that is read a second time comes from the server again: what was damaged on the way is right then", async () => {
    const source = remote();
    hub.mood.flips = [SIZE - 100, 5];
    expect(same(await readAll(source))).toBe(false);
    expect(same(await readAll(source))).toBe(true);
  });

  it("holds bounded memory however far the reader is behind", async () => {
    const before = hub.sent();
    const source = remote({ ahead: 4 });
    for (let index = 0; index < 8; index++) await source.read(index * BLOCK, BLOCK);
    await new Promise((done) => setTimeout(done, 100));
    expect(hub.sent() - before).toBeLessThanOrEqual((8 + 4) * BLOCK);
  });

  it("goes back to the file's own address when a signed one has ended", async () => {
    const source = remote();
    await source.read(0, 4 * BLOCK);
    hub.mood.expired = true;
    expect(same(await readAll(source))).toBe(true);
    expect(hub.requests.filter(({ path }) => path.includes("/resolve/")).length).toBeGreaterThanOrEqual(2);
  });

  it("stands still when it is paused, keeps what had arrived of each block, and goes on from there", async () => {
    const told: RemoteProgress[] = [];
    const source = remote({ onProgress: (progress) => void told.push(progress) });
    hub.mood.speed = 400_000;
    const before = hub.sent();
    const reading = readAll(source);
    await new Promise((done) => setTimeout(done, 300));
    source.pause();
    await new Promise((done) => setTimeout(done, 80));
    const paused = hub.sent();
    expect(paused - before).toBeGreaterThan(BLOCK);
    await new Promise((done) => setTimeout(done, 120));
    expect(hub.sent()).toBe(paused);
    expect(told.at(-1)?.weather).toBe("paused");
    hub.mood.speed = 0;
    source.resume();
    expect(same(await reading)).toBe(true);
    // What was on the way when it was paused comes again: at most a piece of each request.
    expect(hub.sent() - before - SIZE).toBeLessThanOrEqual(4 * BLOCK);
    expect(told.at(-1)?.weather).toBe("running");
  });

  it("survives pausing and going on many times in a row", async () => {
    const source = remote();
    hub.mood.speed = 3_000_000;
    const reading = readAll(source);
    for (let i = 0; i < 20; i++) {
      source.pause();
      if (i % 3 === 0) await new Promise((done) => setTimeout(done, 5));
      source.resume();
      await new Promise((done) => setTimeout(done, 7));
    }
    hub.mood.speed = 0;
    expect(same(await reading)).toBe(true);
  });

  it("ends for its readers with `aborted` when it is closed, and by a reader's own signal", async () => {
    const source = remote();
    hub.mood.misdeed = "silent";
    const abort = new AbortController();
    const mine = source.read(0, 10, abort.signal);
    const other = source.read(0, 10);
    abort.abort();
    await expect(mine).rejects.toThrow(code("aborted"));
    source.close();
    await expect(other).rejects.toThrow(code("aborted"));
    await expect(source.read(0, 1)).rejects.toThrow(code("aborted"));
  });
});

describe("fault 1: the network drops", () => {
  it("at every percent: the whole file is right, and a drop costs no byte that had arrived", async () => {
    const drops = Array.from({ length: 100 }, (_, percent) => Math.floor((percent * SIZE) / 100));
    hub.mood.drops = [...drops];
    const told: RemoteProgress[] = [];
    const before = hub.sent();
    expect(same(await readAll(remote({ onProgress: (progress) => void told.push(progress) })))).toBe(true);
    expect(hub.mood.drops).toEqual([]);
    const extra = hub.sent() - before - SIZE;
    expect(extra).toBeLessThanOrEqual(drops.length * BLOCK); // the bar: one block a drop
    expect(told.at(-1)!.receivedBytes).toBe(SIZE); // what came to us came once
    expect(told.some(({ weather }) => weather === "retrying")).toBe(true);
  });

  it("for a long time: while the browser is offline nothing is asked and nothing given up; back online it goes on", async () => {
    let online = true;
    let back: () => void = () => undefined;
    const network: Network = {
      ...BROWSER_NETWORK,
      fetch: (input, init) => (online ? fetch(input, init) : Promise.reject(new TypeError("Failed to fetch"))),
      isOnline: () => online,
      backOnline: (signal) =>
        new Promise((resolve, reject) => {
          back = resolve;
          signal.addEventListener("abort", () => reject(abortedError("Downloading")));
        }),
    };
    const told: RemoteProgress[] = [];
    const source = remote({ network, parallel: 1, onProgress: (progress) => void told.push(progress) });
    await source.read(0, BLOCK);
    online = false;
    const reading = readAll(source);
    await expect.poll(() => told.at(-1)?.weather).toBe("offline");
    await new Promise((done) => setTimeout(done, 100)); // longer than all tries take
    online = true;
    back();
    expect(same(await reading)).toBe(true);
  });

  it("and does not come back: says so after so many tries, and the next reader tries anew", async () => {
    hub.mood.misdeed = "refused";
    const source = remote();
    await expect(source.read(0, 10)).rejects.toThrow(code("download/failed", "8 times in a row"));
    hub.mood.misdeed = undefined;
    expect(same(await readAll(source))).toBe(true);
  });

  it("without a word: a silent connection is given up and made anew", async () => {
    hub.mood.misdeed = "silent";
    hub.mood.times = 3;
    expect(same(await readAll(remote()))).toBe(true);
  });

  it("in a busy server's place: what it asks to wait is waited", async () => {
    hub.mood.misdeed = "busy";
    hub.mood.times = 3;
    expect(same(await readAll(remote()))).toBe(true);
  });
});

describe("fault 3: a server that answers something else", () => {
  const cases: readonly (readonly [Misdeed, string, string])[] = [
    ["html", "download/integrity", "a web page instead"],
    ["html-206", "download/integrity", "a web page instead"],
    ["missing", "download/failed", "404"],
    ["unsatisfiable", "download/integrity", "ends before byte"],
    ["gzip", "download/integrity", "more than"],
    ["whole", "download/failed", "the whole file"],
    ["long", "download/integrity", "more than"],
    ["shifted", "download/integrity", "were asked for"],
    ["changed-size", "download/integrity", "was changed there"],
    ["loop", "download/failed", "could not be downloaded"],
    ["short", "download/failed", "ended early"],
  ];
  it.each(cases)("%s, always: %s, and no byte of it reaches the reader", async (misdeed, expected, message) => {
    hub.mood.misdeed = misdeed;
    await expect(remote({ patience: { ...FAST, tries: 3 } }).read(SIZE - 2, 2)).rejects.toThrow(code(expected, message));
  });

  it("once, in the middle of a file: nothing wrong is passed on, and the same source goes on when it is asked again", async () => {
    for (const [misdeed] of cases) {
      const source = remote();
      await source.read(0, 2 * BLOCK);
      hub.mood.misdeed = misdeed;
      hub.mood.times = 1;
      const first = await readAll(source).catch(() => undefined);
      hub.mood.misdeed = undefined;
      expect(first === undefined || same(first)).toBe(true);
      expect(same(await readAll(source))).toBe(true);
      source.close();
    }
  });
});
