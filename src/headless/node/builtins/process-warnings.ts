// process.emitWarning, and Node's own listener that prints warnings, as the command line wants them.
import { checkString, invalidArgType } from "../errors.ts";
import type { AnyFunction, Runtime } from "../runtime.ts";

type Warning = Error & { code?: string; detail?: string };

export function emitWarning(runtime: Runtime, given: unknown, ...rest: readonly unknown[]): void {
  const { process } = runtime;
  const warning = typeof given === "string" ? makeWarning(runtime, given, rest) : given;
  // Checked all the same, as Node does.
  if (typeof given !== "string") readOptions(rest);
  if (!(warning instanceof Error)) throw invalidArgType("warning", ["Error", "string"], given);
  if (warning.name === "DeprecationWarning") {
    if (process["noDeprecation"]) return;
    if (process["throwDeprecation"]) {
      // Later, so that all warnings before it are told.
      return runtime.loop.nextTick(() => {
        throw warning;
      });
    }
  }
  runtime.loop.nextTick(() => void process.emit("warning", warning));
}

interface WarningOptions {
  readonly type: string;
  readonly code: string | undefined;
  readonly detail: string | undefined;
  readonly ctor: AnyFunction | undefined;
}

/** `(type, code, ctor)`, `(ctor)` or `({ type, code, detail, ctor })`. */
function readOptions([first, second, third]: readonly unknown[]): WarningOptions {
  const bag = typeof first === "object" && first !== null && !Array.isArray(first) ? (first as { type?: unknown; code?: unknown; detail?: unknown; ctor?: unknown }) : undefined;
  const [type, code, ctor] = bag ? [bag.type || "Warning", bag.code, bag.ctor] : typeof first === "function" ? ["Warning", undefined, first] : typeof second === "function" ? [first, undefined, second] : [first, second, third];
  if (type !== undefined) checkString(type, "type");
  if (code !== undefined) checkString(code, "code");
  return { type: type || "Warning", code, detail: typeof bag?.detail === "string" ? bag.detail : undefined, ctor: ctor as AnyFunction | undefined };
}

function makeWarning({ process }: Runtime, text: string, rest: readonly unknown[]): Warning {
  const { type, code, detail, ctor } = readOptions(rest);
  const warning: Warning = new Error(text);
  warning.name = type;
  if (code !== undefined) warning.code = code;
  if (detail !== undefined) warning.detail = detail;
  // From where it was asked for; only the browser's engine can tell.
  (Error as { captureStackTrace?(target: object, above: AnyFunction): void }).captureStackTrace?.(warning, ctor ?? (process.emitWarning as AnyFunction));
  return warning;
}

/** What the command line says of warnings, where programs look. */
export function warningSettings({ options }: Runtime): object {
  const flags = { noDeprecation: !options.deprecations, noProcessWarnings: !options.warnings, traceProcessWarnings: options.traceWarnings, throwDeprecation: options.throwDeprecation, traceDeprecation: options.traceDeprecation };
  return Object.fromEntries(Object.entries(flags).filter(([, on]) => on));
}

/** Node's own listener: prints warnings to the program's stderr or to a file, with the one hint it gives per run. */
export function printWarnings(runtime: Runtime): void {
  const { process, options, host } = runtime;
  if (!options.warnings || host.env["NODE_NO_WARNINGS"] === "1") return;
  const file = options.redirectWarnings ?? host.env["NODE_REDIRECT_WARNINGS"];
  let hinted = false;
  process.on("warning", (value) => {
    const { code, name } = (value ?? {}) as Partial<Warning>;
    if (options.disabledWarnings.some((each) => each === code || each === name) || !(value instanceof Error)) return;
    const warning: Warning = value;
    const isDeprecation = name === "DeprecationWarning";
    if (isDeprecation && process["noDeprecation"]) return;
    const trace = process["traceProcessWarnings"] || (isDeprecation && process["traceDeprecation"]);
    const text = trace && warning.stack ? warning.stack : Reflect.apply(typeof warning.toString === "function" ? warning.toString : Error.prototype.toString, warning, []) as string;
    const hint = hinted || trace ? "" : `\n(Use \`node --trace-${isDeprecation ? "deprecation" : "warnings"} ...\` to show where the warning was created)`;
    if (!trace) hinted = true;
    const message = `(node:${host.pid}) ${code ? `[${code}] ` : ""}${text}${typeof warning.detail === "string" ? `\n${warning.detail}` : ""}${hint}\n`;
    if (file) appendTo(runtime, file, message);
    else process.stderr.write(message);
  });
}

function appendTo(runtime: Runtime, file: string, text: string): void {
  const { appendFileSync } = runtime.builtin("fs") as { appendFileSync(path: string, text: string): void };
  try {
    appendFileSync(file, text);
  } catch {
    runtime.process.stderr.write(text);
  }
}
