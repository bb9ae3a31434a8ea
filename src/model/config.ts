// The numbers of a model, whatever its architecture: read from the key-values of its file and checked against each
// other, so that everything behind may trust them. Which keys mean what: architectures/*.ts.
import { AppError } from "../base/errors.ts";
import type { Metadata } from "../gguf/file.ts";
import { ARCHITECTURES, type Architecture } from "./architectures/index.ts";
import { Keys } from "./keys.ts";

/** What mixes the tokens in a layer. */
export type LayerKind = "attention" | "gdn";

export interface AttentionConfig {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** The first dimensions of a head that are rotated; even. */
  readonly rotaryDim: number;
  readonly theta: number;
  /** Every head's output is multiplied by the sigmoid of a gate, which the query projection gives too. */
  readonly gated: boolean;
}

/** Gated DeltaNet. */
export interface GdnConfig {
  readonly keyHeads: number;
  /** A multiple of keyHeads. */
  readonly valueHeads: number;
  /** `grouped`: value head `h` reads key head `floor(h / (valueHeads / keyHeads))`; `tiled`: key head `h % keyHeads`. */
  readonly headOrder: "grouped" | "tiled";
  /** Of keys and of values. */
  readonly headDim: number;
  /** Taps of the causal convolution. */
  readonly convTaps: number;
}

/** The feed-forward half of a layer. A dense one is a shared expert alone, with no router: `experts`, `topK` and `width` are 0. */
export interface MoeConfig {
  readonly experts: number;
  readonly topK: number;
  /** Of a routed expert. */
  readonly width: number;
  /** Of the expert that every token takes; 0: there is none. */
  readonly sharedWidth: number;
}

export interface ModelConfig {
  /** As in the file. */
  readonly architecture: string;
  readonly layers: number;
  readonly hidden: number;
  /** Tokens the model was made for; the longest context that can be asked for. */
  readonly contextTokens: number;
  readonly normEpsilon: number;
  /** Layer by layer: `[layers]`. */
  readonly kinds: readonly LayerKind[];
  readonly attention: AttentionConfig;
  /** Absent where no layer is of that kind. */
  readonly gdn?: GdnConfig;
  readonly moe: MoeConfig;
}

/** The numbers of the recurrent layers; only for a model that has some. */
export function gdnOf({ gdn, architecture }: ModelConfig): GdnConfig {
  if (!gdn) throw new AppError("bug", `A model of the architecture ${architecture} has no recurrent layers.`);
  return gdn;
}

/** The description of the file's architecture. Throws `model/unsupported`, naming it and those that run. */
export function findArchitecture(metadata: Metadata): Architecture {
  const name = metadata["general.architecture"];
  const found = ARCHITECTURES.find((architecture) => architecture.name === name);
  if (found) return found;
  const known = ARCHITECTURES.map((architecture) => `${architecture.name} (${architecture.models})`).join(", ");
  throw new AppError("model/unsupported", `The model's architecture is ${typeof name === "string" ? name : "not stated"}; this engine runs ${known}. Choose a file of one of those.`, {
    data: { architecture: String(name) },
  });
}

/** `model/unsupported` for another architecture; `model/format` naming the key that is missing or makes no sense. */
export function readConfig(metadata: Metadata): ModelConfig {
  const architecture = findArchitecture(metadata);
  return architecture.config(new Keys(metadata, architecture.name));
}
