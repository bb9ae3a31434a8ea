// A local server that answers as the Hugging Face hub does (listing, revision, resolve with a redirect to storage of another
// origin, CORS, ranges), and misbehaves on demand. Written from the public documentation; the real hub was not asked. As the
// hub's storage does, it refuses preflights: a request with any header but a closed range fails in a browser.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";

export type Misdeed = "html" | "html-206" | "missing" | "unsatisfiable" | "gzip" | "whole" | "short" | "long" | "shifted" | "changed-size" | "loop" | "silent" | "busy" | "refused";

export interface HubMood {
  /** What the storage does instead of answering, and how often still; 0 for always. */
  misdeed: Misdeed | undefined;
  times: number;
  /** Offsets in a file at which the connection is cut when it gets there, each once. */
  drops: number[];
  /** Offsets whose byte arrives with a bit flipped, each once. */
  flips: number[];
  /** Bytes a second; 0 for as fast as it goes. */
  speed: number;
  /** Signed addresses made before are refused from now on. */
  expired: boolean;
}

export interface HubRequest {
  readonly path: string;
  readonly range: string | undefined;
}

export interface HubServer {
  readonly origin: string;
  readonly repository: string;
  readonly commit: string;
  readonly mood: HubMood;
  /** All requests, in order. */
  readonly requests: HubRequest[];
  /** Bytes of files that were handed to the network. */
  sent(): number;
  close(): Promise<void>;
}

/** Serves `files` as a repository's branch `main`. */
export async function openHubServer(files: Readonly<Record<string, Uint8Array>>, repository = "acme/tiny-GGUF"): Promise<HubServer> {
  const commit = createHash("sha1").update(Object.keys(files).join()).digest("hex");
  const mood: HubMood = { misdeed: undefined, times: 0, drops: [], flips: [], speed: 0, expired: false };
  const requests: HubRequest[] = [];
  let sent = 0;
  let signature = 0;
  const shas = new Map(Object.entries(files).map(([path, bytes]) => [path, createHash("sha256").update(bytes).digest("hex")]));

  const storage = createServer((request, response) => {
    requests.push(seen(request));
    if (request.method !== "GET") return void response.writeHead(403).end();
    const url = new URL(request.url ?? "/", "http://localhost");
    const path = [...shas].find(([, sha]) => url.pathname === `/store/${sha}`)?.[0];
    const bytes = path === undefined ? undefined : files[path];
    if (!bytes) return void response.writeHead(404, CORS).end("Not found");
    if (mood.expired && Number(url.searchParams.get("signature")) <= signature) {
      mood.expired = false;
      return void response.writeHead(403, CORS).end("<Error><Code>AccessDenied</Code></Error>");
    }
    if (misbehave(mood, request, response, bytes)) return;
    const [start, end] = rangeOf(request.headers.range, bytes.byteLength);
    const headers = { ...CORS, "content-type": "application/octet-stream", "accept-ranges": "bytes", etag: `"${shas.get(path!)}"`, "content-length": end - start, "content-range": `bytes ${start}-${end - 1}/${bytes.byteLength}` };
    response.writeHead(request.headers.range === undefined ? 200 : 206, headers);
    void pour(response, damaged(bytes, start, end, mood), start, mood, (count) => (sent += count));
  });
  const storageOrigin = await listen(storage);

  const hub = createServer((request, response) => {
    requests.push(seen(request));
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const json = (value: unknown): void => void response.writeHead(200, { ...CORS, "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(value));
    if (request.method !== "GET") return void response.writeHead(403).end();
    if (new RegExp(`^/api/models/${repository}/revision/(main|${commit})$`).test(pathname)) return json({ _id: "0", id: repository, modelId: repository, sha: commit, private: false, gated: false, downloads: 1, likes: 1, lastModified: "2026-02-03T00:00:00.000Z" });
    if (new RegExp(`^/api/models/${repository}/tree/(main|${commit})$`).test(pathname)) {
      return json(Object.entries(files).map(([path, bytes]) => ({ type: "file", oid: createHash("sha1").update(bytes).digest("hex"), size: bytes.byteLength, lfs: { oid: shas.get(path), size: bytes.byteLength, pointerSize: 135 }, path })));
    }
    const [, , path = ""] = new RegExp(`^/${repository}/resolve/(main|${commit})/(.+)$`).exec(pathname) ?? [];
    const bytes = files[decodeURIComponent(path)];
    if (!bytes) return void response.writeHead(404, { ...CORS, "x-error-code": "EntryNotFound", "content-type": "application/json" }).end(JSON.stringify({ error: "Repository or entry not found" }));
    const sha = shas.get(decodeURIComponent(path));
    const location = mood.misdeed === "loop" ? request.url! : `${storageOrigin}/store/${sha}?signature=${++signature}`;
    response.writeHead(302, { ...CORS, location, "x-repo-commit": commit, "x-linked-size": bytes.byteLength, "x-linked-etag": `"${sha}"` }).end();
  });
  const origin = await listen(hub);
  return { origin, repository, commit, mood, requests, sent: () => sent, close: async () => void (await Promise.all([close(hub), close(storage)])) };
}

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag",
};

function seen(request: IncomingMessage): HubRequest {
  return { path: request.url ?? "", range: request.headers.range };
}

function rangeOf(header: string | undefined, size: number): readonly [number, number] {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(header ?? "") ?? [];
  return from === undefined ? [0, size] : [Number(from), Math.min(Number(to) + 1, size)];
}

/** Whether it did, instead of an answer. */
function misbehave(mood: HubMood, request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): boolean {
  const { misdeed } = mood;
  if (misdeed === undefined) return false;
  if (mood.times > 0 && --mood.times === 0) mood.misdeed = undefined;
  const size = bytes.byteLength;
  const [start, end] = rangeOf(request.headers.range, size);
  const part = Buffer.from(bytes.subarray(start, end));
  const partly = { ...CORS, "content-type": "application/octet-stream", "content-range": `bytes ${start}-${end - 1}/${size}` };
  const page = "<!doctype html><title>Log in</title><p>Welcome to the hotel.";
  switch (misdeed) {
    case "html":
      response.writeHead(200, { ...CORS, "content-type": "text/html; charset=utf-8" }).end(page);
      return true;
    case "html-206":
      response.writeHead(206, { ...CORS, "content-type": "text/html", "content-range": partly["content-range"] }).end(page.padEnd(end - start));
      return true;
    case "missing":
      response.writeHead(404, CORS).end("Not found");
      return true;
    case "unsatisfiable":
      response.writeHead(416, { ...CORS, "content-range": `bytes */${start}` }).end();
      return true;
    case "gzip":
      response.writeHead(206, { ...partly, "content-encoding": "gzip" }).end(gzipSync(Buffer.concat([part, Buffer.from("more")])));
      return true;
    case "whole":
      response.writeHead(200, { ...CORS, "content-type": "application/octet-stream" }).end(bytes);
      return true;
    case "short":
      response.writeHead(206, partly).end(part.subarray(0, part.byteLength >> 1)); // no length: the connection ends as if all were well
      return true;
    case "long":
      response.writeHead(206, partly).end(Buffer.concat([part, Buffer.from("too much")]));
      return true;
    case "shifted":
      response.writeHead(206, { ...partly, "content-range": `bytes ${start + 1}-${end}/${size}` }).end(part);
      return true;
    case "changed-size":
      response.writeHead(206, { ...partly, "content-range": `bytes ${start}-${end - 1}/${size + 1}` }).end(part);
      return true;
    case "busy":
      response.writeHead(503, { ...CORS, "retry-after": "0" }).end("busy");
      return true;
    case "refused":
      response.destroy();
      return true;
    case "silent":
      response.writeHead(206, partly).write(part.subarray(0, 1));
      return true;
    case "loop":
      return false;
  }
}

function damaged(bytes: Uint8Array, start: number, end: number, mood: HubMood): Buffer {
  const part = Buffer.from(bytes.subarray(start, end));
  for (const flip of mood.flips.filter((offset) => offset >= start && offset < end)) {
    part[flip - start]! ^= 4;
    mood.flips.splice(mood.flips.indexOf(flip), 1);
  }
  return part;
}

/** In pieces, at the mood's speed, up to the first place where the connection is to be cut. */
async function pour(response: ServerResponse, part: Buffer, start: number, mood: HubMood, count: (bytes: number) => void): Promise<void> {
  const cut = Math.min(...mood.drops.filter((offset) => offset >= start && offset < start + part.byteLength));
  if (Number.isFinite(cut)) mood.drops.splice(mood.drops.indexOf(cut), 1);
  const end = Number.isFinite(cut) ? cut - start : part.byteLength;
  const piece = mood.speed > 0 ? Math.max(1, Math.ceil(mood.speed / 50)) : 1 << 20;
  for (let at = 0; at < end && !response.destroyed; at += piece) {
    const bytes = part.subarray(at, Math.min(end, at + piece));
    await new Promise<void>((done) => response.write(bytes, () => done()));
    count(bytes.byteLength);
    if (mood.speed > 0) await new Promise((done) => setTimeout(done, 20));
  }
  if (Number.isFinite(cut)) response.destroy();
  else response.end();
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, "localhost", done));
  const address = server.address();
  return `http://localhost:${typeof address === "object" && address ? address.port : 0}`;
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}
