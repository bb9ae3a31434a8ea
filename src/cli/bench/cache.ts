// Which expert goes when another must come: the engine's policy and LRU replayed over routing that was recorded from the model in
// the browser, and over synthetic routing whose skew is stated, beside the best that any policy could do, and the best that one could
// expect which does not know the future.
import { DEFAULT_POLICY, LRU } from "../../experts/policy.ts";
import { bestHits, informedHits, type LayerTrace, replay } from "../../experts/replay.ts";
import { type SyntheticTrace, syntheticTrace } from "../../experts/synthetic-trace.ts";
import { seededRandom } from "../../model/sampling.ts";
import type { Measurement } from "./measurement.ts";

/** Traces of a model's layers, which have their slots apart. */
export interface CacheTrace {
  readonly name: string;
  readonly experts: number;
  readonly topK: number;
  readonly layers: readonly LayerTrace[];
  /** How each layer's was made, where it was. */
  readonly shares?: readonly SyntheticTrace["shares"][];
}

const SHARES = [0.1, 0.25, 0.5];
const POLICIES = [LRU, DEFAULT_POLICY];

/** Of the 80 B model's shape. Skew and repetition: between what is reported of such models (a few experts take much; neighbours share a third). */
const SYNTHETIC = [
  { skew: 0.6, repeat: 0.3, topicTokens: 0 },
  { skew: 0.6, repeat: 0.3, topicTokens: 256 },
  { skew: 1, repeat: 0.3, topicTokens: 0 },
  { skew: 1, repeat: 0.3, topicTokens: 256 },
] as const;
const SHAPE = { experts: 512, topK: 10, tokens: 1500 };

export function syntheticTraces(): readonly CacheTrace[] {
  return SYNTHETIC.map((routing): CacheTrace => {
    const made = [1, 2].map((seed) => syntheticTrace({ ...SHAPE, ...routing }, seededRandom(seed)));
    return {
      name: `Zipf ${routing.skew}, ${100 * routing.repeat} % repeated, ${routing.topicTokens > 0 ? `topics of ${routing.topicTokens} tokens` : "one topic"}`,
      experts: SHAPE.experts,
      topK: SHAPE.topK,
      layers: made.map(({ trace }) => trace),
      shares: made.map(({ shares }) => shares),
    };
  });
}

/** A line for each share of experts that are resident and each policy: hits, and their part of the most possible. */
export function measureCache(traces: readonly CacheTrace[]): readonly Measurement[] {
  return traces.flatMap(({ name, experts, topK, layers, shares }) =>
    SHARES.flatMap((share): readonly Measurement[] => {
      const slots = Math.max(topK, Math.round(experts * share));
      const uses = layers.reduce((sum, trace) => sum + trace.reduce((count, wanted) => count + wanted.length, 0), 0);
      const sum = (hits: (trace: LayerTrace, layer: number) => number): number => layers.reduce((total, trace, layer) => total + hits(trace, layer), 0);
      const most = sum((trace) => bestHits(trace, slots));
      const line = (policy: string, hits: number): Measurement => ({
        section: "cache",
        what: `${name}; ${slots} of ${experts} resident: ${policy}`,
        value: hits / Math.max(1, most),
        unit: `of the most possible (hits ${((100 * hits) / Math.max(1, uses)).toFixed(1)} %)`,
      });
      const informed = shares ? [line("one that knows how probable each is", sum((trace, layer) => informedHits(trace, slots, shares[layer]!)))] : [];
      return [line("the most possible", most), ...informed, ...POLICIES.map((policy) => line(policy === DEFAULT_POLICY ? `${policy.name}, the engine's` : policy.name, sum((trace) => replay(policy, trace, slots))))];
    }),
  );
}
