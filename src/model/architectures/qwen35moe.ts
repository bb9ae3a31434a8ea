// Qwen3.5 and 3.6 MoE: the mixers of that generation (src/model/parts.ts, tiledHybridNumbers), experts and a shared one.
// Source: llama.cpp src/models/qwen35moe.cpp; what the converter changes: conversion/qwen.py, _LinearAttentionVReorderBase.
import { moeNumbers, takeGatedShared, takeHybridMixer, takeRouted, tiledHybridNumbers } from "../parts.ts";
import type { Architecture } from "./architecture.ts";

export const qwen35moe: Architecture = {
  name: "qwen35moe",
  models: "Qwen3.5-35B-A3B, Qwen3.6-35B-A3B",
  config: (keys) => ({ ...tiledHybridNumbers(keys), moe: moeNumbers(keys, { shared: true }) }),
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
