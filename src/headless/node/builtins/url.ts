// node:url: WHATWG URLs from the engine, file paths, and the old parser's common use.
import { fileToUrl, urlToFile } from "../file-url.ts";
import { invalidArgType, nodeError } from "../errors.ts";
import { resolvePath } from "../../posix-path.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { querystring } from "./querystring.ts";

interface LegacyUrl {
  protocol: string | null;
  slashes: boolean | null;
  auth: string | null;
  host: string | null;
  port: string | null;
  hostname: string | null;
  hash: string | null;
  search: string | null;
  query: unknown;
  pathname: string | null;
  path: string | null;
  href: string;
}

function parse(text: unknown, parseQuery = false): LegacyUrl {
  if (typeof text !== "string") throw invalidArgType("url", "string", text);
  const [, protocol, slashes, authority, pathname = "", search, hash] = /^([a-zA-Z][\w+.-]*:)?(?:(\/\/)([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(text.trim()) as RegExpExecArray;
  const at = authority?.lastIndexOf("@") ?? -1;
  const host = authority === undefined ? null : authority.slice(at + 1).toLowerCase();
  const [, hostname = null, port = null] = /^(.*?)(?::(\d+))?$/.exec(host ?? "") ?? [];
  const query = search?.slice(1) ?? null;
  const path = pathname || (slashes && host ? "/" : "");
  const parsed: LegacyUrl = {
    protocol: protocol?.toLowerCase() ?? null, slashes: slashes ? true : null, auth: at >= 0 ? decodeURIComponent((authority as string).slice(0, at)) : null,
    host, port, hostname: host === null ? null : hostname, hash: hash ?? null, search: search ?? (parseQuery ? "" : null),
    query: parseQuery ? (querystring["parse"] as (text: string) => unknown)(query ?? "") : query,
    pathname: path || null, path: path || search ? `${path}${search ?? ""}` : null, href: "",
  };
  parsed.href = format(parsed);
  return parsed;
}

function format(given: unknown): string {
  if (typeof given === "string") return parse(given).href;
  if (given instanceof URL) return given.href;
  const url = given as Partial<LegacyUrl>;
  const protocol = url.protocol ? (url.protocol.endsWith(":") ? url.protocol : `${url.protocol}:`) : "";
  const host = url.host ?? (url.hostname ? `${url.hostname}${url.port ? `:${url.port}` : ""}` : undefined);
  const slashes = url.slashes || (/^(https?|ftp|file|wss?):$/.test(protocol) && host !== undefined);
  const query = typeof url.query === "object" && url.query !== null ? (querystring["stringify"] as (value: unknown) => string)(url.query) : "";
  const search = url.search ?? (query ? `?${query}` : "");
  const pathname = url.pathname ?? "";
  const hash = url.hash ?? "";
  return `${protocol}${slashes ? "//" : ""}${url.auth ? `${encodeURIComponent(url.auth).replace("%3A", ":")}@` : ""}${host ?? ""}${slashes && pathname && !pathname.startsWith("/") ? "/" : ""}${pathname}${search && !search.startsWith("?") ? "?" : ""}${search}${hash && !hash.startsWith("#") ? "#" : ""}${hash}`;
}

function resolve(from: string, to: string): string {
  const base = new URL(from, "resolve://");
  const resolved = new URL(to, base);
  return resolved.protocol === "resolve:" ? `${resolved.pathname}${resolved.search}${resolved.hash}` : resolved.href;
}

const inspectCustom = Symbol.for("nodejs.util.inspect.custom");
const NativeURL = globalThis.URL;
const SHOWN = ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "searchParams", "hash"] as const;

/** The engine's URL with Node's error and Node's look in `console.log`; Node's own has both. */
function nodeUrl(): typeof URL {
  if (inspectCustom in NativeURL.prototype) return NativeURL;
  class NodeUrl extends NativeURL {
    constructor(...args: [string | URL, (string | URL)?]) {
      try {
        super(...args);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        const [input, base] = args.map(String);
        throw nodeError(TypeError, "ERR_INVALID_URL", "Invalid URL", { input, ...(base === undefined ? {} : { base }) });
      }
    }

    [inspectCustom](depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
      if (depth < 0) return this.href;
      const shown = Object.fromEntries(SHOWN.map((name) => [name, this[name]]));
      return `URL ${inspect(shown, options)}`;
    }
  }
  Object.defineProperty(NodeUrl, "name", { value: "URL" });
  return NodeUrl;
}

const NodeURL = nodeUrl();

export function createUrl(runtime: Runtime): Dict {
  return {
    URL: NodeURL, URLSearchParams: globalThis.URLSearchParams, parse, format, resolve,
    fileURLToPath: (url: unknown) => {
      if (typeof url !== "string" && !(url instanceof URL)) throw invalidArgType("path", ["string", "URL"], url);
      return urlToFile(url);
    },
    pathToFileURL: (path: unknown) => {
      if (typeof path !== "string") throw invalidArgType("path", "string", path);
      return new NodeURL(fileToUrl(resolvePath(path, runtime.cwd)) + (path.endsWith("/") && path !== "/" ? "/" : ""));
    },
    urlToHttpOptions: (url: URL) => ({ protocol: url.protocol, hostname: url.hostname, hash: url.hash, search: url.search, pathname: url.pathname, path: `${url.pathname}${url.search}`, href: url.href }),
    domainToASCII: (domain: string) => (URL.canParse(`http://${domain}`) ? new URL(`http://${domain}`).hostname : ""), domainToUnicode: (domain: string) => domain,
    Url: Object,
  };
}
