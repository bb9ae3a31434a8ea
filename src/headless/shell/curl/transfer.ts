// One URL of a curl command: requests along its redirections, and what is to be shown of the answers.
import type { NetworkHost } from "../../node/net/wire.ts";
import type { Body } from "./body.ts";
import { Connection } from "./connection.ts";
import { CurlError } from "./error.ts";
import type { CurlOptions } from "./options.ts";
import { field, type Head, Response } from "./response.ts";

/** Hosts that are this container. */
const HERE = /^(localhost|.+\.localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\])$/;
export const VERSION = "7.88.1";

export interface TransferHost {
  readonly network: NetworkHost;
  nextPort(): number;
  readonly signal: AbortSignal;
  /** A line of -v, without its end. */
  trace(line: string): Promise<void>;
  head(url: URL, head: Head): Promise<void>;
  body(bytes: Uint8Array): Promise<void>;
}

export interface Transferred {
  readonly url: string;
  readonly method: string;
  readonly head: Head;
  readonly redirects: number;
  readonly downloaded: number;
  readonly uploaded: number;
  /** Where it would have gone on to. */
  readonly redirectUrl: string;
}

/** The URL as curl reads it: http:// where none is said. Throws CurlError. */
export function urlOf(text: string): URL {
  const [, scheme] = /^([a-z][a-z\d+.-]*):\/\//i.exec(text) ?? [];
  if (scheme !== undefined && !/^https?$/i.test(scheme)) throw new CurlError(1, `Protocol "${scheme.toLowerCase()}" not supported or disabled in libcurl`);
  let url: URL;
  try {
    url = new URL(scheme === undefined ? `http://${text}` : text);
  } catch {
    throw new CurlError(3, "URL using bad/illegal format or missing URL");
  }
  if (!HERE.test(url.hostname)) throw new CurlError(6, `Could not resolve host: ${url.hostname}\ncurl: nothing in the container reaches the internet; a server of the project is at http://localhost:PORT`);
  if (url.protocol === "https:") throw new CurlError(35, `no TLS between programs of the container: ask http://${url.host}`);
  return url;
}

export async function transfer(first: URL, options: CurlOptions, body: Body | undefined, cookies: (url: URL) => string, host: TransferHost): Promise<Transferred> {
  let url = first;
  let sent = body;
  let method = options.method ?? (options.head ? "HEAD" : options.upload !== undefined ? "PUT" : body ? "POST" : "GET");
  for (let redirects = 0; ; redirects++) {
    const port = Number(url.port || 80);
    const connection = await Connection.open(host.network, port, host.nextPort(), host.signal).catch((error: unknown) => {
      throw error instanceof CurlError ? new CurlError(7, `Failed to connect to ${url.hostname} port ${port} after 0 ms: Couldn't connect to server`) : error;
    });
    try {
      await host.trace(`* Connected to ${url.hostname} (127.0.0.1) port ${port} (#${redirects})`);
      const lines = requestLines(url, method, options, sent, cookies(url));
      for (const line of [...lines, ""]) await host.trace(`> ${line}\r`);
      await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`), host.signal);
      if (sent) await connection.write(sent.bytes, host.signal);
      const response = new Response(connection, host.signal);
      const head = await response.head();
      for (const line of head.text.trimEnd().split("\r\n").concat("")) await host.trace(`< ${line}\r`);
      await host.head(url, head);
      if (options.fail === "quiet" && head.status >= 400) throw new CurlError(22, `The requested URL returned error: ${head.status}`);
      const target = head.status >= 300 && head.status < 400 ? field(head, "location") : undefined;
      const redirectUrl = target === undefined ? "" : new URL(target, url).href;
      const goesOn = redirectUrl !== "" && options.follow;
      let downloaded = 0;
      for await (const bytes of response.body(head, options.head ? "HEAD" : method)) {
        downloaded += bytes.length;
        if (!goesOn) await host.body(bytes);
      }
      if (!goesOn) return { url: url.href, method, head, redirects, downloaded, uploaded: sent?.bytes.length ?? 0, redirectUrl };
      if (redirects >= options.maxRedirects) throw new CurlError(47, `Maximum (${options.maxRedirects}) redirects followed`);
      if (head.status === 303 ? method !== "HEAD" : head.status < 303 && method === "POST") {
        method = options.method ?? "GET"; // -X stays
        sent = undefined;
      }
      url = urlOf(redirectUrl);
    } finally {
      connection.close();
    }
  }
}

function requestLines(url: URL, method: string, { headers, user }: CurlOptions, body: Body | undefined, cookies: string): string[] {
  const own: [string, string][] = [["Host", url.host]];
  const credentials = user ?? (url.username === "" ? undefined : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`);
  if (credentials !== undefined) own.push(["Authorization", `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(credentials.includes(":") ? credentials : `${credentials}:`)))}`]);
  own.push(["User-Agent", `curl/${VERSION}`], ["Accept", body?.headers.find(([name]) => name === "Accept")?.[1] ?? "*/*"]);
  if (cookies !== "") own.push(["Cookie", cookies]);
  const given = headers.flatMap((line): [string, string][] => {
    const [, name, mark, value = ""] = /^([^:;]+)([:;])\s*([^]*)$/.exec(line) ?? [];
    return name === undefined || (mark === ";" && value !== "") ? [] : [[name, mark === ";" ? "\0" : value.trim()]];
  });
  const last: [string, string][] = body ? [["Content-Length", String(body.bytes.length)], ...body.headers.filter(([name]) => name !== "Accept").map(([name, value]): [string, string] => [name, value])] : [];
  const taken = new Set(given.map(([name]) => name.toLowerCase()));
  const free = ([name]: [string, string]): boolean => !taken.has(name.toLowerCase());
  // `Name:` takes a header away, `Name;` sends it empty.
  const sent = [...own.filter(free), ...given.filter(([, value]) => value !== ""), ...last.filter(free)];
  return [`${method} ${url.pathname}${url.search} HTTP/1.1`, ...sent.map(([name, value]) => (value === "\0" ? `${name}:` : `${name}: ${value}`))];
}
