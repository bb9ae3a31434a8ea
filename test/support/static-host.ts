// A dumb static host: files, types, nothing else. No isolation headers, no policies, no ranges. What it does with a folder
// that is asked for without its slash is what hosts differ in, and what it serves can be changed while it runs.
import { readFile, stat } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import { extname, join } from "node:path";

/** `redirect`: to the folder with a slash, as nginx and Apache do. `missing`: 404 for whatever has no extension. */
export type FolderHabit = "redirect" | "missing";

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png" };

export interface StaticHost {
  readonly origin: string;
  /** Paths asked for, in order. */
  readonly asked: string[];
  /** Serves another folder from now on: a deployment. */
  deploy(root: string): void;
  /** Paths that are answered with 404 from now on. */
  lose(path: string): void;
  /** A path that sends half of `bytes` and the rest when the returned function is called. */
  hold(path: string, bytes: Uint8Array): () => void;
  stop(): Promise<void>;
  /** On the same port as before. */
  start(): Promise<void>;
}

export async function startStaticHost(root: string, habit: FolderHabit = "redirect"): Promise<StaticHost> {
  let folder = root;
  let server: Server | undefined;
  let port = 0;
  const asked: string[] = [];
  const lost = new Set<string>();
  const held = new Map<string, { readonly bytes: Uint8Array; readonly released: Promise<void> }>();
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    asked.push(path);
    const slow = held.get(path);
    if (slow) {
      response.writeHead(200, { "content-type": "application/octet-stream" }).write(slow.bytes.subarray(0, slow.bytes.byteLength / 2));
      await slow.released;
      response.end(slow.bytes.subarray(slow.bytes.byteLength / 2));
      return;
    }
    const file = lost.has(path) ? undefined : await find(folder, path, habit);
    if (file === undefined) response.writeHead(404, { "content-type": "text/html" }).end("<h1>404</h1>");
    else if (file === "redirect") response.writeHead(301, { location: `${path}/` }).end();
    else response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(await readFile(file));
  };
  const start = async (): Promise<void> => {
    server = createServer((request, response) => void answer(new URL(request.url ?? "/", "http://localhost").pathname, response));
    await new Promise<void>((resolve) => server!.listen(port, "localhost", resolve));
    const address = server.address();
    if (typeof address === "object" && address) port = address.port;
  };
  await start();
  return {
    origin: `http://localhost:${port}`,
    asked,
    deploy: (next) => void (folder = next),
    lose: (path) => void lost.add(path),
    hold(path, bytes) {
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      held.set(path, { bytes, released });
      return () => release();
    },
    start,
    stop: () =>
      new Promise((resolve) => {
        server?.close(() => resolve());
        server?.closeAllConnections();
      }),
  };
}

async function find(root: string, path: string, habit: FolderHabit): Promise<string | "redirect" | undefined> {
  if (path.includes("..")) return undefined;
  const full = join(root, path);
  const kind = await stat(full).catch(() => undefined);
  if (kind?.isFile()) return full;
  if (!kind?.isDirectory()) return undefined;
  if (path !== "/" && habit === "missing") return undefined;
  return path.endsWith("/") ? join(full, "index.html") : "redirect";
}
