// What `http.request` was asked for, from its three forms: text, URL or options, and options over either.
import { checkInteger, invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import type { AgentOptions } from "./agent.ts";

export interface RequestOptions extends AgentOptions {
  readonly protocol?: string;
  readonly hostname?: string;
  readonly method?: string;
  readonly path?: string;
  readonly auth?: string;
  readonly agent?: unknown;
  readonly headers?: Readonly<Record<string, unknown>> | readonly unknown[];
  readonly setHost?: boolean;
  readonly setDefaultHeaders?: boolean;
  readonly signal?: AbortSignal;
  readonly createConnection?: AnyFunction;
  readonly _defaultAgent?: unknown;
  readonly defaultPort?: number;
  readonly joinDuplicateHeaders?: boolean;
  readonly maxHeaderSize?: number;
}

/** A URL as request options. */
export function urlToOptions(url: URL): RequestOptions {
  const { protocol, hostname, hash, search, pathname, port, username, password } = url;
  return {
    ...(url as unknown as Dict), protocol, hostname: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname, hash, search, pathname, path: `${pathname || ""}${search || ""}`, href: url.href,
    ...(port === "" ? {} : { port: Number(port) }),
    ...(username || password ? { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` } : {}),
  };
}

function isUrl(value: unknown): value is URL {
  return typeof value === "object" && value !== null && typeof (value as URL).href === "string" && typeof (value as URL).protocol === "string" && typeof (value as URL).origin === "string" && (value as { auth?: unknown }).auth === undefined;
}

export function requestArguments(args: readonly unknown[]): { readonly options: RequestOptions; readonly done: AnyFunction | undefined } {
  const [first, ...rest] = args;
  const done = rest.find((x) => typeof x === "function") as AnyFunction | undefined;
  if (typeof first === "string" || isUrl(first)) {
    let url: URL;
    try {
      url = typeof first === "string" ? new URL(first) : first;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw nodeError(TypeError, "ERR_INVALID_URL", "Invalid URL", { input: String(first) });
    }
    const over = typeof rest[0] === "object" && rest[0] !== null ? (rest[0] as RequestOptions) : {};
    return { options: { ...urlToOptions(url), ...over }, done };
  }
  return { options: { ...((first ?? {}) as RequestOptions) }, done };
}

/** Throws what Node throws for a request that cannot be made. */
export function checkRequest(options: RequestOptions, expectedProtocol: string, defaultProtocol: string): { readonly method: string; readonly path: string; readonly host: string } {
  const protocol = options.protocol || defaultProtocol;
  if (protocol !== expectedProtocol) throw nodeError(TypeError, "ERR_INVALID_PROTOCOL", `Protocol "${protocol}" not supported. Expected "${expectedProtocol}"`);
  const path = options.path ? String(options.path) : "/";
  if (/[^\u0021-\u00ff]/.test(path)) throw nodeError(TypeError, "ERR_UNESCAPED_CHARACTERS", "Request path contains unescaped characters");
  if (options.method !== undefined && options.method !== null && typeof options.method !== "string") throw invalidArgType("options.method", "string", options.method);
  const method = options.method ? options.method.toUpperCase() : "GET";
  if (!/^[\^_`a-zA-Z\-0-9!#$%&'*+.|~]+$/.test(method)) throw nodeError(TypeError, "ERR_INVALID_HTTP_TOKEN", `Method must be a valid HTTP token ["${options.method}"]`);
  for (const name of ["hostname", "host"] as const) {
    const value = options[name];
    if (value !== undefined && value !== null && typeof value !== "string") throw invalidArgType(`options.${name}`, ["string", "undefined", "null"], value);
  }
  checkParsing(options as Dict, "options.");
  return { method, path, host: options.hostname || options.host || "localhost" };
}

/** The options of clients and servers that say how messages are read. */
export function checkParsing(options: Dict, prefix = ""): void {
  for (const name of ["insecureHTTPParser", "joinDuplicateHeaders"]) {
    const value = options[name];
    if (value !== undefined && (typeof value !== "boolean" || value === null)) throw invalidArgType(`${prefix}${name}`, "boolean", value);
  }
  if (options["maxHeaderSize"] !== undefined) checkInteger(options["maxHeaderSize"], "maxHeaderSize", 0);
}
