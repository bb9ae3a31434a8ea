// Deep equality as node:assert and util.isDeepStrictEqual mean it. Strict: `Object.is` on primitives, prototypes and
// symbol keys count; otherwise `==`, and prototypes do not. What a value is inside decides, whatever methods it was given.
import type { AnyFunction } from "../runtime.ts";
import { types } from "./util-types.ts";

type Dictionary = Record<PropertyKey, unknown>;
type Test = (value: unknown) => boolean;

const is = types as Readonly<Record<string, Test>>;
const tag = (value: object): string => Object.prototype.toString.call(value);
const isEnumerable = (value: object, key: PropertyKey): boolean => Object.prototype.propertyIsEnumerable.call(value, key);
const isErrorLike = (value: object): value is Error => value instanceof Error || (is["isNativeError"] as Test)(value);

/** Kinds of values with something inside that is no property: the first that fits both decides, one that fits one parts them. */
const KINDS: readonly { readonly fits: Test; readonly same: (a: never, b: never, strict: boolean) => boolean }[] = [
  { fits: is["isDate"] as Test, same: (a: Date, b: Date) => Date.prototype.getTime.call(a) === Date.prototype.getTime.call(b) },
  { fits: is["isRegExp"] as Test, same: (a: RegExp, b: RegExp) => a.source === b.source && a.flags === b.flags && a.lastIndex === b.lastIndex },
  { fits: (value) => ArrayBuffer.isView(value), same: sameViews },
  { fits: is["isSet"] as Test, same: (a: Set<unknown>, b: Set<unknown>) => a.size === b.size },
  { fits: is["isMap"] as Test, same: (a: Map<unknown, unknown>, b: Map<unknown, unknown>) => a.size === b.size },
  { fits: is["isArrayBuffer"] as Test, same: sameBuffers },
  { fits: is["isSharedArrayBuffer"] as Test, same: sameBuffers },
  ...[Number, String, Boolean, BigInt, Symbol].map((type) => {
    const valueOf = type.prototype.valueOf as AnyFunction;
    return { fits: is[`is${type.name}Object`] as Test, same: (a: object, b: object) => Object.is(valueOf.call(a), valueOf.call(b)) };
  }),
];

/** The pairs that are being compared: a pair inside itself differs in nothing that is not found elsewhere. */
class Memo {
  readonly #open = new Map<object, Set<object>>();

  within(a: object, b: object, compare: () => boolean): boolean {
    const others = this.#open.get(a) ?? new Set();
    if (others.has(b)) return true;
    this.#open.set(a, others.add(b));
    const same = compare();
    others.delete(b);
    return same;
  }
}

export function isDeepEqual(a: unknown, b: unknown, strict: boolean): boolean {
  return equal(a, b, strict, new Memo());
}

function equal(a: unknown, b: unknown, strict: boolean, memo: Memo): boolean {
  if (a === b) return a !== 0 || !strict || Object.is(a, b);
  const comparable = (value: unknown): value is object => typeof value === "object" && value !== null;
  if (!comparable(a) || !comparable(b)) {
    if (Number.isNaN(a) && Number.isNaN(b)) return true;
    const primitive = (value: unknown): boolean => !comparable(value) && typeof value !== "function";
    // oxlint-disable-next-line eqeqeq -- loose equality is what this mode is
    return !strict && primitive(a) && primitive(b) && a == b;
  }
  if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  return sameInside(a, b, strict, memo) && sameParts(a, b, strict, memo);
}

function sameInside(a: object, b: object, strict: boolean, memo: Memo): boolean {
  const name = tag(a);
  if (name !== tag(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a)) return a.length === (b as unknown[]).length;
  if (name === "[object Object]" && !isErrorLike(a) && !isErrorLike(b)) return true;
  if (isErrorLike(a) || isErrorLike(b)) return isErrorLike(a) && isErrorLike(b) && sameErrors(a, b, strict, memo);
  for (const { fits, same } of KINDS) if (fits(a) || fits(b)) return fits(a) && fits(b) && same(a as never, b as never, strict);
  return !(a instanceof URL && b instanceof URL) || a.href === b.href;
}

/** Their hidden properties; those that show are compared with the others. */
function sameErrors(a: Error, b: Error, strict: boolean, memo: Memo): boolean {
  return (["message", "name", "cause", "errors"] as const).every((key) => {
    if (isEnumerable(a, key) !== isEnumerable(b, key)) return false;
    return isEnumerable(a, key) || equal((a as unknown as Dictionary)[key], (b as unknown as Dictionary)[key], strict, memo);
  });
}

function sameViews(a: ArrayBufferView, b: ArrayBufferView, strict: boolean): boolean {
  if (!strict && (a instanceof Float32Array || a instanceof Float64Array)) {
    const other = b as Float64Array;
    return a.length === other.length && a.every((value, k) => value === other[k]);
  }
  return sameBytes(new Uint8Array(a.buffer, a.byteOffset, a.byteLength), new Uint8Array(b.buffer, b.byteOffset, b.byteLength));
}

function sameBuffers(a: ArrayBuffer, b: ArrayBuffer): boolean {
  return sameBytes(new Uint8Array(a), new Uint8Array(b));
}

function sameBytes(x: Uint8Array, y: Uint8Array): boolean {
  if (x.length !== y.length) return false;
  for (let k = 0; k < x.length; k++) if (x[k] !== y[k]) return false;
  return true;
}

/** Without the elements of a view, which come first. */
function ownKeys(value: object): string[] {
  const keys = Object.keys(value);
  return (is["isTypedArray"] as Test)(value) ? keys.slice((value as Uint8Array).length) : keys;
}

/** Keys, then what the collections hold. */
function sameParts(a: object, b: object, strict: boolean, memo: Memo): boolean {
  const keys: PropertyKey[] = ownKeys(a);
  if (keys.length !== ownKeys(b).length || !keys.every((key) => isEnumerable(b, key))) return false;
  if (strict) {
    const symbols = enumerableSymbols(a);
    if (symbols.length !== enumerableSymbols(b).length || !symbols.every((key) => isEnumerable(b, key))) return false;
    keys.push(...symbols);
  }
  const isSet = (is["isSet"] as Test)(a);
  const isMap = !isSet && (is["isMap"] as Test)(a);
  if (keys.length === 0 && !isSet && !isMap) return true;
  return memo.within(a, b, () =>
    keys.every((key) => equal((a as Dictionary)[key], (b as Dictionary)[key], strict, memo))
    && (!isSet || sameSets(a as Set<unknown>, b as Set<unknown>, strict, memo))
    && (!isMap || sameMaps(a as Map<unknown, unknown>, b as Map<unknown, unknown>, strict, memo)));
}

const enumerableSymbols = (value: object): symbol[] => Object.getOwnPropertySymbols(value).filter((key) => isEnumerable(value, key));

function sameSets(a: Set<unknown>, b: Set<unknown>, strict: boolean, memo: Memo): boolean {
  const unmatched = [...b].filter((value) => !a.has(value));
  return [...a].every((value) => b.has(value) || takeMatch(unmatched, (other) => equal(value, other, strict, memo)));
}

function sameMaps(a: Map<unknown, unknown>, b: Map<unknown, unknown>, strict: boolean, memo: Memo): boolean {
  const direct = (key: unknown): boolean => a.has(key) && b.has(key) && equal(a.get(key), b.get(key), strict, memo);
  const unmatched = [...b].filter(([key]) => !direct(key));
  if (unmatched.length === 0) return true;
  return [...a].every(([key, value]) => direct(key) || takeMatch(unmatched, ([other, otherValue]) => equal(key, other, strict, memo) && equal(value, otherValue, strict, memo)));
}

/** Takes the first that fits out of the list. */
function takeMatch<T>(list: T[], fits: (value: T) => boolean): boolean {
  const at = list.findIndex(fits);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}
