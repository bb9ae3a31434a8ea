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
const typedTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag)?.get as AnyFunction;
const isTyped = (name: string) => (value: unknown): boolean => ArrayBuffer.isView(value) && typedTag.call(value) === name;
const boxed = (name: string) => (value: unknown): boolean => isObject(value) && tag(value) === name;
const AsyncFunction = (async () => undefined).constructor;
const GeneratorFunction = function* () {}.constructor;
const AsyncGeneratorFunction = async function* () {}.constructor;

export const types: Dict = {
  isDate: isInstance("Date"), isRegExp: isInstance("RegExp"), isPromise: isInstance("Promise"), isMap: isInstance("Map"), isSet: isInstance("Set"),
  isWeakMap: isInstance("WeakMap"), isWeakSet: isInstance("WeakSet"), isDataView: isInstance("DataView"),
  isNativeError: (value: unknown) => isObject(value) && (value instanceof Error || tag(value) === "Error"),
  isArrayBuffer: isInstance("ArrayBuffer"), isSharedArrayBuffer: isInstance("SharedArrayBuffer"),
  isAnyArrayBuffer: (value: unknown) => value instanceof ArrayBuffer || isInstance("SharedArrayBuffer")(value),
  isArrayBufferView: (value: unknown) => ArrayBuffer.isView(value),
  isTypedArray: (value: unknown) => ArrayBuffer.isView(value) && !(value instanceof DataView),
  isUint8Array: isTyped("Uint8Array"), isUint8ClampedArray: isTyped("Uint8ClampedArray"), isUint16Array: isTyped("Uint16Array"), isUint32Array: isTyped("Uint32Array"),
  isInt8Array: isTyped("Int8Array"), isInt16Array: isTyped("Int16Array"), isInt32Array: isTyped("Int32Array"), isFloat32Array: isTyped("Float32Array"),
  isFloat64Array: isTyped("Float64Array"), isBigInt64Array: isTyped("BigInt64Array"), isBigUint64Array: isTyped("BigUint64Array"),
  isNumberObject: boxed("Number"), isStringObject: boxed("String"), isBooleanObject: boxed("Boolean"), isSymbolObject: boxed("Symbol"), isBigIntObject: boxed("BigInt"),
  isBoxedPrimitive: (value: unknown) => isObject(value) && /^(Number|String|Boolean|Symbol|BigInt)$/.test(tag(value)),
  isAsyncFunction: (value: unknown) => value instanceof AsyncFunction || value instanceof AsyncGeneratorFunction,
  isGeneratorFunction: (value: unknown) => value instanceof GeneratorFunction || value instanceof AsyncGeneratorFunction,
  isGeneratorObject: (value: unknown) => /^(Async)?Generator$/.test(tag(value)),
  isMapIterator: (value: unknown) => tag(value) === "Map Iterator", isSetIterator: (value: unknown) => tag(value) === "Set Iterator",
  isArgumentsObject: (value: unknown) => tag(value) === "Arguments", isModuleNamespaceObject: (value: unknown) => tag(value) === "Module",
  isProxy: isTrackedProxy, isExternal: () => false, isKeyObject, isCryptoKey: isInstance("CryptoKey"),
};
