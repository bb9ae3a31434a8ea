// Which experts each token took, on the GPU and as read back. The first word stops everything that follows a miss.
//
//   struct Routing { stalled: u32, layer: u32, position: u32, base: u32, choices: array<Choice> }
//   struct Choice  { expert: u32, slot: u32, weight: f32, pad: u32 }
//
// `route` writes topk + 1 choices a layer, best expert first; the last one is the shared expert's gate. When an expert has no
// slot it sets `stalled`, and every kernel returns at once until the host clears the word: nothing is mutated after a miss.
// To resume: load what `missing` names, patch the slot table, write 0 to word 0, and dispatch again from `route` of that
// layer; if more tokens were queued behind, they follow as they were.

/** A slot table entry for an expert that is not resident, and the slot of the shared expert's choice. */
export const NO_SLOT = 0xffffffff;

export const ROUTING_HEADER_BYTES = 16;
const CHOICE_BYTES = 16;

export interface Choice {
  readonly expert: number;
  readonly slot: number;
  readonly weight: number;
}

/** Bytes of the routing buffer for `tokens` tokens submitted without reading back. */
export function routingBytes(layers: number, topk: number, tokens = 1): number {
  return ROUTING_HEADER_BYTES + tokens * layers * (topk + 1) * CHOICE_BYTES;
}

/** The routing buffer as read back. */
export class RoutingView {
  readonly #words: Uint32Array;
  readonly #weights: Float32Array;
  readonly #topk: number;

  constructor(bytes: ArrayBuffer, topk: number) {
    this.#words = new Uint32Array(bytes);
    this.#weights = new Float32Array(bytes);
    this.#topk = topk;
  }

  /** Where the first miss stopped the work; undefined when all experts were resident. */
  get stall(): { readonly layer: number; readonly position: number; readonly missing: readonly number[] } | undefined {
    const [stalled, layer, position, base] = this.#words;
    if (!stalled) return undefined;
    return { layer: layer!, position: position!, missing: this.#read(base!).filter(({ slot }) => slot === NO_SLOT).map(({ expert }) => expert) };
  }

  /** The experts a layer took, best first, without the shared one. `route` as in the token's step. */
  choices(route: number, layer: number): readonly Choice[] {
    return this.#read((route + layer) * (this.#topk + 1));
  }

  /** As `choices`, by number alone. */
  experts(route: number, layer: number): number[] {
    const base = (route + layer) * (this.#topk + 1);
    return Array.from({ length: this.#topk }, (_, j) => this.#words[(ROUTING_HEADER_BYTES + (base + j) * CHOICE_BYTES) / 4]!);
  }

  #read(base: number): Choice[] {
    return Array.from({ length: this.#topk }, (_, j) => {
      const at = (ROUTING_HEADER_BYTES + (base + j) * CHOICE_BYTES) / 4;
      return { expert: this.#words[at]!, slot: this.#words[at + 1]!, weight: this.#weights[at + 2]! };
    });
  }
}
