// Objects of Node's that a message carries though the engine knows nothing of them: each kind says what plain data it becomes
// and what is made of that in the other thread.
import type { Runtime } from "../runtime.ts";

export interface Kind {
  readonly name: string;
  /** Whose module says how it is made again, which the other thread may not have loaded. */
  readonly builtin: string;
  /** Data that the engine can clone; `pass` hands a port over with it. */
  save(object: object, pass: (port: MessagePort) => void): unknown;
  /** Gone from here when it has been sent, and only sent when it is in the transfer list. */
  readonly transferOnly?: true;
}

/** As it lies in a message. */
export interface Saved {
  readonly kind: string;
  readonly builtin: string;
  readonly data: unknown;
}

type Load = (runtime: Runtime, data: unknown) => object;

const kinds = new WeakMap<object, Kind>();
const loaders = new Map<string, Load>();
let some = false;

/** Of each object of the kind, when it is made. */
export function markCloneable(object: object, kind: Kind): void {
  kinds.set(object, kind);
  some = true;
}

export const kindOf = (object: object): Kind | undefined => kinds.get(object);

/** Whether this process has made any: else no message needs to be searched for them. */
export const anyCloneable = (): boolean => some;

export const isTransferable = (object: object): boolean => kinds.get(object)?.transferOnly === true;

/** How the kind's objects are made again. */
export function onLoad(kind: string, load: Load): void {
  loaders.set(kind, load);
}

export function loadCloneable(runtime: Runtime, { kind, builtin, data }: Saved): object {
  if (!loaders.has(kind)) runtime.builtin(builtin);
  const load = loaders.get(kind);
  if (!load) throw new Error(`A message holds a ${kind}, which this thread cannot make.`);
  return load(runtime, data);
}
