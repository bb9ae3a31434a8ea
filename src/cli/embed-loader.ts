// A vite plugin for dist/embed.js: the widget's loader as one ES module under a name that never changes, with what the
// widget will fetch written into it. The build fails when it is larger than a page should load for a button.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, type Plugin, type Rollup } from "vite";

/** Of the loader, gz. */
const LOADER_BUDGET_BYTES = 8 * 1024;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = fileURLToPath(new URL("../embed/main.ts", import.meta.url));
/** What a widget in which something was run has fetched: its page, the container's two, and what runs there. */
const FRAME_PARTS = ["embed/index.html", "headless/index.html", "headless/frame.html", "headless/node-worker.ts", "headless/shell/main.ts"];

interface WidgetSizes {
  readonly frameBytes: number;
  readonly engineBytes: number;
}

/** Adds embed.js and embed/sizes.json to the build; vite's dev server answers /embed.js from the source. */
export function embedLoader(): Plugin {
  return {
    name: "embed-loader",
    config: () => ({ define: { __WIDGET_SIZES__: JSON.stringify({ frameBytes: 0, engineBytes: 0 } satisfies WidgetSizes) } }),
    configureServer({ middlewares }) {
      middlewares.use((request, _response, next) => {
        if (request.url === "/embed.js") request.url = "/src/embed/main.ts";
        next();
      });
    },
    generateBundle: {
      order: "post",
      async handler(_options, bundle) {
        const sizes = sizesOf(bundle);
        const source = await bundleLoader(sizes);
        const bytes = gzipSync(source).byteLength;
        if (bytes > LOADER_BUDGET_BYTES) this.error(`embed.js takes ${bytes} bytes gz, more than ${LOADER_BUDGET_BYTES}. Move what the closed widget does not need into its frame.`);
        this.emitFile({ type: "asset", fileName: "embed.js", source });
        // For the frame, which asks again before the assistant is fetched.
        this.emitFile({ type: "asset", fileName: "embed/sizes.json", source: JSON.stringify(sizes) });
      },
    },
  };
}

async function bundleLoader(sizes: WidgetSizes): Promise<string> {
  const result = await build({
    root: ROOT,
    configFile: false,
    envDir: false,
    logLevel: "error",
    publicDir: false,
    define: { __WIDGET_SIZES__: JSON.stringify(sizes) },
    build: {
      write: false,
      target: "es2023",
      modulePreload: false,
      rolldownOptions: { input: ENTRY, output: { format: "es", codeSplitting: false, entryFileNames: "embed.js" } },
    },
  });
  const outputs = Array.isArray(result) ? result : [result];
  const chunk = outputs.flatMap((output) => ("output" in output ? output.output : [])).find((item) => item.type === "chunk");
  if (!chunk) throw new Error("Bundling the widget's loader produced no script.");
  return chunk.code;
}

/** gz, as most hosts send it; the model does not shrink. */
function sizesOf(bundle: Rollup.OutputBundle): WidgetSizes {
  const chunks = Object.values(bundle).filter((item) => item.type === "chunk");
  const entries = chunks.filter(({ facadeModuleId }) => FRAME_PARTS.some((part) => facadeModuleId?.endsWith(part)));
  const [model] = JSON.parse(readFileSync(`${ROOT}public/models/models.json`, "utf8")) as readonly { readonly bytes: number }[];
  const worker = Object.values(bundle).filter(({ fileName }) => /\/(?:inference|webllm)-[^/]*\.js$/.test(fileName));
  const gz = (items: readonly (Rollup.OutputChunk | Rollup.OutputAsset)[]): number => items.reduce((sum, item) => sum + gzipSync(item.type === "chunk" ? item.code : item.source).byteLength, 0);
  return { frameBytes: gz(closureOf(entries, chunks)), engineBytes: gz(worker) + (model?.bytes ?? 0) };
}

/** These scripts and all they import at once. */
function closureOf(entries: readonly Rollup.OutputChunk[], chunks: readonly Rollup.OutputChunk[]): readonly Rollup.OutputChunk[] {
  const found = new Set(entries);
  for (const chunk of found) for (const name of chunk.imports) chunks.filter(({ fileName }) => fileName === name).forEach((imported) => found.add(imported));
  return [...found];
}
