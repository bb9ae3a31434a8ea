// A vite plugin: `import { source } from "./main.ts?bundle"` gives that module and all it imports as one classic script,
// as text. The container's kernel and processes travel this way: they run in places that may fetch nothing.
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, type Plugin, type Rolldown } from "vite";
import { inspectKinds } from "./inspect-kinds.ts";
import { laterParts, linkChunks } from "./later-parts.ts";

const SUFFIX = "?bundle";
const PREFIX = "\0bundle:";
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What npm's streams ask for and every engine, or this project, has already. */
const STAND_INS = [
  { find: /^buffer\/?$/, replacement: resolve(ROOT, "src/headless/node/builtins/buffer-class.ts") },
  { find: /^events$/, replacement: resolve(ROOT, "src/headless/node/builtins/event-emitter.ts") },
  { find: "abort-controller", replacement: resolve(ROOT, "src/headless/node/abort-controller.ts") },
  { find: /^string_decoder\/?$/, replacement: resolve(ROOT, "src/headless/node/builtins/string-decoder.ts") },
];

/** `import packed from "./file?gzip"`: the file's bytes, packed, as base64. A script has no other place for them. */
const packedFiles: Plugin = {
  name: "packed-files",
  enforce: "pre",
  resolveId: (id, importer) => (id.endsWith("?gzip") && importer !== undefined ? resolve(dirname(importer), id) : undefined),
  async load(id) {
    if (!id.endsWith("?gzip")) return undefined;
    const file = id.slice(0, -"?gzip".length);
    this.addWatchFile(file);
    return `export default ${JSON.stringify(gzipSync(await readFile(file), { level: 9 }).toString("base64"))};`;
  },
};

/** One text, and the files it was made of. */
interface Bundle {
  readonly code: string;
  readonly files: readonly string[];
}

type Chunk = Rolldown.OutputChunk;

/**
 * One module and all it imports as one classic script. What only modules of a folder `later` import (later-parts.ts) is in
 * it as text, read by the engine when it is first called.
 */
export async function bundle(entry: string, minify: boolean): Promise<Bundle> {
  const parts = laterParts(entry);
  const result = await build({
    root: ROOT,
    configFile: false,
    envDir: false,
    logLevel: "error",
    publicDir: false,
    define: { "process.env.NODE_ENV": JSON.stringify("production") },
    plugins: [packedFiles, inspectKinds, parts.plugin],
    resolve: { alias: STAND_INS },
    build: {
      write: false,
      minify,
      target: "es2023",
      reportCompressedSize: false,
      chunkSizeWarningLimit: 10_000,
      rolldownOptions: {
        input: entry,
        // Names are part of what programs see: error classes, stack frames, `fn.name`.
        output: { format: "cjs", exports: "named", strict: false, codeSplitting: parts.splitting, entryFileNames: "[name].js", chunkFileNames: "[name].js", keepNames: true },
      },
    },
  });
  const outputs = Array.isArray(result) ? result : [result];
  const chunks = outputs.flatMap((output) => ("output" in output ? output.output.filter((item): item is Chunk => item.type === "chunk") : []));
  const files = chunks.flatMap(({ moduleIds }) => moduleIds.filter((id) => id.startsWith("/")).map((id) => id.replace(/\?.*$/, "")));
  return { code: linkChunks(chunks, entry), files };
}

export function bundleText(): Plugin {
  let minify = true;
  return {
    name: "bundle-text",
    enforce: "pre",
    configResolved(config) {
      minify = config.command === "build";
    },
    resolveId(id, importer) {
      if (!id.endsWith(SUFFIX) || importer === undefined) return undefined;
      return PREFIX + resolve(dirname(importer), id.slice(0, -SUFFIX.length));
    },
    async load(id) {
      if (!id.startsWith(PREFIX)) return undefined;
      const { code, files } = await bundle(id.slice(PREFIX.length), minify);
      for (const file of files) this.addWatchFile(file);
      return `export const source = ${JSON.stringify(code)};`;
    },
  };
}
