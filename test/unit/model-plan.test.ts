// Which files are refused, and how the refusal names what is wrong.
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import type { GgufFile } from "../../src/gguf/file.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { bytesSource } from "../../src/gguf/source.ts";
import { contextFor } from "../../src/model/state.ts";
import { planModel, residentWeights } from "../../src/model/weights.ts";
import { randomModel } from "../fixtures/models/random-model.ts";
import { SPECS } from "../fixtures/models/specs.ts";

const files = new Map<string, Promise<GgufFile>>();
function fileOf(name: string): Promise<GgufFile> {
  const known = files.get(name) ?? readGguf(bytesSource(name, randomModel(SPECS.find((spec) => spec.name === name)!)));
  files.set(name, known);
  return known;
}

function refusal(file: Pick<GgufFile, "metadata" | "tensors">): AppError {
  try {
    planModel(file);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("the file was accepted");
}

async function withTensor(name: string, change: Partial<GgufFile["tensors"][number]> | undefined): Promise<GgufFile> {
  const file = await fileOf("plain-f32");
  expect(file.tensors.some((tensor) => tensor.name === name)).toBe(true);
  return { ...file, tensors: file.tensors.flatMap((tensor) => (tensor.name !== name ? [tensor] : change ? [{ ...tensor, ...change }] : [])) };
}
async function withKey(key: string, value: number | string | undefined): Promise<GgufFile> {
  const file = await fileOf("plain-f32");
  const { [key]: _, ...rest } = file.metadata;
  return { ...file, metadata: value === undefined ? rest : { ...rest, [key]: value } };
}

describe("the plan of a model", () => {
  it.each(SPECS.map((spec) => [spec.name, spec] as const))("of %s has the numbers and tensors of its file", async (name, spec) => {
    const file = await fileOf(name);
    const plan = planModel(file);
    expect(plan.config).toMatchObject({ layers: spec.layers, hidden: spec.hidden, attentionInterval: spec.interval ?? 4, gdn: { ...spec.gdn, convTaps: 4 }, moe: spec.moe });
    expect(plan.layers.map(({ mixer }) => mixer.kind)).toEqual(Array.from({ length: spec.layers }, (_, i) => ((i + 1) % (spec.interval ?? 4) === 0 ? "attention" : "gdn")));
    const names = [...residentWeights(plan), ...plan.layers.flatMap(({ expert }) => Object.values(expert))].map((weight) => weight.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.toSorted()).toEqual(file.tensors.map((tensor) => tensor.name).toSorted());
  });

  it("takes the embedding for the output where the file has none", async () => {
    const plan = planModel(await fileOf("tied-q4-bf16"));
    expect(plan.output).toBe(plan.embedding);
  });

  it("accepts ssm_dt without its suffix, and tensors of layers past the last", async () => {
    const file = await fileOf("plain-f32");
    const renamed = file.tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace("ssm_dt.bias", "ssm_dt") }));
    const extra = { ...file.tensors[0]!, name: "blk.4.nextn.eh_proj.weight" };
    expect(() => planModel({ ...file, tensors: [...renamed, extra] })).not.toThrow();
  });
});

describe("a file is refused", () => {
  it("for another architecture, by its name", async () => {
    const error = refusal(await withKey("general.architecture", "llama"));
    expect(error.code).toBe("model/unsupported");
    expect(error.message).toMatch(/architecture is llama.*qwen3next/);
  });

  it.each([
    ["qwen3next.expert_count", undefined, /expert_count is missing/],
    ["qwen3next.block_count", 0, /block_count is 0, not a positive number/],
    ["qwen3next.embedding_length", 64.5, /embedding_length is 64.5, not a whole number/],
    ["qwen3next.attention.head_count", "two", /head_count is "two"/],
    ["qwen3next.expert_used_count", 6, /expert_used_count is 6, more than the 5/],
    ["qwen3next.rope.dimension_count", 33, /dimension_count is 33/],
    ["qwen3next.ssm.inner_size", 63, /inner_size is 63/],
    ["qwen3next.ssm.time_step_rank", 3, /time_step_rank is 3, no multiple/],
    ["qwen3next.rope.scaling.type", "yarn", /scaling.type is "yarn".*does not compute/],
  ])("for the key %s being %s", async (key, value, message) => {
    expect(refusal(await withKey(key, value)).message).toMatch(message);
  });

  it("for a missing tensor, by its name", async () => {
    for (const name of ["blk.1.attn_k.weight", "blk.0.ssm_a", "output_norm.weight", "blk.2.ffn_up_exps.weight", "token_embd.weight"]) {
      const error = refusal(await withTensor(name, undefined));
      expect(error.code).toBe("model/format");
      expect(error.message).toContain(name);
    }
  });

  it("for an odd shape, with both shapes", async () => {
    expect(refusal(await withTensor("blk.1.attn_k.weight", { shape: [64, 63] })).message).toMatch(/blk\.1\.attn_k\.weight has the shape 64 × 63.*need 64 × 64/);
    expect(refusal(await withTensor("blk.0.ffn_gate_exps.weight", { shape: [64, 32, 4] })).message).toMatch(/ffn_gate_exps/);
  });

  it("for a type that has no kernels, by tensor and type", async () => {
    const error = refusal(await withTensor("blk.3.ffn_down_exps.weight", { type: 19 }));
    expect(error.code).toBe("model/unsupported");
    expect(error.message).toMatch(/blk\.3\.ffn_down_exps\.weight is of type IQ1_S/);
    expect(refusal(await withTensor("blk.3.ffn_down_exps.weight", { type: 99 })).message).toMatch(/type 99/);
  });

  it("for a quantised vector, and for rows that fill no whole blocks", async () => {
    expect(refusal(await withTensor("blk.0.attn_norm.weight", { type: 8 })).message).toMatch(/attn_norm\.weight is of type Q8_0/);
    expect(refusal(await withTensor("blk.0.attn_qkv.weight", { type: 12 })).message).toMatch(/attn_qkv\.weight has rows of 64 weights.*Q4_K blocks of 256/);
  });

  it("for a tensor that nobody would compute with", async () => {
    const file = await fileOf("plain-f32");
    const error = refusal({ ...file, tensors: [...file.tensors, { ...file.tensors[0]!, name: "blk.0.attn_q.bias" }] });
    expect(error.message).toMatch(/blk\.0\.attn_q\.bias/);
    expect(refusal(await withTensor("blk.0.attn_gate.weight", { name: "blk.0.ssm_in.weight" })).message).toMatch(/newer conversion/);
  });
});

describe("the context", () => {
  it("is what the model was made for unless less is asked for or memory forbids it", async () => {
    const { config } = planModel(await fileOf("plain-f32"));
    expect(contextFor(config, undefined)).toBe(256);
    expect(contextFor(config, 100)).toBe(100);
    expect(() => contextFor(config, 257)).toThrow(/1 to 256/);
    expect(() => contextFor(config, 0)).toThrow(/context/);
    expect(contextFor({ ...config, contextTokens: 10_000_000 }, undefined)).toBe((1024 * 1024 * 1024) / (2 * 2 * 2 * 32 * 4));
  });
});
