// What a Worker is made of: its arguments, checked as Node checks them.
import { checkString, invalidArgType, nodeError } from "../errors.ts";
import { fileToUrl, urlToFile } from "../file-url.ts";
import { parseOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";

export const SHARE_ENV = Symbol.for("nodejs.worker_threads.SHARE_ENV");

export interface WorkerOptions {
  readonly argv?: readonly unknown[];
  readonly env?: unknown;
  readonly eval?: boolean;
  readonly execArgv?: readonly string[];
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly workerData?: unknown;
  readonly transferList?: Iterable<object>;
  readonly resourceLimits?: Readonly<Record<string, unknown>>;
  readonly name?: string;
}

export interface Command {
  /** Node's own options, and the rest of the line. */
  readonly flags: readonly string[];
  readonly rest: readonly string[];
}

/** Those of the whole process, which no thread can set. */
const OF_THE_PROCESS = /^--(?:title|redirect-warnings|icu-data-dir|max-http-header-size|v8-pool-size|use-openssl-ca|abort-on-uncaught-exception|expose-gc|max-old-space-size|stack-trace-limit)(?:=|$)/;

const isUnknown = (flag: string): boolean => parseOptions([flag, "x", "x.js"]).error?.startsWith("bad option") === true;

function invalidFlags(what: string): Error {
  return nodeError(Error, "ERR_WORKER_INVALID_EXEC_ARGV", `Initiated Worker with ${what}`);
}

/** The thread's own options, less the word that ends them: the program that follows is not from there. */
export function execArgvOf({ execArgv }: WorkerOptions): readonly string[] | undefined {
  return execArgv?.at(-1) === "--" ? execArgv.slice(0, -1) : execArgv;
}

export function commandOf(runtime: Runtime, file: unknown, options: WorkerOptions): Command {
  for (const name of ["execArgv", "argv"] as const) if (options[name] && !Array.isArray(options[name])) throw invalidArgType(`options.${name}`, "Array", options[name]);
  const argv = (options.argv ?? []).map(String);
  // An empty word is no program.
  return { flags: execArgvOf(options)?.filter((flag) => flag !== "") ?? withoutCode(runtime.options.execArgv), rest: programOf(runtime, file, options, argv) };
}

/** The code of the process is not the thread's. */
function withoutCode(flags: readonly string[]): readonly string[] {
  return flags.filter((flag, k) => !/^(?:-e|-p|-pe|--eval|--print)$/.test(flag) && !/^(?:-e|-p|-pe|--eval|--print)$/.test(flags[k - 1] ?? "") && !flag.startsWith("--eval="));
}

function programOf(runtime: Runtime, file: unknown, options: WorkerOptions, argv: readonly string[]): string[] {
  if (options.eval) {
    if (typeof file !== "string") throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The property 'options.eval' must be false when 'filename' is not a string. Received ${String(options.eval)}`);
    return ["-e", file, "--", ...argv];
  }
  const url = file instanceof URL ? file : undefined;
  if (url?.protocol === "data:") return ["--input-type=module", "-e", `import ${JSON.stringify(url.href)}`, "--", ...argv];
  if (url && url.protocol !== "file:") throw nodeError(TypeError, "ERR_INVALID_URL_SCHEME", "The URL must be of scheme file");
  if (!url && typeof file !== "string") throw invalidArgType("filename", ["string", "URL"], file);
  const path = url ? urlToFile(url) : (file as string);
  if (!/^(?:\/|\.\.?\/)/.test(path)) {
    const wrap = path.startsWith("file://") ? " Wrap file:// URLs with `new URL`." : path.startsWith("data:text/javascript") ? " Wrap data: URLs with `new URL`." : "";
    throw nodeError(TypeError, "ERR_WORKER_PATH", `The worker script or module filename must be an absolute path or a relative path starting with './' or '../'.${wrap} Received "${path}"`);
  }
  return [path.startsWith("/") ? path : urlToFile(new URL(path, fileToUrl(`${runtime.cwd}/`))), ...argv];
}

export function environmentOf(runtime: Runtime, { env }: WorkerOptions): Record<string, string> {
  if (typeof env === "object" && env !== null) return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, `${value as string}`]));
  if (env != null && env !== SHARE_ENV) throw invalidArgType("options.env", ["object", "undefined", "null", "worker_threads.SHARE_ENV"], env);
  return Object.fromEntries(Object.entries(runtime.process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

export function checkWorkerFlags({ flags }: Command, env: Readonly<Record<string, string>>, options: WorkerOptions): void {
  if (options.name) checkString(options.name, "options.name");
  const bad = options.execArgv ? flags.filter((flag) => OF_THE_PROCESS.test(flag) || isUnknown(flag)) : [];
  if (bad.length > 0) throw invalidFlags(`invalid execArgv flags: ${bad.join(", ")}`);
  const words = typeof options.env === "object" && options.env !== null ? (env["NODE_OPTIONS"] ?? "") : "";
  const unknown = words.split(/\s+/).find((word) => word.startsWith("-") && isUnknown(word));
  if (unknown !== undefined) throw invalidFlags(`invalid NODE_OPTIONS env variable: ${unknown} is not allowed in NODE_OPTIONS`);
}

const LIMITS = { maxYoungGenerationSizeMb: 48, maxOldGenerationSizeMb: 4096, codeRangeSizeMb: 0, stackSizeMb: 4 };

/** As programs read them; nothing holds them. */
export const resourceLimitsOf = ({ resourceLimits }: WorkerOptions): Record<string, number> =>
  Object.fromEntries(Object.entries(LIMITS).map(([name, value]) => [name, typeof resourceLimits?.[name] === "number" ? resourceLimits[name] : value]));
