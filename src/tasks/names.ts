// The usual names of parameters, locals and fields. Training draws them often; held-out tasks never do.
import type { Kind } from "./draft.ts";

export const PARAMETER_NAMES: Readonly<Record<Kind, readonly string[]>> = {
  int: ["n", "x", "num", "value", "a", "b", "amount", "input", "val", "lo", "hi", "left", "right", "limit", "target"],
  count: ["n", "count", "size", "num", "k", "times"],
  positive: ["n", "num", "a", "b", "width", "amount", "step", "size"],
  ints: ["arr", "nums", "list", "items", "values", "xs", "data", "array", "input", "numbers"],
  positives: ["nums", "list", "values", "sizes"],
  word: ["text", "str", "s", "word", "name", "input", "line"],
  words: ["words", "names", "list", "items", "strs", "parts"],
  letter: ["letter", "char", "ch", "c", "mark"],
  sentence: ["text", "str", "sentence", "line", "phrase"],
  flag: ["a", "b", "flag", "ok", "on", "ready"],
  flags: ["flags", "checks", "list", "values"],
  records: ["items", "list", "rows", "records", "users", "orders", "entries"],
  record: ["item", "record", "obj", "row", "user", "entry", "order"],
  grid: ["grid", "rows", "matrix", "board", "table"],
  digits: ["digits", "text", "str", "code"],
};
export const LOCAL_NAMES: Readonly<Record<string, readonly string[]>> = {
  t: ["total", "sum", "acc", "count", "out", "tally"],
  u: ["total", "other"],
  r: ["result", "res", "out", "best", "found", "kept"],
  x: ["x", "v", "item", "el", "cur", "it"],
  y: ["y", "b", "other", "w", "e"],
  i: ["i", "idx", "index", "k"],
  j: ["j", "m"],
  a: ["a", "prev", "p", "low"],
  b: ["b", "next", "q", "high"],
  c: ["c", "tmp", "n", "seen"],
  k: ["key", "k", "id"],
};
export const FIELD_NAMES = {
  int: ["price", "age", "score", "qty", "size", "points", "stock", "weight"],
  flag: ["active", "done", "open", "paid", "ready", "valid"],
  word: ["name", "city", "kind", "color", "tag", "title"],
};

export const USUAL_NAMES: ReadonlySet<string> = new Set([PARAMETER_NAMES, LOCAL_NAMES, FIELD_NAMES].flatMap((pool) => Object.values<readonly string[]>(pool).flat()));
