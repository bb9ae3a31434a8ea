// Parts of a script that most programs never use: parsing a megabyte costs 25 ms of processor time, scanning it as a string 3.
// A module in a folder `later` re-exports functions of a part; whoever imports them gets functions of the same names
// that load the part when one is first called. In tests under Node, where nothing is bundled, they are what they say.
import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { Plugin, Rolldown } from "vite";

const LATER = /\/later\/[\w-]+\.ts$/;
const STUB = "\0later:";
const RE_EXPORT = /^export \{ ([\w, ]+) \} from "[^"]+";$/;
/** What a stub calls in the finished script. */
const LOAD = "__tabwright_part";

type Chunk = Rolldown.OutputChunk;

const partName = (path: string): string => basename(path, ".ts");

/** The functions that a part offers. Throws when the module holds anything but re-exports and comments. */
async function offeredBy(path: string): Promise<string[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "" && !line.startsWith("//"));
  return lines.flatMap((line) => {
    const names = RE_EXPORT.exec(line)?.[1];
    if (names === undefined) throw new Error(`${path}: a module of a folder "later" re-exports functions and does nothing else, but it has the line ${JSON.stringify(line)}.`);
    return names.split(", ");
  });
}

/** What makes parts of a script: the plugin, and which modules run at once, for one chunk holds all of those. */
export function laterParts(entry: string): { readonly plugin: Plugin; readonly splitting: Rolldown.CodeSplittingOptions } {
  const atOnce = new Set<string>();
  return {
    plugin: {
      name: "later-parts",
      enforce: "pre",
      resolveId(id, importer) {
        if (importer === undefined || !LATER.test(id)) return undefined;
        return STUB + resolve(dirname(importer), id);
      },
      async load(id) {
        if (!id.startsWith(STUB)) return undefined;
        const path = id.slice(STUB.length);
        this.addWatchFile(path);
        const part = partName(path);
        this.emitFile({ type: "chunk", id: path, name: part, preserveSignature: "strict" });
        return (await offeredBy(path)).map((name) => `export function ${name}(...args) { return ${LOAD}(${JSON.stringify(part)}).${name}(...args); }`).join("\n");
      },
      buildEnd() {
        const walk = (id: string): void => {
          if (atOnce.has(id)) return;
          atOnce.add(id);
          for (const imported of this.getModuleInfo(id)?.importedIds ?? []) walk(imported);
        };
        walk(entry);
      },
    },
    splitting: { groups: [{ name: "at-once", test: (id) => atOnce.has(id) }] },
  };
}

/** A text of ASCII alone takes half the memory, and the browser need not decode it. Strings, templates and patterns are where others can be. */
const ascii = (code: string): string => code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** The chunks, in CommonJS, as one script: those that the entry needs run at once, the others are strings until then. */
export function linkChunks(chunks: readonly Chunk[], entry: string): string {
  const byFile = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const main = chunks.find(({ facadeModuleId }) => facadeModuleId === entry);
  if (!main) throw new Error(`Bundling ${entry} produced no script.`);
  const first = new Set<Chunk>();
  const need = (chunk: Chunk): void => {
    if (first.has(chunk)) return;
    first.add(chunk);
    for (const file of chunk.imports) need(byFile.get(file)!);
  };
  need(main);
  const key = (chunk: Chunk): string => JSON.stringify(`./${chunk.fileName}`);
  // In parentheses: the engine compiles such a function at once, not first to skip it and then again to run it.
  const functions = [...first].map((chunk) => `${key(chunk)}:(function(exports,require,Promise,${LOAD}){${ascii(chunk.code)}})`);
  const texts = chunks.filter((chunk) => !first.has(chunk)).map((chunk) => `${key(chunk)}:${JSON.stringify(`${ascii(chunk.code)}\n//# sourceURL=tabwright-${chunk.fileName}`)}`);
  const places = chunks.filter(({ facadeModuleId }) => facadeModuleId !== null && LATER.test(facadeModuleId)).map((chunk) => `${JSON.stringify(partName(chunk.facadeModuleId!))}:${key(chunk)}`);
  // Programs take `Promise` and more away to see what others do without it: what runs them keeps its own.
  return `(function(){
const Promise=globalThis.Promise,Code=Function,loaded={},parts={${places.join(",")}};
const part=Object.assign((name)=>require(parts[name]),{names:Object.keys(parts)});
function require(file){
  if(loaded[file])return loaded[file];
  const exports=loaded[file]={},run=functions[file]??new Code("exports","require","Promise","${LOAD}",texts[file]);
  run(exports,require,Promise,part);
  return exports;
}
const functions={
${functions.join(",\n")}
};
const texts={
${texts.join(",\n")}
};
require(${key(main)});
})();
`;
}
