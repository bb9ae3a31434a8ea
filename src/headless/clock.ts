// The realm's own clocks, taken before a program runs: fake timers (sinon, jest, vitest, node:test) replace the global `Date`
// and `performance.now`, and what runs under them must go on telling the time.

/** Milliseconds since the Unix epoch. */
export const wallMs = Date.now.bind(Date);

/** Milliseconds since the realm began; never goes back. */
export const monotonicMs = performance.now.bind(performance);
