// Routing traces replayed without a model: what a policy would have hit, and what the best possible one would have, which
// knows the future (Belady 1966). For the bench and for tests.
import type { Policy } from "./policy.ts";
import { SlotPool } from "./slots.ts";

/** The experts that token after token took in one layer. */
export type LayerTrace = readonly (readonly number[])[];

/** Hits of a pool of `slots` slots that is empty at first. */
export function replay(policy: Policy, trace: LayerTrace, slots: number): number {
  const pool = new SlotPool(slots, policy);
  let hits = 0;
  for (const wanted of trace) {
    const placements = pool.plan(0, wanted);
    hits += wanted.length - placements.length;
    pool.use(0, wanted);
    for (const placement of placements) pool.place(placement);
  }
  return hits;
}

/** The most hits that any policy could have: who is wanted again last, goes. */
export function bestHits(trace: LayerTrace, slots: number): number {
  const uses = new Map<number, number[]>();
  for (const [token, wanted] of trace.entries()) for (const expert of wanted) uses.set(expert, [...(uses.get(expert) ?? []), token]);
  const next = (expert: number, token: number): number => {
    const ahead = uses.get(expert)!;
    while (ahead[0]! <= token) ahead.shift();
    return ahead[0] ?? Infinity;
  };
  return hitsKeeping(trace, slots, (expert, token) => -next(expert, token));
}

/**
 * The hits of one who knows how probable each expert is, but not what will come: the least probable goes. No policy that sees
 * only the past can be expected to do better where experts are drawn alike from token to token; of those that were just used,
 * which the next token repeats, none has to go. `shares`: what each is drawn in proportion to after a token.
 */
export function informedHits(trace: LayerTrace, slots: number, shares: (token: number) => ArrayLike<number>): number {
  return hitsKeeping(trace, slots, (expert, token) => shares(token)[expert]!);
}

/** Hits where those stay that are worth most after a token. Who it wants stays, as in `replay`. */
function hitsKeeping(trace: LayerTrace, slots: number, worth: (expert: number, token: number) => number): number {
  const residents = new Set<number>();
  let hits = 0;
  for (const [token, wanted] of trace.entries()) {
    hits += wanted.filter((expert) => residents.has(expert)).length;
    for (const expert of wanted) residents.add(expert);
    const over = residents.size - slots;
    if (over <= 0) continue;
    const others = [...residents].filter((expert) => !wanted.includes(expert)).map((expert) => ({ expert, worth: worth(expert, token) }));
    others.sort((a, b) => (a.worth === b.worth ? 0 : a.worth - b.worth));
    for (const { expert } of others.slice(0, over)) residents.delete(expert);
  }
  return hits;
}
