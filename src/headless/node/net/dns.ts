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
function find(host: string, family: number): FoundAddress[] | undefined {
  const kind = isIP(host);
  if (kind !== 0) return [{ address: host, family: kind }];
  if (!isLocalName(host) && host !== "") return undefined;
  return family === 6 ? [{ address: "::1", family: 6 }] : [{ address: "127.0.0.1", family: 4 }];
}

/** As Linux numbers them. */
export const ADDRCONFIG = 32;
const V4MAPPED = 8;
const ALL = 16;
const FAMILIES = [0, 4, 6];

interface LookupOptions {
  readonly family: number;
  readonly all: boolean;
}

function lookupOptions(given: unknown): LookupOptions {
  if (typeof given === "number") {
    checkOneOf(given, "family", FAMILIES);
    return { family: given, all: false };
  }
  if (given !== undefined && typeof given !== "object") throw invalidArgType("options", ["integer", "object"], given);
  const { hints, family, all, verbatim, order } = (given ?? {}) as Dict;
  if (hints !== undefined && hints !== null) {
    if (typeof hints !== "number") throw invalidArgType("options.hints", "number", hints);
    if ((hints & ~(ADDRCONFIG | ALL | V4MAPPED)) !== 0) throw invalidArgValue("hints", hints);
  }
  const number = family === "IPv4" ? 4 : family === "IPv6" ? 6 : (family ?? 0);
  checkOneOf(number, "options.family", FAMILIES);
  for (const [name, value] of Object.entries({ all, verbatim })) if (value !== undefined && value !== null && typeof value !== "boolean") throw invalidArgType(`options.${name}`, "boolean", value);
  if (order !== undefined && order !== null) checkOneOf(order, "options.order", ORDERS);
  return { family: number as number, all: all === true };
}

const ORDERS = ["verbatim", "ipv4first", "ipv6first"];

function checkOneOf(value: unknown, name: string, allowed: readonly unknown[]): void {
  if (!allowed.includes(value)) throw invalidArgValue(name, value, `must be one of: ${allowed.map((one) => (typeof one === "string" ? `'${one}'` : String(one))).join(", ")}`);
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
    if (typeof hostname !== "string" && hostname) throw invalidArgType("hostname", "string", hostname);
    checkFunction(done, "callback");
    const options = lookupOptions(typeof rest[0] === "function" ? {} : rest[0]);
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
    ...servers, ...CODES, getDefaultResultOrder: () => order, ADDRCONFIG, ALL, V4MAPPED,
    setDefaultResultOrder: (wanted: string) => {
      checkOneOf(wanted, "dnsOrder", ORDERS);
      order = wanted;
    },
    lookupService: () => {
      throw unsupported("dns.lookupService", "the container has no name server");
    },
  };
  Object.assign(promises, settings, { Resolver: PromiseResolver });
  Object.defineProperty(lookup, Symbol.for("nodejs.util.promisify.custom"), { value: promises["lookup"] });
  return { ...calls, ...settings, Resolver, promises };
}
