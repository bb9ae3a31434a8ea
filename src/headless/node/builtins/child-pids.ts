// Which of its own children a process knows to live: what it may signal without asking.
import type { Runtime } from "../runtime.ts";

export interface LiveChild {
  /** It leads a group of its own. */
  readonly detached: boolean;
}

const childrenOf = new WeakMap<Runtime, Map<number, LiveChild>>();

/** By pid. */
export function liveChildren(runtime: Runtime): Map<number, LiveChild> {
  const known = childrenOf.get(runtime) ?? new Map<number, LiveChild>();
  childrenOf.set(runtime, known);
  return known;
}
