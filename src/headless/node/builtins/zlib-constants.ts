// The numbers of node:zlib.
import facts from "./facts.json" with { type: "json" };

const unplain = (value: unknown): unknown => (value === "Infinity" ? Number.POSITIVE_INFINITY : value);

/** Without a prototype and each fixed, but not frozen, as in Node. */
export const constants = Object.create(null, Object.fromEntries(Object.entries(facts.zlib).map(([name, value]) => [name, { value: unplain(value), enumerable: true }]))) as Record<string, number>;

/** Both ways: name to number and number to name. */
export const codes: Readonly<Record<string, number | string>> = Object.freeze({ ...facts.zlibCodes, ...Object.fromEntries(Object.entries(facts.zlibCodes).map(([name, code]) => [String(code), name])) });

export const codeNames: ReadonlyMap<number, string> = new Map(Object.entries(facts.zlibCodes).map(([name, code]) => [code, name]));
