// X509Certificate: what a certificate says (RFC 5280), in Node's words, and whether it was signed by a key.
import type { Dict } from "../../../node/runtime.ts";
import { bitsOf, type DerValue, fromBigEndian, integerOf, need, octetsOf, oidText, readDer, TAG } from "../der.ts";
import { readPss, readSpki, spki } from "../formats.ts";
import { type KeyPairObject, materialOf, publicObject, rawSpki } from "../key-objects.ts";
import { CURVES, isRsa, type Material, publicOf } from "../material.ts";
import { readPem, writePem } from "../pem.ts";
import { modulusBits, PADDING } from "../rsa.ts";
import { verify } from "../sign.ts";
import { hashed, tools } from "../tools.ts";
import { attributes, covers, type GeneralName, generalName, generalNameText, type HostRules, ipBytes, latin1, nameObject, nameText, sameEmail } from "./names.ts";

const EXTENSIONS = { keyUsage: "2.5.29.15", altName: "2.5.29.17", basic: "2.5.29.19", extended: "2.5.29.37", access: "1.3.6.1.5.5.7.1.1" } as const;
const ACCESS: Readonly<Record<string, string>> = { "1.3.6.1.5.5.7.48.1": "OCSP", "1.3.6.1.5.5.7.48.2": "CA Issuers", "1.3.6.1.5.5.7.48.3": "AD Time Stamping", "1.3.6.1.5.5.7.48.5": "CA Repository" };
const PSS = "1.2.840.113549.1.1.10";
/** By algorithm: the digest; null where the key's own kind says all. */
const SIGNATURES: Readonly<Record<string, string | null>> = {
  "1.2.840.113549.1.1.4": "md5", "1.2.840.113549.1.1.5": "sha1", "1.2.840.113549.1.1.14": "sha224", "1.2.840.113549.1.1.11": "sha256", "1.2.840.113549.1.1.12": "sha384", "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.1": "sha1", "1.2.840.10045.4.3.1": "sha224", "1.2.840.10045.4.3.2": "sha256", "1.2.840.10045.4.3.3": "sha384", "1.2.840.10045.4.3.4": "sha512", "1.3.101.112": null, "1.3.101.113": null,
};
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const GENERALIZED = 0x18;
/** In the bits of keyUsage, from the left. */
const CERT_SIGN = 5;

interface Parsed {
  readonly raw: Uint8Array;
  readonly body: DerValue;
  readonly version: number;
  readonly serial: bigint;
  readonly issuer: DerValue;
  readonly subject: DerValue;
  readonly times: readonly [DerValue, DerValue];
  readonly key: Material;
  readonly algorithm: DerValue;
  readonly signature: Uint8Array;
  /** By OID; the value that its octets hold. */
  readonly extensions: ReadonlyMap<string, DerValue>;
}

function parsed(raw: Uint8Array): Parsed {
  const [body, algorithm, signature] = need(readDer(raw), TAG.sequence).items as [DerValue, DerValue, DerValue];
  const fields = [...need(body, TAG.sequence).items];
  const version = fields[0]?.tag === 0xa0 ? Number(integerOf(fields.shift()?.items[0])) : 0;
  const [serial, , issuer, times, subject] = fields as [DerValue, DerValue, DerValue, DerValue, DerValue];
  const list = fields.find(({ tag }) => tag === 0xa3)?.items[0]?.items ?? [];
  const extensions = new Map(list.map(({ items }) => [oidText(need(items[0], TAG.oid)), readDer(octetsOf(items.at(-1)))]));
  return { raw, body, version, serial: integerOf(serial), issuer, subject, times: [need(times, TAG.sequence).items[0] as DerValue, times.items[1] as DerValue], key: readSpki(rawSpki(raw)), algorithm, signature: bitsOf(signature), extensions };
}

function read(given: Uint8Array): Parsed {
  const { opensslError, Buffer } = tools();
  const bytes = Uint8Array.from(given);
  const isDer = bytes[0] === TAG.sequence;
  const pem = isDer ? undefined : readPem(Buffer.from(bytes).toString("latin1"));
  if (!isDer && pem?.label !== "CERTIFICATE" && pem?.label !== "X509 CERTIFICATE" && pem?.label !== "TRUSTED CERTIFICATE") throw opensslError("0480006C", "PEM routines", "no start line", "ERR_OSSL_PEM_NO_START_LINE");
  try {
    return parsed(pem?.bytes ?? bytes);
  } catch (cause) {
    throw Object.defineProperty(opensslError("068000A8", "asn1 encoding routines", "wrong tag", "ERR_OSSL_ASN1_WRONG_TAG"), "cause", { value: cause });
  }
}

/** `Nov  7 02:24:41 2026 GMT` */
function timeText({ tag, bytes }: DerValue): string {
  const text = latin1(bytes);
  const year = tag === GENERALIZED ? text.slice(0, 4) : `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text.slice(0, 2)}`;
  const [month, day, hours, minutes, seconds] = text.slice(tag === GENERALIZED ? 4 : 2).match(/\d\d/g) as [string, string, string, string, string];
  return `${MONTHS[Number(month) - 1]} ${String(Number(day)).padStart(2)} ${hours}:${minutes}:${seconds} ${year} GMT`;
}

const colons = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(":");
const evenHex = (value: bigint): string => {
  const text = value.toString(16).toUpperCase();
  return text.length % 2 === 0 ? text : `0${text}`;
};

function altNames({ extensions }: Parsed): readonly GeneralName[] | undefined {
  return extensions.get(EXTENSIONS.altName)?.items.map(generalName);
}

function access({ extensions }: Parsed): readonly (readonly [string, GeneralName])[] | undefined {
  return extensions.get(EXTENSIONS.access)?.items.map(({ items: [method, location] }) => {
    const dotted = oidText(need(method, TAG.oid));
    return [ACCESS[dotted] ?? dotted, generalName(location as DerValue)] as const;
  });
}

/** True where nothing is said. */
function maySign({ extensions }: Parsed): boolean {
  const usage = extensions.get(EXTENSIONS.keyUsage);
  return usage === undefined || ((bitsOf(usage)[0] ?? 0) & (0x80 >> CERT_SIGN)) !== 0;
}

function rulesOf(given: unknown): HostRules {
  const { invalidArgType, invalidArgValue } = tools();
  if (given !== undefined && (typeof given !== "object" || given === null)) throw invalidArgType("options", "object", given);
  const rules = { subject: "default", wildcards: true, partialWildcards: true, multiLabelWildcards: false, singleLabelSubdomains: false, ...(given as object | undefined) } as HostRules & Dict;
  if (typeof rules.subject !== "string") throw invalidArgType("options.subject", "string", rules.subject);
  for (const name of ["wildcards", "partialWildcards", "multiLabelWildcards", "singleLabelSubdomains"]) if (typeof rules[name] !== "boolean") throw invalidArgType(`options.${name}`, "boolean", rules[name]);
  if (!["default", "always", "never"].includes(rules.subject)) throw invalidArgValue("options.subject", rules.subject);
  return rules;
}

const invalidValue = (message: string): Error => Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_VALUE" });

function textArgument(value: unknown, name: string): string {
  if (typeof value !== "string") throw tools().invalidArgType(name, "string", value);
  if (value.slice(0, Math.max(1, value.length - 1)).includes("\0")) throw invalidValue(`Invalid ${name}`);
  return value;
}

/** Names of one kind in the certificate; the subject's own where there are none, or where asked for. */
function candidates(from: Parsed, kind: string, attribute: string, subject: HostRules["subject"]): string[] {
  const named = (altNames(from) ?? []).filter((each) => each.kind === kind).map(({ value }) => value);
  const own = attributes(from.subject).filter(({ name }) => name === attribute).map(({ value }) => value);
  return [...named, ...((named.length === 0 && subject !== "never") || subject === "always" ? own : [])];
}

function keyArgument(key: unknown, type: string): KeyPairObject {
  const { KeyObject, invalidArgType, invalidArgValue } = tools();
  if (!(key instanceof KeyObject)) throw invalidArgType("pkey", "KeyObject", key);
  if (key.type !== type) throw invalidArgValue("pkey", key);
  return key as KeyPairObject;
}

function isSignedBy({ body, algorithm, signature }: Parsed, key: KeyPairObject): boolean {
  const [name, parameters] = need(algorithm, TAG.sequence).items;
  const dotted = oidText(need(name, TAG.oid));
  const pss = dotted === PSS && parameters ? readPss(parameters) : undefined;
  const digest = pss?.hash ?? SIGNATURES[dotted];
  if (digest === undefined) throw tools().unsupported(`crypto: a certificate signed by the algorithm ${dotted}`, "the container verifies RSA, ECDSA, Ed25519 and Ed448");
  if (isRsa(materialOf(key) as Material) !== dotted.startsWith("1.2.840.113549.")) return false;
  try {
    return verify(digest, body.whole, pss ? { key, padding: PADDING.pss, saltLength: pss.saltLength } : key, signature) as boolean;
  } catch {
    return false; // another kind of key
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, k) => byte === b[k]);

function keyFacts(key: Material): Dict {
  const { Buffer } = tools();
  if (isRsa(key)) return { modulus: evenHex(key.n), bits: modulusBits(key), exponent: `0x${key.e.toString(16)}`, pubkey: Buffer.from(spki(key)) };
  if (key.type !== "ec") return {};
  const { curve, jwk, bytes } = CURVES[key.curve];
  const nistCurve = jwk === undefined ? `P-${bytes * 8}` : jwk.startsWith("P-") ? jwk : undefined;
  return { bits: curve.Point.Fn.ORDER.toString(2).length, pubkey: Buffer.from(key.point), asn1Curve: key.curve, ...(nistCurve === undefined ? {} : { nistCurve }) };
}

const contents = new WeakMap<object, Parsed>();
const of = (certificate: object): Parsed => contents.get(certificate) as Parsed;

export class X509Certificate {
  constructor(given: unknown) {
    if (typeof given !== "string" && !ArrayBuffer.isView(given)) throw tools().invalidArgType("buffer", ["string", "Buffer", "TypedArray", "DataView"], given);
    contents.set(this, read(tools().toBytes(given)));
  }

  get subject(): string | undefined {
    return nameText(of(this).subject) || undefined;
  }

  get subjectAltName(): string | undefined {
    return altNames(of(this))?.map(generalNameText).join(", ");
  }

  get issuer(): string | undefined {
    return nameText(of(this).issuer) || undefined;
  }

  /** Only a connection knows it. */
  get issuerCertificate(): undefined {
    return undefined;
  }

  get infoAccess(): string | undefined {
    return access(of(this))?.map(([method, location]) => `${method} - ${generalNameText(location)}`).join("\n");
  }

  get validFrom(): string {
    return timeText(of(this).times[0]);
  }

  get validTo(): string {
    return timeText(of(this).times[1]);
  }

  get fingerprint(): string {
    return colons(hashed("sha1", of(this).raw));
  }

  get fingerprint256(): string {
    return colons(hashed("sha256", of(this).raw));
  }

  get fingerprint512(): string {
    return colons(hashed("sha512", of(this).raw));
  }

  get keyUsage(): string[] | undefined {
    return of(this).extensions.get(EXTENSIONS.extended)?.items.map(oidText);
  }

  get serialNumber(): string {
    return evenHex(of(this).serial);
  }

  get raw(): unknown {
    return tools().Buffer.from(of(this).raw);
  }

  get publicKey(): KeyPairObject {
    return publicObject(of(this).key);
  }

  get ca(): boolean {
    const basic = of(this).extensions.get(EXTENSIONS.basic);
    return basic?.items[0]?.tag === 0x01 && fromBigEndian(basic.items[0].bytes) !== 0n && maySign(of(this));
  }

  toString(): string {
    return writePem("CERTIFICATE", of(this).raw);
  }

  toJSON(): string {
    return this.toString();
  }

  checkHost(given: unknown, options?: unknown): string | undefined {
    const host = textArgument(given, "name");
    const rules = rulesOf(options);
    return candidates(of(this), "DNS", "CN", rules.subject).find((name) => covers(name, host, rules));
  }

  checkEmail(given: unknown, options?: unknown): string | undefined {
    const email = textArgument(given, "email");
    const { subject } = rulesOf(options);
    return candidates(of(this), "email", "emailAddress", subject).some((name) => sameEmail(name, email)) ? email : undefined;
  }

  checkIP(given: unknown, options?: unknown): string | undefined {
    const ip = textArgument(given, "ip");
    rulesOf(options);
    const bytes = ipBytes(ip);
    if (!bytes) throw invalidValue("Invalid IP");
    return (altNames(of(this)) ?? []).some((each) => each.kind === "IP Address" && same(each.bytes, bytes)) ? ip : undefined;
  }

  checkIssued(other: unknown): boolean {
    const issuer = typeof other === "object" && other !== null ? contents.get(other) : undefined;
    if (!issuer) throw tools().invalidArgType("otherCert", "X509Certificate", other);
    return same(issuer.subject.whole, of(this).issuer.whole) && maySign(issuer);
  }

  checkPrivateKey(key: unknown): boolean {
    const material = materialOf(keyArgument(key, "private"));
    return material !== undefined && same(spki(publicOf(material)), spki(of(this).key));
  }

  verify(key: unknown): boolean {
    return isSignedBy(of(this), keyArgument(key, "public"));
  }

  toLegacyObject(): Dict {
    const found = of(this);
    const { subjectAltName, keyUsage } = this;
    const infoAccess = access(found);
    const grouped = Object.create(null) as Record<string, string[]>;
    for (const [method, { kind, value }] of infoAccess ?? []) (grouped[`${method} - ${kind}`] ??= []).push(value);
    return {
      subject: nameObject(found.subject), issuer: nameObject(found.issuer), ...(subjectAltName === undefined ? {} : { subjectaltname: subjectAltName }), ...(infoAccess ? { infoAccess: grouped } : {}), ca: this.ca, ...keyFacts(found.key),
      valid_from: this.validFrom, valid_to: this.validTo, fingerprint: this.fingerprint, fingerprint256: this.fingerprint256, fingerprint512: this.fingerprint512, ...(keyUsage ? { ext_key_usage: keyUsage } : {}), serialNumber: this.serialNumber, raw: this.raw,
    };
  }

  [Symbol.for("nodejs.util.inspect.custom")](depth: number, options: { depth?: number | null }): unknown {
    if (depth < 0) return this;
    const { subject, subjectAltName, issuer, infoAccess, validFrom, validTo, fingerprint, fingerprint256, fingerprint512, keyUsage, serialNumber } = this;
    const shown = { subject, subjectAltName, issuer, infoAccess, validFrom, validTo, fingerprint, fingerprint256, fingerprint512, keyUsage, serialNumber };
    return `X509Certificate ${tools().inspect(shown, { ...options, depth: options.depth == null ? null : options.depth - 1 })}`;
  }
}
