// The engine's URL, URLSearchParams and TextDecoder with Node's errors and Node's look in `console.log`; under Node its own.
import { inspect, stripVTControlCharacters } from "node-inspect-extracted";
import { invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction } from "../runtime.ts";
import { checkTextLength } from "./buffer-encodings.ts";
import { showStates } from "./shown-states.ts";
import { followStandard } from "./url-standard.ts";
import { inspectCustom, show, showWebObjects } from "./web-inspect.ts";

type Construct = (args: unknown[], make: (args: unknown[]) => object) => object;

/** The class, made in Node's way: still the engine's own prototype, so what others made is an instance of it. */
function constructing<T extends { readonly prototype: object }>(native: T, construct: Construct): T {
  const made = new Proxy(native, {
    construct: (target, args: unknown[], newTarget) => construct(args, (given) => Reflect.construct(target as unknown as AnyFunction, given, newTarget) as object),
  });
  Object.defineProperty(native.prototype, "constructor", { value: made, writable: true, configurable: true, enumerable: false });
  return made;
}

/** Replaces methods; each gets the engine's. */
function wrap(owner: object, wrappers: Readonly<Record<string, (native: AnyFunction) => (this: object, ...args: unknown[]) => unknown>>): void {
  for (const [name, wrapper] of Object.entries(wrappers)) {
    const { value: native, ...rest } = Object.getOwnPropertyDescriptor(owner, name) ?? {};
    if (typeof native !== "function") continue;
    const wrapped = wrapper(native as AnyFunction);
    // A method has no prototype of its own.
    const { [name]: value } = { [name](this: object, ...args: unknown[]) {
      return wrapped.apply(this, args);
    } };
    Object.defineProperty(owner, name, { ...rest, value });
  }
}

function missing(...names: string[]): Error {
  return nodeError(TypeError, "ERR_MISSING_ARGS", `The ${names.map((name) => `"${name}"`).join(" and ")} argument${names.length > 1 ? "s" : ""} must be specified`);
}

const SHOWN = ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "searchParams", "hash"] as const;

/** The address and, unless it is left out, its base. */
function given([input, base]: readonly unknown[]): readonly string[] {
  return base === undefined ? [String(input)] : [String(input), String(base)];
}

function nodeUrl(): typeof URL {
  const native = globalThis.URL;
  show(native.prototype, function (this: URL, depth, options) {
    if (typeof depth === "number" && depth < 0) return this;
    const shown = Object.fromEntries(SHOWN.map((name) => [name, this[name]]));
    return `${this.constructor.name} ${inspect(shown, options as never)}`;
  });
  const needsUrl = (method: AnyFunction) => (...args: unknown[]): unknown => {
    if (args.length === 0) throw missing("url");
    return method.apply(native, args);
  };
  const standard = followStandard(native.prototype);
  const parse = (args: readonly string[]): URL => standard(args, ([input = "", base]) => new native(input, base));
  wrap(native, {
    canParse: () => (...args) => {
      if (args.length === 0) throw missing("url");
      try {
        return parse(given(args)) !== undefined;
      } catch {
        return false;
      }
    },
    revokeObjectURL: needsUrl,
    createObjectURL: (method) => (value) => {
      if (!(value instanceof Blob)) throw invalidArgType("obj", "Blob", value);
      return method.call(native, value);
    },
  });
  return constructing(native, (args, make) => {
    if (args.length === 0) throw missing("url");
    const texts = given(args);
    const [input, base] = texts;
    try {
      return standard(texts, (prepared) => make([...prepared]) as URL);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw nodeError(TypeError, "ERR_INVALID_URL", "Invalid URL", { input, ...(base === undefined ? {} : { base }) });
    }
  });
}

/** What each method must be given. */
const SEARCH_METHODS = { append: ["name", "value"], delete: ["name"], get: ["name"], getAll: ["name"], has: ["name"], set: ["name", "value"], sort: [], entries: [], keys: [], values: [], toString: [] } as const;

function nodeSearchParams(): typeof URLSearchParams {
  const native = globalThis.URLSearchParams;
  const { prototype } = native;
  const own = (value: object): void => {
    if (!(value instanceof native)) throw nodeError(TypeError, "ERR_INVALID_THIS", 'Value of "this" must be of type URLSearchParams');
  };
  wrap(prototype, {
    ...Object.fromEntries(Object.entries(SEARCH_METHODS).map(([name, needed]) => [name, (method: AnyFunction) => function (this: object, ...args: unknown[]): unknown {
      own(this);
      if (args.length < needed.length) throw missing(...needed);
      // Made texts here: the engine has other words for what is none.
      return method.apply(this, args.map((each, k) => (each === undefined && k >= needed.length ? each : `${each as string}`)));
    }])),
    forEach: (method) => function (callback, thisArg) {
      own(this);
      if (typeof callback !== "function") throw invalidArgType("callback", "function", callback);
      return method.call(this, (value: string, name: string) => void (callback as AnyFunction).call(thisArg, value, name, this));
    },
  });
  Object.defineProperty(prototype, Symbol.iterator, { value: prototype.entries, configurable: true, writable: true, enumerable: false });
  show(prototype, function (this: URLSearchParams, depth, options) {
    if (typeof depth === "number" && depth < 0) return options.stylize("[Object]", "special");
    const inner = { ...options, depth: depth === null ? null : depth - 1 } as never;
    const pairs = [...this].map(([name, value]) => `${inspect(name, inner)} => ${inspect(value, inner)}`);
    const length = pairs.reduce((sum, pair) => sum + stripVTControlCharacters(pair).length + 2, -2);
    const { name } = this.constructor;
    if (length > (options.breakLength ?? Number.POSITIVE_INFINITY)) return `${name} {\n  ${pairs.join(",\n  ")} }`;
    return pairs.length > 0 ? `${name} { ${pairs.join(", ")} }` : `${name} {}`;
  });
  return constructing(native, ([init], make) => {
    if (init == null) return make([]);
    const isObject = typeof init === "object" || typeof init === "function";
    const iterator = isObject ? (init as Partial<Iterable<unknown>>)[Symbol.iterator] : undefined;
    if (iterator == null) return make([isObject ? init : `${init as string}`]);
    if (typeof iterator !== "function") throw nodeError(TypeError, "ERR_ARG_NOT_ITERABLE", "Query pairs must be iterable");
    return make([[...(init as Iterable<unknown>)].map(pairOf)]);
  });
}

function pairOf(value: unknown): unknown[] {
  const isPair = value !== null && (typeof value === "object" || typeof value === "function") && typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === "function";
  const pair = isPair ? [...(value as Iterable<unknown>)] : [];
  if (pair.length !== 2) throw nodeError(TypeError, "ERR_INVALID_TUPLE", "Each query pair must be an iterable [name, value] tuple");
  return pair;
}

function nodeTextDecoder(): typeof TextDecoder {
  const native = globalThis.TextDecoder;
  wrap(native.prototype, {
    decode: (method) => function (this: object, ...args) {
      const [input] = args;
      if (input !== undefined && !ArrayBuffer.isView(input) && !isMemory(input)) throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", 'The "list" argument must be an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView.');
      if (input !== undefined) checkTextLength((input as ArrayBuffer).byteLength, (this as TextDecoder).encoding.startsWith("utf-16") ? 1 / 2 : 1);
      try {
        return method.apply(this, args);
      } catch (error) {
        if (!(this instanceof native) || !this.fatal) throw error;
        throw nodeError(TypeError, "ERR_ENCODING_INVALID_ENCODED_DATA", `The encoded data was not valid for encoding ${this.encoding}`);
      }
    },
  });
  show(native.prototype, function (this: TextDecoder, depth, options) {
    if (typeof depth === "number" && depth < 0) return this;
    const { encoding, fatal, ignoreBOM } = this;
    return `${this.constructor.name} ${inspect({ encoding, fatal, ignoreBOM }, options as never)}`;
  });
  return constructing(native, (args, make) => {
    try {
      return make(args);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw nodeError(RangeError, "ERR_ENCODING_NOT_SUPPORTED", `The "${String(args[0])}" encoding is not supported`);
    }
  });
}

/** Of `performance`: a measure may have a detail alone, and what is missing is said in Node's words. */
function nodePerformance(): void {
  const needs = (name: string) => (method: AnyFunction) => function (this: object, ...args: unknown[]): unknown {
    if (args.length === 0) throw missing(name);
    return method.apply(this, args);
  };
  wrap(Performance.prototype, {
    getEntriesByName: needs("name"), getEntriesByType: needs("type"),
    measure: (method) => function (this: object, name, given, end) {
      const options = typeof given === "object" && given !== null ? (given as PerformanceMeasureOptions) : undefined;
      const isOpen = options !== undefined && options.start === undefined && options.end === undefined;
      try {
        return method.call(this, name, isOpen ? { ...options, ...(options.duration === undefined ? { start: 0 } : { end: performance.now() }) } : given, end);
      } catch (error) {
        const mark = error instanceof DOMException ? /The mark '(.*)' does not exist/s.exec(error.message)?.[1] : undefined;
        throw mark === undefined ? error : new DOMException(`The "${mark}" performance mark has not been set`, "SyntaxError");
      }
    },
  });
}

const isMemory = (value: unknown): boolean => value instanceof ArrayBuffer || (typeof SharedArrayBuffer !== "undefined" && value instanceof SharedArrayBuffer);

interface WebClasses {
  readonly URL: typeof URL;
  readonly URLSearchParams: typeof URLSearchParams;
  readonly TextDecoder: typeof TextDecoder;
}

/** Made once: they change the engine's prototypes. */
function make(): WebClasses {
  showStates();
  if (inspectCustom in URL.prototype) return { URL, URLSearchParams, TextDecoder };
  showWebObjects();
  for (const { prototype } of [Request, Response]) wrap(prototype, {
    formData: (native) => function (this: object) {
      return readForm(this as Request | Response, native);
    },
  });
  nodePerformance();
  return { URL: nodeUrl(), URLSearchParams: nodeSearchParams(), TextDecoder: nodeTextDecoder() };
}

/** The engine fails with other words, and fails on a form without fields: that is its last boundary alone. */
async function readForm(message: Request | Response, native: AnyFunction): Promise<unknown> {
  const type = message.headers.get("content-type") ?? "";
  if (message.bodyUsed || !/^multipart\/form-data/i.test(type)) return native.call(message);
  const body = await message.arrayBuffer();
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type) ?? [];
  const last = `--${quoted ?? plain ?? ""}--`;
  if (body.byteLength <= last.length + 2 && new TextDecoder().decode(body).trim() === last) return new FormData();
  try {
    return await (native.call(new Response(body, { headers: { "content-type": type } })) as Promise<unknown>);
  } catch {
    throw new TypeError("Failed to parse body as FormData.");
  }
}

export const webClasses = make();
