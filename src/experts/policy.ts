// Which expert stays when another must come. A policy is a pure function of one expert's uses: it gives a number at each
// use, and the resident with the smallest number goes. Time is counted in uses of the pool, one tick for all the experts
// that one token takes in one layer. `npm run bench -- cache` replays routing traces through every policy.

/** One way to value experts. */
export interface Policy {
  readonly name: string;
  /**
   * What an expert is worth from tick `now` on, at which it is used. `before` is what it was worth until then and `last` the tick
   * of the use before; −Infinity both at the first use. Comparable between experts at any later time.
   */
  readonly worth: (before: number, last: number, now: number) => number;
}

/** Least recently used goes. */
export const LRU: Policy = { name: "lru", worth: (_before, _last, now) => now };

/**
 * Uses count half as much after `halfLife` ticks; the smallest sum goes (LRFU, Lee et al. 2001). Uses in a row count as one, the
 * last of them: that an expert is taken again by the next token says little of how often it will be wanted (the "correlated
 * references" of O'Neil et al. 1993). Kept as a logarithm that grows with time instead of sums that shrink, so that it changes only
 * when its expert is used: log2(2^before + 2^(now / halfLife)), in a run without 2^(last / halfLife).
 */
export function decayingRuns(halfLife: number): Policy {
  return {
    name: `decaying-runs-${halfLife}`,
    worth: (before, last, now) => now / halfLife + Math.log2(1 + 2 ** Math.min(1023, before - now / halfLife) - (now - last <= 1 ? 2 ** ((last - now) / halfLife) : 0)),
  };
}

/**
 * What the engine uses. Of the half-lives from 16 to 1024 the one that does well both where what is popular lasts and where it
 * changes every few hundred tokens; at least as good in every trace of `npm run bench -- cache` as sums in which each use counts. LRU
 * is a hundredth better where half are resident and few experts take much for a short while. Sums of several half-lives, or mixed
 * by how well each foretold what came, gained where popularity lasts and lost where it changes.
 */
export const DEFAULT_POLICY: Policy = decayingRuns(64);
