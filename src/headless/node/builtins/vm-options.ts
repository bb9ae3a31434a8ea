// What scripts and contexts of node:vm are asked for, checked as Node does.
import { checkInteger, checkString, invalidArgType, invalidArgValue } from "../errors.ts";
import type { Dict } from "../runtime.ts";

const MOST_MS = 2 ** 32 - 1;

function checkOptions(value: unknown): asserts value is Dict {
  if (typeof value !== "object" || value === null) throw invalidArgType("options", "object", value);
}

function checkBoolean(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== "boolean") throw invalidArgType(name, "boolean", value);
}

function checkText(value: unknown, name: string): void {
  if (value !== undefined) checkString(value, name);
}

/** Of a script that is made: a text is its file's name. */
export function optionsOf(value: unknown): Dict {
  if (value === undefined) return {};
  if (typeof value === "string") return { filename: value };
  checkOptions(value);
  return value;
}

export function checkScript(options: Dict): void {
  checkText(options["filename"], "options.filename");
  checkOffsets(options);
  const { cachedData } = options;
  if (cachedData !== undefined && !ArrayBuffer.isView(cachedData)) throw invalidArgType("options.cachedData", ["Buffer", "TypedArray", "DataView"], cachedData);
  checkBoolean(options["produceCachedData"], "options.produceCachedData");
}

/** Where a script's text is said to start; checked, though traces are told by its own lines. */
export function checkOffsets(options: Dict): void {
  for (const name of ["lineOffset", "columnOffset"]) {
    if (options[name] !== undefined) checkInteger(options[name], `options.${name}`, -(2 ** 31), 2 ** 31 - 1);
  }
}

/** How long a run may take. */
export function timeoutOf(options: unknown = {}): number | undefined {
  checkOptions(options);
  const { timeout, displayErrors, breakOnSigint } = options;
  if (timeout !== undefined) checkInteger(timeout, "options.timeout", 1, MOST_MS);
  checkBoolean(displayErrors, "options.displayErrors");
  checkBoolean(breakOnSigint, "options.breakOnSigint");
  return timeout;
}

function checkGeneration(value: unknown, name: string): void {
  if (value === undefined) return;
  if (typeof value !== "object" || value === null) throw invalidArgType(name, "object", value);
  for (const key of ["strings", "wasm"]) checkBoolean((value as Dict)[key], `${name}.${key}`);
}

/** Of `createContext`. */
export function checkContext(options: unknown = {}): void {
  checkOptions(options);
  checkText(options["name"], "options.name");
  checkText(options["origin"], "options.origin");
  checkGeneration(options["codeGeneration"], "options.codeGeneration");
  const { microtaskMode } = options;
  if (microtaskMode !== undefined && microtaskMode !== "afterEvaluate") throw invalidArgValue("options.microtaskMode", microtaskMode, "must be one of: 'afterEvaluate', undefined");
}

/** Of a run in a context that is made for it. */
export function checkNewContext(options: unknown): void {
  if (!options || typeof options !== "object") return;
  const { contextName, contextOrigin, contextCodeGeneration, microtaskMode } = options as Dict;
  checkText(contextName, "options.contextName");
  checkText(contextOrigin, "options.contextOrigin");
  checkGeneration(contextCodeGeneration, "options.contextCodeGeneration");
  checkText(microtaskMode, "options.microtaskMode");
}
