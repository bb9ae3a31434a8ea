// `console` and `console.Console`. The methods lie on the prototype and each console has them bound, so that a class of a
// program may override them and a method may be handed on by itself.
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

interface State {
  readonly counts: Map<string, number>;
  readonly colorMode: boolean | "auto";
  readonly inspectOptions: Dict | undefined;
  readonly step: string;
  indent: string;
}

type Self = Dict & Record<"log" | "warn" | "error", AnyFunction> & {
  _stdout: Stream;
  _stderr: Stream;
  _ignoreErrors: boolean;
  readonly _times: Map<string, number>;
};

const states = new WeakMap<object, State>();
const stateOf = (self: Self): State => states.get(self) as State;
const nothing = (): void => undefined;

/** What came too late to be thrown becomes an event, which nobody has to listen to. */
const swallowLater = (stream: Stream) => (error: unknown): void => {
  if (error && stream._writableState?.errorEmitted !== true && stream.listenerCount("error") === 0) stream.once("error", nothing);
};

function write(self: Self, stream: Stream, text: string): void {
  const { indent } = stateOf(self);
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
    const { colorMode, inspectOptions } = stateOf(self);
    const colors = colorMode === "auto" ? colorizes(runtime, stream) : colorMode;
    return { colors, ...inspectOptions };
  };
  const print = (self: Self, stream: Stream, args: readonly unknown[]): void => write(self, stream, (formatWithOptions as Formatter)(options(self, stream), ...args));
  /** Prints how long it took, when it was started. */
  const tell = (self: Self, label: string, method: string, args: readonly unknown[]): boolean => {
    const start = self._times.get(label);
    if (start === undefined) warn(`No such label '${label}' for console.${method}()`);
    else if (args.length > 0) self.log("%s: %s", label, elapsedText(performance.now() - start), ...args);
    else self.log("%s: %s", label, elapsedText(performance.now() - start));
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
      else this._times.set(label, performance.now());
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
      const { counts } = stateOf(this);
      const count = (counts.get(label) ?? 0) + 1;
      counts.set(label, count);
      this.log(`${label}: ${count}`);
    },
    countReset(this: Self, given: unknown = "default"): void {
      const label = `${given as string}`;
      if (!stateOf(this).counts.delete(label)) warn(`Count for '${label}' does not exist`);
    },
    group(this: Self, ...args: unknown[]): void {
      if (args.length > 0) this.log(...args);
      const state = stateOf(this);
      state.indent += state.step;
    },
    groupEnd(this: Self): void {
      const state = stateOf(this);
      state.indent = state.indent.slice(0, state.indent.length - state.step.length);
    },
    table(this: Self, data?: unknown, columns?: string[]): void {
      if (columns !== undefined && !Array.isArray(columns)) throw invalidArgType("properties", "Array", columns);
      this.log(typeof data === "object" && data !== null ? renderTable(data, columns, options(this, this._stdout)) : data);
    },
  };
  const { log, warn: error, group } = methods;
  return { ...methods, debug: log, info: log, dirxml: log, error, groupCollapsed: group };
}

function checked(options: ConsoleOptions): State {
  const { colorMode = "auto", inspectOptions, groupIndentation = 2 } = options;
  if (!["auto", true, false].includes(colorMode)) throw invalidArgValue("colorMode", colorMode, "must be one of: 'auto', true, false");
  checkInteger(groupIndentation, "groupIndentation", 0, 1000);
  if (inspectOptions !== undefined) {
    if (typeof inspectOptions !== "object" || inspectOptions === null) throw invalidArgType("options.inspectOptions", "object", inspectOptions);
    if (inspectOptions["colors"] !== undefined && options.colorMode !== undefined) {
      throw nodeError(TypeError, "ERR_INCOMPATIBLE_OPTION_PAIR", 'Option "options.inspectOptions.color" cannot be used in combination with option "colorMode"');
    }
  }
  return { counts: new Map(), colorMode, inspectOptions, step: " ".repeat(groupIndentation), indent: "" };
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
    states.set(this, checked(options));
    bindMethods(this, names);
    addHidden(this, { _stdout: stdout, _stderr: stderr, _ignoreErrors: ignoreErrors, _times: new Map() });
    return this;
  }
  Object.assign(Console.prototype as object, methods);
  // The global console is one as well, and so is whatever a subclass makes.
  Object.defineProperty(Console, Symbol.hasInstance, { value: (value: object) => states.has(value) });

  const global = Object.assign(Object.create({}) as Dict, methods);
  states.set(global, checked({}));
  bindMethods(global, names);
  addHidden(global, { _ignoreErrors: true, _times: new Map() });
  for (const name of ["stdout", "stderr"] as const) {
    // Taken when first asked for: programs put streams of their own into `process`.
    let stream: unknown;
    Object.defineProperty(global, `_${name}`, { get: () => (stream ??= process[name]), set: (value: unknown) => (stream = value), configurable: true });
  }
  return Object.assign(global, { Console, profile: () => undefined, profileEnd: () => undefined, timeStamp: () => undefined, context: () => ({}) });
}
