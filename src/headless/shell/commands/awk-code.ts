// Nodes of awk's programs as functions, told apart by whether they ever wait.
import type { Value } from "./awk-values.ts";

/** A compiled node; `waits`: it may give a promise. */
export interface Code<T> {
  readonly waits: boolean;
  run(): T | Promise<T>;
}
export type Expression = Code<Value>;

export function lift<T>(codes: readonly Expression[], make: (values: Value[]) => T): Code<T> {
  if (codes.some(({ waits }) => waits)) {
    return { waits: true, run: async () => {
      const values: Value[] = [];
      for (const code of codes) values.push(await code.run());
      return make(values);
    } };
  }
  return { waits: false, run: () => make(codes.map((code) => code.run() as Value)) };
}

/** `first`, then what it chooses. */
export function chain<A, T>(first: Code<A>, rest: readonly Code<unknown>[], choose: (value: A) => T | Promise<T>): Code<T> {
  const waits = first.waits || rest.some((code) => code.waits);
  return waits ? { waits, run: async () => choose(await first.run()) } : { waits, run: () => choose(first.run() as A) };
}
