// The headers of every page we serve. The same policies stand in the pages as <meta> for hosts that cannot send headers.
// `npm start`, the tests and vite's dev server all take them from here.

/** Cross-origin isolation: SharedArrayBuffer for synchronous child processes, and honest timers. */
export const ISOLATION_HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "cross-origin",
} as const;

/** The app's own policy: no `unsafe-eval`, ever. `wasm-unsafe-eval` is WebLLM's. Hosts: models from the hub, and StackBlitz when chosen. */
export const APP_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self' https://huggingface.co https://*.huggingface.co https://*.hf.co https://raw.githubusercontent.com",
  "worker-src 'self' blob:",
  "frame-src 'self' https://stackblitz.com https://*.webcontainer.io",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** `/headless`: holds the Comlink ports, so no eval and no network. */
export const HEADLESS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** `/headless/frame.html`: makes the opaque frame, holds no port but the one it passes on; code runs in the frame it makes. */
export const FRAME_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
  "worker-src blob:",
  "frame-src 'self'",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** The policy of a page by its URL path. */
export function policyOf(path: string): string {
  if (path.startsWith("/headless/frame")) return FRAME_POLICY;
  if (path === "/headless" || path.startsWith("/headless/")) return HEADLESS_POLICY;
  return APP_POLICY;
}
