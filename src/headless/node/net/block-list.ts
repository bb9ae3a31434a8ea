// net.BlockList: addresses, ranges and networks, and whether an address is among them.
import { checkInteger, checkString, invalidArgValue } from "../errors.ts";
import type { Dict } from "../runtime.ts";
import { type Kind, markCloneable, onLoad } from "../threads/cloneable.ts";
import { HANDLE, shown, SocketAddress } from "./socket-address.ts";

interface Rule {
  readonly text: string;
  /** The call that has made it, for another thread. */
  readonly call: readonly ["addAddress" | "addRange" | "addSubnet", ...unknown[]];
  matches(address: SocketAddress): boolean;
}

const BITS = 128;
const IPV4_BITS = 32;
const named = ({ family }: SocketAddress): string => (family === "ipv4" ? "IPv4" : "IPv6");
const isMapped = (value: bigint): boolean => value >> 32n === 0xffffn;

/** An IPv4 address has no place in the order of those of IPv6 that stand for none. */
function compare(a: SocketAddress, b: SocketAddress): number | undefined {
  const [x, y] = [SocketAddress.value(a), SocketAddress.value(b)];
  if (a.family !== b.family && !(isMapped(x) && isMapped(y))) return undefined;
  return x < y ? -1 : x > y ? 1 : 0;
}

function read(given: unknown, family: unknown, name: string): SocketAddress {
  if (SocketAddress.isSocketAddress(given)) return given;
  checkString(given, name);
  checkString(family, "family");
  return new SocketAddress({ address: given, family });
}

interface Saved {
  readonly place: string;
  readonly calls: readonly Rule["call"][];
}

/** Clones in one thread share their rules. */
const places = new Map<string, WeakRef<Rule[]>>();
const placeOf = new WeakMap<Rule[], string>();
const thread = Math.random();

function placed(rules: Rule[]): string {
  const place = placeOf.get(rules) ?? `${thread}:${places.size}`;
  placeOf.set(rules, place);
  places.set(place, new WeakRef(rules));
  return place;
}

const KIND: Kind = { name: "BlockList", builtin: "net", save: (list) => BlockList.save(list as BlockList) };
onLoad(KIND.name, (_, saved) => BlockList.load(saved as Saved));

export class BlockList {
  readonly [HANDLE] = {};
  /** The newest first. */
  #rules: Rule[] = [];

  constructor() {
    markCloneable(this, KIND);
  }

  static save(list: BlockList): Saved {
    return { place: placed(list.#rules), calls: list.#rules.map(({ call }) => call) };
  }

  static load({ place, calls }: Saved): BlockList {
    const list = new BlockList();
    const known = places.get(place)?.deref();
    if (known) list.#rules = known;
    else for (const [name, ...args] of calls.toReversed()) (list[name] as (...args: unknown[]) => void)(...args);
    return list;
  }

  addAddress(given: unknown, family: unknown = "ipv4"): void {
    const address = read(given, family, "address");
    this.#rules.unshift({ text: `Address: ${named(address)} ${address.address}`, call: ["addAddress", address.address, address.family], matches: (other) => compare(other, address) === 0 });
  }

  addRange(first: unknown, last: unknown, family: unknown = "ipv4"): void {
    const start = read(first, family, "start");
    const end = read(last, family, "end");
    if (compare(start, end) === 1) throw invalidArgValue("start", start, "must come before end");
    this.#rules.unshift({
      text: `Range: ${named(start)} ${start.address}-${end.address}`, call: ["addRange", start.address, end.address, start.family],
      matches: (other) => [0, 1].includes(compare(other, start) ?? -2) && [0, -1].includes(compare(other, end) ?? 2),
    });
  }

  addSubnet(given: unknown, prefix: unknown, family: unknown = "ipv4"): void {
    const network = read(given, family, "network");
    const bits = network.family === "ipv4" ? IPV4_BITS : BITS;
    checkInteger(prefix, "prefix", 0, bits);
    const rest = BigInt(bits - prefix);
    this.#rules.unshift({
      text: `Subnet: ${named(network)} ${network.address}/${prefix}`, call: ["addSubnet", network.address, prefix, network.family],
      matches: (other) => SocketAddress.value(other) >> rest === SocketAddress.value(network) >> rest,
    });
  }

  /** What is no address is not in the list. */
  check(given: unknown, family: unknown = "ipv4"): boolean {
    let address: SocketAddress;
    if (!SocketAddress.isSocketAddress(given)) {
      checkString(given, "address");
      checkString(family, "family");
    }
    try {
      address = read(given, family, "address");
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    }
    return this.#rules.some((rule) => rule.matches(address));
  }

  get rules(): string[] {
    return this.#rules.map(({ text }) => text);
  }

  [Symbol.for("nodejs.util.inspect.custom")](depth: number, options: Dict): unknown {
    return depth < 0 ? this : shown("BlockList", { rules: this.rules }, options);
  }
}
