// One suite over every way to reach the engine: its worker directly, one that restarts it, as the tab that hosts it, and
// as a guest of another tab.
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { GenerateEvent } from "../../src/engine/api.ts";
import { connectEngine, type Engine } from "../../src/engine/client.ts";
import { SharedEngine } from "../../src/engine/shared-engine.ts";
import { SteadyEngine } from "../../src/engine/steady-engine.ts";
import { collect, longRequest, request, smallModelFile } from "../support/small-model.ts";

const LOAD_MS = 240_000;

interface Way {
  readonly name: string;
  open(): Promise<{ readonly engine: Engine; close(): void }>;
}

async function sharedPair(which: "host" | "guest"): Promise<{ engine: Engine; close(): void }> {
  const host = new SharedEngine(connectEngine);
  await vi.waitFor(() => expect(host.status.role).toBe("host"));
  const guest = new SharedEngine(connectEngine);
  await vi.waitFor(() => expect(guest.status.role).toBe("guest"));
  return {
    engine: which === "host" ? host : guest,
    close() {
      guest.close();
      host.close();
    },
  };
}

const ways: readonly Way[] = [
  {
    name: "a worker of one's own",
    async open() {
      const engine = connectEngine();
      return { engine, close: () => engine.close() };
    },
  },
  {
    name: "a worker that is started anew when it dies",
    async open() {
      const engine = new SteadyEngine(connectEngine);
      return { engine, close: () => engine.close() };
    },
  },
  { name: "the tab that hosts the engine", open: () => sharedPair("host") },
  { name: "a guest of another tab's engine", open: () => sharedPair("guest") },
];

describe.each(ways)("a TextModel through $name", ({ open }) => {
  let engine: Engine;
  let close: () => void = () => undefined;
  const phases: string[] = [];
  beforeAll(async () => {
    const opened = await open();
    engine = opened.engine;
    close = opened.close;
    await engine.api.load(smallModelFile(), {}, ({ phase }) => void phases.push(phase));
  }, LOAD_MS);
  afterAll(async () => {
    await engine.api.remove("random.gguf");
    close();
  });

  it("tells how loading goes on, and the context's length", () => {
    expect(phases[0]).toBe("read");
    expect(phases.at(-1)).toBe("ready");
    expect(engine.model.contextLimit).toBe(256);
  });

  it("streams prefill, text and one done that holds all of it", async () => {
    const { events, streamed, done } = await collect(engine.model, request("hello"));
    expect(events[0]?.type).toBe("prefill");
    expect(events.filter(({ type }) => type === "done")).toHaveLength(1);
    expect(done.text).toBe(streamed);
    expect(done.stats.promptTokens).toBe(await engine.model.countTokens(request("hello")));
  });

  it("says the same to the same greedy request", async () => {
    expect((await collect(engine.model, request("same"))).done.text).toBe((await collect(engine.model, request("same"))).done.text);
  });

  it("throws the engine's own typed errors, and can be asked again", async () => {
    await expect(collect(engine.model, request("word ".repeat(300)))).rejects.toThrow(expect.objectContaining({ code: "model/context", data: expect.objectContaining({ limit: 256 }) }));
    await expect(engine.api.load("no-such-model", {}, () => undefined)).rejects.toThrow(expect.objectContaining({ code: "storage/missing" }));
    await engine.api.load("random.gguf", {}, () => undefined);
    expect((await collect(engine.model, request("short"))).done.text).toBeTypeOf("string");
  });

  it("stops within a second, keeps what was said, and leaves others alone that wait", async () => {
    const long = await longRequest(engine.model, 200);
    const stopper = new AbortController();
    let stoppedAt = 0;
    const first = collect(engine.model, long, stopper.signal, (event) => {
      if (event.type !== "text" || stoppedAt > 0) return;
      stoppedAt = performance.now();
      stopper.abort();
    }).then((result) => ({ ...result, tookMs: performance.now() - stoppedAt }));
    const second = collect(engine.model, request("another"));
    const { done, streamed, tookMs } = await first;
    expect(tookMs).toBeLessThan(1000);
    expect(done).toMatchObject({ reason: "aborted", text: streamed });
    expect((await second).done.reason).not.toBe("aborted");
  });

  it("stops one that waits for another, at once, and the other goes on", async () => {
    const long = await longRequest(engine.model, 120);
    const stopper = new AbortController();
    const order: string[] = [];
    const first = collect(engine.model, long).then(({ done }) => {
      order.push("first");
      return done;
    });
    const second = collect(engine.model, request("waiting"), stopper.signal).then(({ done }) => {
      order.push("second");
      return done;
    });
    stopper.abort();
    expect(await second).toMatchObject({ reason: "aborted", text: "" });
    expect((await first).reason).not.toBe("aborted");
    expect(order).toEqual(["second", "first"]);
  });

  it("stops when the stream is left early", async () => {
    const long = await longRequest(engine.model, 200);
    const seen: GenerateEvent[] = [];
    for await (const event of engine.model.complete(long)) {
      seen.push(event);
      if (event.type === "text") break;
    }
    expect(seen.at(-1)?.type).toBe("text");
    expect((await collect(engine.model, request("next"))).done.reason).not.toBe("aborted");
  });

  it("answers requests that come together one after another", async () => {
    const alone = [await collect(engine.model, request("one")), await collect(engine.model, request("two"))].map(({ done }) => done.text);
    const together = await Promise.all([collect(engine.model, request("one")), collect(engine.model, request("two"))]);
    expect(together.map(({ done }) => done.text)).toEqual(alone);
  });

  it("shows what the engine is made of, and times a token", async () => {
    await collect(engine.model, request("hello"));
    const details = await engine.api.details();
    expect(details).toMatchObject({ modelId: "random.gguf", kind: "moe", contextLimit: 256 });
    expect(details.cache).toHaveLength(4);
    expect(details.cache[0]!.uses.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
    expect(details.memory.dense).toBeGreaterThan(0);
    expect((await engine.api.profile()).layers).toHaveLength(4);
  });
});

describe("two tabs and one engine", () => {
  it("a guest finds the model loaded, without loading it again, and both tabs' requests queue", { timeout: LOAD_MS }, async () => {
    const host = new SharedEngine(connectEngine);
    await expect.poll(() => host.status.role).toBe("host");
    await host.api.load(smallModelFile(), {}, () => undefined);
    const guest = new SharedEngine(() => {
      throw new Error("a guest starts no worker");
    });
    try {
      await expect.poll(() => guest.status).toMatchObject({ role: "guest", phase: "ready", modelId: "random.gguf" });
      const phases: string[] = [];
      const loaded = await guest.api.load("random.gguf", {}, ({ phase }) => void phases.push(phase));
      expect(loaded).toMatchObject({ id: "random.gguf", contextLimit: 256 });
      expect(phases).toEqual([]);
      const [a, b] = await Promise.all([collect(host.model, request("from the host")), collect(guest.model, request("from the guest"))]);
      expect(a.done.text).toBe((await collect(guest.model, request("from the host"))).done.text);
      expect(b.done.text).toBe((await collect(host.model, request("from the guest"))).done.text);
    } finally {
      guest.close();
      host.close();
    }
  });

  it("a guest that stops only loads goes on with its answer", { timeout: LOAD_MS }, async () => {
    const host = new SharedEngine(connectEngine);
    await expect.poll(() => host.status.role).toBe("host");
    await host.api.load(smallModelFile(), {}, () => undefined);
    const guest = new SharedEngine(connectEngine);
    await expect.poll(() => guest.status.phase).toBe("ready");
    let stopped: Promise<void> | undefined;
    try {
      const { done } = await collect(guest.model, request("hello"), undefined, ({ type }) => {
        if (type === "text") stopped ??= guest.api.stop("loads");
      });
      await stopped;
      expect(stopped).toBeDefined();
      expect(done.reason).not.toBe("aborted");
      await host.api.remove("random.gguf");
    } finally {
      guest.close();
      host.close();
    }
  });

  it("the guest takes over when the host closes: what ran fails with a typed error, then the same model answers", { timeout: LOAD_MS }, async () => {
    const host = new SharedEngine(connectEngine);
    await expect.poll(() => host.status.role).toBe("host");
    await host.api.load(smallModelFile(), {}, () => undefined);
    const guest = new SharedEngine(connectEngine);
    await expect.poll(() => guest.status.phase).toBe("ready");
    const expected = (await collect(guest.model, request("hello"))).done.text;
    const long = await longRequest(guest.model, 200);
    try {
      const running = collect(guest.model, long, undefined, ({ type }) => {
        if (type === "text") host.close();
      });
      await expect(running).rejects.toThrow(expect.objectContaining({ code: "engine/stopped" }));
      const gone = performance.now();
      await expect.poll(() => guest.status.role, { timeout: 10_000 }).toBe("host");
      expect(performance.now() - gone).toBeLessThan(2000);
      expect(guest.model.contextLimit).toBe(256);
      expect((await collect(guest.model, request("hello"))).done.text).toBe(expected);
      await guest.api.remove("random.gguf");
    } finally {
      guest.close();
    }
  });

  it("of two guests one takes over and the other becomes its guest", { timeout: LOAD_MS }, async () => {
    const tabs = [];
    for (const role of ["host", "guest", "guest"] as const) {
      const tab = new SharedEngine(connectEngine);
      await expect.poll(() => tab.status.role).toBe(role);
      tabs.push(tab);
    }
    const [host, second, third] = tabs as [SharedEngine, SharedEngine, SharedEngine];
    await host.api.load(smallModelFile(), {}, () => undefined);
    await expect.poll(() => third.status.phase).toBe("ready");
    host.close();
    await expect.poll(() => [second.status.role, third.status.role], { timeout: 10_000 }).toEqual(["host", "guest"]);
    expect((await collect(third.model, request("hello"))).done.text).toBe((await collect(second.model, request("hello"))).done.text);
    await second.api.remove("random.gguf");
    third.close();
    second.close();
  });

  it("a guest that leaves in the midst of an answer does not keep the host waiting", { timeout: LOAD_MS }, async () => {
    const host = new SharedEngine(connectEngine);
    await expect.poll(() => host.status.role).toBe("host");
    await host.api.load(smallModelFile(), {}, () => undefined);
    const guest = new SharedEngine(connectEngine);
    await expect.poll(() => guest.status.phase).toBe("ready");
    const long = await longRequest(host.model, 230);
    const left = collect(guest.model, long, undefined, ({ type }) => {
      if (type === "text") guest.close();
    });
    await expect(left).rejects.toThrow(expect.objectContaining({ code: "aborted" }));
    const before = performance.now();
    expect((await collect(host.model, request("still here"))).done.text).toBeTypeOf("string");
    expect(performance.now() - before).toBeLessThan(3000);
    await host.api.remove("random.gguf");
    host.close();
  });
});
