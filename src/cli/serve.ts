// A static server for the built app: the right headers, byte ranges, nothing else. Listens on localhost only.
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { AppError } from "../base/errors.ts";
import { ISOLATION_HEADERS, isWorkerScript, rangeOf, typeOf, WORKER_POLICY } from "../offline/isolation.ts";
import { headerPolicyOf } from "./policy.ts";

/** The built app. */
export const DIST = fileURLToPath(new URL("../../dist", import.meta.url));

export interface SiteServer {
  /** `http://localhost:PORT`, no slash at the end. */
  readonly origin: string;
  close(): Promise<void>;
}

export interface ServeOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly root?: string;
  /** Without them the page works too, but synchronous child processes do not. */
  readonly isolation?: boolean;
  /** More files, by URL path: `/lab/model.gguf` → a file on disk. */
  readonly files?: ReadonlyMap<string, string>;
  /** Sends text gzip'd, as hosts do; for measurements over a slow line. */
  readonly compress?: boolean;
  /** Told the path of each request, those of workers too, which a browser's driver may not see. */
  readonly onRequest?: (path: string) => void;
}

/** Serves the built app. Throws `command/usage` if the port is taken. */
export async function serveSite(options: ServeOptions): Promise<SiteServer> {
  const root = options.root ?? DIST;
  const server = createServer((request, response) => {
    answer(request, response, root, options).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
      response.end(String(error));
    });
  });
  await listen(server, options.port);
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : options.port;
  return {
    origin: `http://localhost:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(
        cause.code === "EADDRINUSE"
          ? new AppError("command/usage", `Port ${port} is in use. Stop the other program or choose another with --port.`, { cause })
          : cause,
      );
    });
    server.listen(port, "localhost", resolve);
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, root: string, options: ServeOptions): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  const path = decodePath(request.url ?? "/");
  if (path !== undefined) options.onRequest?.(path);
  const file = path === undefined ? undefined : (options.files?.get(path) ?? (await findFile(root, path)));
  if (path === undefined || file === undefined) {
    response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("Not found.\n");
    return;
  }
  const { size } = await stat(file);
  const type = typeOf(file);
  const headers: Record<string, string | number> = {
    "content-type": type,
    "accept-ranges": "bytes",
    // Hashed names never change; everything else is asked for again.
    "cache-control": path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    ...(options.isolation === false ? {} : ISOLATION_HEADERS),
    // A module script of another site is fetched by CORS.
    ...(path === "/embed.js" ? { "access-control-allow-origin": "*" } : {}),
    ...(isWorkerScript(path) ? { "content-security-policy": WORKER_POLICY } : {}),
    ...(type.startsWith("text/html") ? { "content-security-policy": headerPolicyOf(path) } : {}),
  };
  const range = request.headers.range === undefined ? undefined : rangeOf(request.headers.range, size);
  if (range === "unsatisfiable") {
    response.writeHead(416, { "content-range": `bytes */${size}` }).end();
    return;
  }
  const [start, end] = range ?? [0, size];
  if (options.compress && !range && /javascript|text|json/.test(type)) {
    const packed = gzipSync(await readFile(file));
    response.writeHead(200, { ...headers, "content-encoding": "gzip", "content-length": packed.byteLength }).end(request.method === "HEAD" ? undefined : packed);
    return;
  }
  headers["content-length"] = end - start;
  if (range) headers["content-range"] = `bytes ${start}-${end - 1}/${size}`;
  response.writeHead(range ? 206 : 200, headers);
  if (request.method === "HEAD" || size === 0) response.end();
  else createReadStream(file, { start, end: end - 1 }).on("error", () => response.destroy()).pipe(response);
}

function decodePath(url: string): string | undefined {
  try {
    return decodeURIComponent(new URL(url, "http://localhost").pathname);
  } catch {
    return undefined; // a malformed escape: answered with 404
  }
}

/** `/` and folders answer with their index.html; `/headless` too, without a redirect, because the client asks for exactly that. */
async function findFile(root: string, path: string): Promise<string | undefined> {
  const full = normalize(join(root, path));
  if (full !== normalize(root) && !full.startsWith(normalize(root + sep))) return undefined;
  for (const candidate of [full, join(full, "index.html")]) {
    const found = await stat(candidate).catch(() => undefined);
    if (found?.isFile()) return candidate;
  }
  return undefined;
}
