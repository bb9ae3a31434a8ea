// node:util.
import { format, formatWithOptions, inspect, stripVTControlCharacters } from "node-inspect-extracted";
import { checkFunction, invalidArgType, invalidArgValue } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { isDeepEqual } from "./deep-equal.ts";
import { parseArgs } from "./parse-args.ts";
import { types } from "./util-types.ts";

const custom = Symbol.for("nodejs.util.promisify.custom");
const args = Symbol.for("nodejs.util.promisify.customArgs");

export function promisify(original: unknown): AnyFunction {
  checkFunction(original, "original");
  const source = original as AnyFunction & Dict & { [custom]?: AnyFunction; [args]?: string[] };
  const own = source[custom];
  if (own) {
    checkFunction(own, "util.promisify.custom");
    return Object.defineProperty(own, custom, { value: own, enumerable: false, writable: false, configurable: true });
  }
  const names = source[args];
  function promisified(this: unknown, ...given: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      Reflect.apply(source, this, [...given, (error: unknown, ...values: unknown[]) => {
        if (error) reject(error as Error);
        else resolve(names && values.length > 1 ? Object.fromEntries(names.map((name, k) => [name, values[k]])) : values[0]);
      }]);
    });
  }
  Object.setPrototypeOf(promisified, Object.getPrototypeOf(source) as object);
  Object.defineProperty(promisified, custom, { value: promisified, enumerable: false, writable: false, configurable: true });
  return Object.defineProperties(promisified, Object.getOwnPropertyDescriptors(source)) as AnyFunction;
}

function callbackify(runtime: Runtime, original: AnyFunction): AnyFunction {
  checkFunction(original, "original");
  return function callbackified(this: unknown, ...given: unknown[]): void {
    const done = given.pop() as AnyFunction;
    checkFunction(done, "last argument");
    const promise = Reflect.apply(original, this, given) as Promise<unknown>;
    const finish = (...result: unknown[]): void => runtime.loop.nextTick(() => void done(...result));
    promise.then((value) => finish(null, value), (error: unknown) => finish(error ?? Object.assign(new Error("Promise was rejected with a falsy value"), { code: "ERR_FALSY_VALUE_REJECTION", reason: error })));
  };
}

function inherits(constructor: AnyFunction, parent: AnyFunction): void {
  Object.defineProperty(constructor, "super_", { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(constructor.prototype as object, parent.prototype as object);
}

const deprecationsSeen = new WeakMap<Runtime, Set<string>>();

function deprecate(runtime: Runtime, original: AnyFunction, message: string, code?: string): AnyFunction {
  let warned = false;
  return function deprecated(this: unknown, ...given: unknown[]): unknown {
    const seen = deprecationsSeen.get(runtime) ?? new Set<string>();
    deprecationsSeen.set(runtime, seen);
    if (!warned && !(code !== undefined && seen.has(code))) {
      warned = true;
      if (code !== undefined) seen.add(code);
      runtime.process.emitWarning(message, { type: "DeprecationWarning", ...(code === undefined ? {} : { code }) });
    }
    return new.target ? Reflect.construct(original, given, new.target) : Reflect.apply(original, this, given);
  };
}

function styleText(runtime: Runtime, style: string | readonly string[], text: unknown, options: { validateStream?: boolean; stream?: { isTTY?: boolean } } = {}): string {
  if (typeof text !== "string") throw invalidArgType("text", "string", text);
  const colors = inspect.colors as unknown as Record<string, [number, number] | undefined>;
  let left = "";
  let right = "";
  for (const name of typeof style === "string" ? [style] : style) {
    const codes = colors[name];
    if (!codes) throw invalidArgValue("format", name, `must be one of: ${Object.keys(colors).map((x) => `'${x}'`).join(", ")}`);
    left += `\u001b[${codes[0]}m`;
    right = `\u001b[${codes[1]}m${right}`;
  }
  const { validateStream = true, stream = runtime.process.stdout } = options;
  return validateStream && stream.isTTY !== true ? text : left + text + right;
}

function debuglog(runtime: Runtime, section: string): AnyFunction {
  const enabled = (runtime.process.env["NODE_DEBUG"] ?? "").split(",").some((name) => name.trim().toUpperCase() === section.toUpperCase());
  const log = (...given: unknown[]): void => {
    if (enabled) runtime.complain(`${section.toUpperCase()} ${runtime.host.pid}: ${format(...given)}\n`);
  };
  return Object.assign(log, { enabled });
}

export function createUtil(runtime: Runtime): Dict {
  const is = (name: string) => (value: unknown): boolean => typeof value === name;
  return {
    inspect, format, formatWithOptions, stripVTControlCharacters, types, parseArgs, inherits,
    styleText: (...args: [string, unknown]) => styleText(runtime, ...args),
    promisify: Object.assign(promisify, { custom }),
    callbackify: (original: AnyFunction) => callbackify(runtime, original),
    deprecate: (original: AnyFunction, message: string, code?: string) => deprecate(runtime, original, message, code),
    debuglog: (section: string) => debuglog(runtime, section), debug: (section: string) => debuglog(runtime, section),
    isDeepStrictEqual: (a: unknown, b: unknown) => isDeepEqual(a, b, true),
    TextEncoder: globalThis.TextEncoder, TextDecoder: globalThis.TextDecoder,
    toUSVString: (text: unknown) => (String(text) as string & { toWellFormed(): string }).toWellFormed(),
    getSystemErrorName: (errno: number) => ({ [-2]: "ENOENT", [-17]: "EEXIST", [-1]: "EPERM", [-13]: "EACCES", [-22]: "EINVAL" })[errno],
    aborted: (signal: AbortSignal) => new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }))),
    isArray: Array.isArray, isString: is("string"), isNumber: is("number"), isBoolean: is("boolean"), isFunction: is("function"), isSymbol: is("symbol"), isUndefined: is("undefined"),
    isNull: (value: unknown) => value === null, isNullOrUndefined: (value: unknown) => value == null, isObject: (value: unknown) => typeof value === "object" && value !== null,
    isPrimitive: (value: unknown) => (typeof value !== "object" && typeof value !== "function") || value === null,
    isDate: types["isDate"], isRegExp: types["isRegExp"], isError: types["isNativeError"],
  };
}
