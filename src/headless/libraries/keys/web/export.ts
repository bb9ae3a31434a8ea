// subtle.exportKey.
import { pkcs8, spki, toJwk } from "../formats.ts";
import { materialOf } from "../key-objects.ts";
import { type Material, publicOf } from "../material.ts";
import type { CryptoKeyParts } from "../../../node/builtins/crypto-secret-key.ts";
import { type Algorithm, domError, jwkName } from "./algorithms.ts";
import { bufferOf, job } from "./job.ts";

export const secretBytes = ({ key }: CryptoKeyParts): Uint8Array => (key as unknown as { export(): Uint8Array }).export();

/** Undefined where the kind of key has no such form. */
function form(format: string, type: string, material: Material): (() => Uint8Array) | undefined {
  if (format === "spki" && type === "public") return () => spki(material);
  if (format === "pkcs8" && type === "private") return () => pkcs8(material);
  if (format !== "raw" || type !== "public") return undefined;
  if (material.type === "ec") return () => material.point;
  return "public" in material ? () => material.public : undefined;
}

export async function exportKey(format: string, parts: CryptoKeyParts): Promise<unknown> {
  const { key, algorithm, extractable, usages } = parts;
  if (!extractable) throw domError("key is not extractable", "InvalidAccessException");
  const material = materialOf(key);
  if (format === "jwk") {
    const own = material ? toJwk(key.type === "public" ? publicOf(material) : material) : { kty: "oct", k: (key as unknown as { export(options: object): { k: string } }).export({ format: "jwk" }).k };
    const alg = jwkName(algorithm as unknown as Algorithm);
    return { key_ops: [...usages], ext: extractable, ...own, ...(alg === undefined ? {} : { alg }) };
  }
  if (!material && format === "raw") return bufferOf(secretBytes(parts));
  const made = material && form(format, key.type, material);
  if (!made) throw domError(`Unable to export a ${format === "pkcs8" ? "pkcs8" : "raw"} ${algorithm.name} ${key.type} key`, "InvalidAccessError");
  return job(() => bufferOf(made()));
}
