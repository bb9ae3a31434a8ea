// Qwen3, dense: attention with normed queries and keys, one feed-forward network that every token takes.
// Source: llama.cpp src/models/qwen3.cpp.
import type { AttentionConfig } from "../config.ts";
import { attentionNumbers, denseNumbers, onlyAttention, takeAttention, takeDense, trunkNumbers } from "../parts.ts";
import type { Architecture } from "./architecture.ts";

export const qwen3: Architecture = {
  name: "qwen3",
  models: "Qwen3 0.6B to 32B",
  config(keys) {
    const trunk = trunkNumbers(keys);
    const attention: AttentionConfig = { ...attentionNumbers(keys, trunk.hidden), gated: false };
    return { ...trunk, kinds: onlyAttention(trunk.layers), attention, moe: denseNumbers(keys) };
  },
  layer(tensors, config, layer) {
    const blk = `blk.${layer}.`;
    return {
      mixer: takeAttention(tensors, config, blk, { norms: true }),
      mixerNorm: tensors.vector(`${blk}attn_norm.weight`, [config.hidden]),
      ffnNorm: tensors.vector(`${blk}ffn_norm.weight`, [config.hidden]),
      shared: takeDense(tensors, config, blk),
    };
  },
};
