// The content security policy of every page of ours: the build writes it into the pages as <meta>, for hosts that cannot
// send headers, and our own server (serve.ts: `npm start`, the tests) sends it as well.

/**
 * The app's own policy: no `unsafe-eval`, ever. `wasm-unsafe-eval` is WebLLM's. Hosts: repositories from GitHub, and StackBlitz
 * when chosen. Models are fetched by the engine's worker, which has a policy of its own (WORKER_POLICY of
 * src/offline/isolation.ts): a page that was tricked cannot send what it shows to the hosts that models come from.
 */
const APP_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self' https://api.github.com https://raw.githubusercontent.com",
  "worker-src 'self'",
  "frame-src 'self' https://stackblitz.com https://*.webcontainer.io",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** `/embed`: the widget's frame. Any site may frame it (no frame-ancestors); it reaches nothing but this site. */
const EMBED_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** `/headless`: holds the Comlink ports, so no eval and no network. Its worker asks package registries, under WORKER_POLICY. */
const HEADLESS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** `/headless/frame.html`: makes the opaque frame, holds no port but the one it passes on; code runs in the frame it makes. */
const FRAME_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
  "worker-src blob:",
  "frame-src 'self'",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/**
 * `/headless/preview.html`: makes the opaque frame of a served page (src/headless/preview/opaque-frame.ts), which inherits
 * this and tightens it; evaluates nothing itself, and holds no port but to /headless, for connections.
 */
const PREVIEW_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
  "style-src 'unsafe-inline' blob:",
  "img-src blob: data:",
  "media-src blob: data:",
  "font-src blob: data:",
  "worker-src blob:",
  "frame-src 'none'",
  "connect-src blob: data:",
  "base-uri http://localhost:* http://127.0.0.1:*",
  "form-action 'none'",
].join("; ");

/**
 * As `policyOf`, with what only a header can say: no other site puts the app's own page into a frame, to have its buttons
 * clicked. The container's pages stand in the widget's frame, and so in other sites' pages as well.
 */
export function headerPolicyOf(path: string): string {
  const policy = policyOf(path);
  return policy === APP_POLICY ? `${policy}; frame-ancestors 'self'` : policy;
}

/** The policy of a page by its URL path. */
export function policyOf(path: string): string {
  if (path.startsWith("/headless/frame")) return FRAME_POLICY;
  if (path.startsWith("/headless/preview")) return PREVIEW_POLICY;
  if (path === "/headless" || path.startsWith("/headless/")) return HEADLESS_POLICY;
  if (path === "/embed" || path.startsWith("/embed/")) return EMBED_POLICY;
  return APP_POLICY;
}
