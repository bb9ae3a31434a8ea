// The engine as the page has it: its worker, its API, real storage, a real GPU device; the models are small and random.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GenerateEvent, GenerateRequest, LoadProgress } from "../../src/engine/api.ts";
import { type ConnectedEngine, connectEngine } from "../../src/engine/client.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { randomModel, randomTensors } from "../fixtures/models/random-model.ts";
import { SPECS } from "../fixtures/models/specs.ts";

const spec = SPECS.find(({ name }) => name === "plain-f32")!;
/** Loading compiles every kernel, on a busy machine without a GPU for half a minute each time. */
const LOAD_MS = 240_000;
const greedy = { temperature: 0 };
const file = (name: string, bytes: BlobPart): File => new File([bytes], name);
const model = file("random.gguf", randomModel(spec));
const request = (content: string, more: Partial<GenerateRequest> = {}): GenerateRequest => ({ messages: [{ role: "user", content }], maxTokens: 12, sampling: greedy, ...more });

type Done = Extract<GenerateEvent, { type: "done" }>;

async function ask(engine: ConnectedEngine, asked: GenerateRequest, signal?: AbortSignal): Promise<{ events: GenerateEvent[]; streamed: string; done: Done }> {
  const events: GenerateEvent[] = [];
  for await (const event of engine.model.complete(asked, signal)) events.push(event);
  const streamed = events.map((event) => (event.type === "text" ? event.text : "")).join("");
  return { events, streamed, done: events.at(-1) as Done };
}

describe("the engine in its worker", () => {
  let engine: ConnectedEngine;
  const progress: LoadProgress[] = [];
  beforeAll(async () => {
    engine = connectEngine();
    const loaded = await engine.api.load(model, {}, (step) => void progress.push(step));
    expect(loaded).toMatchObject({ id: "random.gguf", contextLimit: 256, expertCount: spec.layers * spec.moe.experts, expertSlots: spec.layers * spec.moe.experts });
  }, LOAD_MS);
  afterAll(async () => {
    for (const { id } of await engine.api.models()) if (id.endsWith(".gguf")) await engine.api.remove(id);
    engine.close();
  });

  it("tells the phases of loading with bytes that only grow, and ends ready", () => {
    expect([...new Set(progress.map(({ phase }) => phase))]).toEqual(["read", "import", "upload", "compile", "ready"]);
    const imported = progress.filter(({ phase }) => phase === "import").map(({ doneBytes }) => doneBytes);
    expect(imported).toEqual(imported.toSorted((a, b) => a - b));
    expect(imported.at(-1)).toBe(progress.find(({ phase }) => phase === "import")?.totalBytes);
    expect(engine.model.contextLimit).toBe(256);
  });

  it("streams prefill, text and one done that holds all of it", async () => {
    const { events, streamed, done } = await ask(engine, request("hello"));
    expect(events[0]?.type).toBe("prefill");
    expect(events.filter(({ type }) => type === "done")).toHaveLength(1);
    expect(done.text).toBe(streamed);
    expect(done.stats.promptTokens).toBe(await engine.model.countTokens(request("hello")));
    expect(done.stats.completionTokens).toBeLessThanOrEqual(12);
    expect(done.stats.expertUses).toBeGreaterThan(0);
    expect(done.stats.contextLimit).toBe(256);
  });

  it("keeps the state when the prompt only grew, and says the same as a fresh engine would", async () => {
    const first = await ask(engine, request("one", { maxTokens: 6 }));
    const messages = [{ role: "user", content: "one" }, { role: "assistant", content: first.done.text }, { role: "user", content: "two" }] as const;
    const second = await ask(engine, request("", { messages }));
    expect(second.done.stats.reusedTokens).toBeGreaterThanOrEqual(first.done.stats.promptTokens - 1);
    await ask(engine, request("something else"));
    const again = await ask(engine, request("", { messages }));
    expect(again.done.stats.reusedTokens).toBeLessThan(second.done.stats.reusedTokens);
    const third = await ask(engine, request("", { messages }));
    expect(third.done.stats.reusedTokens).toBe(third.done.stats.promptTokens - 1);
    expect(third.done.text).toBe(again.done.text);
  });

  it("computes only what an edited message, another branch or an undo changes, and says what a fresh engine would", async () => {
    const user = (content: string) => ({ role: "user", content }) as const;
    const told = { role: "assistant", content: "so it is" } as const;
    const say = (...messages: GenerateRequest["messages"][number][]) => ask(engine, request("", { messages, maxTokens: 6 }));
    const story = [user("one ".repeat(20)), told, user("two"), told];
    await say(...story.slice(0, 1));
    await say(...story.slice(0, 3));
    const before = await engine.model.countTokens({ messages: story.slice(0, 2) });
    const whole = await say(...story, user("three"));
    const edited = await say(...story.slice(0, 2), user("other words"));
    expect(edited.done.stats.reusedTokens).toBeGreaterThan(before - 12); // all but the edited message
    expect(edited.done.stats.reusedTokens).toBeLessThan(edited.done.stats.promptTokens);
    const back = await say(...story, user("three")); // the branch that was left
    expect(back.done.stats.reusedTokens).toBe(edited.done.stats.reusedTokens);
    expect(back.done.text).toBe(whole.done.text);
    const undone = await say(...story.slice(0, 2), user("four"));
    expect(undone.done.stats.reusedTokens).toBeGreaterThan(before - 12);
    await ask(engine, request("something else"));
    for (const [messages, { done }] of [[[...story.slice(0, 2), user("other words")], edited], [[...story.slice(0, 2), user("four")], undone]] as const) {
      await ask(engine, request("something else"));
      const fresh = await say(...messages);
      expect(fresh.done.stats.reusedTokens).toBeLessThan(8);
      expect(done.text).toBe(fresh.done.text);
    }
  });

  it("samples the same with the same seed, and otherwise with another", async () => {
    const sampled = (seed: number) => ask(engine, request("dice", { sampling: { temperature: 3, seed }, maxTokens: 20 }));
    const [a, b, c] = [await sampled(1), await sampled(1), await sampled(2)];
    expect(b.done.text).toBe(a.done.text);
    expect(c.done.text).not.toBe(a.done.text);
    await expect(ask(engine, request("dice", { sampling: { topP: 2 } }))).rejects.toThrow(expect.objectContaining({ code: "command/usage", message: expect.stringContaining("topP") }));
  });

  it("tells how probable its words were when asked, and says less again what is penalised", async () => {
    const plain = await ask(engine, request("dice", { logprobs: 2 }));
    expect(plain.done.logprobs).toHaveLength(plain.done.stats.completionTokens);
    for (const { token, logprob, top } of plain.done.logprobs!) expect(top[0]).toMatchObject({ token, logprob }); // greedy: the best is the choice
    const fork = await ask(engine, request("dice", { logprobs: 2, forks: [{ at: 3, rank: 2 }] }));
    const bytes = ({ done }: { done: Done }) => done.logprobs!.map((token) => String(token.bytes));
    expect(bytes(fork).slice(0, 3)).toEqual(bytes(plain).slice(0, 3));
    expect(bytes(fork)[3]).toBe(String(plain.done.logprobs![3]!.top[1]!.bytes)); // the next best, after the same state
    expect(fork.done.stats.reusedTokens).toBe(fork.done.stats.promptTokens - 1); // the last token alone is computed: its logits choose
    const distinct = ({ done }: { done: Done }): number => new Set(done.logprobs!.map(({ bytes }) => String(bytes))).size / done.logprobs!.length;
    const penalised = await ask(engine, request("dice", { logprobs: 0, sampling: { temperature: 0, frequencyPenalty: 2, presencePenalty: 2, repeatPenalty: 10 } }));
    expect(distinct(penalised)).toBeGreaterThanOrEqual(distinct(plain));
    expect((await ask(engine, request("dice"))).done.logprobs).toBeUndefined();
    await expect(ask(engine, request("dice", { sampling: { frequencyPenalty: 3 } }))).rejects.toThrow(expect.objectContaining({ code: "command/usage", message: expect.stringContaining("frequencyPenalty") }));
    await expect(ask(engine, request("dice", { logprobs: 6 }))).rejects.toThrow(expect.objectContaining({ code: "command/usage" }));
  });

  it("ends at the token limit, and before a stop string", async () => {
    const whole = await ask(engine, request("stop here", { maxTokens: 10, sampling: { temperature: 2, seed: 5 } }));
    expect(whole.done).toMatchObject({ reason: "length", stats: { completionTokens: 10 } });
    const word = whole.done.text.slice(3, 5);
    const cut = await ask(engine, request("stop here", { maxTokens: 10, sampling: { temperature: 2, seed: 5 }, stop: [word] }));
    expect(cut.done).toMatchObject({ reason: "stop", text: whole.done.text.slice(0, whole.done.text.indexOf(word)) });
    expect(cut.streamed).toBe(cut.done.text);
  });

  it("stops within a second in decode and in prefill, keeps what was said, and goes on with the next request", async () => {
    // A random model may end its turn at any token: take a seed with which it goes on for a while.
    let seed = 0;
    while ((await ask(engine, request("go", { maxTokens: 25, sampling: { temperature: 1, seed: ++seed } }))).done.reason !== "length") expect(seed).toBeLessThan(40);
    const stopper = new AbortController();
    let stoppedAt = 0;
    const events: GenerateEvent[] = [];
    for await (const event of engine.model.complete(request("go", { maxTokens: 200, sampling: { temperature: 1, seed } }), stopper.signal)) {
      events.push(event);
      if (event.type === "text" && stoppedAt === 0) {
        stoppedAt = performance.now();
        stopper.abort();
      }
    }
    expect(performance.now() - stoppedAt).toBeLessThan(1000);
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "aborted", text: events.map((event) => (event.type === "text" ? event.text : "")).join("") });
    const inPrefill = await ask(engine, request("long ".repeat(30)), AbortSignal.abort());
    expect(inPrefill.done).toMatchObject({ reason: "aborted", text: "" });
    expect((await ask(engine, request("next"))).done.reason).not.toBe("aborted");
  });

  it("refuses a prompt longer than the context, and can be asked again", async () => {
    await expect(ask(engine, request("word ".repeat(300)))).rejects.toThrow(expect.objectContaining({ code: "model/context" }));
    expect((await ask(engine, request("short"))).done.text).toBeTypeOf("string");
  });

  it("gives the same logits whatever the expert budget, reading IndexedDB when it is small", { timeout: LOAD_MS }, async () => {
    const ids = await engine.lab.encodePrompt("the rain in the station");
    const logits: Float32Array[] = [];
    const streamed: number[] = [];
    const recordBytes = 3 * spec.hidden * spec.moe.width * 4;
    for (const experts of [1, 5]) {
      await engine.api.load("random.gguf", { expertMb: (recordBytes * spec.layers * experts) / 1e6 }, () => undefined);
      logits.push(await engine.lab.evaluate(ids));
      streamed.push((await engine.lab.generateIds({ ids, maxTokens: 8, sampling: greedy, stop: [] })).stats.streamedBytes);
    }
    for (const row of logits) expect(row).toEqual(logits[0]);
    expect(streamed[0]).toBeGreaterThan(recordBytes);
    expect(streamed[0]! % recordBytes).toBe(0);
  });

  it("does not import again what is stored, and lists and removes it", { timeout: LOAD_MS }, async () => {
    const phases: string[] = [];
    await engine.api.load(model, {}, ({ phase }) => void phases.push(phase));
    expect(phases).not.toContain("import");
    expect(await engine.api.models()).toContainEqual(expect.objectContaining({ id: "random.gguf", name: "random plain-f32", kind: "moe", source: "file" }));
    expect(await engine.api.remove("random.gguf")).toBeGreaterThan(100_000);
    expect((await engine.api.models()).map(({ id }) => id)).not.toContain("random.gguf");
    await expect(ask(engine, request("gone"))).rejects.toThrow(expect.objectContaining({ code: "storage/missing" }));
    await engine.api.load(model, {}, () => undefined);
  });

  it("says the same from every store, and moves a model there when it is asked", { timeout: LOAD_MS }, async () => {
    const { done } = await ask(engine, request("the same", { maxTokens: 2 }));
    for (const store of ["opfs", "file", "indexeddb"] as const) {
      expect(await engine.api.load(model, { store }, () => undefined)).toMatchObject({ store });
      expect((await ask(engine, request("the same", { maxTokens: 2 }))).done.text).toBe(done.text);
    }
    expect((await engine.api.models()).filter(({ id }) => id === "random.gguf")).toHaveLength(1);
  });

  it("names a damaged expert when it is needed, and mends it when the model's file is opened again", { timeout: LOAD_MS }, async () => {
    const database = await openDatabase();
    for (const key of await database.getAllKeys("experts")) {
      if (key[0] !== "random.gguf" || key[1] !== 1) continue;
      const stored = (await database.get("experts", key)) as Uint8Array<ArrayBuffer>;
      stored[100]! ^= 1;
      await database.put("experts", stored, key);
    }
    database.close();
    await expect(engine.api.load("random.gguf", {}, () => undefined)).rejects.toThrow(expect.objectContaining({ code: "storage/corrupt", message: expect.stringMatching(/Expert \d of layer 1 of random plain-f32 is damaged/) }));
    await engine.api.load(model, {}, () => undefined);
    await engine.api.load("random.gguf", {}, () => undefined); // and it stays mended
    await engine.api.remove("random.gguf");
  });

  it.each([
    ["no GGUF", file("page.gguf", "<!doctype html> this is a page and no model at all"), "model/format", "is not a GGUF file"],
    ["a file that ends too early", file("cut.gguf", randomModel(spec).slice(0, 60_000)), "model/format", "cut off"],
    ["a missing tensor", file("missing.gguf", randomModel(spec, (all) => all.filter(({ name }) => name !== "blk.1.attn_k.weight"))), "model/format", "blk.1.attn_k.weight"],
    ["an odd shape", file("odd.gguf", randomModel(spec, (all) => all.map((tensor) => (tensor.name === "output_norm.weight" ? { ...tensor, shape: [32, 2] } : tensor)))), "model/format", "output_norm.weight"],
  ] as const)("refuses %s before anything is stored", async (_name, bad, code, words) => {
    await expect(engine.api.load(bad, {}, () => undefined)).rejects.toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) }));
    expect((await engine.api.models()).map(({ id }) => id)).not.toContain(bad.name);
  });

  it("goes on with an import that was stopped", { timeout: LOAD_MS }, async () => {
    expect(randomTensors(spec).length).toBeGreaterThan(10);
    const stopped = engine.api.load(model, {}, ({ phase, doneBytes }) => {
      if (phase === "import" && doneBytes > 0) void engine.api.stop();
    });
    await expect(stopped).rejects.toThrow(expect.objectContaining({ code: "aborted" }));
    const done: number[] = [];
    await engine.api.load(model, {}, ({ phase, doneBytes }) => {
      if (phase === "import") done.push(doneBytes);
    });
    expect(done[0]).toBeGreaterThan(0);
    expect((await ask(engine, request("hello"))).done.reason).not.toBe("aborted");
  });
});

it("a worker that cannot start fails every call instead of hanging", async () => {
  const engine = connectEngine(new Worker(URL.createObjectURL(new Blob(["throw new Error('no engine here')"], { type: "text/javascript" }))));
  await expect(engine.api.models()).rejects.toThrow(expect.objectContaining({ code: "engine/stopped", message: expect.stringContaining("no engine here") }));
  await expect(ask(engine, request("x"))).rejects.toThrow("no engine here");
  engine.close();
});
