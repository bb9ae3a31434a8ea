// Qwen2, dense: as Qwen3, but queries, keys and values have biases and no norms.
// Source: llama.cpp src/models/qwen2.cpp.
import type { AttentionConfig } from "../config.ts";
import { attentionNumbers, denseNumbers, onlyAttention, takeAttention, takeDense, trunkNumbers } from "../parts.ts";
import type { Architecture } from "./architecture.ts";

export const qwen2: Architecture = {
  name: "qwen2",
  models: "Qwen2.5-Coder, Qwen2.5, Qwen2",
  config(keys) {
    const trunk = trunkNumbers(keys);
    const attention: AttentionConfig = { ...attentionNumbers(keys, trunk.hidden), gated: false };
    return { ...trunk, kinds: onlyAttention(trunk.layers), attention, moe: denseNumbers(keys) };
  },
  layer(tensors, config, layer) {
    const blk = `blk.${layer}.`;
    return {
      mixer: takeAttention(tensors, config, blk, { biases: true }),
      mixerNorm: tensors.vector(`${blk}attn_norm.weight`, [config.hidden]),
      ffnNorm: tensors.vector(`${blk}ffn_norm.weight`, [config.hidden]),
      shared: takeDense(tensors, config, blk),
    };
  },
};
