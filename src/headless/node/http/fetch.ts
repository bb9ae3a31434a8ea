// `fetch` of a program: to servers of the container over node:http. Any other place is as far as behind a pulled cable.
import { nodeError, unsupported } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { isIP, isLocalName } from "../net/address.ts";
import { nameError } from "../net/errors.ts";
import type { Agent } from "./agent.ts";
import type { ClientRequest } from "./client.ts";
import type { Incoming } from "./incoming.ts";
import { nativeSignal, placed, WebResponse } from "./web-messages.ts";

type Fetch = (input: unknown, init?: RequestInit & { readonly duplex?: string }) => Promise<Response>;

/** One request after redirects are taken into account. */
interface Asked {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  /** A stream is sent once: it cannot follow a redirect. */
  readonly body: Uint8Array | ReadableStream<Uint8Array> | null;
  readonly redirect: RequestRedirect;
  readonly signal: AbortSignal | null;
}

const MAX_REDIRECTS = 20;
const NULL_BODY = new Set([101, 204, 205, 304]);
/** Ports of other services, which fetch refuses by its standard (https://fetch.spec.whatwg.org/#port-blocking). */
const BAD_PORTS = new Set(
  [1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427,
    465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667,
    6668, 6669, 6679, 6697, 10080],
);

const failed = (cause: unknown): TypeError => new TypeError("fetch failed", { cause });

function parseUrl(input: unknown): URL {
  try {
    return new URL(String(input));
  } catch (cause) {
    const named = nodeError(TypeError, "ERR_INVALID_URL", "Invalid URL", { input: String(input) });
    throw new TypeError(`Failed to parse URL from ${String(input)}`, { cause: cause instanceof TypeError ? named : cause });
  }
}

async function ask(input: unknown, init: RequestInit & { readonly duplex?: string }): Promise<Asked> {
  const request = input instanceof Request ? input : undefined;
  const url = parseUrl(request ? request.url : input);
  if (url.username || url.password) throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${String(input)}`);
  const given = init.method ?? request?.method ?? "GET";
  const method = /^(?:get|head|post|put|delete|options)$/i.test(given) ? given.toUpperCase() : given;
  const headers = new Headers(init.headers ?? request?.headers);
  const raw = init.body ?? (init.method === undefined || request ? (request?.body ?? null) : null);
  const bodyless = method === "GET" || method === "HEAD";
  if (raw !== null && raw !== undefined && bodyless) throw new TypeError("Request with GET/HEAD method cannot have body.");
  let body: Asked["body"] = null;
  if (raw instanceof ReadableStream) {
    if (init.body && init.duplex !== "half") throw new TypeError("RequestInit: duplex option is required when sending a body.");
    body = request && !init.body ? new Uint8Array(await request.arrayBuffer()) : (raw as ReadableStream<Uint8Array>);
  } else if (raw !== null && raw !== undefined) {
    const iterable = typeof raw === "object" && Symbol.asyncIterator in raw && !(raw instanceof Blob);
    const packed = new Response(iterable ? await joined(raw as unknown as AsyncIterable<Uint8Array>) : raw);
    const type = packed.headers.get("content-type");
    if (type !== null && !headers.has("content-type")) headers.set("content-type", type);
    body = new Uint8Array(await packed.arrayBuffer());
  }
  return { url, method, headers, body, redirect: init.redirect ?? request?.redirect ?? "follow", signal: nativeSignal(init.signal) ?? request?.signal ?? null };
}

async function joined(parts: AsyncIterable<Uint8Array>): Promise<Blob> {
  const all: BlobPart[] = [];
  for await (const part of parts) all.push(part as BlobPart);
  return new Blob(all);
}

/** The fields that Node's own client sends, around the program's. */
function fieldsOf({ headers, body, method }: Asked): Record<string, string> {
  // Node's client gives a connection up after HEAD: some servers answer it with a body.
  const fields: Record<string, string> = { connection: method === "HEAD" ? "close" : "keep-alive" };
  for (const [name, value] of headers) if (name !== "host" && name !== "connection") fields[name] = value;
  const defaults = { accept: "*/*", "accept-language": "*", "sec-fetch-mode": "cors", "user-agent": "node", "accept-encoding": "gzip, deflate" };
  for (const [name, value] of Object.entries(defaults)) fields[name] ??= value;
  if (body instanceof Uint8Array) fields["content-length"] = String(body.length);
  else if (body === null && (method === "POST" || method === "PUT")) fields["content-length"] = "0";
  return fields;
}

function dataResponse(url: URL): Response {
  const [, type = "", base64, text = ""] = /^data:([^,]*?)(;\s*base64\s*)?,(.*)$/is.exec(url.href) ?? [];
  const bytes = base64 ? Uint8Array.from(atob(decodeURIComponent(text)), (c) => c.charCodeAt(0)) : new TextEncoder().encode(decodeURIComponent(text));
  return placed(new WebResponse(bytes, { headers: { "content-type": type || "text/plain;charset=US-ASCII" } }), url.href, false);
}

export function createFetch(runtime: Runtime): Fetch {
  let agent: Agent | undefined;
  const http = (): { request(options: Dict): ClientRequest; Agent: new (options: Dict) => Agent } => runtime.builtin("http") as never;

  /** The response's head; its body is still to come. */
  const exchange = (asked: Asked): Promise<Incoming> => new Promise((resolve, reject) => {
    const { url, signal, body } = asked;
    agent ??= new (http().Agent)({ keepAlive: true, timeout: 4000 });
    const hostname = url.hostname.replace(/^\[|\]$/g, "");
    const request = http().request({ agent, host: hostname, port: url.port === "" ? 80 : Number(url.port), method: asked.method, path: `${url.pathname}${url.search}`, headers: { host: asked.headers.get("host") ?? url.host, ...fieldsOf(asked) } });
    const abort = (): void => {
      reject(signal?.reason as Error);
      request.destroy();
    };
    signal?.addEventListener("abort", abort, { once: true });
    request.on("close", () => signal?.removeEventListener("abort", abort));
    request.on("error", (error) => reject(failed((error as Error & { code?: string }).message === "socket hang up" ? Object.assign(new Error("other side closed"), { name: "SocketError", code: "UND_ERR_SOCKET" }) : error)));
    request.on("response", (response) => {
      const incoming = response as Incoming;
      incoming.on("error", () => undefined);
      resolve(incoming);
    });
    if (body instanceof Uint8Array || body === null) request.end(...(body && body.length > 0 ? [body] : []));
    else {
      send(request, body).catch((error: unknown) => {
        request.destroy();
        reject(failed(error));
      });
    }
  });

  const send = async (request: ClientRequest, body: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("Received non-Uint8Array chunk");
      if (!request.write(chunk)) await new Promise((resolve) => request.once("drain", resolve as never));
    }
    request.end();
  };

  const bodyStream = (incoming: Incoming, signal: AbortSignal | null, onFailure: (error: unknown) => void): ReadableStream<Uint8Array> => {
    const stream = incoming as Incoming & { pause(): void };
    let done = false;
    return new ReadableStream<Uint8Array>({
      start(controller) {
        const fail = (error: unknown): void => {
          if (done) return;
          done = true;
          onFailure(error);
          controller.error(error);
        };
        incoming.on("data", (chunk) => {
          controller.enqueue(new Uint8Array(chunk as Uint8Array));
          if ((controller.desiredSize ?? 0) <= 0) stream.pause();
        });
        incoming.on("end", () => {
          if (done) return;
          done = true;
          controller.close();
        });
        incoming.on("close", () => fail(new TypeError("terminated", { cause: Object.assign(new Error("other side closed"), { name: "SocketError", code: "UND_ERR_SOCKET" }) })));
        signal?.addEventListener("abort", () => {
          fail(signal.reason);
          incoming.destroy();
        }, { once: true });
        stream.pause();
      },
      pull: () => incoming.resume(),
      cancel() {
        done = true;
        incoming.destroy();
      },
    });
  };

  const respond = (incoming: Incoming, asked: Asked, redirected: boolean): Response => {
    const headers = new Headers();
    for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) headers.append(incoming.rawHeaders[i] as string, incoming.rawHeaders[i + 1] as string);
    const status = incoming.statusCode ?? 200;
    let body: ReadableStream<Uint8Array> | null = null;
    let failure: unknown;
    if (NULL_BODY.has(status) || asked.method === "HEAD") incoming.resume();
    else {
      body = bodyStream(incoming, asked.signal, (error) => (failure = error));
      for (const coding of (headers.get("content-encoding") ?? "").toLowerCase().split(",").map((x) => x.trim()).reverse()) {
        if (coding === "gzip" || coding === "x-gzip" || coding === "deflate") body = body.pipeThrough(new DecompressionStream(coding === "deflate" ? "deflate" : "gzip") as never);
      }
    }
    return placed(new WebResponse(body, { status, statusText: incoming.statusMessage ?? "", headers }), asked.url.href, redirected, () => failure);
  };

  const follow = (asked: Asked, incoming: Incoming): Asked | undefined => {
    const { location } = incoming.headers;
    if (![301, 302, 303, 307, 308].includes(incoming.statusCode ?? 0) || typeof location !== "string" || asked.redirect === "manual") return undefined;
    incoming.resume();
    if (asked.redirect === "error") throw failed(new Error("unexpected redirect"));
    const url = new URL(location, asked.url);
    if (!url.hash) url.hash = asked.url.hash;
    const headers = new Headers(asked.headers);
    if (url.origin !== asked.url.origin) for (const name of ["authorization", "proxy-authorization", "cookie", "host"]) headers.delete(name);
    const toGet = (incoming.statusCode === 303 && asked.method !== "GET" && asked.method !== "HEAD") || ((incoming.statusCode === 301 || incoming.statusCode === 302) && asked.method === "POST");
    if (!toGet) {
      if (asked.body instanceof ReadableStream) throw failed(new Error("body of a stream cannot be sent again"));
      return { ...asked, url, headers };
    }
    for (const name of ["content-encoding", "content-language", "content-location", "content-type", "content-length"]) headers.delete(name);
    return { ...asked, url, headers, method: "GET", body: null };
  };

  const fetch: Fetch = async (input, init = {}) => {
    if (input === undefined) throw nodeError(TypeError, "ERR_MISSING_ARGS", "fetch: 1 argument required, but only 0 present.");
    let asked = await ask(input, init);
    if (asked.signal?.aborted) throw asked.signal.reason as Error;
    for (let hops = 0; ; hops++) {
      const { url } = asked;
      if (url.protocol === "data:") return dataResponse(url);
      if (url.protocol !== "http:" && url.protocol !== "https:") throw failed(new Error("unknown scheme"));
      if (url.port !== "" && BAD_PORTS.has(Number(url.port))) throw failed(new Error("bad port"));
      const host = url.hostname.replace(/^\[|\]$/g, "");
      if (url.protocol === "https:") throw failed(isLocalName(host) || isIP(host) !== 0 ? unsupported("fetch of an https: address", "a page has no encrypted connections of its own") : nameError(host));
      const incoming = await exchange(asked);
      const next = follow(asked, incoming);
      if (!next) return respond(incoming, asked, hops > 0);
      if (hops >= MAX_REDIRECTS) throw failed(new Error("redirect count exceeded"));
      asked = next;
    }
  };
  return fetch;
}
