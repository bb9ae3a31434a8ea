// Qwen3-Next: Gated DeltaNet with grouped heads, gated attention in every fourth layer, experts and a shared one.
// Source: llama.cpp src/models/qwen3next.cpp; what the converter changes: conversion/qwen.py, Qwen3NextModel.
import type { AttentionConfig } from "../config.ts";
import { attentionNumbers, gdnNumbers, hybridKinds, moeNumbers, takeGatedShared, takeHybridMixer, takeRouted, trunkNumbers } from "../parts.ts";
import type { Architecture } from "./architecture.ts";

export const qwen3next: Architecture = {
  name: "qwen3next",
  models: "Qwen3-Next, Qwen3-Coder-Next",
  config(keys) {
    const trunk = trunkNumbers(keys);
    const attention: AttentionConfig = { ...attentionNumbers(keys, trunk.hidden), gated: true };
    return { ...trunk, kinds: hybridKinds(keys, trunk.layers), attention, gdn: gdnNumbers(keys, "grouped"), moe: moeNumbers(keys, { shared: true }) };
  },
  layer(tensors, config, layer) {
    const blk = `blk.${layer}.`;
    return {
      mixer: takeHybridMixer(tensors, config, layer),
      mixerNorm: tensors.vector(`${blk}attn_norm.weight`, [config.hidden]),
      ffnNorm: tensors.vector(`${blk}post_attention_norm.weight`, [config.hidden]),
      routed: takeRouted(tensors, config, blk),
      shared: takeGatedShared(tensors, config, blk),
    };
  },
};
