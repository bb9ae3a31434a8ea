// Test values: how arguments of each kind are drawn, and how values are written as JavaScript.
import type { Kind } from "./draft.ts";
import type { Random } from "./random.ts";

export type Value = number | string | boolean | null | undefined | readonly Value[] | { readonly [key: string]: Value };

/** What drawn values should be close to, so that boundaries are tested. */
export interface Hints {
  /** Numbers in the function's text. */
  readonly numbers: readonly number[];
  readonly fields: readonly { readonly name: string; readonly kind: "int" | "flag" | "word" }[];
}

const WORDS = `cat dog sun map red blue tea milk ant owl Bob Ann hi level apple kiwi Zed big noon ox banana Max radar moon pen Eve
stop otter ink A ab aa eel tree Zoe rose`.split(/\s+/);
const LETTERS = [..."aeoltnrs"];

/** Arguments for one call. Lists hold values near the other arguments and near the function's own constants. */
export function drawArguments(kinds: readonly Kind[], hints: Hints, random: Random): Value[] {
  const near = [...hints.numbers];
  const wordNear: string[] = [];
  const values: Value[] = [];
  // Scalars first: lists are then made to hold them.
  const order = kinds.map((_, i) => i).sort((a, b) => rank(kinds[a]!) - rank(kinds[b]!));
  for (const i of order) {
    const value = draw(kinds[i]!, near, wordNear, hints, random);
    values[i] = value;
    if (typeof value === "number") near.push(value, value + 1, value - 1);
    if (typeof value === "string") wordNear.push(value);
  }
  return orderBounds(kinds, values);
}

function rank(kind: Kind): number {
  return ["ints", "positives", "words", "records", "record", "grid", "word"].indexOf(kind) + 1;
}

/** The last two of several integers read as low and high more often than not: keep them in that order. */
function orderBounds(kinds: readonly Kind[], values: Value[]): Value[] {
  const last = kinds.length - 1;
  const [low, high] = [values[last - 1], values[last]];
  if (kinds.length === 3 && kinds[1] === "int" && kinds[2] === "int" && typeof low === "number" && typeof high === "number" && low > high) {
    values[last - 1] = high;
    values[last] = low;
  }
  return values;
}

function draw(kind: Kind, near: readonly number[], wordNear: readonly string[], hints: Hints, random: Random): Value {
  const many = <T>(low: number, high: number, make: () => T): T[] => Array.from({ length: random.int(low, high) }, make);
  const int = (): number => (near.length > 0 && random.chance(0.4) ? random.pick(near) + random.int(-1, 1) : random.int(-5, 12));
  const word = (): string => (wordNear.length > 0 && random.chance(0.3) ? random.pick(wordNear) : random.pick(WORDS));
  switch (kind) {
    case "int":
      return int();
    case "count":
      return random.int(0, 6);
    case "positive":
      return random.chance(0.75) ? random.int(1, 12) : random.int(13, 130);
    case "ints":
      return many(random.chance(0.08) ? 0 : 2, 5, int);
    case "positives":
      return many(2, 5, () => Math.abs(int()) + 1);
    case "word":
      return word();
    case "words":
      return many(2, 4, () => (random.chance(0.06) ? "" : word()));
    case "letter":
      return random.pick(LETTERS);
    case "sentence":
      return many(1, 3, () => random.pick(WORDS)).join(" ");
    case "flag":
      return random.chance(0.5);
    case "flags":
      return many(1, 4, () => random.chance(0.55));
    case "digits":
      return many(2, 4, () => String(random.int(0, 9))).join("");
    case "grid":
      return grid(random);
    case "record":
      return record(hints, int, word, random);
    case "records":
      return many(1, 3, () => record(hints, int, word, random));
    default:
      return kind satisfies never;
  }
}

function grid(random: Random): Value {
  const size = random.int(2, 3);
  return Array.from({ length: 2 }, () => Array.from({ length: size }, () => random.int(0, 9)));
}

function record(hints: Hints, int: () => number, word: () => string, random: Random): Value {
  const value = (kind: "int" | "flag" | "word"): Value => (kind === "int" ? int() : kind === "word" ? word() : random.chance(0.5));
  return Object.fromEntries(hints.fields.map((field) => [field.name, value(field.kind)]));
}

/** A value as a JavaScript literal on one line. */
export function showValue(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(showValue).join(", ")}]`;
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).map(([key, item]) => `${/^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key)}: ${showValue(item)}`);
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  return typeof value === "string" ? JSON.stringify(value) : Object.is(value, -0) ? "-0" : String(value);
}

/** False for what a reader of a test would stumble over: NaN, holes, -0, long fractions, long text, cycles. */
export function isPlain(value: unknown, depth = 0): value is Value {
  if (depth > 4) return false; // cyclic, or too deep to read
  if (value === null || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0) && String(value).length <= 9;
  if (typeof value === "string") return value.length <= 40 && !/[\n\\`']/.test(value);
  if (Array.isArray(value)) return Array.from(value).every((item) => isPlain(item, depth + 1));
  return typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every((item) => isPlain(item, depth + 1));
}
