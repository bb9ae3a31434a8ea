// Routing that no model made, with skew and locality that are stated: what a cache does on it can be checked anywhere.
import type { LayerTrace } from "./replay.ts";

export interface SyntheticRouting {
  readonly experts: number;
  readonly topK: number;
  readonly tokens: number;
  /** Zipf: the r-th most popular expert is drawn in proportion to r^−skew. 0: all alike. */
  readonly skew: number;
  /** How likely one of a token's experts is one of the token before. */
  readonly repeat: number;
  /** After so many tokens the popularity is shuffled: another topic. 0: never. */
  readonly topicTokens: number;
}

export interface SyntheticTrace {
  readonly trace: LayerTrace;
  /** What each expert is drawn in proportion to by the token after this one: `[experts]`. */
  readonly shares: (token: number) => Float64Array;
}

/** `random` gives numbers in [0, 1). The same numbers give the same trace. */
export function syntheticTrace({ experts, topK, tokens, skew, repeat, topicTokens }: SyntheticRouting, random: () => number): SyntheticTrace {
  const shares = Array.from({ length: experts }, (_, rank) => (rank + 1) ** -skew);
  const total = shares.reduce((sum, share) => sum + share, 0);
  let order = shuffled(experts, random);
  const orders = [order];
  let before: readonly number[] = [];
  const trace = Array.from({ length: tokens }, (_, token) => {
    if (topicTokens > 0 && token > 0 && token % topicTokens === 0) orders.push((order = shuffled(experts, random)));
    const chosen = new Set(before.filter(() => random() < repeat));
    while (chosen.size < topK) chosen.add(order[draw(shares, random() * total)]!);
    return (before = [...chosen]);
  });
  const popularity = orders.map((ranked) => {
    const out = new Float64Array(experts);
    ranked.forEach((expert, rank) => (out[expert] = shares[rank]!));
    return out;
  });
  const topicAfter = (token: number): number => (topicTokens > 0 ? Math.min(orders.length - 1, Math.floor((token + 1) / topicTokens)) : 0);
  return { trace, shares: (token) => popularity[topicAfter(token)]! };
}

function draw(shares: readonly number[], at: number): number {
  let rank = 0;
  for (let left = at - shares[0]!; left > 0 && rank < shares.length - 1; left -= shares[rank]!) rank++;
  return rank;
}

function shuffled(count: number, random: () => number): readonly number[] {
  const list = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
