// Source maps, read: `module.SourceMap`, over one map or an index of several.
// (https://tc39.es/ecma426/) Places are from 0 in the map, as in the map's own text.
import { decode } from "@jridgewell/sourcemap-codec";
import { invalidArgType } from "../errors.ts";

export interface SourceMapPayload {
  readonly version?: number;
  readonly file?: string;
  readonly sources?: readonly string[];
  readonly sourcesContent?: readonly (string | null)[];
  readonly names?: readonly string[];
  readonly mappings?: string;
  readonly sourceRoot?: string;
  readonly sections?: readonly { readonly offset: { readonly line: number; readonly column: number }; readonly map: SourceMapPayload }[];
}

interface Mapping {
  readonly line: number;
  readonly column: number;
  /** Undefined: code that stands for nothing in a source. */
  readonly source: string | undefined;
  readonly originalLine: number;
  readonly originalColumn: number;
  readonly name: string | undefined;
}

function readMappings(payload: SourceMapPayload, firstLine = 0, firstColumn = 0): Mapping[] {
  if (payload.sections) return payload.sections.flatMap(({ offset, map }) => readMappings(map, offset.line, offset.column));
  const { sources = [], names = [] } = payload;
  const found: Mapping[] = [];
  let [originalLine, originalColumn] = [0, 0];
  let named: string | undefined;
  for (const [k, segments] of decode(payload.mappings ?? "").entries()) {
    for (const [generated, ...rest] of segments) {
      const [at, line, offset, name] = rest;
      if (at !== undefined) [originalLine, originalColumn] = [line as number, offset as number];
      // One without a name has that of the one before, as Node has it.
      if (name !== undefined) named = names[name];
      found.push({ line: firstLine + k, column: generated + (k === 0 ? firstColumn : 0), source: at === undefined ? undefined : sources[at], originalLine, originalColumn, name: named });
    }
  }
  return found.sort((a, b) => a.line - b.line || a.column - b.column);
}

export class SourceMap {
  readonly #payload: SourceMapPayload;
  readonly #lineLengths: readonly number[] | undefined;
  #mappings: readonly Mapping[] | undefined;

  constructor(payload: unknown, { lineLengths }: { lineLengths?: readonly number[] } = {}) {
    if (typeof payload !== "object" || payload === null) throw invalidArgType("payload", "object", payload);
    this.#payload = structuredClone(payload);
    this.#lineLengths = lineLengths && [...lineLengths];
  }

  get payload(): SourceMapPayload {
    return structuredClone(this.#payload);
  }

  get lineLengths(): readonly number[] | undefined {
    return this.#lineLengths && [...this.#lineLengths];
  }

  /** From 0; an empty object before the first mapping. */
  findEntry(line: number, column: number): object {
    const found = this.#find(line, column);
    if (!found) return {};
    const { source, originalLine, originalColumn, name } = found;
    const generated = { generatedLine: found.line, generatedColumn: found.column };
    return source === undefined ? generated : { ...generated, originalSource: source, originalLine, originalColumn, name };
  }

  /** From 1: where a place of the code was written. */
  findOrigin(line: number, column: number): object {
    const found = this.#find(line - 1, column - 1);
    if (found?.source === undefined) return {};
    return { name: found.name, fileName: found.source, lineNumber: found.originalLine + (line - 1 - found.line) + 1, columnNumber: found.originalColumn + (column - 1 - found.column) + 1 };
  }

  #find(line: number, column: number): Mapping | undefined {
    const mappings = (this.#mappings ??= readMappings(this.#payload));
    let [low, high] = [0, mappings.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { line: at, column: from } = mappings[middle] as Mapping;
      if (at < line || (at === line && from <= column)) low = middle + 1;
      else high = middle;
    }
    return mappings[low - 1];
  }
}
