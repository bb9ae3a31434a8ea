// Qwen3 MoE: attention with normed queries and keys in every layer, experts without a shared one.
// Source: llama.cpp src/models/qwen3moe.cpp.
import type { AttentionConfig } from "../config.ts";
import { attentionNumbers, moeNumbers, onlyAttention, takeAttention, takeRouted, trunkNumbers } from "../parts.ts";
import type { Architecture } from "./architecture.ts";

export const qwen3moe: Architecture = {
  name: "qwen3moe",
  models: "Qwen3-Coder-30B-A3B, Qwen3-30B-A3B",
  config(keys) {
    const trunk = trunkNumbers(keys);
    const attention: AttentionConfig = { ...attentionNumbers(keys, trunk.hidden), gated: false };
    return { ...trunk, kinds: onlyAttention(trunk.layers), attention, moe: moeNumbers(keys, { shared: false }) };
  },
  layer(tensors, config, layer) {
    const blk = `blk.${layer}.`;
    return {
      mixer: takeAttention(tensors, config, blk, { norms: true }),
      mixerNorm: tensors.vector(`${blk}attn_norm.weight`, [config.hidden]),
      ffnNorm: tensors.vector(`${blk}ffn_norm.weight`, [config.hidden]),
      routed: takeRouted(tensors, config, blk),
    };
  },
};
