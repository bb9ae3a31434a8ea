// A documentation site as somebody else runs one: built by VitePress, on another site than the widget's (127.0.0.1, where
// the widget is on localhost), under a policy that allows the widget's origin and nothing else of the kind.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SOURCE = fileURLToPath(new URL("../fixtures/docs-site", import.meta.url));
const BUILT = fileURLToPath(new URL("../../test-results/docs-site", import.meta.url));
/** Stands in the built pages for the widget's origin. */
const PLACEHOLDER = "http://widget.test";
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json" };

/** The theme switch adds one <style> that turns transitions off for a moment (VueUse's useDark). */
const VUEUSE_STYLE = "'sha256-skqujXORqzxt1aE0NNXxujEanPTX6raoqSscTV/Ww/Y='";

export interface DocsSite {
  /** `http://127.0.0.1:PORT`, no slash at the end. */
  readonly origin: string;
  close(): Promise<void>;
}

export interface DocsOptions {
  /** Leaves the widget out of the policy. */
  readonly forbidWidget?: boolean;
  /** More pages, by path: whole documents. */
  readonly pages?: Readonly<Record<string, string>>;
}

/** Builds the site (about ten seconds) unless that was done since it last changed. Not for two at a time: both write the same files. */
export async function buildDocs(): Promise<void> {
  const built = await stat(join(BUILT, "index.html")).then(({ mtimeMs }) => mtimeMs, () => 0);
  const entries = await readdir(SOURCE, { recursive: true, withFileTypes: true });
  const sources = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const changed = Math.max(...(await Promise.all(sources.map(async (file) => (await stat(file)).mtimeMs))));
  if (changed <= built) return;
  // A process of its own: it changes what the environment says, and what it printed is of use only when it fails.
  await promisify(execFile)(process.execPath, ["node_modules/vitepress/bin/vitepress.js", "build", SOURCE], { cwd: ROOT });
}

/** Serves the site, which built-app.ts has built. Scripts that stand in its pages are allowed by hash, styles of its highlighter as attributes. */
export async function serveDocs(widgetOrigin: string, { forbidWidget = false, pages = {} }: DocsOptions = {}): Promise<DocsSite> {
  const server = createServer((request, response) => {
    void (async () => {
      const path = new URL(request.url ?? "/", "http://localhost").pathname;
      const file = path.endsWith("/") ? `${path}index.html` : extname(path) === "" ? `${path}.html` : path;
      const bytes = await readFile(join(BUILT, file)).catch(() => undefined);
      const body = pages[path]?.replaceAll(PLACEHOLDER, widgetOrigin) ?? (/\.(?:html|js)$/.test(file) ? bytes?.toString().replaceAll(PLACEHOLDER, widgetOrigin) : bytes);
      const type = pages[path] === undefined ? (TYPES[extname(file)] ?? "application/octet-stream") : "text/html; charset=utf-8";
      const policy = type.startsWith("text/html") && body !== undefined ? { "content-security-policy": policyFor(String(body), widgetOrigin, forbidWidget) } : {};
      response.writeHead(body === undefined ? 404 : 200, { "content-type": type, ...policy });
      response.end(body);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    origin: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function policyFor(html: string, widgetOrigin: string, forbidWidget: boolean): string {
  const hashes = (tag: string): string[] => [...html.matchAll(new RegExp(`<${tag}(?![^>]*\\ssrc=)[^>]*>([\\s\\S]*?)</${tag}>`, "g"))].map(([, body]) => `'sha256-${createHash("sha256").update(body ?? "").digest("base64")}'`);
  return [
    "default-src 'none'",
    ["script-src 'self'", widgetOrigin, ...hashes("script")].join(" "),
    ["style-src 'self'", ...hashes("style"), VUEUSE_STYLE].join(" "),
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    forbidWidget ? "frame-src 'none'" : `frame-src ${widgetOrigin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join("; ");
}
