// net.SocketAddress: an internet address that was read, as text and as a number that can be compared.
import { inspect } from "node-inspect-extracted";
import { checkInteger, checkString, invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import type { Dict } from "../runtime.ts";
import { type Kind, markCloneable, onLoad } from "../threads/cloneable.ts";
import { isIPv4, isIPv6 } from "./address.ts";
import { checkPort } from "./connect-options.ts";

export type Family = "ipv4" | "ipv6";

/** Node's objects have one: by it `inspect` sees, where it may go no deeper, that there is something inside. */
export const HANDLE = Symbol("kHandle");

/** IPv4 addresses as they are among IPv6's: ::ffff:1.2.3.4. */
const MAPPED = 0xffffn << 32n;

function readIPv4(text: string): bigint {
  return text.split(".").reduce((number, part) => (number << 8n) | BigInt(part), 0n);
}

/** The eight numbers of an address that the URL parser has written out. */
function readIPv6(text: string): bigint {
  const [before = "", after] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const head = before.split(":").filter(Boolean);
  const tail = (after ?? "").split(":").filter(Boolean);
  return [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail].reduce((number, part) => (number << 16n) | BigInt(`0x${part}`), 0n);
}

/** As `inet_ntop` writes it: with the end of what holds an IPv4 address in its way. */
function showIPv6(text: string, number: bigint): string {
  const high = number >> 32n;
  if (high !== 0xffffn && (high !== 0n || number < 0x10000n)) return new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const low = [24n, 16n, 8n, 0n].map((bits) => String((number >> bits) & 0xffn)).join(".");
  return `${high === 0n ? "::" : "::ffff:"}${low}`;
}

const KIND: Kind = { name: "SocketAddress", builtin: "net", save: (address) => (address as SocketAddress).toJSON() };
onLoad(KIND.name, (_, options) => new SocketAddress(options));

export class SocketAddress {
  readonly [HANDLE] = {};
  readonly #address: string;
  readonly #port: number;
  readonly #family: Family;
  readonly #flowlabel: number;
  readonly #value: bigint;

  constructor(options: unknown = {}) {
    if (typeof options !== "object" || options === null) throw invalidArgType("options", "object", options);
    const { family: given = "ipv4", port = 0, flowlabel = 0, ...rest } = options as Dict;
    const family = typeof given === "string" ? given.toLowerCase() : given;
    if (family !== "ipv4" && family !== "ipv6") throw invalidArgValue("options.family", given);
    const { address = family === "ipv4" ? "127.0.0.1" : "::" } = rest;
    checkString(address, "options.address");
    this.#port = checkPort(port, "options.port");
    checkInteger(flowlabel, "options.flowlabel", 0, 2 ** 32 - 1);
    if (!(family === "ipv4" ? isIPv4 : isIPv6)(address)) throw nodeError(Error, "ERR_INVALID_ADDRESS", "Invalid socket address");
    const plain = address.replace(/%.*$/, "");
    this.#family = family;
    this.#flowlabel = flowlabel;
    this.#value = family === "ipv4" ? MAPPED | readIPv4(plain) : readIPv6(plain);
    this.#address = family === "ipv4" ? plain : showIPv6(plain, this.#value);
    markCloneable(this, KIND);
  }

  static isSocketAddress(value: unknown): value is SocketAddress {
    return typeof value === "object" && value !== null && #value in value;
  }

  /** The address as a number of 128 bits. For this process's own use. */
  static value(address: SocketAddress): bigint {
    return address.#value;
  }

  get address(): string {
    return this.#address;
  }

  get port(): number {
    return this.#port;
  }

  get family(): Family {
    return this.#family;
  }

  get flowlabel(): number {
    return this.#flowlabel;
  }

  toJSON(): Dict {
    return { address: this.#address, port: this.#port, family: this.#family, flowlabel: this.#flowlabel };
  }

  [Symbol.for("nodejs.util.inspect.custom")](depth: number, options: Dict): unknown {
    return depth < 0 ? this : shown("SocketAddress", this.toJSON(), options);
  }
}

/** An object of these two classes as `util.inspect` shows it. */
export function shown(name: string, value: Dict, options: Dict): string {
  const depth = options["depth"] as number | null;
  return `${name} ${inspect(value, { ...options, depth: depth === null ? null : depth - 1 })}`;
}
