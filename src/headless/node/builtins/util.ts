// node:util.
import { wallMs } from "../../clock.ts";
import { transferableAbortController, transferableAbortSignal } from "../threads/abort-transfer.ts";
import { format, formatWithOptions, inspect } from "node-inspect-extracted";
import { checkFunction, checkString, invalidArgType, invalidArgValue, nodeError, outOfRange } from "../errors.ts";
import type { AnyFunction, Dict, Runtime, StreamLike } from "../runtime.ts";
import { colorizes } from "./colors.ts";
import { isDeepEqual } from "./deep-equal.ts";
import facts from "./facts.json" with { type: "json" };
import { MIMEParams, MIMEType } from "./mime-type.ts";
import { parseArgs } from "./parse-args.ts";
import { types } from "./util-types.ts";
import { webClasses } from "./web-classes.ts";

/** Commands to the operating system's shell (titles, links) up to their end, then those that move and colour. */
// oxlint-disable-next-line no-control-regex -- they begin with one
const TERMINAL_CODES = /\u001b\][^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)|[\u001b\u009b][[\]()#;?]*(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-ntqry=><~]/g;
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
  function callbackified(this: unknown, ...given: unknown[]): void {
    const done = given.pop() as AnyFunction;
    if (typeof done !== "function") throw invalidArgType("last argument", "function", done);
    const promise = Reflect.apply(original, this, given) as Promise<unknown>;
    const finish = (...result: unknown[]): void => runtime.loop.nextTick(() => void Reflect.apply(done, this, result));
    promise.then((value) => finish(null, value), (error: unknown) => finish(error || nodeError(Error, "ERR_FALSY_VALUE_REJECTION", "Promise was rejected with falsy value", { reason: error })));
  }
  const descriptors = Object.getOwnPropertyDescriptors(original);
  if (typeof descriptors["length"]?.value === "number") descriptors["length"].value++;
  if (typeof descriptors["name"]?.value === "string") descriptors["name"].value += "Callbackified";
  return Object.defineProperties(callbackified, descriptors) as unknown as AnyFunction;
}

function inherits(constructor: AnyFunction, parent: AnyFunction): void {
  if (constructor === undefined || constructor === null) throw invalidArgType("ctor", "function", constructor);
  if (parent === undefined || parent === null) throw invalidArgType("superCtor", "function", parent);
  if (parent.prototype === undefined) throw invalidArgType("superCtor.prototype", "object", parent.prototype);
  Object.defineProperty(constructor, "super_", { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(constructor.prototype as object, parent.prototype as object);
}

const deprecationsSeen = new WeakMap<Runtime, Set<string>>();

function deprecate(runtime: Runtime, original: AnyFunction, message: string, code?: string): AnyFunction {
  if (code !== undefined && typeof code !== "string") throw invalidArgType("code", "string", code);
  let warned = false;
  function deprecated(this: unknown, ...given: unknown[]): unknown {
    const seen = deprecationsSeen.get(runtime) ?? new Set<string>();
    deprecationsSeen.set(runtime, seen);
    if (!warned && runtime.process["noDeprecation"] !== true && !(code !== undefined && seen.has(code))) {
      warned = true;
      if (code !== undefined) seen.add(code);
      runtime.process.emitWarning(message, { type: "DeprecationWarning", ...(code === undefined ? {} : { code }) });
    }
    return new.target ? Reflect.construct(original, given, new.target) : Reflect.apply(original, this, given);
  }
  Object.setPrototypeOf(deprecated, original);
  if (original.prototype) deprecated.prototype = original.prototype;
  return deprecated as unknown as AnyFunction;
}

/** Node 20 asks the stream only when there is one style. */
function styleText(runtime: Runtime, style: unknown, text: unknown, options: { validateStream?: boolean; stream?: StreamLike } = {}): string {
  checkString(text, "text");
  const { validateStream = true, stream = runtime.process.stdout } = options;
  const colors = inspect.colors as unknown as Record<string, [number, number] | undefined>;
  let left = "";
  let right = "";
  for (const name of (Array.isArray(style) ? style : [style]) as string[]) {
    const codes = Object.hasOwn(colors, name) ? colors[name] : undefined;
    if (!codes) throw invalidArgValue("format", name, `must be one of: ${Object.keys(colors).map((x) => `'${x}'`).join(", ")}`);
    left += `\u001b[${codes[0]}m`;
    right = `\u001b[${codes[1]}m${right}`;
  }
  return validateStream && !Array.isArray(style) && !colorizes(runtime, stream) ? text : left + text + right;
}

function debuglog(runtime: Runtime, section: string, onEnabled?: AnyFunction): AnyFunction {
  const name = section.toUpperCase();
  // Without a word there, no RegExp is made: the program may have put its own in the place of the class.
  const test = (): boolean => (runtime.process.env["NODE_DEBUG"] || undefined)?.split(",").some((each) => new RegExp(`^${each.trim().replace(/[|\\{}()[\]^$+?.]/g, "\\$&").replaceAll("*", ".*")}$`, "i").test(name) && each.trim() !== "") ?? false;
  let enabled: boolean | undefined;
  const log = (...given: unknown[]): void => {
    enabled ??= test();
    if (enabled) runtime.process.stderr.write(`${name} ${runtime.host.pid}: ${format(...given)}\n`);
  };
  onEnabled?.(log);
  return Object.defineProperty(log, "enabled", { get: () => (enabled ??= test()), configurable: true, enumerable: true }) as AnyFunction;
}

const systemErrors = new Map<number, readonly [string, string]>((facts.systemErrors as [number, string, string][]).map(([errno, name, message]) => [errno, [name, message]]));

export function systemErrorName(errno: unknown): string {
  if (typeof errno !== "number") throw invalidArgType("err", "number", errno);
  if (errno >= 0 || !Number.isSafeInteger(errno)) throw outOfRange("err", "a negative integer", errno);
  return systemErrors.get(errno)?.[0] ?? `Unknown system error ${errno}`;
}

function errnoException(errno: number, syscall: string, original?: string): Error {
  const code = systemErrorName(errno);
  return Object.assign(new Error(`${original ? `${syscall} ${code} ${original}` : `${syscall} ${code}`}`), { errno, code, syscall });
}

function hostException(errno: number, syscall: string, address: string, port?: number, additional?: string): Error {
  const code = systemErrorName(errno);
  const where = port && port > 0 ? ` ${address}:${port}` : address ? ` ${address}` : "";
  return Object.assign(new Error(`${syscall} ${code}${where}${additional ? ` - Local (${additional})` : ""}`), { errno, code, syscall, address, ...(port ? { port } : {}) });
}

/** The rules of `.env` files: quotes, comments, `export`. */
function parseEnv(content: unknown): Dict {
  if (typeof content !== "string") throw invalidArgType("content", "string", content);
  const result: Dict = {};
  const line = /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*(?:'([^']*)'|"([^"]*)"|`([^`]*)`|([^#\r\n]*))/gm;
  for (const [, name = "", single, double, tick, bare] of content.matchAll(line)) result[name] = single ?? double?.replaceAll("\\n", "\n") ?? tick ?? bare?.trim();
  return result;
}

async function aborted(signal: unknown, resource: unknown): Promise<void> {
  if (typeof signal !== "object" || signal === null || !("aborted" in signal)) throw invalidArgType("signal", "AbortSignal", signal);
  if (typeof resource !== "object" || resource === null) throw invalidArgType("resource", "object", resource);
  const given = signal as AbortSignal;
  if (given.aborted) return;
  await new Promise<void>((resolve) => given.addEventListener("abort", () => resolve(), { once: true }));
}

export function createUtil(runtime: Runtime): Dict {
  const is = (name: string) => (value: unknown): boolean => typeof value === name;
  const log = (...given: unknown[]): void => {
    const now = new Date(wallMs());
    const two = (value: number): string => String(value).padStart(2, "0");
    const month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][now.getMonth()];
    runtime.process.stdout.write(`${now.getDate()} ${month} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())} - ${format(...given)}\n`);
  };
  const buffer = runtime.builtin("buffer") as { Buffer: { isBuffer: AnyFunction } };
  return {
    _errnoException: errnoException, _exceptionWithHostPort: hostException,
    _extend: (target: unknown, source: unknown) => (typeof source === "object" && source !== null ? Object.assign(target as object, source) : target),
    callbackify: (original: AnyFunction) => callbackify(runtime, original),
    debug: (section: string, onEnabled?: AnyFunction) => debuglog(runtime, section, onEnabled), debuglog: (section: string, onEnabled?: AnyFunction) => debuglog(runtime, section, onEnabled),
    deprecate: (original: AnyFunction, message: string, code?: string) => deprecate(runtime, original, message, code),
    format, styleText: (...given: [unknown, unknown]) => styleText(runtime, ...given), formatWithOptions, getSystemErrorMap: () => new Map([...systemErrors].map(([errno, pair]) => [errno, [...pair]])), getSystemErrorName: systemErrorName,
    inherits, inspect, isArray: Array.isArray, isBoolean: is("boolean"), isBuffer: (value: unknown) => buffer.Buffer.isBuffer(value),
    isDeepStrictEqual: (a: unknown, b: unknown) => isDeepEqual(a, b, true),
    isNull: (value: unknown) => value === null, isNullOrUndefined: (value: unknown) => value == null, isNumber: is("number"), isString: is("string"), isSymbol: is("symbol"), isUndefined: is("undefined"),
    isRegExp: types["isRegExp"], isObject: (value: unknown) => typeof value === "object" && value !== null, isDate: types["isDate"],
    isError: (value: unknown) => types["isNativeError"] !== undefined && ((types["isNativeError"] as AnyFunction)(value) as boolean || value instanceof Error), isFunction: is("function"),
    isPrimitive: (value: unknown) => (typeof value !== "object" && typeof value !== "function") || value === null,
    log, promisify: Object.assign(promisify, { custom }),
    stripVTControlCharacters: (text: unknown) => {
      checkString(text, "str");
      return text.replace(TERMINAL_CODES, "");
    },
    toUSVString: (text: unknown) => (String(text) as string & { toWellFormed(): string }).toWellFormed(),
    transferableAbortSignal, transferableAbortController, aborted, types, parseEnv, parseArgs: (config?: Dict) => parseArgs(runtime, config),
    TextDecoder: webClasses.TextDecoder, TextEncoder: globalThis.TextEncoder, MIMEType, MIMEParams,
  };
}
