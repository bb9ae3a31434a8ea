// Node's modules whose names begin with an underscore: parts of others, which some packages ask for and many list.
import { unsupported } from "../errors.ts";
import { validateHeaderName, validateHeaderValue } from "../http/common.ts";
import { createHttpCommon } from "../later/http.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";

type Factory = (runtime: Runtime) => Dict;

/** Some names of another module. */
const of = (module: string, ...names: readonly string[]): Factory => (runtime) => {
  const whole = runtime.builtin(module);
  return Object.fromEntries(names.map((name) => [name, whole[name]]));
};
const stream = (name: string): Factory => (runtime) => runtime.builtin("stream")[name] as Dict;

const uniqueHeaders = (headers: unknown): Set<string> | null => (Array.isArray(headers) ? new Set((headers as string[]).map((name) => name.toLowerCase())) : null);

export const PRIVATE: Readonly<Record<string, Factory>> = {
  _http_agent: of("http", "Agent", "globalAgent"),
  _http_client: of("http", "ClientRequest"),
  _http_common: createHttpCommon,
  _http_incoming: (runtime) => ({
    ...of("http", "IncomingMessage")(runtime),
    readStart: (socket?: { _paused?: boolean; readable: boolean; resume(): void }) => {
      if (socket && !socket._paused && socket.readable) socket.resume();
    },
    readStop: (socket?: { pause(): void }) => socket?.pause(),
  }),
  _http_outgoing: (runtime) => ({
    ...of("http", "OutgoingMessage")(runtime), kHighWaterMark: Symbol("kHighWaterMark"), kUniqueHeaders: Symbol("kUniqueHeaders"), parseUniqueHeadersOption: uniqueHeaders, validateHeaderName, validateHeaderValue,
  }),
  _http_server: (runtime) => ({
    ...of("http", "STATUS_CODES", "Server", "ServerResponse")(runtime), kServerResponse: Symbol("ServerResponse"), kConnectionsCheckingInterval: Symbol("http.server.connectionsCheckingInterval"),
  }),
  _stream_duplex: stream("Duplex"), _stream_passthrough: stream("PassThrough"), _stream_readable: stream("Readable"), _stream_transform: stream("Transform"), _stream_writable: stream("Writable"),
  _stream_wrap: ({ process }) => {
    process.emitWarning("The _stream_wrap module is deprecated.", { type: "DeprecationWarning", code: "DEP0125" });
    function JSStreamSocket(): void {
      throw unsupported("new _stream_wrap", "a socket is made by node:net here, not around a stream");
    }
    return JSStreamSocket as AnyFunction as unknown as Dict;
  },
  _tls_common: of("tls", "SecureContext", "createSecureContext"),
  _tls_wrap: of("tls", "TLSSocket", "Server", "createServer", "connect"),
};
