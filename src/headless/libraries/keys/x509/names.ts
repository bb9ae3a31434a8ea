// The names in a certificate: as OpenSSL writes them, and whether one is meant (RFC 4514, 5280, 6125; openssl's x509v3/v3_utl.c
// says how wildcards count).
import { type DerValue, need, oidText, TAG } from "../der.ts";

const SHORT: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.13": "description", "2.5.4.15": "businessCategory",
  "2.5.4.17": "postalCode", "2.5.4.41": "name", "2.5.4.42": "GN", "2.5.4.43": "initials", "2.5.4.44": "generationQualifier", "2.5.4.46": "dnQualifier", "1.2.840.113549.1.9.1": "emailAddress", "1.2.840.113549.1.9.2": "unstructuredName",
  "0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC", "1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL", "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST", "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",
};
const BMP = 0x1e;
const UTF8 = 0x0c;

function textOf({ tag, bytes }: DerValue): string {
  if (tag === UTF8) return new TextDecoder().decode(bytes);
  if (tag === BMP) return new TextDecoder("utf-16be").decode(bytes);
  return latin1(bytes);
}

export const latin1 = (bytes: Uint8Array): string => [...bytes].map((byte) => String.fromCharCode(byte)).join("");

export interface Attribute {
  readonly name: string;
  readonly value: string;
}

/** In their order; what stands together in one part, too. */
const parts = (name: DerValue): readonly (readonly Attribute[])[] => name.items.map((set) => set.items.map(({ items: [type, value] }) => {
  const dotted = oidText(need(type, TAG.oid));
  return { name: SHORT[dotted] ?? dotted, value: textOf(value as DerValue) };
}));

export const attributes = (name: DerValue): readonly Attribute[] => parts(name).flat();

const escaped = (value: string): string => value
  .replace(/[,+"\\<>;]/g, "\\$&").replace(/^[ #]/, "\\$&").replace(/(?<=.) $/, "\\ ")
  .replace(/\p{Cc}/gu, (character) => `\\${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);

/** A line each. */
export const nameText = (name: DerValue): string => parts(name).map((part) => part.map((each) => `${each.name}=${escaped(each.value)}`).join(" + ")).join("\n");

/** One for each kind of name; where several are of a kind, a list. */
export function nameObject(name: DerValue): Record<string, string | string[]> {
  const found = Object.create(null) as Record<string, string | string[]>;
  for (const { name: key, value } of attributes(name)) {
    const known = found[key];
    found[key] = known === undefined ? value : Array.isArray(known) ? [...known, value] : [known, value];
  }
  return found;
}

export interface GeneralName {
  readonly kind: string;
  readonly value: string;
  readonly bytes: Uint8Array;
}

const ADDRESS = 7;
const KINDS: Readonly<Record<number, string>> = { 1: "email", 2: "DNS", 4: "DirName", 6: "URI", [ADDRESS]: "IP Address", 8: "Registered ID" };

export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return "<invalid>";
  return Array.from({ length: 8 }, (_, k) => (((bytes[2 * k] as number) << 8) | (bytes[2 * k + 1] as number)).toString(16).toUpperCase()).join(":");
}

export function generalName(given: DerValue): GeneralName {
  const { tag, bytes, items } = given;
  const number = tag & 0x1f;
  const value = number === ADDRESS ? ipText(bytes) : number === 4 ? attributes(items[0] as DerValue).map((each) => `${each.name} = ${each.value}`).join(", ") : number === 8 ? oidText(given) : number === 0 ? "<unsupported>" : latin1(bytes);
  return { kind: KINDS[number] ?? "othername", value, bytes };
}

/** What could be taken for several names is quoted. */
export const generalNameText = ({ kind, value }: GeneralName): string => `${kind}:${/[",\\']|[^ -~]/.test(value) ? JSON.stringify(value) : value}`;

export interface HostRules {
  readonly subject: "default" | "always" | "never";
  readonly wildcards: boolean;
  readonly partialWildcards: boolean;
  readonly multiLabelWildcards: boolean;
  readonly singleLabelSubdomains: boolean;
}

/** Of a pattern's first label: what stands before the star and after it, up to the end. */
function starred(pattern: string, { wildcards, partialWildcards }: HostRules): readonly [string, string] | undefined {
  const [, before = "", after = "", rest = ""] = /^([^.*]*)\*([^.*]*)((?:\.[a-z0-9_-]+){2,}\.?)$/i.exec(pattern) ?? [];
  const isPartial = before !== "" || after !== "";
  if (rest === "" || !wildcards || (isPartial && !partialWildcards) || (before !== "" && after !== "") || /^xn--/i.test(before)) return undefined;
  return [before, after + rest];
}

/** Whether a name of a certificate covers a host. */
export function covers(pattern: string, host: string, rules: HostRules): boolean {
  const [low, wanted] = [pattern.toLowerCase(), host.toLowerCase()];
  if (wanted.startsWith(".") && wanted.length > 1) return low.length > wanted.length && low.endsWith(wanted) && !(rules.singleLabelSubdomains && low.slice(0, -wanted.length).includes("."));
  if (low === wanted) return true;
  const [before, after] = starred(low, rules) ?? [];
  if (before === undefined || after === undefined || wanted.length < before.length + after.length || !wanted.startsWith(before) || !wanted.endsWith(after)) return false;
  const middle = wanted.slice(before.length, wanted.length - after.length);
  const isLabel = before === "" && after.startsWith(".");
  if (isLabel ? middle === "" : middle.startsWith("xn--")) return false;
  return (isLabel && rules.multiLabelWildcards ? /^[a-z0-9.-]*$/ : /^[a-z0-9-]*$/).test(middle);
}

/** A host's name counts in any case, that of a person does not. */
export function sameEmail(a: string, b: string): boolean {
  const [x, y] = [a.lastIndexOf("@"), b.lastIndexOf("@")];
  return a.slice(0, Math.max(x, 0)) === b.slice(0, Math.max(y, 0)) && a.slice(x).toLowerCase() === b.slice(y).toLowerCase();
}

/** Undefined for what is no address. */
export function ipBytes(text: string): Uint8Array | undefined {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) {
    const numbers = text.split(".").map(Number);
    return numbers.every((number) => number < 256) ? Uint8Array.from(numbers) : undefined;
  }
  if (!text.includes(":") || !/^[\da-f:.]+$/i.test(text)) return undefined;
  const dotted = /(?<=:)[\d.]+\.[\d.]+$/.exec(text)?.[0];
  const four = dotted === undefined ? undefined : ipBytes(dotted);
  if (dotted !== undefined && four?.length !== 4) return undefined;
  const plain = dotted === undefined || !four ? text : text.slice(0, -dotted.length) + [0, 2].map((k) => (((four[k] as number) << 8) | (four[k + 1] as number)).toString(16)).join(":");
  const halves = plain.split("::");
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length > 2 || (halves.length === 2 ? missing < 1 : missing !== 0)) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  return groups.every((group) => /^[\da-f]{1,4}$/i.test(group)) ? Uint8Array.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])) : undefined;
}
