// Deep equality as node:assert and util.isDeepStrictEqual define it. `strict`: Object.is for primitives, prototypes and
// symbol keys count; otherwise `==`, and prototypes do not. Cycles are equal when they close at the same place.
type Dictionary = Record<PropertyKey, unknown>;

const tag = (value: object): string => Object.prototype.toString.call(value);
const isError = (value: object): value is Error => value instanceof Error || tag(value) === "[object Error]";

class Memo {
  readonly #left = new Map<object, object>();

  /** Undefined when the pair is new; otherwise whether the cycle closes the same way. */
  enter(a: object, b: object): boolean | undefined {
    const known = this.#left.get(a);
    if (known !== undefined) return known === b;
    this.#left.set(a, b);
    return undefined;
  }

  leave(a: object): void {
    this.#left.delete(a);
  }
}

export function isDeepEqual(a: unknown, b: unknown, strict: boolean): boolean {
  return equal(a, b, strict, new Memo());
}

function equal(a: unknown, b: unknown, strict: boolean, memo: Memo): boolean {
  if (a === b) return a !== 0 || !strict || Object.is(a, b);
  if (strict) {
    if (typeof a !== "object") return typeof a === "number" && Number.isNaN(a) && Number.isNaN(b as number);
    if (typeof b !== "object" || a === null || b === null) return false;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  } else {
    if (a === null || typeof a !== "object") {
      // oxlint-disable-next-line eqeqeq -- loose equality is what this mode is
      return (b === null || typeof b !== "object") && (a == b || (Number.isNaN(a as number) && Number.isNaN(b as number) && typeof a === "number" && typeof b === "number"));
    }
    if (b === null || typeof b !== "object") return false;
  }
  return sameObjects(a as object, b as object, strict, memo);
}

function sameObjects(a: object, b: object, strict: boolean, memo: Memo): boolean {
  if (tag(a) !== tag(b)) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    return inside(a, b, strict, memo);
  }
  if (a instanceof Date) return b instanceof Date && Object.is(a.getTime(), b.getTime()) && inside(a, b, strict, memo);
  if (a instanceof RegExp) return b instanceof RegExp && a.source === b.source && a.flags === b.flags && a.lastIndex === b.lastIndex && inside(a, b, strict, memo);
  if (isError(a)) {
    if (!isError(b) || a.message !== b.message || a.name !== b.name) return false;
    if (strict && (!equal(a.cause, b.cause, strict, memo) || !equal((a as AggregateError).errors, (b as AggregateError).errors, strict, memo))) return false;
    return inside(a, b, strict, memo);
  }
  if (ArrayBuffer.isView(a)) {
    if (!ArrayBuffer.isView(b) || a.byteLength !== b.byteLength) return false;
    if (!strict && (a instanceof Float32Array || a instanceof Float64Array)) {
      const other = b as Float64Array;
      return a.every((value, k) => value === other[k]);
    }
    return sameBytes(a, b) && inside(a, b, strict, memo);
  }
  if (a instanceof ArrayBuffer) return b instanceof ArrayBuffer && sameBytes(new Uint8Array(a), new Uint8Array(b)) && inside(a, b, strict, memo);
  if (a instanceof Set) return b instanceof Set && a.size === b.size && inside(a, b, strict, memo);
  if (a instanceof Map) return b instanceof Map && a.size === b.size && inside(a, b, strict, memo);
  if (/^\[object (Number|String|Boolean|Symbol|BigInt)\]$/.test(tag(a))) {
    const [x, y] = [a.valueOf(), (b as { valueOf(): unknown }).valueOf()];
    return Object.getPrototypeOf(a) === Object.getPrototypeOf(b) && Object.is(x, y) && inside(a, b, strict, memo);
  }
  if (Array.isArray(b) || ArrayBuffer.isView(b) || b instanceof Set || b instanceof Map || b instanceof Date || b instanceof RegExp || isError(b)) return false;
  return inside(a, b, strict, memo);
}

function sameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const x = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  const y = new Uint8Array(b.buffer, b.byteOffset, b.byteLength);
  return x.length === y.length && x.every((byte, k) => byte === y[k]);
}

const ownKeys = (value: object): string[] => {
  if (!ArrayBuffer.isView(value)) return Object.keys(value);
  return Object.keys(value).filter((key) => !/^(0|[1-9]\d*)$/.test(key));
};
const enumerableSymbols = (value: object): symbol[] => Object.getOwnPropertySymbols(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));

/** Keys, then what the collections hold. */
function inside(a: object, b: object, strict: boolean, memo: Memo): boolean {
  const keys: PropertyKey[] = ownKeys(a);
  if (keys.length !== ownKeys(b).length) return false;
  if (!keys.every((key) => Object.prototype.propertyIsEnumerable.call(b, key))) return false;
  if (strict) {
    const symbols = enumerableSymbols(a);
    if (symbols.length !== enumerableSymbols(b).length || !symbols.every((key) => Object.prototype.propertyIsEnumerable.call(b, key))) return false;
    keys.push(...symbols);
  }
  const closed = memo.enter(a, b);
  if (closed !== undefined) return closed;
  const same = keys.every((key) => equal((a as Dictionary)[key], (b as Dictionary)[key], strict, memo))
    && (!(a instanceof Set) || sameSets(a, b as Set<unknown>, strict, memo))
    && (!(a instanceof Map) || sameMaps(a, b as Map<unknown, unknown>, strict, memo));
  memo.leave(a);
  return same;
}

function sameSets(a: Set<unknown>, b: Set<unknown>, strict: boolean, memo: Memo): boolean {
  const unmatched = [...b].filter((value) => !a.has(value));
  for (const value of a) {
    if (b.has(value)) continue;
    const at = unmatched.findIndex((other) => equal(value, other, strict, memo));
    if (at < 0) return false;
    unmatched.splice(at, 1);
  }
  return true;
}

function sameMaps(a: Map<unknown, unknown>, b: Map<unknown, unknown>, strict: boolean, memo: Memo): boolean {
  const unmatched = [...b].filter(([key]) => !a.has(key));
  for (const [key, value] of a) {
    if (b.has(key)) {
      if (!equal(value, b.get(key), strict, memo)) return false;
      continue;
    }
    const at = unmatched.findIndex(([other, otherValue]) => equal(key, other, strict, memo) && equal(value, otherValue, strict, memo));
    if (at < 0) return false;
    unmatched.splice(at, 1);
  }
  return true;
}
