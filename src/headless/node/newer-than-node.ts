// The browser's engine is years newer than Node 20's, and its global object holds a browser. A program that asks what
// there is must get Node's answer: tests that pass here with Promise.withResolvers would fail in the Node they are meant
// for. Taken away once, before any program code; this runtime itself uses none of it.

/** Everything that Node 20's global object has of its own. */
const GLOBALS = new Set((
  "Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError "
  + "globalThis JSON Math Intl ArrayBuffer Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array DataView Map BigInt Set "
  + "WeakMap WeakSet Proxy Reflect FinalizationRegistry WeakRef decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN console process global Buffer clearImmediate "
  + "setImmediate URL URLSearchParams DOMException AbortController AbortSignal Event EventTarget TextEncoder TextDecoder TransformStream TransformStreamDefaultController WritableStream "
  + "WritableStreamDefaultController WritableStreamDefaultWriter ReadableStream ReadableStreamDefaultReader ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableByteStreamController "
  + "ReadableStreamDefaultController ByteLengthQueuingStrategy CountQueuingStrategy TextEncoderStream TextDecoderStream CompressionStream DecompressionStream clearInterval clearTimeout setInterval setTimeout "
  + "queueMicrotask structuredClone atob btoa BroadcastChannel MessageChannel MessagePort MessageEvent Blob File Performance PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver "
  + "PerformanceObserverEntryList PerformanceResourceTiming performance fetch FormData Headers Request Response SharedArrayBuffer Atomics WebAssembly crypto Crypto CryptoKey SubtleCrypto CustomEvent"
).split(" "));

/** What later engines have added to classes that Node 20 has, by owner. */
const MEMBERS: Readonly<Record<string, string>> = {
  "Object": "groupBy", "Map": "groupBy", "Array": "fromAsync", "Promise": "withResolvers try", "RegExp": "escape", "Error": "isError", "JSON": "rawJSON isRawJSON", "Math": "f16round sumPrecise",
  "Atomics": "pause", "Intl": "DurationFormat v8BreakIterator", "ArrayBuffer.prototype": "transfer transferToFixedLength detached transferToImmutable immutable sliceToImmutable", "DataView.prototype": "getFloat16 setFloat16",
  "Uint8Array": "fromBase64 fromHex", "Uint8Array.prototype": "toBase64 setFromBase64 toHex setFromHex", "Map.prototype": "getOrInsert getOrInsertComputed", "WeakMap.prototype": "getOrInsert getOrInsertComputed",
  "Set.prototype": "difference intersection isSubsetOf isSupersetOf isDisjointFrom symmetricDifference union", "EventTarget.prototype": "when", "File.prototype": "lastModifiedDate webkitRelativePath", "WebAssembly": "JSTag Suspending promising SuspendError",
};
const ITERATOR_METHODS = ["constructor", "map", "filter", "take", "drop", "flatMap", "reduce", "toArray", "forEach", "some", "every", "find", Symbol.toStringTag];

/** For a Worker that is one process, after its globals were put in place. */
export function hideWhatNodeLacks(global: object, placed: Readonly<Record<string, unknown>>): void {
  for (const name of Object.getOwnPropertyNames(global)) {
    if (GLOBALS.has(name) || Object.hasOwn(placed, name)) continue;
    const { get, value } = Object.getOwnPropertyDescriptor(global, name) ?? {};
    // An undefined one hides what lies on the prototype (realm.ts).
    if (get !== undefined || value !== undefined) Reflect.deleteProperty(global, name);
  }
  for (const [path, names] of Object.entries(MEMBERS)) {
    const owner = path.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], global);
    if (owner !== undefined) for (const name of names.split(" ")) Reflect.deleteProperty(owner as object, name);
  }
  const iterator = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;
  for (const name of ITERATOR_METHODS) Reflect.deleteProperty(iterator, name);
}
