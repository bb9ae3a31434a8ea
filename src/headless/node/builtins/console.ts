// `console` as Node formats it: groups, counters, timers, tables, %-formats.
import { formatWithOptions, inspect } from "node-inspect-extracted";
import { nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Runtime, StreamLike } from "../runtime.ts";
import { renderTable } from "./console-table.ts";

type Formatter = (options: Dict, ...args: unknown[]) => string;

interface ConsoleOptions {
  readonly stdout: () => StreamLike;
  readonly stderr: () => StreamLike;
  readonly inspectOptions?: Dict | undefined;
  readonly groupIndentation?: number;
}

function makeConsole(target: Dict, streams: ConsoleOptions, runtime: Runtime): Dict {
  let indent = "";
  const step = " ".repeat(streams.groupIndentation ?? 2);
  const counts = new Map<string, number>();
  const timers = new Map<string, number>();
  const colors = (stream: StreamLike): boolean => stream.isTTY === true && runtime.process.env["NO_COLOR"] === undefined;
  const write = (stream: StreamLike, text: string): void => {
    stream.write(`${indent ? indent + text.replace(/\n/g, `\n${indent}`) : text}\n`);
  };
  const print = (which: "stdout" | "stderr") => (...args: unknown[]): void => {
    const stream = streams[which]();
    write(stream, (formatWithOptions as Formatter)({ colors: colors(stream), ...streams.inspectOptions }, ...args));
  };
  const log = print("stdout");
  const error = print("stderr");
  const elapsed = (label: string): string => {
    const ms = performance.now() - (timers.get(label) as number);
    if (ms >= 1000) return `${(ms / 1000).toFixed(3)}s`;
    return `${ms.toFixed(ms < 1 ? 3 : 3).replace(/\.?0+$/, "") || "0"}ms`;
  };
  const known = (label: string, method: string): boolean => {
    if (timers.has(label)) return true;
    runtime.process.emitWarning(`No such label '${label}' for console.${method}()`);
    return false;
  };
  const methods: Dict = {
    log, info: log, debug: log, error, warn: error,
    dir: (value: unknown, options?: Dict) => {
      const stream = streams.stdout();
      write(stream, inspect(value, { customInspect: false, colors: colors(stream), ...streams.inspectOptions, ...options } as never));
    },
    dirxml: log,
    trace: (...args: unknown[]) => {
      const made = { name: "Trace", message: (formatWithOptions as Formatter)({}, ...args) };
      const trace = new Error(made.message);
      trace.name = "Trace";
      error((trace.stack ?? "").replace(/^Error/, "Trace").replace(/^Trace: (?=\n)/, "Trace"));
    },
    assert: (condition: unknown, ...args: unknown[]) => {
      if (condition) return;
      if (typeof args[0] === "string") args[0] = `Assertion failed: ${args[0]}`;
      else args.unshift("Assertion failed");
      error(...args);
    },
    count: (label = "default") => {
      const key = String(label);
      counts.set(key, (counts.get(key) ?? 0) + 1);
      log(`${key}: ${counts.get(key)}`);
    },
    countReset: (label = "default") => counts.set(String(label), 0) && undefined,
    group: (...args: unknown[]) => {
      if (args.length > 0) log(...args);
      indent += step;
    },
    groupEnd: () => {
      indent = indent.slice(0, -step.length);
    },
    time: (label = "default") => {
      timers.set(String(label), performance.now());
    },
    timeEnd: (label = "default") => {
      const key = String(label);
      if (!known(key, "timeEnd")) return;
      log(`${key}: ${elapsed(key)}`);
      timers.delete(key);
    },
    timeLog: (label = "default", ...args: unknown[]) => {
      const key = String(label);
      if (known(key, "timeLog")) log(`${key}: ${elapsed(key)}`, ...args);
    },
    table: (data: unknown, columns?: string[]) => {
      const text = renderTable(data, columns);
      if (text === undefined) log(data);
      else log(text);
    },
    clear: () => undefined, profile: () => undefined, profileEnd: () => undefined, timeStamp: () => undefined, context: () => undefined,
  };
  methods["groupCollapsed"] = methods["group"];
  for (const [name, method] of Object.entries(methods)) {
    Object.defineProperty(method, "name", { value: name, configurable: true });
    target[name] = method;
  }
  return target;
}

/** The global console; `Console` makes others. */
export function createConsole(runtime: Runtime): Dict {
  const { process } = runtime;
  const global = makeConsole({}, { stdout: () => process.stdout, stderr: () => process.stderr }, runtime);
  function Console(this: Dict | undefined, first: Dict | StreamLike, second?: StreamLike): Dict {
    const options = (typeof (first as StreamLike | undefined)?.write === "function" ? { stdout: first, stderr: second } : first) as
      | { stdout?: StreamLike; stderr?: StreamLike; inspectOptions?: Dict; groupIndentation?: number } | undefined;
    const stdout = options?.stdout;
    if (typeof stdout?.write !== "function") throw nodeError(TypeError, "ERR_CONSOLE_WRITABLE_STREAM", "Console expects a writable stream instance for stdout");
    const { stderr = stdout, inspectOptions, groupIndentation = 2 } = options ?? {};
    return makeConsole(this instanceof Console ? this : (Object.create(Console.prototype as object) as Dict), { stdout: () => stdout, stderr: () => stderr, inspectOptions, groupIndentation }, runtime);
  }
  Object.defineProperty(global, "Console", { value: Console as unknown as AnyFunction, configurable: true, writable: true, enumerable: true });
  Object.defineProperty(global, Symbol.toStringTag, { value: "console", configurable: true });
  return global;
}
