// zlib's brotli half: what programs pass, checked in Node's words, and a stream of the library for it.
import { ungzip } from "pako";
import { invalidArgType, nodeError, unsupported } from "../errors.ts";
import type { BrotliLibrary } from "../../libraries/brotli.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { constants } from "./zlib-constants.ts";
import { readStreamOptions, type StreamOptions } from "./zlib-options.ts";
import type { Engine } from "./zlib-output.ts";

export type BrotliMode = "brotliCompress" | "brotliDecompress";
export const isBrotli = (mode: string): mode is BrotliMode => mode.startsWith("brotli");

const { BROTLI_OPERATION_FINISH: FINISH = 2, BROTLI_OPERATION_EMIT_METADATA: HIGHEST = 3 } = constants;
const MAX_PARAMETER = Math.max(...Object.entries(constants).map(([name, value]) => (name.startsWith("BROTLI_PARAM_") ? value : 0)));

function parametersOf(given: Dict): ReadonlyMap<number, number> {
  const parameters = new Map<number, number>();
  for (const [name, value] of Object.entries((given["params"] ?? {}) as Dict)) {
    const key = Number(name);
    if (Number.isNaN(key) || key < 0 || key > MAX_PARAMETER || parameters.has(Math.trunc(key))) throw nodeError(RangeError, "ERR_BROTLI_INVALID_PARAM", `${name} is not a valid Brotli parameter`);
    if (typeof value !== "number" && typeof value !== "boolean") throw invalidArgType("options.params[key]", "number", value);
    parameters.set(Math.trunc(key), Number(value));
  }
  return parameters;
}

/** Compiled once a process. */
const makers = new WeakMap<Runtime, ReturnType<BrotliLibrary>>();

function makerOf(runtime: Runtime, mode: BrotliMode): ReturnType<BrotliLibrary> {
  const known = makers.get(runtime);
  if (known) return known;
  const library = runtime.host.library("brotli");
  if (!library) throw unsupported(`zlib.${mode}`, "a process gets brotli when a file of the project, or its command, names it as it starts: run it again");
  const made = library((bytes) => ungzip(bytes));
  makers.set(runtime, made);
  return made;
}

export function beginBrotli(runtime: Runtime, mode: BrotliMode, given: Dict | undefined): { readonly options: StreamOptions; readonly engine: Engine } {
  const parameters = parametersOf(given ?? {});
  const engine = makerOf(runtime, mode)(mode === "brotliCompress", parameters);
  if (!engine) throw nodeError(Error, "ERR_ZLIB_INITIALIZATION_FAILED", "Initialization failed");
  return { options: readStreamOptions(given ?? {}, { highest: HIGHEST, finish: FINISH }), engine };
}
