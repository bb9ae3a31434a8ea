// Responses that the service worker makes: the headers a host may be unable to send, and types that it may not know. Our
// own server (src/cli/serve.ts) answers by the same rules.

/** Cross-origin isolation: SharedArrayBuffer for synchronous child processes, and honest timers. */
export const ISOLATION_HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "cross-origin",
} as const;

/**
 * Of a worker: it is bound by what comes with its own script, not by the policy of the page that starts it. The engine's
 * fetches models: from the hub, from wherever its redirects lead, and from any address that the user gives, so every host is
 * allowed, encrypted, and servers of this computer. Nothing is sent but addresses; what comes is checked and never run. The
 * container's registry worker asks one host at a time, which the person has allowed (src/headless/page/registry-client.ts).
 */
export const WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' blob: data: https: http://localhost:* http://127.0.0.1:*";

/** Scripts that can be a worker's; to others the header means nothing. */
export function isWorkerScript(url: string): boolean {
  return /(?:^|\/)assets\/[^/]+\.js$/.test(url);
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  json: "application/json; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  wasm: "application/wasm",
  webmanifest: "application/manifest+json",
  md: "text/plain; charset=utf-8",
};

/** By the file's name: what a host says about a file is not kept. */
export function typeOf(url: string): string {
  return TYPES[url.slice(url.lastIndexOf(".") + 1)] ?? "application/octet-stream";
}

/** A file of ours as a response; a part of it when a range is asked for. The policies of pages stand in them as <meta>. */
export function fileResponse(url: string, bytes: Uint8Array<ArrayBuffer>, range: string | null): Response {
  const headers: Record<string, string> = {
    ...ISOLATION_HEADERS,
    "content-type": typeOf(url),
    "accept-ranges": "bytes",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    ...(isWorkerScript(url) ? { "content-security-policy": WORKER_POLICY } : {}),
  };
  const part = range === null ? undefined : rangeOf(range, bytes.byteLength);
  if (part === "unsatisfiable") return new Response(null, { status: 416, headers: { ...headers, "content-range": `bytes */${bytes.byteLength}` } });
  if (!part) return new Response(bytes, { headers: { ...headers, "content-length": String(bytes.byteLength) } });
  const [start, end] = part;
  const content = { "content-length": String(end - start), "content-range": `bytes ${start}-${end - 1}/${bytes.byteLength}` };
  return new Response(bytes.subarray(start, end), { status: 206, headers: { ...headers, ...content } });
}

/** Start and end (not included) in bytes; undefined for what is no single range, which is answered whole. */
export function rangeOf(header: string, size: number): readonly [number, number] | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header);
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const start = match[1] === "" ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === "" || match[2] === "" ? size : Math.min(Number(match[2]) + 1, size);
  return start >= end || start >= size ? "unsatisfiable" : [start, end];
}

/**
 * The network's response with the isolation headers. Redirects that a fetch has followed are forgotten: a navigation
 * takes no redirected response. An opaque one cannot be read and is passed on as it is.
 */
export function isolated(response: Response): Response {
  if (response.type === "opaque" || response.type === "opaqueredirect" || response.type === "error") return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION_HEADERS)) headers.set(name, value);
  const { status, statusText } = response;
  const empty = status === 204 || status === 205 || status === 304;
  return new Response(empty ? null : response.body, { status, statusText, headers });
}
