// node:url: WHATWG URLs from the engine, file paths, and the old parser's common use.
import { fileToUrl, urlToFile } from "../file-url.ts";
import { invalidArgType, nodeError } from "../errors.ts";
import { toUnicode } from "./punycode.ts";
import { resolvePath } from "../../posix-path.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { Url, urlFormat, urlParse, urlResolve, urlResolveObject } from "./url-legacy.ts";

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

/** Node's checks on what a file URL may be. */
function filePath(url: unknown): string {
  if (typeof url !== "string" && !(url instanceof URL)) throw invalidArgType("path", ["string", "URL"], url);
  return urlToFile(url);
}

const hostOf = (domain: string): string => (URL.canParse(`ws://${domain}`) ? new URL(`ws://${domain}`).hostname : "");

export function createUrl(runtime: Runtime): Dict {
  return {
    Url, parse: urlParse, resolve: urlResolve, resolveObject: urlResolveObject, format: urlFormat, URL: NodeURL, URLSearchParams: globalThis.URLSearchParams,
    domainToASCII: (domain: unknown) => hostOf(String(domain)), domainToUnicode: (domain: unknown) => toUnicode(hostOf(String(domain))),
    pathToFileURL: (path: unknown) => {
      if (typeof path !== "string") throw invalidArgType("path", "string", path);
      return new NodeURL(fileToUrl(resolvePath(path, runtime.cwd)) + (path.endsWith("/") && path !== "/" ? "/" : ""));
    },
    fileURLToPath: filePath,
    urlToHttpOptions: (url: URL) => ({
      __proto__: null, ...url, protocol: url.protocol, hostname: url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname, hash: url.hash, search: url.search, pathname: url.pathname, path: `${url.pathname || ""}${url.search || ""}`, href: url.href,
      ...(url.port === "" ? {} : { port: Number(url.port) }), ...(url.username || url.password ? { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` } : {}),
    }),
  };
}
