// Types taken off TypeScript, and the way back from what remains to the text as written. A script of its own: only a project
// with TypeScript in it needs either.
import { TraceMap, originalPositionFor } from "@jridgewell/trace-mapping";
import { transform } from "sucrase";
import { offerLibrary } from "../libraries.ts";

/** A line and a column, from 1. */
type Place = (line: number, column: number) => { readonly line: number; readonly column: number };

export interface TypesLibrary {
  /** The code and a source map's JSON. Throws a SyntaxError with `typescriptAt` for code that is not TypeScript. */
  strip(source: string, path: string): { readonly code: string; readonly map: string };
  /** From a place in the code to the one in the source. The map is read when it is first asked. */
  placeThrough(map: string): Place;
}

export const types: TypesLibrary = {
  strip(source, path) {
    try {
      const { code, sourceMap } = transform(source, { transforms: ["typescript"], disableESTransforms: true, preserveDynamicImport: true, filePath: path, sourceMapOptions: { compiledFilename: path } });
      return { code, map: JSON.stringify(sourceMap) };
    } catch (error) {
      const message = error instanceof Error ? error.message.replace(/^Error transforming [^:]*: /, "") : String(error);
      const at = /\((\d+):(\d+)\)/.exec(message);
      throw Object.assign(new SyntaxError(message.replace(/ \(\d+:\d+\)$/, "")), at ? { typescriptAt: { line: Number(at[1]), column: Number(at[2]) - 1 } } : {});
    }
  },
  placeThrough(map) {
    let traced: TraceMap | undefined;
    return (line, column) => {
      traced ??= new TraceMap(map);
      const found = originalPositionFor(traced, { line, column: column - 1 });
      return found.line === null ? { line, column } : { line: found.line, column: found.column + 1 };
    };
  },
};

offerLibrary<"types">(types);
