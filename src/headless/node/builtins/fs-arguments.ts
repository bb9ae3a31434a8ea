// What programs pass to `fs`, checked in Node's order and refused in Node's words.
import { wallMs } from "../../clock.ts";
import { resolvePath } from "../../posix-path.ts";
import { checkInteger, invalidArgType, invalidArgValue, nodeError, received } from "../errors.ts";
import { urlToFile } from "../file-url.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { Buffer, toBytes } from "./buffer.ts";

const MAX_INT32 = 2 ** 31 - 1;
const MAX_UINT32 = 2 ** 32 - 1;

const NOWHERE = "/\0/\0";

/** A path argument: as the program wrote it (for messages) and as it is. */
export interface FilePath {
  readonly spelled: string;
  readonly full: string;
}

/** The path as the program wrote it; `name` is the argument's name in errors. */
export function spelledPath(value: unknown, name = "path"): string {
  const path = value instanceof URL ? urlToFile(value) : value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
  if (typeof path !== "string") throw invalidArgType(name, ["string", "Buffer", "URL"], value);
  if (path.includes("\0")) throw invalidArgValue(name, path, "must be a string, Uint8Array, or URL without null bytes");
  return path;
}

/** Absolute path of a program's path argument. */
export function toPath(runtime: Runtime, value: unknown, name = "path"): string {
  return readPath(runtime, value, name).full;
}

export function readPath(runtime: Runtime, value: unknown, name = "path"): FilePath {
  const spelled = spelledPath(value, name);
  // The empty path leads nowhere, not to the current folder.
  return { spelled, full: spelled === "" ? NOWHERE : resolvePath(spelled, runtime.cwd) };
}

export function checkEncoding(encoding: unknown): void {
  if (encoding && encoding !== "buffer" && (typeof encoding !== "string" || !Buffer.isEncoding(encoding))) throw invalidArgValue("encoding", encoding, "is invalid encoding");
}

/** An options argument that may be a bare encoding, or be left out. */
export function optionsOf(value: unknown): Dict {
  if (value == null || typeof value === "function") return {};
  if (typeof value === "string") {
    checkEncoding(value);
    return { encoding: value };
  }
  if (typeof value !== "object") throw invalidArgType("options", ["string", "Object"], value);
  checkEncoding((value as Dict)["encoding"]);
  const { signal } = value as Dict;
  if (signal !== undefined && (typeof signal !== "object" || signal === null || !("aborted" in signal))) throw invalidArgType("options.signal", "AbortSignal", signal);
  return value as Dict;
}

export function checkBoolean(options: Dict, name: string, otherwise = false): boolean {
  const value = options[name];
  if (value === undefined) return otherwise;
  if (typeof value !== "boolean") throw invalidArgType(`options.${name}`, "boolean", value);
  return value;
}

/** `flush` of a write: nothing waits for a disk here, but the option is checked. */
export function checkFlush(options: unknown): void {
  if (typeof options === "object" && options !== null && (options as Dict)["flush"] !== null) checkBoolean(options as Dict, "flush");
}

export function checkInt(value: unknown, name: string, low: number, high: number): number {
  checkInteger(value, name, low, high);
  return value;
}

export const checkFd = (value: unknown): number => checkInt(value, "fd", 0, MAX_INT32);

/** Permission bits as a number or as octal digits. */
export function readMode(value: unknown, name = "mode", otherwise?: number): number {
  const given = value ?? otherwise;
  if (typeof given !== "string") return checkInt(given, name, 0, MAX_UINT32);
  if (!/^[0-7]+$/.test(given)) throw invalidArgValue(name, given, "must be a 32-bit unsigned integer or an octal string");
  return Number.parseInt(given, 8);
}

const LETTERS: Readonly<Record<string, number>> = { "r": 0, "rs": 0o4010000, "sr": 0o4010000, "r+": 2, "rs+": 0o4010002, "sr+": 0o4010002, "w": 0o1101, "wx": 0o1301, "xw": 0o1301, "w+": 0o1102, "wx+": 0o1302, "xw+": 0o1302, "a": 0o2101, "ax": 0o2301, "xa": 0o2301, "as": 0o4012101, "sa": 0o4012101, "a+": 0o2102, "ax+": 0o2302, "xa+": 0o2302, "as+": 0o4012102, "sa+": 0o4012102 };
export const O = { WRONLY: 1, RDWR: 2, CREAT: 0o100, EXCL: 0o200, TRUNC: 0o1000, APPEND: 0o2000, DIRECTORY: 0o200000, NOFOLLOW: 0o400000 } as const;

/** Open flags as the number that the letters stand for. */
export function readFlags(value: unknown, name = "flags"): number {
  if (typeof value === "number") return checkInt(value, name, -(2 ** 31), MAX_INT32);
  if (value == null) return 0;
  if (typeof value !== "string" || !Object.hasOwn(LETTERS, value)) throw invalidArgValue(name, value);
  return LETTERS[value] as number;
}

/** Seconds, a Date, or text of a number; the result is in milliseconds. */
export function readTime(value: unknown): number {
  if (typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value))) return Number(value) * 1000;
  if (typeof value === "number" && Number.isFinite(value)) return value < 0 ? wallMs() : value * 1000;
  if (value instanceof Date) return value.getTime();
  throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "time" argument must be an instance of Date or an Time in seconds. ${received(value)}`);
}

/** Data to write, copied: the program may change its own at once. */
export function readData(data: unknown, encoding: unknown): Uint8Array {
  if (typeof data !== "string" && !ArrayBuffer.isView(data)) throw invalidArgType("data", ["string", "Buffer", "TypedArray", "DataView"], data);
  return Uint8Array.from(toBytes(data, typeof encoding === "string" && encoding !== "buffer" ? encoding : "utf8"));
}

export function decoded(bytes: Uint8Array, encoding: unknown): unknown {
  const buffer = Buffer.from(bytes);
  return !encoding || encoding === "buffer" ? buffer : buffer.toString(encoding as string);
}

/** A name or path as the caller wants it: text, or bytes for `encoding: "buffer"`. */
export const named = (text: string, encoding: unknown): unknown => (!encoding || encoding === "utf8" || encoding === "utf-8" ? text : encoding === "buffer" ? Buffer.from(text) : Buffer.from(text).toString(encoding as string));

/** The failures of `rm` and `cp` that are Node's own and not the system's. */
export function fsSystemError(code: string, message: string, info: { code: string; message: string; path: string; syscall: string; errno: number }): Error {
  const error = nodeError(Error, code, `${message}: ${info.syscall} returned ${info.code} (${info.message}) ${info.path}`);
  Object.defineProperty(error, "name", { value: "SystemError", configurable: true, writable: true, enumerable: false });
  return Object.assign(error, { info, errno: info.errno, syscall: info.syscall, path: info.path });
}

/** The last argument of a callback form. */
export function takeCallback(args: unknown[], name = "cb"): AnyFunction {
  const done = args.pop();
  // With fewer arguments the last one is not the callback's place: that is empty.
  if (typeof done !== "function") throw invalidArgType(name, "function", args.length >= 2 ? done : undefined);
  return done as AnyFunction;
}
