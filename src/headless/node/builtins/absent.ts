// Modules that exist in Node and not here. Requiring one is harmless (many packages do so and never use it); using one
// throws an error that names the module and the function.
import { unsupported } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";

const WHY: Readonly<Record<string, string>> = {
  http: "programs in the container have no network", https: "programs in the container have no network", http2: "programs in the container have no network",
  net: "programs in the container have no network", tls: "programs in the container have no network", dgram: "programs in the container have no network",
  dns: "programs in the container have no network", "dns/promises": "programs in the container have no network",
};
/** Classes that programs extend at load time. */
const CLASSES: Readonly<Record<string, readonly string[]>> = {
  http: ["Agent", "ClientRequest", "IncomingMessage", "OutgoingMessage", "Server", "ServerResponse"], https: ["Agent", "Server"], net: ["Socket", "Server", "Stream"], tls: ["TLSSocket", "Server"],
  dns: ["Resolver"], zlib: ["Gzip", "Gunzip", "Inflate", "Deflate"], repl: ["REPLServer"], inspector: ["Session"],
};
const FUNCTIONS: Readonly<Record<string, readonly string[]>> = {
  http: ["createServer", "request", "get"], https: ["createServer", "request", "get"], http2: ["connect", "createServer", "createSecureServer"],
  net: ["connect", "createConnection", "createServer"], tls: ["connect", "createServer", "createSecureContext"], dns: ["lookup", "resolve"], "dns/promises": ["lookup", "resolve"], dgram: ["createSocket"],
  zlib: ["gzip", "gzipSync", "gunzip", "gunzipSync", "deflate", "deflateSync", "inflate", "inflateSync", "brotliCompress", "brotliCompressSync", "brotliDecompress", "brotliDecompressSync", "createGzip", "createGunzip", "createDeflate", "createInflate", "unzip", "unzipSync"],
  repl: ["start"], cluster: ["fork"], domain: ["create"], inspector: ["open", "url"], punycode: ["toASCII", "toUnicode", "encode", "decode"],
};

export function absentModule(name: string): Dict {
  const exported: Dict = {};
  for (const fn of FUNCTIONS[name] ?? []) {
    exported[fn] = () => {
      throw unsupported(`${name}.${fn}`, WHY[name]);
    };
  }
  for (const type of CLASSES[name] ?? []) {
    exported[type] = class {
      constructor() {
        throw unsupported(`new ${name}.${type}`, WHY[name]);
      }
    };
  }
  if (name === "http") Object.assign(exported, { METHODS: ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"], STATUS_CODES: { 200: "OK", 201: "Created", 204: "No Content", 301: "Moved Permanently", 302: "Found", 304: "Not Modified", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 422: "Unprocessable Entity", 429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable" } });
  if (name === "cluster") Object.assign(exported, { isMaster: true, isPrimary: true, isWorker: false, workers: {} });
  if (name === "net") Object.assign(exported, { isIP: (text: string) => (isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0), isIPv4, isIPv6 } satisfies Record<string, AnyFunction | ((text: string) => unknown)>);
  if (name === "zlib") exported["constants"] = {};
  return exported;
}

function isIPv4(text: unknown): boolean {
  const parts = String(text).split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

function isIPv6(text: unknown): boolean {
  if (!/^[\da-f:.]+$/i.test(String(text)) || !String(text).includes(":")) return false;
  return URL.canParse(`http://[${String(text)}]/`);
}
