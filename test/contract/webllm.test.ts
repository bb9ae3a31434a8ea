// Everything we rely on inside @mlc-ai/web-llm that it does not promise. A failure here means: read its new engine.ts,
// then change src/engine/webllm.ts.
import { MLCEngine, prebuiltAppConfig } from "@mlc-ai/web-llm";
import { describe, expect, it } from "vitest";
import type { SequenceModel } from "../../src/engine/sequence.ts";
import { sealEnvelope } from "../../src/engine/envelope.ts";
import { PREBUILT } from "../../src/engine/models.ts";
import { MoePipeline } from "../../src/engine/pipeline.ts";
import { EngineHost, prebuiltRecord } from "../../src/engine/webllm.ts";
import { qwenTokenizer } from "../support/tokenizer.ts";

const tokenizer = qwenTokenizer();
const END = tokenizer.specials.get("<|im_end|>")!.id;

/** A model that says `script`, one id after each call: what stands behind the pipeline is not this test's matter. */
function scripted(script: readonly number[]): SequenceModel & { readonly calls: string[] } {
  let position = 0;
  let said = 0;
  const calls: string[] = [];
  const logits = (): Float32Array<ArrayBuffer> => {
    const row = new Float32Array(tokenizer.vocabSize);
    row[script[said++] ?? END] = 1;
    return row;
  };
  return {
    calls,
    contextTokens: 1000,
    get position() {
      return position;
    },
    stats: { experts: { uses: 0, hits: 0, loads: 0, loadedBytes: 0 } } as SequenceModel["stats"],
    async forward(ids, signal) {
      signal?.throwIfAborted();
      calls.push(`forward ${ids.length}`);
      position += ids.length;
      return calls.filter((call) => call === "forward 1").length > 0 && ids.length === 1 ? logits() : new Float32Array(tokenizer.vocabSize);
    },
    forwardAll: async () => new Float32Array(),
    reset() {
      calls.push("reset");
      position = 0;
    },
    snapshot: async () => ({ position, bytes: 0, onGpu: true, toMemory: async () => undefined, close: () => undefined }),
    begun: false,
    expertSlots: { slots: 1, experts: 1, bytes: 0 },
    truncate(snapshot) {
      position = snapshot.position;
    },
    profile: () => Promise.reject(new Error("nothing to time in a script")),
    close: () => void calls.push("close"),
  };
}

async function collect(host: EngineHost, request: Partial<Parameters<EngineHost["stream"]>[0]> = {}): Promise<{ text: string; reason: string | undefined; usage: unknown; chunks: number }> {
  let text = "";
  let reason: string | undefined;
  let usage: unknown;
  let chunks = 0;
  const prompt = sealEnvelope({ ids: tokenizer.encodeText("hello there"), topK: 0, minP: 0 });
  for await (const chunk of host.stream({ prompt, maxTokens: 50, temperature: 0, topP: 1, ...request })) {
    text += chunk.text;
    reason ??= chunk.reason;
    usage ??= chunk.usage;
    chunks++;
  }
  return { text, reason, usage, chunks };
}

async function hosting(script: readonly number[]): Promise<{ host: EngineHost; model: ReturnType<typeof scripted> }> {
  const host = new EngineHost();
  const model = scripted(script);
  await host.hostPipeline("ours", new MoePipeline(model, tokenizer), 1000, tokenizer.vocabSize);
  return { host, model };
}

describe("WebLLM's MLCEngine, as we use it", () => {
  it("still has the maps we fill and the check we replace", () => {
    const engine = new MLCEngine() as unknown as Record<string, unknown>;
    for (const map of ["loadedModelIdToPipeline", "loadedModelIdToChatConfig", "loadedModelIdToModelType", "loadedModelIdToLock"]) expect(engine[map], map).toBeInstanceOf(Map);
    expect(engine["getLLMStates"]).toBeTypeOf("function");
    expect(engine["interruptSignal"]).toBe(false);
  });

  it("refuses a foreign pipeline unless getLLMStates is replaced, and finds ours then", async () => {
    const { host } = await hosting([END]);
    const original = (MLCEngine.prototype as unknown as { getLLMStates(request: string, id?: string): unknown }).getLLMStates;
    expect(() => original.call(host.engine, "test", "ours")).toThrow(/LLMChatPipeline/);
    expect((await collect(host)).reason).toBe("stop");
  });

  it("streams our pipeline's text and ends with its reason and its token counts", async () => {
    const { host } = await hosting([...tokenizer.encodeText("né 👩‍💻 done"), END]);
    const { text, reason, usage, chunks } = await collect(host);
    expect(text).toBe("né 👩‍💻 done");
    expect(reason).toBe("stop");
    expect(usage).toMatchObject({ prompt_tokens: tokenizer.encodeText("hello there").length, completion_tokens: tokenizer.encodeText("né 👩‍💻 done").length + 1 });
    expect(chunks).toBeGreaterThan(5);
  });

  it("passes max_tokens, stop strings and seeds through to us", async () => {
    const words = tokenizer.encodeText("one two three four");
    expect(await collect((await hosting(words)).host, { maxTokens: 3 })).toMatchObject({ reason: "length", usage: { completion_tokens: 3 } });
    expect(await collect((await hosting(words)).host, { stop: ["three"] })).toMatchObject({ reason: "stop", text: "one two " });
    expect(await collect((await hosting(words)).host, { seed: 7, temperature: 0.5 })).toMatchObject({ reason: "stop" });
  });

  it("passes penalties through to us, and log-probabilities back in OpenAI's form", async () => {
    const { host } = await hosting([...tokenizer.encodeText("a b"), END]);
    const prompt = sealEnvelope({ ids: tokenizer.encodeText("x"), topK: 0, minP: 0, repeatLastN: 8 });
    const chunks = [];
    for await (const chunk of host.stream({ prompt, maxTokens: 9, temperature: 0, topP: 1, logprobs: 3, repeatPenalty: 1.1, frequencyPenalty: 0.1 })) chunks.push(...(chunk.logprobs ?? []));
    const [first] = chunks;
    expect(first).toMatchObject({ token: "a", bytes: [97] });
    // One logit is 1, all others are 0.
    expect(first!.logprob).toBeCloseTo(1 - Math.log(Math.E + tokenizer.vocabSize - 1), 4);
    expect(first!.top_logprobs.map(({ token }) => token)[0]).toBe("a");
    expect(first!.top_logprobs).toHaveLength(3);
    expect(host.pipeline!.logprobs.map(({ token }) => token)).toEqual(["a", " ", "b", ""]);
    await expect(collect(host, { prompt, repeatPenalty: 0 })).rejects.toThrow(/repetition_penalty/);
  });

  it("calls resetChat before every completion, which must not lose our state", async () => {
    const { host, model } = await hosting([...tokenizer.encodeText("ab"), END]);
    await collect(host);
    const known = host.pipeline!.continuations[0]!;
    const resets = model.calls.filter((call) => call === "reset").length;
    await collect(host, { prompt: sealEnvelope({ ids: [...known, ...tokenizer.encodeText("more")], topK: 0, minP: 0 }) });
    expect(model.calls.filter((call) => call === "reset")).toHaveLength(resets);
    expect(host.pipeline!.stats.reusedTokens).toBe(known.length - 1);
  });

  it("hears interruptGenerate between two tokens", async () => {
    const { host } = await hosting(tokenizer.encodeText("a".repeat(200)));
    let tokens = 0;
    let reason: string | undefined;
    const prompt = sealEnvelope({ ids: tokenizer.encodeText("x"), topK: 0, minP: 0 });
    for await (const chunk of host.stream({ prompt, maxTokens: 200, temperature: 0, topP: 1 })) {
      reason ??= chunk.reason;
      if (++tokens === 5) await host.interrupt();
    }
    expect(reason).toBe("abort");
    expect(tokens).toBeLessThan(12);
  });

  it("runs one request after the other", async () => {
    const { host } = await hosting([...tokenizer.encodeText("first"), END, ...tokenizer.encodeText("second"), END]);
    const both = await Promise.all([collect(host), collect(host)]);
    expect(both.map(({ text }) => text)).toEqual(["first", "second"]);
  });

  it("disposes our pipeline when it unloads", async () => {
    const { host, model } = await hosting([END]);
    await host.unload();
    expect(model.calls.at(-1)).toBe("close");
    await expect(collect(host)).rejects.toThrow();
  });

  it("has the prebuilt models of our list, with the GPU memory we tell", () => {
    expect(prebuiltAppConfig.model_list.length).toBeGreaterThan(50);
    for (const { f16, f32, gpuMb } of PREBUILT) {
      expect(prebuiltRecord(f32), f32).toBeDefined();
      expect(Math.round(prebuiltRecord(f16)?.vramMb ?? 0), f16).toBe(gpuMb);
    }
  });
});
