// The numbers of a Qwen3-Next model, read from the key-values of its file and checked against each other, so that
// everything behind may trust them. Key names: llama.cpp src/llama-arch.cpp (LLM_ARCH_QWEN3NEXT).
import { AppError } from "../base/errors.ts";
import type { Metadata } from "../gguf/file.ts";

export interface Qwen3NextConfig {
  readonly layers: number;
  readonly hidden: number;
  /** Tokens the model was made for; the longest context that can be asked for. */
  readonly contextTokens: number;
  readonly normEpsilon: number;
  /** Layer `i` is full attention when `(i + 1) % attentionInterval` is 0, Gated DeltaNet otherwise. */
  readonly attentionInterval: number;
  readonly attention: {
    readonly heads: number;
    readonly kvHeads: number;
    readonly headDim: number;
    /** The first dimensions of a head that are rotated; even. */
    readonly rotaryDim: number;
    readonly theta: number;
  };
  readonly gdn: {
    readonly keyHeads: number;
    /** A multiple of keyHeads: value head `h` reads key head `floor(h / (valueHeads / keyHeads))`. */
    readonly valueHeads: number;
    /** Of keys and of values. */
    readonly headDim: number;
    /** Taps of the causal convolution. */
    readonly convTaps: number;
  };
  readonly moe: {
    readonly experts: number;
    readonly topK: number;
    readonly width: number;
    readonly sharedWidth: number;
  };
}

export type LayerKind = "attention" | "gdn";

export function layerKind(config: Pick<Qwen3NextConfig, "attentionInterval">, layer: number): LayerKind {
  return (layer + 1) % config.attentionInterval === 0 ? "attention" : "gdn";
}

const ARCHITECTURE = "qwen3next";
/** What llama.cpp assumes where the key is absent: files of 2025 do not have it. */
const DEFAULT_INTERVAL = 4;

function unusable(key: string, problem: string): AppError {
  return new AppError("model/format", `The model file's ${key} ${problem}. The file is damaged, or made by a converter that is not supported: get another.`, {
    data: { key },
  });
}

class Keys {
  readonly #metadata: Metadata;
  constructor(metadata: Metadata) {
    this.#metadata = metadata;
  }
  number(name: string, fallback?: number): number {
    const key = `${ARCHITECTURE}.${name}`;
    const value = this.#metadata[key] ?? fallback;
    if (value === undefined) throw unusable(key, "is missing");
    if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) throw unusable(key, `is ${JSON.stringify(value)}, not a positive number`);
    return value;
  }
  count(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (!Number.isInteger(value)) throw unusable(`${ARCHITECTURE}.${name}`, `is ${value}, not a whole number`);
    return value;
  }
  refuse(name: string, allowed: readonly unknown[]): void {
    const key = `${ARCHITECTURE}.${name}`;
    const value = this.#metadata[key];
    if (value !== undefined && !allowed.includes(value)) {
      throw new AppError("model/unsupported", `The model file's ${key} is ${JSON.stringify(value)}, which this engine does not compute. Use another file.`, { data: { key } });
    }
  }
}

/** `model/unsupported` for another architecture; `model/format` naming the key that is missing or makes no sense. */
export function readConfig(metadata: Metadata): Qwen3NextConfig {
  const architecture = metadata["general.architecture"];
  if (architecture !== ARCHITECTURE) {
    throw new AppError(
      "model/unsupported",
      `The model's architecture is ${typeof architecture === "string" ? architecture : "not stated"}; this engine runs ${ARCHITECTURE} (Qwen3-Next, Qwen3-Coder-Next). Choose a file of that family.`,
      { data: { architecture: String(architecture) } },
    );
  }
  const keys = new Keys(metadata);
  const config: Qwen3NextConfig = {
    layers: keys.count("block_count"),
    hidden: keys.count("embedding_length"),
    contextTokens: keys.count("context_length"),
    normEpsilon: keys.number("attention.layer_norm_rms_epsilon"),
    attentionInterval: keys.count("full_attention_interval", DEFAULT_INTERVAL),
    attention: {
      heads: keys.count("attention.head_count"),
      kvHeads: keys.count("attention.head_count_kv"),
      headDim: keys.count("attention.key_length"),
      rotaryDim: keys.count("rope.dimension_count"),
      theta: keys.number("rope.freq_base"),
    },
    gdn: {
      keyHeads: keys.count("ssm.group_count"),
      valueHeads: keys.count("ssm.time_step_rank"),
      headDim: keys.count("ssm.state_size"),
      convTaps: keys.count("ssm.conv_kernel"),
    },
    moe: {
      experts: keys.count("expert_count"),
      topK: keys.count("expert_used_count"),
      width: keys.count("expert_feed_forward_length"),
      sharedWidth: keys.count("expert_shared_feed_forward_length"),
    },
  };
  keys.refuse("rope.scaling.type", ["none"]);
  checkConfig(config, keys.count("attention.value_length"), keys.count("ssm.inner_size"));
  return config;
}

function checkConfig({ attention, gdn, moe }: Qwen3NextConfig, valueLength: number, innerSize: number): void {
  const rule = (holds: boolean, key: string, problem: string): void => {
    if (!holds) throw unusable(`${ARCHITECTURE}.${key}`, problem);
  };
  rule(attention.heads % attention.kvHeads === 0, "attention.head_count", `is ${attention.heads}, no multiple of the ${attention.kvHeads} key-value heads`);
  rule(valueLength === attention.headDim, "attention.value_length", `is ${valueLength}, but attention.key_length is ${attention.headDim}`);
  rule(attention.rotaryDim % 2 === 0 && attention.rotaryDim <= attention.headDim, "rope.dimension_count", `is ${attention.rotaryDim}: it must be even and at most ${attention.headDim}`);
  rule(attention.headDim % 4 === 0, "attention.key_length", `is ${attention.headDim}, no multiple of 4`);
  rule(gdn.valueHeads % gdn.keyHeads === 0, "ssm.time_step_rank", `is ${gdn.valueHeads}, no multiple of ssm.group_count ${gdn.keyHeads}`);
  rule(innerSize === gdn.valueHeads * gdn.headDim, "ssm.inner_size", `is ${innerSize}, not ${gdn.valueHeads} heads of ${gdn.headDim}`);
  rule(moe.topK <= moe.experts, "expert_used_count", `is ${moe.topK}, more than the ${moe.experts} experts there are`);
}
