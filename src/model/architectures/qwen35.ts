// Qwen3.5 and 3.6, dense: the mixers of that generation (src/model/parts.ts, tiledHybridNumbers) before one feed-forward network.
// Source: llama.cpp src/models/qwen35.cpp.
import { denseNumbers, takeDense, takeHybridMixer, tiledHybridNumbers } from "../parts.ts";
import type { Architecture } from "./architecture.ts";

export const qwen35: Architecture = {
  name: "qwen35",
  models: "Qwen3.5 0.8B to 27B",
  config: (keys) => ({ ...tiledHybridNumbers(keys), moe: denseNumbers(keys) }),
  layer(tensors, config, layer) {
    const blk = `blk.${layer}.`;
    return {
      mixer: takeHybridMixer(tensors, config, layer),
      mixerNorm: tensors.vector(`${blk}attn_norm.weight`, [config.hidden]),
      ffnNorm: tensors.vector(`${blk}post_attention_norm.weight`, [config.hidden]),
      shared: takeDense(tensors, config, blk),
    };
  },
};
