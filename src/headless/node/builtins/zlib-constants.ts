// The numbers of node:zlib.
import facts from "./facts.json" with { type: "json" };

const unplain = (value: unknown): unknown => (value === "Infinity" ? Number.POSITIVE_INFINITY : value);

/** Without a prototype, as in Node. */
export const constants = Object.freeze(Object.assign(Object.create(null) as Record<string, number>, Object.fromEntries(Object.entries(facts.zlib).map(([name, value]) => [name, unplain(value)]))));

/** Both ways: name to number and number to name. */
export const codes: Readonly<Record<string, number | string>> = Object.freeze({ ...facts.zlibCodes, ...Object.fromEntries(Object.entries(facts.zlibCodes).map(([name, code]) => [String(code), name])) });

export const codeNames: ReadonlyMap<number, string> = new Map(Object.entries(facts.zlibCodes).map(([name, code]) => [code, name]));
