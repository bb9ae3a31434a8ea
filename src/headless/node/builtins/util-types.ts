// node:util/types: what a value is inside, as far as script can tell.
import { isTrackedProxy } from "../proxies.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import { isKeyObject } from "./crypto-secret-key.ts";

const tag = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);
const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
const isInstance = (name: string) => (value: unknown): boolean => {
  const constructor = (globalThis as unknown as Dict)[name];
  return typeof constructor === "function" && value instanceof (constructor as unknown as AnyFunction);
};
/** Told by a getter or method that only its own kind bears; asking others costs a thrown error, so plain objects come first. */
const isBranded = (name: string, member: PropertyKey) => {
  const prototype = ((globalThis as unknown as Dict)[name] as { prototype: object } | undefined)?.prototype;
  const { get, value: method } = (prototype && Object.getOwnPropertyDescriptor(prototype, member)) ?? {};
  const ask = (get ?? method) as AnyFunction | undefined;
  return (value: unknown): boolean => {
    if (!isObject(value) || !ask || value === prototype) return false;
    const parent = Object.getPrototypeOf(value) as unknown;
    if (parent === Object.prototype || parent === Array.prototype || parent === null) return false;
    try {
      ask.call(value, value);
      return true;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return false;
    }
  };
};
const typedTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag)?.get as AnyFunction;
const isTyped = (name: string) => (value: unknown): boolean => ArrayBuffer.isView(value) && typedTag.call(value) === name;
const isArrayBuffer = isBranded("ArrayBuffer", "byteLength");
const isSharedArrayBuffer = isBranded("SharedArrayBuffer", "byteLength");
const boxed = Object.fromEntries(["Number", "String", "Boolean", "Symbol", "BigInt"].map((name) => [`is${name}Object`, isBranded(name, "valueOf")]));
/** Newer engines tell; to them a DOMException is one as well. */
const { isError } = Error as unknown as { readonly isError?: (value: unknown) => boolean };
const AsyncFunction = (async () => undefined).constructor;
const GeneratorFunction = function* () {}.constructor;
const AsyncGeneratorFunction = async function* () {}.constructor;

export const types: Dict = {
  isDate: isBranded("Date", "getTime"), isRegExp: isBranded("RegExp", "source"), isPromise: isInstance("Promise"), isMap: isBranded("Map", "size"), isSet: isBranded("Set", "size"),
  isWeakMap: isBranded("WeakMap", "has"), isWeakSet: isBranded("WeakSet", "has"), isDataView: (value: unknown) => ArrayBuffer.isView(value) && typedTag.call(value) === undefined,
  isNativeError: (value: unknown) => isObject(value) && (isError?.(value) === true ? !(value instanceof DOMException) : tag(value) === "Error"),
  isArrayBuffer, isSharedArrayBuffer,
  isAnyArrayBuffer: (value: unknown) => isArrayBuffer(value) || isSharedArrayBuffer(value),
  isArrayBufferView: (value: unknown) => ArrayBuffer.isView(value),
  isTypedArray: (value: unknown) => ArrayBuffer.isView(value) && typedTag.call(value) !== undefined,
  isUint8Array: isTyped("Uint8Array"), isUint8ClampedArray: isTyped("Uint8ClampedArray"), isUint16Array: isTyped("Uint16Array"), isUint32Array: isTyped("Uint32Array"),
  isInt8Array: isTyped("Int8Array"), isInt16Array: isTyped("Int16Array"), isInt32Array: isTyped("Int32Array"), isFloat32Array: isTyped("Float32Array"),
  isFloat64Array: isTyped("Float64Array"), isBigInt64Array: isTyped("BigInt64Array"), isBigUint64Array: isTyped("BigUint64Array"),
  ...boxed, isBoxedPrimitive: (value: unknown) => Object.values(boxed).some((is) => is(value)),
  isAsyncFunction: (value: unknown) => value instanceof AsyncFunction || value instanceof AsyncGeneratorFunction,
  isGeneratorFunction: (value: unknown) => value instanceof GeneratorFunction || value instanceof AsyncGeneratorFunction,
  isGeneratorObject: (value: unknown) => /^(Async)?Generator$/.test(tag(value)),
  isMapIterator: (value: unknown) => tag(value) === "Map Iterator", isSetIterator: (value: unknown) => tag(value) === "Set Iterator",
  isArgumentsObject: (value: unknown) => tag(value) === "Arguments", isModuleNamespaceObject: (value: unknown) => tag(value) === "Module",
  isProxy: isTrackedProxy, isExternal: () => false, isKeyObject, isCryptoKey: isInstance("CryptoKey"),
};
