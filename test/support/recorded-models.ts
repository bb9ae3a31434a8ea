// The recorded answers of llama.cpp for the random models, in Node and in the browser alike.
import recorded from "../fixtures/models/recorded.json" with { type: "json" };
import type { ModelSpec } from "../fixtures/models/specs.ts";
import { ALL_SPECS } from "../fixtures/models/type-specs.ts";

export interface RecordedModel {
  readonly spec: ModelSpec;
  /** Of the quantised file that randomModel makes. */
  readonly sha256: string;
  readonly vocab: number;
  readonly tokens: readonly number[];
}

export const RECORDED: readonly RecordedModel[] = recorded.models.map(({ name, sha256, vocab, tokens }) => {
  const spec = ALL_SPECS.find((candidate) => candidate.name === name);
  if (!spec) throw new Error(`recorded.json speaks of ${name}, which specs.ts does not have: run record.ts again`);
  return { spec, sha256, vocab, tokens };
});

export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Float32Array(await new Response(stream).arrayBuffer());
}

export interface Agreement {
  /** Mean over positions of Σ |p − q|. */
  readonly meanL1: number;
  readonly maxL1: number;
  /** Share of positions whose most probable token is the same. */
  readonly sameTop: number;
}

/** Compares logits `[positions, vocab]` with recorded probabilities of the same shape. */
export function agreement(logits: ArrayLike<number>, expected: Float32Array, vocab: number): Agreement {
  const positions = expected.length / vocab;
  let total = 0;
  let maxL1 = 0;
  let same = 0;
  for (let position = 0; position < positions; position++) {
    const at = position * vocab;
    let top = at;
    let expectedTop = at;
    for (let i = at; i < at + vocab; i++) {
      if (logits[i]! > logits[top]!) top = i;
      if (expected[i]! > expected[expectedTop]!) expectedTop = i;
    }
    let sum = 0;
    for (let i = at; i < at + vocab; i++) sum += Math.exp(logits[i]! - logits[top]!);
    let l1 = 0;
    for (let i = at; i < at + vocab; i++) l1 += Math.abs(Math.exp(logits[i]! - logits[top]!) / sum - expected[i]!);
    total += l1;
    maxL1 = Math.max(maxL1, l1);
    if (top === expectedTop) same++;
  }
  return { meanL1: total / positions, maxL1, sameTop: same / positions };
}

/** In the browser: the answers that were recorded for the model of this name, `[positions, vocab]`. */
export async function recordedProbabilities(name: string): Promise<Float32Array<ArrayBuffer>> {
  const response = await fetch(new URL(`../fixtures/models/${name}.f32.gz`, import.meta.url));
  const bytes = new Uint8Array(await response.arrayBuffer());
  // A server that names the content encoding has the browser unzip it.
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return zipped ? gunzip(bytes) : new Float32Array(bytes.buffer);
}
