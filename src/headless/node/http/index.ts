// node:http and what stands for the modules that need encryption or datagrams, which a page cannot offer.
import { checkInteger, unsupported } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { callable } from "../net/callable.ts";
import { nameError } from "../net/errors.ts";
import { isIP, isLocalName } from "../net/address.ts";
import type { ServerClass } from "../net/server.ts";
import type { SocketClass } from "../net/socket.ts";
import { type Agent, type AgentOptions, createAgent } from "./agent.ts";
import { type ClientRequest, createClientRequest } from "./client.ts";
import { requestArguments } from "./client-options.ts";
import { METHODS, STATUS_TEXTS, validateHeaderName, validateHeaderValue } from "./common.ts";
import { createIncoming } from "./incoming.ts";
import { oldClass, type OldClass } from "./old-class.ts";
import { createOutgoing } from "./outgoing.ts";
import { createResponse } from "./response.ts";
import { createHttpServer } from "./server.ts";

/** What https goes by, as Node's does: its own, whatever a program has put into `http` since (nock, msw). */
interface Own {
  readonly Agent: OldClass<Agent>;
  readonly request: (...args: unknown[]) => ClientRequest;
}
const own = new WeakMap<Runtime, Own>();

export function createHttp(runtime: Runtime): Dict {
  const net = runtime.builtin("net");
  const IncomingMessage = createIncoming(runtime);
  const OutgoingMessage = createOutgoing(runtime);
  const ServerResponse = createResponse(OutgoingMessage);
  const Server = callable(createHttpServer(runtime, net["Server"] as ServerClass, IncomingMessage, ServerResponse));
  const AgentClass = createAgent(runtime);
  const http: Dict = {};
  const ClientRequestClass = createClientRequest(runtime, { IncomingMessage, OutgoingMessage, globalAgent: () => http["globalAgent"] as Agent });
  const request = (...args: unknown[]): ClientRequest => new ClientRequestClass(...(args as never[]));
  own.set(runtime, { Agent: AgentClass as OldClass<Agent>, request });
  return Object.assign(http, {
    _connectionListener: undefined, METHODS: [...METHODS], STATUS_CODES: { ...STATUS_TEXTS }, Agent: AgentClass, ClientRequest: ClientRequestClass, IncomingMessage, OutgoingMessage, Server, ServerResponse,
    createServer: (...args: unknown[]) => new Server(...(args as [Dict, AnyFunction])), validateHeaderName, validateHeaderValue, request,
    get: (...args: unknown[]) => request(...args).end(), maxHeaderSize: runtime.options.maxHttpHeaderBytes, setMaxIdleHTTPParsers,
    globalAgent: new AgentClass(...([{ keepAlive: true, scheduling: "lifo", timeout: 5000 }] as never[])),
  });
}

/** There is no pool of parsers here whose size could matter. */
function setMaxIdleHTTPParsers(max: unknown): void {
  checkInteger(max, "max", 1);
}

const NO_TLS = "a page has no encrypted connections of its own; plain http works between programs of the container";

/** node:https: a request fails as it does without a network; a server cannot be. */
export function createHttps(runtime: Runtime): Dict {
  runtime.builtin("http");
  const http = own.get(runtime) as Own;
  const AgentClass = oldClass<Agent>("Agent", http.Agent, (self, args) => {
    http.Agent.call(self, ...args);
    Object.assign(self, { defaultPort: 443, protocol: "https:", maxCachedSessions: 100 });
  }, {
    createConnection(options: AgentOptions, done: AnyFunction) {
      const host = options.host ?? "localhost";
      runtime.loop.post(() => void done(isLocalName(host) || isIP(host) !== 0 ? unsupported("https.request", NO_TLS) : nameError(host)));
      return undefined;
    },
  });
  const https: Dict = {};
  const request = (...args: unknown[]): ClientRequest => {
    const { options, done } = requestArguments(args);
    return http.request({ _defaultAgent: https["globalAgent"], ...options }, done);
  };
  return Object.assign(https, {
    Agent: AgentClass, globalAgent: new AgentClass(...([{ keepAlive: true, scheduling: "lifo", timeout: 5000 }] as never[])), request,
    get: (...args: unknown[]) => request(...args).end(), Server: refusedClass("https.Server", NO_TLS),
    createServer: () => {
      throw unsupported("https.createServer", NO_TLS);
    },
  });
}

function refusedClass(name: string, why: string): unknown {
  return class {
    constructor() {
      throw unsupported(`new ${name}`, why);
    }
  };
}

/** node:tls. */
export function createTls(runtime: Runtime): Dict {
  const Socket = runtime.builtin("net")["Socket"] as SocketClass;
  class JSStreamSocket extends Socket {}
  /** Made around a stream when packages are loaded (http2-wrapper looks at its handle); it never connects. */
  class TLSSocket extends Socket {
    readonly encrypted = true;
    readonly authorized = false;

    constructor(stream?: unknown) {
      super();
      if (stream) this._handle = { _parentWrap: new JSStreamSocket() };
    }

    override connect(): this {
      throw unsupported("tls.TLSSocket.connect", NO_TLS);
    }
  }
  const refuse = (name: string) => () => {
    throw unsupported(`tls.${name}`, NO_TLS);
  };
  return {
    connect: refuse("connect"), createServer: refuse("createServer"), createSecureContext: refuse("createSecureContext"), checkServerIdentity: refuse("checkServerIdentity"),
    TLSSocket, Server: refusedClass("tls.Server", NO_TLS), SecureContext: refusedClass("tls.SecureContext", NO_TLS),
    getCiphers: () => [], rootCertificates: [], DEFAULT_MIN_VERSION: "TLSv1.2", DEFAULT_MAX_VERSION: "TLSv1.3", DEFAULT_ECDH_CURVE: "auto", DEFAULT_CIPHERS: "",
  };
}

/** node:dgram. */
export function createDgram(): Dict {
  const why = "a page has no datagrams; net and http work between programs of the container";
  return {
    createSocket: () => {
      throw unsupported("dgram.createSocket", why);
    },
    Socket: refusedClass("dgram.Socket", why),
  };
}
