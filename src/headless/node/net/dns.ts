// node:dns and node:dns/promises. The container knows one machine, itself; every other name is unknown, as behind a cable
// that was pulled.
import { checkFunction, invalidArgType, invalidArgValue, unsupported } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { isIP, isLocalName } from "./address.ts";
import { nameError } from "./errors.ts";

export interface FoundAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** All addresses of a name, or undefined. */
function find(host: string, family: unknown): FoundAddress[] | undefined {
  const kind = isIP(host);
  if (kind !== 0) return [{ address: host, family: kind }];
  if (!isLocalName(host) && host !== "") return undefined;
  return family === 6 || family === "IPv6" ? [{ address: "::1", family: 6 }] : [{ address: "127.0.0.1", family: 4 }];
}

interface LookupOptions {
  readonly family?: number | string;
  readonly all?: boolean;
}

const RECORDS = ["A", "AAAA", "Any", "Caa", "Cname", "Mx", "Naptr", "Ns", "Ptr", "Soa", "Srv", "Txt"] as const;
const CODES = Object.fromEntries(
  "NODATA FORMERR SERVFAIL NOTFOUND NOTIMP REFUSED BADQUERY BADNAME BADFAMILY BADRESP CONNREFUSED TIMEOUT EOF FILE NOMEM DESTRUCTION BADSTR BADFLAGS NONAME BADHINTS NOTINITIALIZED LOADIPHLPAPI ADDRGETNETWORKPARAMS CANCELLED"
    .split(" ").map((name) => [name, name === "EOF" ? "EOF" : `E${name}`]),
);

export function createDns(runtime: Runtime): Dict {
  const later = (done: AnyFunction, ...args: unknown[]): void => runtime.loop.post(() => void done(...args));
  const lookup = (hostname: unknown, ...rest: unknown[]): object => {
    const done = rest.at(-1);
    const given = rest.length > 1 ? rest[0] : {};
    const options = (typeof given === "number" ? { family: given } : (given ?? {})) as LookupOptions;
    if (typeof hostname !== "string" && hostname) throw invalidArgType("hostname", "string", hostname);
    if (![undefined, 0, 4, 6, "IPv4", "IPv6"].includes(options.family)) throw invalidArgValue("family", options.family, "must be one of: 0, 4, 6");
    checkFunction(done, "callback");
    const host = String(hostname ?? "");
    const found = hostname ? find(host, options.family) : undefined;
    if (!hostname) later(done as AnyFunction, null, ...(options.all ? [[]] : [null, options.family === 6 ? 6 : 4]));
    else if (!found) later(done as AnyFunction, nameError(host));
    else if (options.all) later(done as AnyFunction, null, found);
    else later(done as AnyFunction, null, found[0]?.address, found[0]?.family);
    return {};
  };
  const resolving = (record: string) => (hostname: unknown, ...rest: unknown[]): object => {
    const done = rest.at(-1);
    if (typeof hostname !== "string") throw invalidArgType("name", "string", hostname);
    checkFunction(done, "callback");
    later(done as AnyFunction, nameError(hostname, `query${record}`));
    return {};
  };
  const resolvers: Dict = Object.fromEntries(RECORDS.map((record) => [`resolve${record === "A" ? "4" : record === "AAAA" ? "6" : record}`, resolving(record)]));
  resolvers["resolve"] = (hostname: unknown, ...rest: unknown[]) => resolving(typeof rest[0] === "string" ? `${rest[0][0]}${rest[0].slice(1)}` : "A")(hostname, rest.at(-1));
  resolvers["reverse"] = (ip: string, done: AnyFunction) => later(done, Object.assign(nameError(ip, "getHostByAddr")));
  const servers = { getServers: () => [], setServers: () => undefined };

  class Resolver {
    cancel(): void {
      return undefined;
    }
  }
  Object.assign(Resolver.prototype, resolvers, servers);
  const promised = (name: string, call: AnyFunction) => (...args: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const settle = (error: unknown, value: unknown, family: unknown): void => {
        if (error) reject(error as Error);
        else resolve(name === "lookup" && !Array.isArray(value) ? { address: value, family } : value);
      };
      call(...args, settle as AnyFunction);
    });
  const calls: Dict = { lookup, ...resolvers };
  const promises: Dict = Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, promised(name, call as AnyFunction)]));
  class PromiseResolver extends Resolver {}
  Object.assign(PromiseResolver.prototype, promises);
  let order = "verbatim";
  const settings = {
    ...servers, ...CODES, getDefaultResultOrder: () => order, setDefaultResultOrder: (wanted: string) => void (order = wanted), ADDRCONFIG: 1024, ALL: 256, V4MAPPED: 2048,
    lookupService: () => {
      throw unsupported("dns.lookupService", "the container has no name server");
    },
  };
  Object.assign(promises, settings, { Resolver: PromiseResolver });
  Object.defineProperty(lookup, Symbol.for("nodejs.util.promisify.custom"), { value: promises["lookup"] });
  return { ...calls, ...settings, Resolver, promises };
}
