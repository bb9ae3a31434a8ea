// What an operator yields: one splice of a file's text, so everything outside it stays byte for byte.
import type { Place } from "./scope.ts";

export const OPERATORS = [
  "flip-operator",
  "swap-operands",
  "off-by-one",
  "wrong-variable",
  "wrong-method",
  "dropped-branch",
  "inverted-condition",
  "shuffled-statements",
  "removed-statement",
  "wrong-constant",
  "wrong-return",
  "loop-bound",
  "shadowing",
  "missing-await",
] as const;
export type Operator = (typeof OPERATORS)[number];

/** Replace `[start, end)` of the source, in UTF-16 units, with `text`. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Mutant extends Splice {
  readonly operator: Operator;
  /** Name of the function around it; absent at the top of a file and in nameless functions. */
  readonly inFunction?: string;
}

/** The broken text. */
export function spliced(source: string, { start, end, text }: Splice): string {
  return source.slice(0, start) + text + source.slice(end);
}

/** One operator of the catalogue: all the ways in which it can break one place. */
export type Breaker = (place: Place, source: string) => readonly Splice[];
