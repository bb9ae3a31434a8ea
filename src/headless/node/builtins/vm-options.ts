// What scripts and contexts of node:vm are asked for, checked as Node does.
import { checkInteger, checkString, invalidArgType, invalidArgValue } from "../errors.ts";
import type { Dict } from "../runtime.ts";
import type { Start } from "../stack.ts";
import { Buffer, toBytes } from "./buffer.ts";

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

/** Where a script's text is said to start. */
export function checkOffsets(options: Dict): void {
  for (const name of ["lineOffset", "columnOffset"]) {
    if (options[name] !== undefined) checkInteger(options[name], `options.${name}`, -(2 ** 31), 2 ** 31 - 1);
  }
}

/** Where it starts; none where that is the beginning of the file. */
export function startOf({ lineOffset = 0, columnOffset = 0 }: Dict): Start | undefined {
  return lineOffset || columnOffset ? { lines: lineOffset as number, columns: columnOffset as number } : undefined;
}

/** What stands for the engine's compiled code: the text, which tells whose it is. */
export const cacheOf = (code: string): Uint8Array => Buffer.from(code);

export function isCacheOf(code: string, data: ArrayBufferView): boolean {
  const [own, given] = [cacheOf(code), toBytes(data)];
  return own.length === given.length && own.every((byte, k) => byte === given[k]);
}

export interface RunOptions {
  /** How long it may take, in milliseconds. */
  readonly timeout: number | undefined;
  /** Whether what it throws shows where that was made. */
  readonly displayErrors: boolean;
}

export function runOptions(options: unknown = {}): RunOptions {
  checkOptions(options);
  const { timeout, displayErrors, breakOnSigint } = options;
  if (timeout !== undefined) checkInteger(timeout, "options.timeout", 1, MOST_MS);
  checkBoolean(displayErrors, "options.displayErrors");
  checkBoolean(breakOnSigint, "options.breakOnSigint");
  return { timeout, displayErrors: displayErrors !== false };
}

function checkGeneration(value: unknown, name: string): void {
  if (value === undefined) return;
  if (typeof value !== "object" || value === null) throw invalidArgType(name, "object", value);
  for (const key of ["strings", "wasm"]) checkBoolean((value as Dict)[key], `${name}.${key}`);
}

/** Of `createContext`: what its scripts may make code of. */
export function checkContext(options: unknown = {}): Generation {
  checkOptions(options);
  checkText(options["name"], "options.name");
  checkText(options["origin"], "options.origin");
  checkGeneration(options["codeGeneration"], "options.codeGeneration");
  const { microtaskMode } = options;
  if (microtaskMode !== undefined && microtaskMode !== "afterEvaluate") throw invalidArgValue("options.microtaskMode", microtaskMode, "must be one of: 'afterEvaluate', undefined");
  return options["codeGeneration"] ?? {};
}

export interface Generation {
  readonly strings?: boolean;
  readonly wasm?: boolean;
  /** The garbage collector may be called for. */
  readonly gc?: boolean;
}

/** Of a run in a context that is made for it. */
export function checkNewContext(options: unknown): Generation {
  if (!options || typeof options !== "object") return {};
  const { contextName, contextOrigin, contextCodeGeneration, microtaskMode } = options as Dict;
  checkText(contextName, "options.contextName");
  checkText(contextOrigin, "options.contextOrigin");
  checkGeneration(contextCodeGeneration, "options.contextCodeGeneration");
  checkText(microtaskMode, "options.microtaskMode");
  return contextCodeGeneration ?? {};
}
