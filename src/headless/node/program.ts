// What the command line asks to run: a file, code, stdin, tests, a syntax check, or just the version.
import { resolvePath } from "../posix-path.ts";
import { inspect } from "node-inspect-extracted";
import { parse as parseCode } from "./later/parser.ts";
import { detectFormat, formatOf, placeSyntaxError } from "./loader/compile.ts";
import { parseModule } from "./later/modules.ts";
import type { Loader } from "./loader/index.ts";
import { fileToUrl } from "./file-url.ts";
import { type AnyFunction, type Dict, NODE_VERSION, type Runtime } from "./runtime.ts";
import { runTestFiles } from "./later/testing.ts";
import { Buffer } from "./builtins/buffer.ts";
import { builtinNames } from "./builtins/index.ts";
import { isTerminal } from "./builtins/tty.ts";
import { runWatched } from "./later/watch.ts";
import { optionList } from "./options.ts";
import { ExitSignal, nodeError } from "./errors.ts";

const EXEC_PATH = "/usr/local/bin/node";
const BAD_COMMAND_LINE = 9;

/** Starts it. A promise when the program goes on after this call; it rejects with what the program threw. */
export function startProgram(runtime: Runtime): Promise<unknown> | undefined {
  const { options, process } = runtime;
  const loader = runtime.loader as Loader;
  if (options.error !== undefined) {
    runtime.complain(`${runtime.host.argv0}: ${options.error}\n`);
    return void runtime.exit(BAD_COMMAND_LINE);
  }
  const missing = options.envFiles.length > 0 ? loadEnvFiles(runtime) : undefined;
  if (missing !== undefined) {
    runtime.complain(`${runtime.host.argv0}: ${missing}: not found\n`);
    return void runtime.exit(BAD_COMMAND_LINE);
  }
  switch (options.mode) {
    case "version":
      process.stdout.write(`${NODE_VERSION}\n`);
      return undefined;
    case "help":
      process.stdout.write(`Usage: node [options] [ script.js ] [arguments]\n\n${optionList("help")}`);
      return undefined;
    case "v8-options":
      process.stdout.write(`\n${optionList("v8-options")}`);
      return undefined;
    case "check":
      if (options.rest.length === 0 || options.rest[0] === "-") return readInput(runtime).then((code) => checkSource(runtime, code, "[stdin]", options.inputType ?? "commonjs"));
      return afterPreloads(runtime, () => check(runtime, loader));
    case "test":
      process.argv = [EXEC_PATH, ...options.rest];
      return runTestFiles(runtime);
    case "watch":
      process.argv = [EXEC_PATH, ...options.rest];
      return runWatched(runtime);
    case "file":
      process.argv = [EXEC_PATH, resolvePath(options.rest[0] as string, runtime.cwd), ...options.rest.slice(1)];
      return afterPreloads(runtime, () => runFile(runtime, loader));
    case "eval":
    case "print":
      process.argv = [EXEC_PATH, ...(runtime.host.thread ? ["[worker eval]"] : []), ...options.rest];
      if (!options.hasCode && options.mode === "print") return afterPreloads(runtime, () => readInput(runtime).then((code) => runCode(runtime, loader, code, "[stdin]")));
      return afterPreloads(runtime, () => runCode(runtime, loader, options.code, "[eval]"));
    case "stdin":
      process.argv = [EXEC_PATH, ...options.rest];
      if (isTerminal(runtime.host, 0) && runtime.host.stdin && options.rest.length === 0) {
        const parse = (code: string) => parseCode(code, { ecmaVersion: "latest", sourceType: "script", allowAwaitOutsideFunction: true });
        return afterPreloads(runtime, () => runtime.host.library("repl")?.(runtime, { parse, inspect, evaluate: (code) => evaluate(runtime, loader, code, "REPL") }));
      }
      return afterPreloads(runtime, () => readInput(runtime).then((code) => runCode(runtime, loader, code, "[stdin]")));
    default:
      return options.mode satisfies never;
  }
}

/** A later file wins over an earlier one, what the process was started with over both. Tells which file is missing. */
function loadEnvFiles(runtime: Runtime): string | undefined {
  const { parseEnv } = runtime.builtin("util") as { parseEnv(text: string): Record<string, string> };
  for (const { path, optional } of runtime.options.envFiles) {
    const full = resolvePath(path, runtime.cwd);
    if (runtime.vfs.find(full)) {
      const read = Object.entries(parseEnv(Buffer.from(runtime.vfs.readFile(full)).toString()));
      Object.assign(runtime.process.env, Object.fromEntries(read.filter(([name]) => !(name in runtime.host.env))));
    } else if (!optional) return path;
    else runtime.complain(`${path} not found. Continuing without it.\n`);
  }
  return undefined;
}

function runFile(runtime: Runtime, loader: Loader): Promise<unknown> | undefined {
  const asked = resolvePath(runtime.options.rest[0] as string, runtime.cwd);
  const path = loader.resolver.main(asked);
  // Hooks may know a program that is no file.
  if (path === undefined && !loader.hooks.active) throw Object.assign(new Error(`Cannot find module '${asked}'`), { code: "MODULE_NOT_FOUND", requireStack: [] });
  const runMain = loader.commonJs.Module.customRunMain();
  if (runMain) return void runMain();
  return loader.runMain(path ?? asked);
}

/** First the loaders, then every -r, then every --import; stays synchronous when there is nothing to wait for. */
function afterPreloads(runtime: Runtime, run: () => Promise<unknown> | undefined): Promise<unknown> | undefined {
  const { preloads, loaders } = runtime.options;
  const { commonJs, hooks } = runtime.loader as Loader;
  if (loaders.length > 0) warnOfLoaders(runtime);
  for (const specifier of loaders) runtime.loader.register(specifier, fileToUrl(`${runtime.cwd}/`));
  const required = preloads.filter(({ kind }) => kind === "require");
  if (required.length > 0) commonJs.preload(required.map(({ specifier }) => specifier));
  const imported = preloads.filter(({ kind }) => kind === "import");
  if (imported.length === 0 && !hooks.active) return run();
  return (async () => {
    await hooks.ready();
    for (const { specifier } of imported) await runtime.loader.import(specifier, `${runtime.cwd}/`);
    await run();
  })();
}

function warnOfLoaders({ options, process }: Runtime): void {
  const registers = options.loaders.map((specifier) => `register(${JSON.stringify(encodeURIComponent(specifier).replaceAll("%2F", "/"))}, pathToFileURL("./"));`).join(" ");
  const instead = `--import 'data:text/javascript,import { register } from "node:module"; import { pathToFileURL } from "node:url"; ${registers}'`;
  process.emitWarning(`\`--experimental-loader\` may be removed in the future; instead use \`register()\`:\n${instead}`, "ExperimentalWarning");
}

function runCode(runtime: Runtime, loader: Loader, code: string, name: string): Promise<unknown> | undefined {
  const { options, process } = runtime;
  const isModule = options.inputType === "module" || (options.inputType === undefined && options.mode !== "print" && detectFormat(code) === "module");
  if (isModule && options.mode === "print") {
    throw nodeError(Error, "ERR_EVAL_ESM_CANNOT_PRINT", "--print cannot be used with ESM input");
  }
  if (isModule) return loader.esm.importSource(code, "[eval1]");
  if (options.mode === "print") {
    process.stdout.write(`${show(evaluate(runtime, loader, code, name))}\n`);
    return undefined;
  }
  evaluate(runtime, loader, code, name);
  return undefined;
}

const show = (value: unknown): string => (typeof value === "string" ? value : inspect(value));

/** Script code: `require` and the builtins are globals, and the last expression's value is the result. */
function evaluate(runtime: Runtime, loader: Loader, code: string, name: string): unknown {
  const global = runtime.realm.global as Dict;
  const file = resolvePath(name, runtime.cwd);
  const module = Object.assign(loader.commonJs.moduleFor(file), { id: name });
  const set = (key: string, value: unknown): void => void Object.defineProperty(global, key, { value, writable: true, configurable: true, enumerable: false });
  set("require", loader.commonJs.makeRequire(module));
  set("module", module);
  set("exports", module.exports);
  set("__filename", name);
  set("__dirname", ".");
  for (const builtin of builtinNames) {
    if (builtin.includes("/") || builtin.startsWith("_") || builtin in global) continue;
    Object.defineProperty(global, builtin, { get: () => runtime.builtin(builtin), set: (value: unknown) => void Object.defineProperty(global, builtin, { value, writable: true, configurable: true, enumerable: true }), configurable: true, enumerable: false });
  }
  return loader.evalScript(code, name, file);
}

function check(runtime: Runtime, loader: Loader): undefined {
  const asked = resolvePath(runtime.options.rest[0] ?? "", runtime.cwd);
  const path = loader.resolver.main(asked);
  if (path === undefined) throw Object.assign(new Error(`Cannot find module '${asked}'`), { code: "MODULE_NOT_FOUND", requireStack: [] });
  const source = loader.commonJs.readText(path);
  return checkSource(runtime, source, path, formatOf(path, loader.resolver, () => source));
}

function checkSource(runtime: Runtime, source: string, path: string, format: ReturnType<typeof formatOf>): undefined {
  try {
    if (format === "module") parseModule(source);
    else if (format === "commonjs") parseCode(source, { ecmaVersion: "latest", sourceType: "script", allowReturnOutsideFunction: true, allowHashBang: true });
  } catch (error) {
    if (error instanceof ExitSignal || format === "json") throw error;
    throw placeSyntaxError(error, source, path, runtime.sources, format);
  }
  return undefined;
}

function readInput(runtime: Runtime): Promise<string> {
  return new Promise((resolve, reject) => {
    const decoder = new TextDecoder();
    let text = "";
    const { stdin } = runtime.process;
    stdin.on("data", (chunk) => (text += decoder.decode(chunk as Uint8Array, { stream: true })));
    stdin.on("end", () => resolve(text + decoder.decode()));
    stdin.on("error", reject as AnyFunction);
  });
}
