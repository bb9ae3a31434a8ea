// What a model holds of a chat, over a reload: a new worker, a new device, the same storage.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import type { GenerateRequest } from "../../src/engine/api.ts";
import { type ConnectedEngine, connectEngine } from "../../src/engine/client.ts";
import { forgetState, StateStore } from "../../src/storage/kept-states.ts";
import { measureStates } from "../../src/storage/measure.ts";
import { openDB } from "idb";
import { collect, request, smallModelFile } from "../support/small-model.ts";

/** Loading compiles every kernel, on a busy machine without a GPU for half a minute each time. */
const LOAD_MS = 240_000;
const user = (content: string) => ({ role: "user", content }) as const;

describe("a chat after a reload", { timeout: LOAD_MS }, () => {
  let engine: ConnectedEngine;
  const reload = async (): Promise<void> => {
    engine?.close();
    engine = connectEngine();
    await engine.api.load(smallModelFile(), {}, () => undefined);
  };
  const ask = (messages: GenerateRequest["messages"], keep?: string) => collect(engine.model, request("", { messages, maxTokens: 6, ...(keep === undefined ? {} : { keep }) }));
  const first = [user("so ".repeat(60))];

  /** Asks once and waits until what the model holds is stored; then what comes next, and what it would be without a reload. */
  async function kept(): Promise<{ readonly next: GenerateRequest["messages"]; readonly expected: string; readonly held: number }> {
    const { done } = await ask(first, "chat-1");
    await vi.waitFor(async () => expect((await measureStates()).map(({ key }) => key)).toEqual(["chat-1"]), { timeout: 60_000, interval: 200 });
    const next = [...first, { role: "assistant", content: done.text } as const, user("and then")];
    const { done: without } = await ask(next);
    return { next, expected: without.text, held: done.stats.promptTokens + done.stats.completionTokens - 1 };
  }

  /** Takes the place of what the model holds: what is asked next can only come out of storage. */
  const elsewhere = () => ask([user("something else")]);

  beforeAll(reload, LOAD_MS);
  afterEach(async () => {
    await forgetState("chat-1");
    await elsewhere();
  });
  afterAll(() => engine.close());

  it("goes on without computing it again, and says what it would have said", async () => {
    const { next, expected, held } = await kept();
    await reload();
    const { done } = await ask(next, "chat-1");
    expect(done.stats.reusedTokens).toBe(held);
    expect(done.text).toBe(expected);
    // Of another chat nothing is taken.
    await ask([user("x")]);
    expect((await ask(next, "chat-2")).done.stats.reusedTokens).toBeLessThan(held);
  });

  it("is computed again where what was kept is damaged, and what is damaged goes", async () => {
    const { next, expected, held } = await kept();
    const database = await openDB("tabwright-states");
    for (const key of await database.getAllKeys("parts")) {
      const part = (await database.get("parts", key)) as { readonly bytes: Uint8Array };
      part.bytes[5]! ^= 1;
      await database.put("parts", part, key);
    }
    database.close();
    await elsewhere();
    const { done } = await ask(next, "chat-1");
    expect(done.stats.reusedTokens).toBeLessThan(held);
    expect(done.text).toBe(expected);
  });

  it("is computed again where it was kept of another model, or its messages were changed since", async () => {
    const { next, held } = await kept();
    const store = (await StateStore.open())!;
    expect(await store.header("chat-1", "another model")).toBeUndefined();
    expect(await store.headers()).toEqual([]);
    store.close();
    await ask(first, "chat-1");
    await vi.waitFor(async () => expect(await measureStates()).toHaveLength(1), { timeout: 60_000, interval: 200 });
    await elsewhere();
    expect((await ask([user("other words"), ...next.slice(1)], "chat-1")).done.stats.reusedTokens).toBeLessThan(held);
  });
});

describe("the store of what models hold", () => {
  const part = (name: string, of: string, fill: number, bytes = 10) => ({ name, of, bytes, read: vi.fn(async () => new Uint8Array(bytes).fill(fill)) });
  const header = (chat: string, model = "m") => ({ chat, model, ids: Int32Array.of(1, 2, 3), next: -1 });
  const signal = new AbortController().signal;
  let store: StateStore;
  beforeEach(async () => void (store = (await StateStore.open("states-test"))!));
  afterEach(async () => {
    await store.clear();
    store.close();
  });

  it("writes only what is new of a longer chat, and gives back what was written", async () => {
    await store.save(header("a"), [part("cache/0", "one", 1)], signal);
    const same = part("cache/0", "one", 9);
    await store.save(header("a"), [same, part("cache/1", "two", 2)], signal);
    expect(same.read).not.toHaveBeenCalled();
    expect([...(await store.part("a", "cache/0")), ...(await store.part("a", "cache/1"))]).toEqual([...Array(10).fill(1), ...Array(10).fill(2)]);
    await store.save(header("a"), [part("cache/0", "other", 3)], signal);
    await expect(store.part("a", "cache/1")).rejects.toThrow(expect.objectContaining({ code: "storage/corrupt" }));
  });

  it("trusts nothing of a save that was interrupted", async () => {
    await store.save(header("a"), [part("cache/0", "one", 1)], signal);
    await expect(store.save(header("a"), [part("cache/0", "two", 1), { ...part("cache/1", "two", 1), read: () => Promise.reject(new Error("gone")) }], signal)).rejects.toThrow("gone");
    expect(await store.header("a", "m")).toBeUndefined();
    await store.save(header("b"), [], signal);
    await expect(store.part("a", "cache/0")).rejects.toThrow(); // swept by the next save
  });

  it("does not keep a chat that is too large, and gives up the one used longest ago when there are too many", async () => {
    const claimed = (name: string, bytes: number) => ({ ...part(name, name, 1), bytes });
    await store.save(header("huge"), [claimed("cache/0", LIMITS.keptStateBytes + 1)], signal);
    expect(await store.headers()).toEqual([]);
    for (const chat of ["old", "middle", "new"]) await store.save(header(chat), [claimed("cache/0", LIMITS.keptStateBytes - 100)], signal);
    expect((await store.headers()).map(({ chat }) => chat).toSorted()).toEqual(["middle", "new"]);
  });
});
