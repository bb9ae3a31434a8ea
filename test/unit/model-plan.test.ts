// Which files are refused, and how the refusal names what is wrong.
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import type { GgufFile, MetadataValue } from "../../src/gguf/file.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { bytesSource } from "../../src/gguf/source.ts";
import { storedForm } from "../../src/model/stored-form.ts";
import { planModel, planStored, residentWeights, routedExperts } from "../../src/model/weights.ts";
import { isAttention, randomModel } from "../fixtures/models/random-model.ts";
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
async function withKey(key: string, value: MetadataValue | undefined, model = "plain-f32"): Promise<GgufFile> {
  const file = await fileOf(model);
  const { [key]: _, ...rest } = file.metadata;
  return { ...file, metadata: value === undefined ? rest : { ...rest, [key]: value } };
}

describe("the plan of a model", () => {
  it.each(SPECS.map((spec) => [spec.name, spec] as const))("of %s has the numbers and tensors of its file", async (name, spec) => {
    const file = await fileOf(name);
    const plan = planModel(file);
    expect(plan.config).toMatchObject({ architecture: spec.architecture ?? "qwen3next", layers: spec.layers, hidden: spec.hidden, attention: spec.attention, moe: spec.moe });
    if (spec.gdn.keyHeads > 0) expect(plan.config.gdn).toMatchObject({ ...spec.gdn, convTaps: 4, headOrder: spec.architecture ? "tiled" : "grouped" });
    else expect(plan.config.gdn).toBeUndefined();
    expect(plan.layers.map(({ mixer }) => mixer.kind)).toEqual(plan.config.kinds);
    expect(plan.config.kinds).toEqual(Array.from({ length: spec.layers }, (_, layer) => (isAttention(spec, layer) ? "attention" : "gdn")));
    const names = [...residentWeights(plan), ...routedExperts(plan).flatMap((expert) => Object.values(expert))].map((weight) => weight.name);
    expect(new Set(names).size).toBe(names.length);
    const run = file.tensors.filter(({ name }) => Number(/^blk\.(\d+)/.exec(name)?.[1] ?? 0) < spec.layers);
    expect(names.toSorted()).toEqual(run.map((tensor) => tensor.name).toSorted());
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

describe("an architecture", () => {
  it("takes the head's size and the rotary part from the other numbers where the file names neither", async () => {
    const { metadata } = await fileOf("qwen2");
    expect(Object.keys(metadata).filter((key) => /key_length|dimension_count/.test(key))).toEqual([]);
    expect(planModel(await fileOf("qwen2")).config.attention).toMatchObject({ headDim: 32, rotaryDim: 32 });
  });

  it("leaves out the layers behind the last, in config, plan and store", async () => {
    const file = await fileOf("qwen35moe");
    expect(file.metadata["qwen35moe.block_count"]).toBe(4);
    const plan = planModel(file);
    expect([plan.config.layers, plan.layers.length, plan.config.kinds]).toEqual([3, 3, ["gdn", "attention", "gdn"]]);
    const { tensors, records } = storedForm(file, plan);
    expect(records.length).toBe(3);
    expect(tensors.filter(({ name }) => name.startsWith("blk.3."))).toEqual([]);
  });

  it("with dense layers stores no records", async () => {
    const file = await fileOf("qwen3");
    expect(storedForm(file, planModel(file))).toMatchObject({ stacks: [], records: [], experts: 0 });
  });

  it("is planned from the store as from the file", async () => {
    for (const { name } of SPECS) {
      const file = await fileOf(name);
      const plan = planModel(file);
      const { tensors, records, experts } = storedForm(file, plan);
      expect(planStored({ metadata: file.metadata, tensors, records, experts: { experts } }), name).toEqual(plan);
    }
  });
});

describe("a file is refused", () => {
  it("for another architecture, by its name", async () => {
    const error = refusal(await withKey("general.architecture", "llama"));
    expect(error.code).toBe("model/unsupported");
    expect(error.message).toMatch(/architecture is llama; this engine runs qwen3next .*qwen3moe .*qwen35moe .*qwen35 .*qwen3 .*qwen2 /);
    expect(refusal(await withKey("general.architecture", undefined)).message).toMatch(/architecture is not stated/);
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
    ["qwen3next.rope.scaling.factor", 4, /scaling.factor is 4.*does not compute/],
    ["qwen3next.attention.recurrent_layers", [true, true], /recurrent_layers is not a list of 4 entries/],
    ["qwen35moe.rope.dimension_sections", undefined, /dimension_sections is missing/, "qwen35moe"],
    ["qwen35moe.rope.dimension_sections", [2, 2, 2, 2], /dimension_sections is 2, 2, 2, 2: pair 6 of 8 is in none of the first three/, "qwen35moe"],
    ["qwen35moe.nextn_predict_layers", 4, /nextn_predict_layers is 4, and block_count is 4/, "qwen35moe"],
    ["qwen2.feed_forward_length", undefined, /feed_forward_length is missing/, "qwen2"],
    ["qwen2.attention.head_count", 6, /attention.key_length is 37.3.*not a whole number/, "qwen2"],
    ["qwen3moe.expert_weights_scale", 2.5, /expert_weights_scale is 2.5.*does not compute/, "qwen3moe"],
  ])("for the key %s being %s", async (key, value, message, model = "plain-f32") => {
    expect(refusal(await withKey(key, value, model)).message).toMatch(message);
  });

  it("for what an architecture of its name does not have", async () => {
    const biased = await fileOf("qwen2");
    expect(refusal({ ...biased, tensors: biased.tensors.filter(({ name }) => name !== "blk.1.attn_k.bias") }).message).toContain("blk.1.attn_k.bias");
    const moe = await fileOf("qwen3moe");
    expect(refusal({ ...moe, tensors: [...moe.tensors, { ...moe.tensors[0]!, name: "blk.0.ffn_up_shexp.weight" }] }).message).toMatch(/ffn_up_shexp\.weight is not part of the qwen3moe models/);
    // Value heads are tiled there; the old joined matrix would have them grouped.
    const tiled = await fileOf("qwen35moe");
    expect(refusal({ ...tiled, tensors: tiled.tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace("ssm_beta", "ssm_ba") })) }).message).toContain("ssm_beta");
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
  });
});
