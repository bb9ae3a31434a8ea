// node:url: WHATWG URLs from the engine, file paths, and the old parser's common use.
import { fileToUrl, urlToFile } from "../file-url.ts";
import { invalidArgType } from "../errors.ts";
import { toUnicode } from "./punycode.ts";
import { resolvePath } from "../../posix-path.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { Url, urlFormat, urlParse, urlResolve, urlResolveObject } from "./url-legacy.ts";
import { webClasses } from "./web-classes.ts";

/** Anything that looks like one: there may be classes of other realms. */
function isUrl(value: unknown): value is URL {
  const { href, protocol, auth, path } = (value ?? {}) as Dict;
  return Boolean(href && protocol && auth === undefined && path === undefined);
}

/** Node's checks on what a file URL may be. */
function filePath(url: unknown): string {
  if (typeof url !== "string" && !isUrl(url)) throw invalidArgType("path", ["string", "URL"], url);
  return urlToFile(url);
}

const hostOf = (domain: string): string => (URL.canParse(`ws://${domain}`) ? new URL(`ws://${domain}`).hostname : "");

export function createUrl(runtime: Runtime): Dict {
  return {
    Url, parse: urlParse, resolve: urlResolve, resolveObject: urlResolveObject, format: urlFormat, URL: webClasses.URL, URLSearchParams: webClasses.URLSearchParams,
    domainToASCII: (domain: unknown) => hostOf(String(domain)), domainToUnicode: (domain: unknown) => toUnicode(hostOf(String(domain))),
    pathToFileURL: (path: unknown) => {
      if (typeof path !== "string") throw invalidArgType("path", "string", path);
      return new webClasses.URL(fileToUrl(resolvePath(path, runtime.cwd)) + (path.endsWith("/") && path !== "/" ? "/" : ""));
    },
    fileURLToPath: filePath,
    urlToHttpOptions: (url: URL) => ({
      __proto__: null, ...url, protocol: url.protocol, hostname: url.hostname?.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname, hash: url.hash, search: url.search, pathname: url.pathname, path: `${url.pathname || ""}${url.search || ""}`, href: url.href,
      ...(url.port === "" ? {} : { port: Number(url.port) }), ...(url.username || url.password ? { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` } : {}),
    }),
  };
}
