// Keys as text (PEM), and encrypted by a passphrase: PKCS #8 with PBES2 (RFC 8018), and the older form whose headers name the
// cipher. Ciphers and key derivation are node:crypto's own.
import { joined } from "../../../base/bytes.ts";
import { integer, integerOf, need, nothing, octets, octetsOf, oid, oidText, readDer, sequence, TAG } from "./der.ts";
import { hashed, randomBytes, tools } from "./tools.ts";

export interface Pem {
  /** What stands after BEGIN. */
  readonly label: string;
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([\s\S]*?)-----END \1-----/;

export function readPem(text: string): Pem | undefined {
  const [, label = "", body] = BLOCK.exec(text) ?? [];
  if (body === undefined) return undefined;
  const headers = Object.fromEntries([...body.matchAll(/^([\w-]+): (.*?)\r?$/gm)].map(([, name = "", value = ""]) => [name, value]));
  const base64 = body.replace(/^[\w-]+: .*$/gm, "");
  return { label, headers, bytes: Uint8Array.from(tools().Buffer.from(base64, "base64")) };
}

export function writePem(label: string, bytes: Uint8Array, headers = ""): string {
  const lines = tools().Buffer.from(bytes).toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${headers}${lines.join("\n")}\n-----END ${label}-----\n`;
}

const OIDS = { pbes2: "1.2.840.113549.1.5.13", pbkdf2: "1.2.840.113549.1.5.12" };
const CIPHERS: Readonly<Record<string, string>> = {
  "2.16.840.1.101.3.4.1.2": "aes-128-cbc", "2.16.840.1.101.3.4.1.22": "aes-192-cbc", "2.16.840.1.101.3.4.1.42": "aes-256-cbc",
};
const PRFS: Readonly<Record<string, string>> = {
  "1.2.840.113549.2.7": "sha1", "1.2.840.113549.2.8": "sha224", "1.2.840.113549.2.9": "sha256", "1.2.840.113549.2.10": "sha384", "1.2.840.113549.2.11": "sha512",
};
const ITERATIONS = 2048;

type Crypt = (name: string, key: Uint8Array, iv: Uint8Array) => { update(data: Uint8Array): Uint8Array; final(): Uint8Array };

function crypt(how: "createCipheriv" | "createDecipheriv", cipher: string, key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const run = (tools().crypto[how] as Crypt)(cipher, key, iv);
  return joined([run.update(data), run.final()]);
}

function derive(passphrase: Uint8Array, salt: Uint8Array, iterations: number, length: number, digest: string): Uint8Array {
  return (tools().crypto["pbkdf2Sync"] as (...args: unknown[]) => Uint8Array)(passphrase, salt, iterations, length, digest);
}

const keyLength = (cipher: string): number => Number(/\d+/.exec(cipher)?.[0] ?? 0) / 8;

function cipherNamed(name: string): { readonly cipher: string; readonly dotted: string } {
  const cipher = name.toLowerCase().replace(/^aes(128|192|256)$/, "aes-$1-cbc").replace(/^aes-?(128|192|256)-cbc$/, "aes-$1-cbc");
  const dotted = Object.entries(CIPHERS).find(([, known]) => known === cipher)?.[0];
  if (dotted === undefined) throw tools().unsupported(`crypto: a private key encrypted by ${name}`, "the container encrypts keys with aes-128-cbc, aes-192-cbc and aes-256-cbc");
  return { cipher, dotted };
}

export function encryptPkcs8(bytes: Uint8Array, name: string, passphrase: Uint8Array): Uint8Array {
  const { cipher, dotted } = cipherNamed(name);
  const [salt, iv] = [randomBytes(8), randomBytes(16)];
  const key = derive(passphrase, salt, ITERATIONS, keyLength(cipher), "sha256");
  const prf = Object.entries(PRFS).find(([, digest]) => digest === "sha256")?.[0] ?? "";
  const parameters = sequence(
    sequence(oid(OIDS.pbkdf2), sequence(octets(salt), integer(ITERATIONS), sequence(oid(prf), nothing()))),
    sequence(oid(dotted), octets(iv)),
  );
  return sequence(sequence(oid(OIDS.pbes2), parameters), octets(crypt("createCipheriv", cipher, key, iv, bytes)));
}

export function decryptPkcs8(bytes: Uint8Array, passphrase: Uint8Array): Uint8Array {
  const [algorithm, data] = need(readDer(bytes), TAG.sequence).items;
  const [scheme, parameters] = need(algorithm, TAG.sequence).items;
  if (oidText(need(scheme, TAG.oid)) !== OIDS.pbes2) throw tools().unsupported(`crypto: a private key encrypted by ${oidText(need(scheme, TAG.oid))}`, "the container reads PBES2 with AES");
  const [derivation, encryption] = need(parameters, TAG.sequence).items;
  const [salt, iterations, ...rest] = need(need(derivation, TAG.sequence).items[1], TAG.sequence).items;
  const prf = rest.find(({ tag }) => tag === TAG.sequence)?.items[0];
  const [name, iv] = need(encryption, TAG.sequence).items;
  const { cipher } = cipherNamed(CIPHERS[oidText(need(name, TAG.oid))] ?? oidText(need(name, TAG.oid)));
  const key = derive(passphrase, octetsOf(salt), Number(integerOf(iterations)), keyLength(cipher), prf ? (PRFS[oidText(prf)] ?? "sha1") : "sha1");
  return crypt("createDecipheriv", cipher, key, octetsOf(iv), octetsOf(data));
}

/** OpenSSL's EVP_BytesToKey with MD5, one round: what the headers' form derives keys by, and ciphers without a key. */
export function bytesFromPassword(passphrase: Uint8Array, length: number, salt: Uint8Array = new Uint8Array()): Uint8Array {
  let key: Uint8Array = new Uint8Array();
  for (let last: Uint8Array = new Uint8Array(); key.length < length; key = joined([key, last])) last = hashed("md5", last, passphrase, salt);
  return key.subarray(0, length);
}

export function encryptOld(label: string, bytes: Uint8Array, name: string, passphrase: Uint8Array): string {
  const { cipher } = cipherNamed(name);
  const iv = randomBytes(16);
  const data = crypt("createCipheriv", cipher, bytesFromPassword(passphrase, keyLength(cipher), iv.subarray(0, 8)), iv, bytes);
  return writePem(label, data, `Proc-Type: 4,ENCRYPTED\nDEK-Info: ${cipher.toUpperCase()},${tools().Buffer.from(iv).toString("hex").toUpperCase()}\n\n`);
}

export function decryptOld({ bytes, headers }: Pem, passphrase: Uint8Array): Uint8Array {
  const [name = "", hex = ""] = (headers["DEK-Info"] ?? "").split(",");
  const { cipher } = cipherNamed(name);
  const iv = Uint8Array.from(tools().Buffer.from(hex, "hex"));
  return crypt("createDecipheriv", cipher, bytesFromPassword(passphrase, keyLength(cipher), iv.subarray(0, 8)), iv, bytes);
}

