// A chunk's choices of experts, cut into batches of (token, expert) pairs: expert by expert in the order of their numbers.
// That order is all the result depends on; what happens to lie in a slot, and where a batch ends, only decide what is read when.

/** The choices of a chunk in a layer: `[tokens, topK]` each. */
export interface ChunkChoices {
  readonly tokens: number;
  readonly topK: number;
  readonly experts: Uint32Array;
  readonly weights: Float32Array;
}

/** A run of pairs of one expert, for one tile of the product. */
export interface Tile {
  readonly expert: number;
  readonly first: number;
  readonly pairs: number;
}

export interface Batch {
  /** Rising; each has pairs here. */
  readonly experts: readonly number[];
  /** How many pairs each has here. */
  readonly uses: readonly number[];
  readonly tiles: readonly Tile[];
  /** Per pair { token, bits of its weight }. */
  readonly pairs: Uint32Array<ArrayBuffer>;
  /** Per token that has pairs here { token, where its places begin in `order`, how many, – }. */
  readonly sums: Uint32Array<ArrayBuffer>;
  /** Places of pairs, token by token, by rising expert. */
  readonly order: Uint32Array<ArrayBuffer>;
}

/** All pairs by expert, and by token within one. */
export class SortedPairs {
  /** Those that any token chose, rising. */
  readonly experts: readonly number[];
  readonly #starts: Uint32Array;
  readonly #tokens: Uint32Array;
  readonly #weights: Uint32Array;

  constructor({ tokens, topK, experts, weights }: ChunkChoices, expertCount: number) {
    const bits = new Uint32Array(weights.buffer, weights.byteOffset, weights.length);
    const starts = new Uint32Array(expertCount + 1);
    for (const expert of experts) starts[expert + 1]!++;
    for (let expert = 0; expert < expertCount; expert++) starts[expert + 1]! += starts[expert]!;
    const next = starts.slice();
    this.#tokens = new Uint32Array(tokens * topK);
    this.#weights = new Uint32Array(tokens * topK);
    for (let at = 0; at < tokens * topK; at++) {
      const to = next[experts[at]!]!++;
      this.#tokens[to] = Math.floor(at / topK);
      this.#weights[to] = bits[at]!;
    }
    this.#starts = starts;
    this.experts = Array.from({ length: expertCount }, (_, expert) => expert).filter((expert) => starts[expert]! < starts[expert + 1]!);
  }

  /** Pairs in all. */
  get length(): number {
    return this.#tokens.length;
  }

  /** The pairs from place `from` on: of at most `mostExperts` experts, at most `mostPairs` of them. */
  batch(from: number, mostPairs: number, mostExperts: number, tileRows: number): Batch {
    const experts: number[] = [];
    const uses: number[] = [];
    const tiles: Tile[] = [];
    let to = from;
    for (let expert = this.#expertAt(from); to < this.length && to - from < mostPairs; expert++) {
      const end = Math.min(this.#starts[expert + 1]!, from + mostPairs);
      if (end <= to) continue;
      if (experts.length === mostExperts) break;
      experts.push(expert);
      uses.push(end - to);
      for (let first = to; first < end; first += tileRows) tiles.push({ expert, first: first - from, pairs: Math.min(tileRows, end - first) });
      to = end;
    }
    const pairs = new Uint32Array(2 * (to - from));
    for (let at = from; at < to; at++) {
      pairs[2 * (at - from)] = this.#tokens[at]!;
      pairs[2 * (at - from) + 1] = this.#weights[at]!;
    }
    return { experts, uses, tiles, pairs, ...sumsOf(this.#tokens.subarray(from, to)) };
  }

  #expertAt(place: number): number {
    let expert = 0;
    while (this.#starts[expert + 1]! <= place) expert++;
    return expert;
  }
}

function sumsOf(tokens: Uint32Array): Pick<Batch, "sums" | "order"> {
  const byToken = new Map<number, number[]>();
  tokens.forEach((token, place) => {
    const places = byToken.get(token);
    if (places) places.push(place);
    else byToken.set(token, [place]);
  });
  const order = new Uint32Array(tokens.length);
  const sums = new Uint32Array(4 * byToken.size);
  let at = 0;
  let row = 0;
  for (const [token, places] of byToken) {
    order.set(places, at);
    sums.set([token, at, places.length, 0], 4 * row++);
    at += places.length;
  }
  return { sums, order };
}
