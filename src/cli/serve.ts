// A static server for the built app: the right headers, byte ranges, nothing else. Listens on localhost only.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "../base/errors.ts";
import { ISOLATION_HEADERS, policyOf } from "./policy.ts";

/** The built app. */
export const DIST = fileURLToPath(new URL("../../dist", import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".md": "text/plain; charset=utf-8",
};

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
  const file = path === undefined ? undefined : (options.files?.get(path) ?? (await findFile(root, path)));
  if (path === undefined || file === undefined) {
    response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("Not found.\n");
    return;
  }
  const { size } = await stat(file);
  const type = TYPES[extname(file)] ?? "application/octet-stream";
  const headers: Record<string, string | number> = {
    "content-type": type,
    "accept-ranges": "bytes",
    // Hashed names never change; everything else is asked for again.
    "cache-control": path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    ...(options.isolation === false ? {} : ISOLATION_HEADERS),
    ...(type.startsWith("text/html") ? { "content-security-policy": policyOf(path) } : {}),
  };
  const range = parseRange(request.headers.range, size);
  if (range === "unsatisfiable") {
    response.writeHead(416, { "content-range": `bytes */${size}` }).end();
    return;
  }
  const [start, end] = range ?? [0, size - 1];
  headers["content-length"] = end - start + 1;
  if (range) headers["content-range"] = `bytes ${start}-${end}/${size}`;
  response.writeHead(range ? 206 : 200, headers);
  if (request.method === "HEAD" || size === 0) response.end();
  else createReadStream(file, { start, end }).on("error", () => response.destroy()).pipe(response);
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

function parseRange(header: string | undefined, size: number): readonly [number, number] | "unsatisfiable" | undefined {
  const match = header === undefined ? null : /^bytes=(\d*)-(\d*)$/.exec(header);
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const start = match[1] === "" ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === "" || match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  return start > end || start >= size ? "unsatisfiable" : [start, end];
}
