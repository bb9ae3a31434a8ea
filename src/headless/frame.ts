// The page between /headless and the kernel. An srcdoc frame inherits its maker's policy and can only tighten it, and the
// kernel's Workers need eval; so this page has the looser policy, holds no Comlink port, and evaluates nothing itself.
// (A frame loaded by URL would bring its own policy, but a service worker does not serve sandboxed navigations, so it
// would never appear offline. Tried in Chromium 156, 2026-11.)
import type { FromFrame, ToFrame } from "./bridge.ts";
import { source as kernelSource } from "./kernel/main.ts?bundle";

/** Tighter than the page's own: nothing is fetched, nothing comes from our origin. Workers inherit it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
  "worker-src blob:",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const sandbox = document.createElement("iframe");
sandbox.setAttribute("sandbox", "allow-scripts");
sandbox.setAttribute("allow", "cross-origin-isolated *");
sandbox.srcdoc = `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><script>${kernelSource.replaceAll("</script", "<\\/script")}</script>`;

/** Each a separate chunk: the shell is loaded only when a shell is wanted. */
const sources = {
  node: () => import("./node-worker.ts?bundle"),
  sh: () => import("./shell/main.ts?bundle"),
  npm: () => import("./npm/main.ts?bundle"),
  types: () => import("./libraries/types.ts?bundle"),
  typescript: () => import("./libraries/typescript.ts?bundle"),
  brotli: () => import("./libraries/brotli.ts?bundle"),
  keys: () => import("./libraries/keys.ts?bundle"),
  terminal: () => import("./libraries/terminal.ts?bundle"),
  repl: () => import("./libraries/repl.ts?bundle"),
  wasi: () => import("./libraries/wasi.ts?bundle"),
  plans: () => import("./kernel/plans.ts?bundle"),
} as const;

function tellKernel(message: FromFrame, transfer: Transferable[] = []): void {
  sandbox.contentWindow?.postMessage(message, "*", transfer); // an opaque origin has no name to address
}

async function sendSource(program: unknown): Promise<void> {
  if (typeof program !== "string" || !Object.hasOwn(sources, program)) return;
  const name = program as keyof typeof sources;
  const { source } = await sources[name]();
  tellKernel({ type: "source", program: name, source });
}

let connected = false;
let loaded = false;
addEventListener("message", ({ source, origin, data, ports }: MessageEvent<ToFrame | { readonly type: "connect" } | null>) => {
  if (source === sandbox.contentWindow) {
    if (data?.type === "kernel-ready") parent.postMessage({ type: "frame-ready" }, location.origin);
    else if (data?.type === "source-wanted") void sendSource(data.program);
  } else if (source === parent && origin === location.origin && data?.type === "connect" && ports[0] && !connected) {
    connected = true;
    tellKernel({ type: "connect" }, [ports[0]]);
  }
});
// It loads once; what loads there later is no kernel (code in it has navigated it, as far as the policy lets).
sandbox.addEventListener("load", () => {
  if (loaded) parent.postMessage({ type: "frame-lost" }, location.origin);
  loaded = true;
});
if (parent !== window) document.body.append(sandbox);
