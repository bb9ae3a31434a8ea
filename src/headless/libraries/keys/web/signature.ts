// subtle.sign and verify.
import type { CryptoKeyParts } from "../../../node/builtins/crypto-secret-key.ts";
import { PADDING } from "../rsa.ts";
import { sign, verify } from "../sign.ts";
import { tools } from "../tools.ts";
import { type Algorithm, digestName, domError } from "./algorithms.ts";
import { bufferOf, job } from "./job.ts";

type Hmac = (digest: string, key: object) => { update(data: Uint8Array): { digest(): Uint8Array } };
const DIGEST_BYTES: Readonly<Record<string, number>> = { "SHA-1": 20, "SHA-256": 32, "SHA-384": 48, "SHA-512": 64 };

function mac({ key, algorithm }: CryptoKeyParts, data: Uint8Array): Uint8Array {
  return (tools().crypto["createHmac"] as Hmac)(digestName(algorithm["hash"] as { name: string }), key).update(data).digest();
}

/** The digest, and what node:crypto's functions take as a key. */
function keyed({ name, hash, saltLength }: Algorithm, { key, algorithm }: CryptoKeyParts): readonly [string | null, object] {
  if (name.startsWith("Ed")) return [null, key];
  if (name === "ECDSA") return [digestName(hash), { key, dsaEncoding: "ieee-p1363" }];
  const own = algorithm["hash"] as { name: string };
  if (name !== "RSA-PSS") return [digestName(own), key];
  const most = Math.ceil(((algorithm["modulusLength"] as number) - 1) / 8) - (DIGEST_BYTES[own.name] as number) - 2;
  if (saltLength > most) throw tools().outOfRange("algorithm.saltLength", `>= 0 && <= ${most}`, saltLength);
  return [digestName(own), { key, padding: PADDING.pss, saltLength }];
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.reduce((difference, byte, k) => difference | (byte ^ (b[k] as number)), 0) === 0;

/** Without a signature it makes one, else says whether it is right. */
export async function signOrVerify(algorithm: Algorithm, parts: CryptoKeyParts, data: Uint8Array, signature?: Uint8Array): Promise<ArrayBuffer | boolean> {
  const use = signature ? "verify" : "sign";
  const { name, context } = algorithm;
  if (!parts.usages.includes(use) || parts.algorithm.name !== name) throw domError(`Unable to use this key to ${use}`, "InvalidAccessError");
  if (name === "HMAC") return job(() => (signature ? same(mac(parts, data), signature) : bufferOf(mac(parts, data))));
  const type = signature ? "public" : "private";
  if (parts.key.type !== type) throw domError(`Key must be a ${type} key`, "InvalidAccessError");
  if (name === "Ed448" && context && context.length > 0) throw domError("Non zero-length context is not yet supported.", "NotSupportedError");
  return job(() => {
    const [digest, key] = keyed(algorithm, parts);
    return signature ? (verify(digest, data, key, signature) as boolean) : bufferOf(sign(digest, data, key) as Uint8Array);
  });
}
