// The old URL API of node:url: parse, format and resolve as they were before WHATWG, quirks included. (Over 300 lines: one
// parser whose steps each depend on what the steps before left behind, and the two functions that undo it.)
import { activeRuntime } from "../active.ts";
import { invalidArgType, nodeError } from "../errors.ts";
import type { Dict } from "../runtime.ts";
import { toUnicode } from "./punycode.ts";
import { querystring } from "./querystring.ts";

const WITHOUT_HOST = new Set(["javascript", "javascript:"]);
const HOSTLESS = WITHOUT_HOST;
const SLASHED = new Set(["http", "http:", "https", "https:", "ftp", "ftp:", "gopher", "gopher:", "file", "file:", "ws", "ws:", "wss", "wss:"]);
const SIMPLE_PATH = /^(\/\/?(?!\/)[^?\s]*)(\?[^\s]*)?$/;
const PROTOCOL = /^[a-z0-9.+-]+:/i;
const HOST = /^\/\/[^@/]+@[^@/]+/;
const MAX_HOST = 255;
const FORBIDDEN_IN_HOST = /[\0\t\n\r #%/:<>?@[\\\]^|]/;
const FORBIDDEN_IN_IPV6 = /[\0\t\n\r #%/<>?@\\^|]/;
/** Escaped in what follows the host. */
const ESCAPES: Readonly<Record<string, string>> = { "\t": "%09", "\n": "%0A", "\r": "%0D", " ": "%20", '"': "%22", "'": "%27", "<": "%3C", ">": "%3E", "\\": "%5C", "^": "%5E", "`": "%60", "{": "%7B", "|": "%7C", "}": "%7D" };

function trimmed(text: string): string {
  return text.replace(/^[\s\u00a0\ufeff]+|[\s\u00a0\ufeff]+$/g, "");
}

/** Backslashes before the query are slashes. */
function withSlashes(text: string): string {
  const cut = text.search(/[?#]/);
  return cut < 0 ? text.replaceAll("\\", "/") : text.slice(0, cut).replaceAll("\\", "/") + text.slice(cut);
}

export class Url {
  protocol: string | null = null;
  slashes: boolean | null = null;
  auth: string | null = null;
  host: string | null = null;
  port: string | null = null;
  hostname: string | null = null;
  hash: string | null = null;
  search: string | null = null;
  query: unknown = null;
  pathname: string | null = null;
  path: string | null = null;
  href: string | null = null;

  parse(given: unknown, parseQuery = false, slashesDenoteHost = false): this {
    if (typeof given !== "string") throw invalidArgType("url", "string", given);
    let rest = withSlashes(trimmed(given));
    if (!slashesDenoteHost && !rest.includes("#") && !rest.includes("@")) {
      const simple = SIMPLE_PATH.exec(rest);
      if (simple) return this.#simple(rest, simple[1] as string, simple[2], parseQuery);
    }
    const protocol = PROTOCOL.exec(rest)?.[0];
    const lower = protocol?.toLowerCase();
    if (protocol !== undefined && lower !== undefined) {
      this.protocol = lower;
      rest = rest.slice(protocol.length);
    }
    let slashes = false;
    if (slashesDenoteHost || protocol !== undefined || HOST.test(rest)) {
      slashes = rest.startsWith("//");
      if (slashes && !(lower !== undefined && HOSTLESS.has(lower))) {
        rest = rest.slice(2);
        this.slashes = true;
      }
    }
    if (!(lower !== undefined && HOSTLESS.has(lower)) && (slashes || (lower !== undefined && !SLASHED.has(lower)))) rest = this.#takeHost(rest, given, lower);
    if (!(lower !== undefined && WITHOUT_HOST.has(lower))) rest = rest.replace(/[\t\n\r "'<>\\^`{|}]/g, (character) => ESCAPES[character] as string);
    this.#takePath(rest, parseQuery, lower);
    this.href = this.format();
    return this;
  }

  #simple(rest: string, pathname: string, search: string | undefined, parseQuery: boolean): this {
    this.path = this.href = rest;
    this.pathname = pathname;
    if (search !== undefined) {
      this.search = search;
      this.query = parseQuery ? parse(search.slice(1)) : search.slice(1);
    } else if (parseQuery) {
      this.search = null;
      this.query = Object.create(null) as Dict;
    }
    return this;
  }

  /** The host ends at the first character that cannot be in one; an @ before that ends the user's part. */
  #takeHost(text: string, whole: string, protocol: string | undefined): string {
    let end = -1;
    let at = -1;
    let stop = -1;
    for (let k = 0; k < text.length; k++) {
      const character = text[k] as string;
      if (/[\t\n\r]/.test(character)) {
        // Ignored, as browsers do.
        return this.#takeHost(text.slice(0, k) + text.slice(k + 1), whole, protocol);
      }
      if (/[ "%';<>\\^`{|}]/.test(character)) {
        if (stop === -1) stop = k;
      } else if (/[#/?]/.test(character)) {
        if (stop === -1) stop = k;
        end = k;
      } else if (character === "@") {
        at = k;
        stop = -1;
      }
      if (end !== -1) break;
    }
    let start = 0;
    if (at !== -1) {
      this.auth = decodeURIComponent(text.slice(0, at));
      start = at + 1;
    }
    let rest = "";
    if (stop === -1) {
      this.host = text.slice(start);
    } else {
      this.host = text.slice(start, stop);
      rest = text.slice(stop);
    }
    this.#splitPort();
    const hostname = this.hostname ?? "";
    const isIpv6 = hostname.startsWith("[") && hostname.endsWith("]");
    if (!isIpv6) rest = this.#validHostname(rest, whole);
    this.hostname = (this.hostname ?? "").length > MAX_HOST ? "" : (this.hostname ?? "").toLowerCase();
    if (this.hostname !== "") {
      if (isIpv6) {
        if (FORBIDDEN_IN_IPV6.test(this.hostname)) throw invalid(whole);
      } else {
        this.hostname = ascii(this.hostname);
        if (this.hostname === "" || FORBIDDEN_IN_HOST.test(this.hostname)) throw invalid(whole);
      }
    }
    this.host = this.hostname + (this.port ? `:${this.port}` : "");
    if (isIpv6) {
      this.hostname = this.hostname.slice(1, -1);
      if (!rest.startsWith("/")) rest = `/${rest}`;
    }
    return rest;
  }

  #splitPort(): void {
    const host = this.host ?? "";
    const port = /:(\d*)$/.exec(host)?.[0];
    if (port !== undefined) {
      if (port !== ":") this.port = port.slice(1);
      this.hostname = host.slice(0, host.length - port.length);
    } else this.hostname = host;
  }

  /** A character that no hostname has cuts it; the rest belongs to the path. */
  #validHostname(rest: string, whole: string): string {
    const hostname = this.hostname ?? "";
    const wrong = /[/\\#?:]/.exec(hostname);
    if (!wrong) return rest;
    if (wrong[0] === ":") warnOfPort(whole);
    this.hostname = hostname.slice(0, wrong.index);
    return `/${hostname.slice(wrong.index)}${rest}`;
  }

  #takePath(rest: string, parseQuery: boolean, protocol: string | undefined): void {
    const hashAt = rest.indexOf("#");
    const beforeHash = hashAt < 0 ? rest : rest.slice(0, hashAt);
    if (hashAt >= 0) this.hash = rest.slice(hashAt);
    const queryAt = beforeHash.indexOf("?");
    if (queryAt >= 0) {
      this.search = beforeHash.slice(queryAt);
      this.query = parseQuery ? parse(this.search.slice(1)) : this.search.slice(1);
    } else if (parseQuery) {
      this.search = null;
      this.query = Object.create(null) as Dict;
    }
    const pathname = queryAt < 0 ? beforeHash : beforeHash.slice(0, queryAt);
    if (pathname !== "") this.pathname = pathname;
    if (protocol !== undefined && SLASHED.has(protocol) && this.hostname && !this.pathname) this.pathname = "/";
    if (this.pathname || this.search) this.path = (this.pathname ?? "") + (this.search ?? "");
  }

  format(): string {
    let auth = this.auth ?? "";
    if (auth) auth = `${encodeAuth(auth)}@`;
    let protocol = this.protocol ?? "";
    let pathname = this.pathname ?? "";
    let hash = this.hash ?? "";
    let host = "";
    if (this.host) host = auth + this.host;
    else if (this.hostname) host = auth + (this.hostname.includes(":") && !this.hostname.startsWith("[") ? `[${this.hostname}]` : this.hostname) + (this.port ? `:${this.port}` : "");
    const query = this.query !== null && typeof this.query === "object" ? stringify(this.query) : "";
    let search = this.search ?? (query ? `?${query}` : "");
    if (protocol && !protocol.endsWith(":")) protocol += ":";
    pathname = pathname.replace(/[?#]/g, (character) => (character === "?" ? "%3F" : "%23"));
    if (this.slashes || SLASHED.has(protocol)) {
      if (this.slashes || host) {
        if (pathname && !pathname.startsWith("/")) pathname = `/${pathname}`;
        host = `//${host}`;
      } else if (protocol.length >= 4 && protocol.startsWith("file")) host = "//";
    }
    search = search.replaceAll("#", "%23");
    if (hash && !hash.startsWith("#")) hash = `#${hash}`;
    if (search && !search.startsWith("?")) search = `?${search}`;
    return protocol + host + pathname + search + hash;
  }

  resolve(relative: string): string {
    return this.resolveObject(urlParse(relative, false, true)).format();
  }

  resolveObject(given: unknown): Url {
    const relative = typeof given === "string" ? new Url().parse(given, false, true) : (given as Url);
    const result = Object.assign(new Url(), this);
    result.hash = relative.hash;
    if (relative.href === "") {
      result.href = result.format();
      return result;
    }
    if (relative.slashes && !relative.protocol) {
      Object.assign(result, relative, { protocol: result.protocol });
      if (result.protocol !== null && SLASHED.has(result.protocol) && result.hostname && !result.pathname) result.path = result.pathname = "/";
      result.href = result.format();
      return result;
    }
    if (relative.protocol && relative.protocol !== result.protocol) return otherProtocol(result, relative);
    return joinPaths(result, relative);
  }

  parseHost(): void {
    this.#splitPort();
  }
}

/** To another protocol: all of the other, but for its host where it has none. */
function otherProtocol(result: Url, relative: Url): Url {
  const protocol = relative.protocol as string;
  if (!SLASHED.has(protocol)) {
    Object.assign(result, relative);
    result.href = result.format();
    return result;
  }
  result.protocol = protocol;
  if (!relative.host && !/^file:?$/.test(protocol) && !HOSTLESS.has(protocol)) {
    const parts = (relative.pathname ?? "").split("/");
    let host = "";
    while (parts.length > 0 && host === "") host = parts.shift() ?? "";
    relative.host = host;
    relative.hostname ??= "";
    if (parts[0] !== "") parts.unshift("");
    if (parts.length < 2) parts.unshift("");
    result.pathname = parts.join("/");
  } else result.pathname = relative.pathname;
  Object.assign(result, { search: relative.search, query: relative.query, host: relative.host ?? "", auth: relative.auth, hostname: relative.hostname || relative.host, port: relative.port });
  if (result.pathname || result.search) result.path = (result.pathname ?? "") + (result.search ?? "");
  result.slashes = result.slashes || relative.slashes;
  result.href = result.format();
  return result;
}

function joinPaths(result: Url, relative: Url): Url {
  const isSourceAbsolute = result.pathname?.startsWith("/") ?? false;
  const isRelativeAbsolute = Boolean(relative.host) || (relative.pathname?.startsWith("/") ?? false);
  let mustEndAbsolute = isRelativeAbsolute || isSourceAbsolute || (Boolean(result.host) && Boolean(relative.pathname));
  const removeAll = mustEndAbsolute;
  let source = result.pathname?.split("/") ?? [];
  let target = relative.pathname?.split("/") ?? [];
  const noLeadingSlashes = Boolean(result.protocol) && !SLASHED.has(result.protocol as string);
  if (noLeadingSlashes) {
    result.hostname = "";
    result.port = null;
    if (result.host) {
      if (source[0] === "") source[0] = result.host;
      else source.unshift(result.host);
    }
    result.host = "";
    if (relative.protocol) {
      relative.hostname = relative.port = null;
      result.auth = null;
      if (relative.host) {
        if (target[0] === "") target[0] = relative.host;
        else target.unshift(relative.host);
      }
      relative.host = null;
    }
    mustEndAbsolute = mustEndAbsolute && (target[0] === "" || source[0] === "");
  }
  if (isRelativeAbsolute) {
    if (relative.host || relative.host === "") {
      if (result.host !== relative.host) result.auth = null;
      result.host = relative.host;
      result.port = relative.port;
    }
    if (relative.hostname || relative.hostname === "") {
      if (result.hostname !== relative.hostname) result.auth = null;
      result.hostname = relative.hostname;
    }
    result.search = relative.search;
    result.query = relative.query;
    source = target;
  } else if (target.length > 0) {
    source.pop();
    source = source.concat(target);
    result.search = relative.search;
    result.query = relative.query;
  } else if (relative.search !== null && relative.search !== undefined) {
    if (noLeadingSlashes) takeHostFromPath(result, source);
    result.search = relative.search;
    result.query = relative.query;
    if (result.pathname !== null || result.search !== null) result.path = (result.pathname ?? "") + (result.search ?? "");
    result.href = result.format();
    return result;
  }
  target = source;
  if (target.length === 0) {
    result.pathname = null;
    result.path = result.search ? `/${result.search}` : null;
    result.href = result.format();
    return result;
  }
  return finishPath(result, relative, target, mustEndAbsolute, removeAll, noLeadingSlashes);
}

function takeHostFromPath(result: Url, parts: string[]): void {
  result.host = result.hostname = parts.shift() ?? "";
  const at = result.host.indexOf("@") > 0 && result.host.split("@");
  if (at) {
    result.auth = at.shift() ?? null;
    result.host = result.hostname = at.shift() ?? "";
  }
}

function finishPath(result: Url, relative: Url, parts: string[], mustBeAbsolute: boolean, removeAll: boolean, noLeadingSlashes: boolean): Url {
  const last = parts.at(-1);
  const trailing = ((result.host || relative.host || parts.length > 1) && (last === "." || last === "..")) || last === "";
  let up = 0;
  for (let k = parts.length - 1; k >= 0; k--) {
    if (parts[k] === ".") parts.splice(k, 1);
    else if (parts[k] === "..") {
      parts.splice(k, 1);
      up++;
    } else if (up > 0) {
      parts.splice(k, 1);
      up--;
    }
  }
  let mustEndAbsolute = mustBeAbsolute;
  if (!mustEndAbsolute && !removeAll) while (up-- > 0) parts.unshift("..");
  if (mustEndAbsolute && parts[0] !== "" && (!parts[0] || !parts[0].startsWith("/"))) parts.unshift("");
  if (trailing && !parts.join("/").endsWith("/")) parts.push("");
  const isAbsolute = parts[0] === "" || (parts[0]?.startsWith("/") ?? false);
  if (noLeadingSlashes) {
    result.hostname = result.host = isAbsolute ? "" : parts.length > 0 ? (parts.shift() ?? "") : "";
    const at = result.host.indexOf("@") > 0 && result.host.split("@");
    if (at) {
      result.auth = at.shift() ?? null;
      result.host = result.hostname = at.shift() ?? "";
    }
  }
  mustEndAbsolute = mustEndAbsolute || (Boolean(result.host) && parts.length > 0);
  if (mustEndAbsolute && !isAbsolute) parts.unshift("");
  if (parts.length === 0) result.pathname = result.path = null;
  else result.pathname = parts.join("/");
  if (result.pathname !== null || result.search !== null) result.path = (result.pathname ?? "") + (result.search ?? "");
  result.auth = relative.auth || result.auth;
  result.slashes = result.slashes || relative.slashes;
  result.href = result.format();
  return result;
}

let warned = false;

/** Said once, as in Node: newer ones refuse it. */
function warnOfPort(whole: string): void {
  if (warned) return;
  warned = true;
  activeRuntime()?.process.emitWarning(`The URL ${whole} is invalid. Future versions of Node.js will throw an error.`, { type: "DeprecationWarning", code: "DEP0170" });
}

const invalid = (input: string): Error => nodeError(TypeError, "ERR_INVALID_URL", "Invalid URL", { input });
const parse = (text: string): unknown => (querystring["parse"] as (text: string) => unknown)(text);
const stringify = (value: unknown): string => (querystring["stringify"] as (value: unknown) => string)(value);
const encodeAuth = (text: string): string => encodeURIComponent(text).replace(/%3A/gi, ":");

/** The name as it goes over the wire; empty for what cannot. */
function ascii(hostname: string): string {
  if (!/[^\0-\x7f]/.test(hostname)) return hostname;
  return URL.canParse(`ws://${hostname}`) ? new URL(`ws://${hostname}`).hostname : "";
}

export function urlParse(text: unknown, parseQuery = false, slashesDenoteHost = false): Url {
  return text instanceof Url ? text : new Url().parse(text, parseQuery, slashesDenoteHost);
}

export function urlFormat(given: unknown, options: { fragment?: boolean; unicode?: boolean; search?: boolean; auth?: boolean } = {}): string {
  if (typeof given === "string") return urlParse(given).format();
  if (typeof given !== "object" || given === null) throw invalidArgType("urlObject", ["Object", "string"], given);
  if (!(given instanceof URL)) return Url.prototype.format.call(given);
  const url = new URL(given.href);
  if (options.fragment === false) url.hash = "";
  if (options.search === false) url.search = "";
  if (options.auth === false) url.username = url.password = "";
  return options.unicode === true && url.hostname !== "" ? url.href.replace(url.hostname, toUnicode(url.hostname)) : url.href;
}

export const urlResolve = (from: unknown, to: unknown): string => urlParse(from, false, true).resolve(to as string);
export const urlResolveObject = (from: unknown, to: unknown): unknown => (from ? urlParse(from, false, true).resolveObject(to) : to);
