// Five pages, each with its own bundle: the app, the widget's frame, /headless (our container host), the page that makes
// its frame, and the page behind the url of a port. Beside them embed.js, the widget's loader.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { checkBudgets } from "./src/cli/budgets.ts";
import { bundleText } from "./src/cli/bundle-text.ts";
import { embedLoader } from "./src/cli/embed-loader.ts";
import manifest from "./package.json" with { type: "json" };
import { offlineBuild } from "./src/cli/offline-build.ts";
import { policyOf } from "./src/cli/policy.ts";
import { ISOLATION_HEADERS } from "./src/offline/isolation.ts";

const page = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const pages = { app: "index.html", embed: "embed/index.html", headless: "headless/index.html", frame: "headless/frame.html", preview: "headless/preview.html" };

/** The policy of each page as <meta>, first in its head, for static hosts that cannot send headers. */
const policyMeta: Plugin = {
  name: "policy-meta",
  apply: "build",
  transformIndexHtml: (_html, { path }) => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: policyOf(path) }, injectTo: "head-prepend" },
  ],
};

export default defineConfig({
  plugins: [policyMeta, bundleText(), offlineBuild(), embedLoader(), checkBudgets()],
  base: "/",
  define: { __TABWRIGHT_BUILD__: JSON.stringify(manifest.version) },
  worker: { format: "es" },
  server: { headers: ISOLATION_HEADERS },
  build: {
    target: "es2023",
    // One chunk is WebLLM (6 MB); it loads in the worker, when a model is chosen.
    chunkSizeWarningLimit: 7000,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: Object.fromEntries(Object.entries(pages).map(([name, path]) => [name, page(path)]).filter(([, path]) => existsSync(path!))),
    },
  },
});
