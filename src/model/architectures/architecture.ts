// What a description of an architecture says: which keys of the file are which numbers, and which tensors are which weights.
// Everything else is shared. The parts they have in common: ../parts.ts.
import type { ModelConfig } from "../config.ts";
import type { Keys } from "../keys.ts";
import type { Tensors } from "../tensors.ts";
import type { LayerWeights } from "../weights.ts";

export interface Architecture {
  /** `general.architecture` of its files. */
  readonly name: string;
  /** The models that people know, for sentences. */
  readonly models: string;
  /** Throws `model/format` or `model/unsupported` about the first key that stands in the way. */
  config(keys: Keys): ModelConfig;
  /** Throws `model/format` or `model/unsupported` about the first tensor that stands in the way. */
  layer(tensors: Tensors, config: ModelConfig, layer: number): LayerWeights;
}
