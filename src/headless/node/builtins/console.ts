// `console` and `console.Console`. The methods lie on the prototype and each console has them bound, so that a class of a
// program may override them and a method may be handed on by itself.
import { monotonicMs } from "../../clock.ts";
import { formatWithOptions, inspect } from "node-inspect-extracted";
import { checkInteger, invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Runtime, StreamLike } from "../runtime.ts";
import { colorizes } from "./colors.ts";
import { renderTable } from "./console-table.ts";

type Formatter = (options: Dict, ...args: unknown[]) => string;
type Stream = StreamLike & { removeListener(event: string, listener: AnyFunction): void; write(text: string, done?: AnyFunction): boolean; _writableState?: { errorEmitted: boolean } };

interface ConsoleOptions {
  readonly stdout?: Stream;
  readonly stderr?: Stream;
  readonly ignoreErrors?: boolean;
  readonly colorMode?: boolean | "auto";
  readonly inspectOptions?: Dict;
  readonly groupIndentation?: number;
}

// On the console itself, as in Node: what copies one with its symbols (the package `esm`) has one that works.
const COUNTS = Symbol("counts");
const COLOR_MODE = Symbol("kColorMode");
const IS_CONSOLE = Symbol("kIsConsole");
const INDENT = Symbol("kGroupIndent");
const INDENT_WIDTH = Symbol("kGroupIndentWidth");

type Self = Dict & Record<"log" | "warn" | "error", AnyFunction> & {
  [COUNTS]: Map<string, number>;
  [COLOR_MODE]: boolean | "auto";
  [IS_CONSOLE]: true;
  [INDENT]: string;
  [INDENT_WIDTH]: number;
  _stdout: Stream;
  _stderr: Stream;
  _ignoreErrors: boolean;
  readonly _times: Map<string, number>;
};

const inspectOptionsOf = new WeakMap<object, Dict>();
const nothing = (): void => undefined;

/** What came too late to be thrown becomes an event, which nobody has to listen to. */
const swallowLater = (stream: Stream) => (error: unknown): void => {
  if (error && stream._writableState?.errorEmitted !== true && stream.listenerCount("error") === 0) stream.once("error", nothing);
};

function write(self: Self, stream: Stream, text: string): void {
  const indent = self[INDENT];
  const line = `${indent ? indent + text.replaceAll("\n", `\n${indent}`) : text}\n`;
  if (!self._ignoreErrors || typeof stream.listenerCount !== "function") {
    stream.write(line);
    return;
  }
  try {
    if (stream.listenerCount("error") === 0) stream.once("error", nothing);
    stream.write(line, swallowLater(stream));
  } catch (error) {
    // What a stream throws is lost with the text; only the end of the stack is not the stream's.
    if (error instanceof RangeError && /call stack/.test(error.message)) throw error;
  } finally {
    stream.removeListener("error", nothing);
  }
}

/** `1:02.500 (m:ss.mmm)`, `2.500s`, `1.25ms`. */
export function elapsedText(ms: number): string {
  if (ms < 1000) return `${Number(ms.toFixed(3))}ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(3)}s`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const two = (value: number | string): string => String(value).padStart(2, "0");
  const seconds = ((ms % 60_000) / 1000).toFixed(3).padStart(6, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${seconds} (h:mm:ss.mmm)` : `${minutes}:${seconds} (m:ss.mmm)`;
}

function makeMethods(runtime: Runtime): Dict {
  const warn = (text: string): void => runtime.process.emitWarning(text);
  const options = (self: Self, stream: Stream): Dict => {
    const mode = self[COLOR_MODE];
    return { colors: mode === "auto" ? colorizes(runtime, stream) : mode, ...inspectOptionsOf.get(self) };
  };
  const print = (self: Self, stream: Stream, args: readonly unknown[]): void => write(self, stream, (formatWithOptions as Formatter)(options(self, stream), ...args));
  /** Prints how long it took, when it was started. */
  const tell = (self: Self, label: string, method: string, args: readonly unknown[]): boolean => {
    const start = self._times.get(label);
    if (start === undefined) warn(`No such label '${label}' for console.${method}()`);
    else if (args.length > 0) self.log("%s: %s", label, elapsedText(monotonicMs() - start), ...args);
    else self.log("%s: %s", label, elapsedText(monotonicMs() - start));
    return start !== undefined;
  };
  const methods = {
    log(this: Self, ...args: unknown[]): void {
      print(this, this._stdout, args);
    },
    warn(this: Self, ...args: unknown[]): void {
      print(this, this._stderr, args);
    },
    dir(this: Self, value?: unknown, given?: Dict): void {
      write(this, this._stdout, inspect(value, { customInspect: false, ...options(this, this._stdout), ...given }));
    },
    time(this: Self, given: unknown = "default"): void {
      const label = `${given as string}`;
      if (this._times.has(label)) warn(`Label '${label}' already exists for console.time()`);
      else this._times.set(label, monotonicMs());
    },
    timeEnd(this: Self, given: unknown = "default"): void {
      const label = `${given as string}`;
      if (tell(this, label, "timeEnd", [])) this._times.delete(label);
    },
    timeLog(this: Self, given: unknown = "default", ...args: unknown[]): void {
      tell(this, `${given as string}`, "timeLog", args);
    },
    trace(this: Self, ...args: unknown[]): void {
      const trace = new Error((formatWithOptions as Formatter)(options(this, this._stderr), ...args));
      trace.name = "Trace";
      this.error((trace.stack ?? "").replace(/^Error/, "Trace").replace(/^Trace: (?=\n)/, "Trace"));
    },
    assert(this: Self, condition?: unknown, ...args: unknown[]): void {
      if (condition) return;
      const [first, ...rest] = args;
      this.warn(args.length === 0 ? "Assertion failed" : `Assertion failed: ${first as string}`, ...rest);
    },
    clear(this: Self): void {
      if (this._stdout.isTTY === true && runtime.process.env["TERM"] !== "dumb") this._stdout.write("\u001b[1;1H\u001b[0J");
    },
    count(this: Self, given: unknown = "default"): void {
      const label = `${given as string}`;
      const count = (this[COUNTS].get(label) ?? 0) + 1;
      this[COUNTS].set(label, count);
      this.log(`${label}: ${count}`);
    },
    countReset(this: Self, given: unknown = "default"): void {
      const label = `${given as string}`;
      if (!this[COUNTS].delete(label)) warn(`Count for '${label}' does not exist`);
    },
    group(this: Self, ...args: unknown[]): void {
      if (args.length > 0) this.log(...args);
      this[INDENT] += " ".repeat(this[INDENT_WIDTH]);
    },
    groupEnd(this: Self): void {
      this[INDENT] = this[INDENT].slice(0, this[INDENT].length - this[INDENT_WIDTH]);
    },
    table(this: Self, data?: unknown, columns?: string[]): void {
      if (columns !== undefined && !Array.isArray(columns)) throw invalidArgType("properties", "Array", columns);
      this.log(typeof data === "object" && data !== null ? renderTable(data, columns, options(this, this._stdout)) : data);
    },
  };
  const { log, warn: error, group } = methods;
  return { ...methods, debug: log, info: log, dirxml: log, error, groupCollapsed: group };
}

/** The symbols of a console with these options. */
function addState(target: Dict, options: ConsoleOptions): void {
  const { colorMode = "auto", inspectOptions, groupIndentation = 2 } = options;
  if (!["auto", true, false].includes(colorMode)) throw invalidArgValue("colorMode", colorMode, "must be one of: 'auto', true, false");
  checkInteger(groupIndentation, "groupIndentation", 0, 1000);
  if (inspectOptions !== undefined) {
    if (typeof inspectOptions !== "object" || inspectOptions === null) throw invalidArgType("options.inspectOptions", "object", inspectOptions);
    if (inspectOptions["colors"] !== undefined && options.colorMode !== undefined) {
      throw nodeError(TypeError, "ERR_INCOMPATIBLE_OPTION_PAIR", 'Option "options.inspectOptions.color" cannot be used in combination with option "colorMode"');
    }
  }
  if (inspectOptions) inspectOptionsOf.set(target, inspectOptions);
  const state = { [COUNTS]: new Map(), [COLOR_MODE]: colorMode, [IS_CONSOLE]: true, [INDENT]: "", [INDENT_WIDTH]: groupIndentation } as Record<symbol, unknown>;
  for (const symbol of Object.getOwnPropertySymbols(state)) Object.defineProperty(target, symbol, { value: state[symbol], writable: true, configurable: true });
}

/** The methods, each bound to the console and by its own name. */
function bindMethods(target: Dict, methods: readonly string[]): void {
  for (const name of methods) target[name] = Object.defineProperty((target[name] as AnyFunction).bind(target), "name", { value: name });
}

function addHidden(target: Dict, values: Dict): void {
  for (const [name, value] of Object.entries(values)) Object.defineProperty(target, name, { value, writable: true, configurable: true });
  Object.defineProperty(target, Symbol.toStringTag, { value: "console", configurable: true });
}

/** The global console, which is the module as well; `Console` makes others. */
export function createConsole(runtime: Runtime): Dict {
  const { process } = runtime;
  const methods = makeMethods(runtime);
  const names = Object.keys(methods);
  function Console(this: Dict, ...args: [ConsoleOptions | Stream, Stream?, boolean?]): unknown {
    if (!new.target) return Reflect.construct(Console, args);
    const [first, second, third] = args;
    const options = !first || typeof (first as Stream).write === "function" ? { stdout: first as Stream, stderr: second, ignoreErrors: third } as ConsoleOptions : (first as ConsoleOptions);
    const { stdout, ignoreErrors = true } = options;
    const { stderr = stdout } = options;
    for (const [name, stream] of [["stdout", stdout], ["stderr", stderr]] as const) {
      if (typeof stream?.write !== "function") throw nodeError(TypeError, "ERR_CONSOLE_WRITABLE_STREAM", `Console expects a writable stream instance for ${name}`);
    }
    addState(this, options);
    bindMethods(this, names);
    addHidden(this, { _stdout: stdout, _stderr: stderr, _ignoreErrors: ignoreErrors, _times: new Map() });
    return this;
  }
  Object.assign(Console.prototype as object, methods);
  // The global console is one as well, and so is whatever a subclass makes.
  Object.defineProperty(Console, Symbol.hasInstance, { value: (value: Partial<Self> | null | undefined) => value?.[IS_CONSOLE] === true });

  const global = Object.assign(Object.create({}) as Dict, methods);
  addState(global, {});
  bindMethods(global, names);
  addHidden(global, { _ignoreErrors: true, _times: new Map() });
  for (const name of ["stdout", "stderr"] as const) {
    // Taken when first asked for: programs put streams of their own into `process`.
    let stream: unknown;
    Object.defineProperty(global, `_${name}`, { get: () => (stream ??= process[name]), set: (value: unknown) => (stream = value), configurable: true });
  }
  return Object.assign(global, { Console, profile: () => undefined, profileEnd: () => undefined, timeStamp: () => undefined, context: () => ({}), createTask });
}

/** Names what runs later for a debugger; nobody debugs here, but React asks for one when it loads. */
function createTask(...[name]: unknown[]): object {
  if (typeof name !== "string" || name === "") throw new Error("First argument must be a non-empty string.");
  return {
    run(...[work]: unknown[]): unknown {
      if (typeof work !== "function") throw new Error("First argument must be a function.");
      return (work as AnyFunction).call(undefined) as unknown;
    },
  };
}
