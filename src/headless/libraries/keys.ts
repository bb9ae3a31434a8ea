// Ciphers, key pairs, signatures and key agreement of node:crypto, and all of crypto.subtle: RSA on big integers, curves by noble. What it takes from the
// runtime is in keys/tools.ts.
import type { Dict } from "../node/runtime.ts";
import { offerLibrary } from "../libraries.ts";
import { ciphers } from "./keys/ciphers/cipher.ts";
import { exchange } from "./keys/exchange.ts";
import { generation } from "./keys/generate.ts";
import { createPrivateKey, createPublicKey, keyFor } from "./keys/key-objects.ts";
import type { RsaKey } from "./keys/material.ts";
import { decrypt, decryptPublicly, encrypt, encryptPrivately, type Oaep, PADDING } from "./keys/rsa.ts";
import { sign, signClasses, verify } from "./keys/sign.ts";
import { type KeyTools, tools, useTools } from "./keys/tools.ts";
import { subtle } from "./keys/web/subtle.ts";
import { X509Certificate } from "./keys/x509/certificate.ts";

/** Functions and classes of node:crypto, by name. */
export type KeyLibrary = (tools: KeyTools) => Dict;

type Operation = (key: RsaKey, data: Uint8Array, padding: number, oaep: Oaep) => Uint8Array;

/** `publicEncrypt` and its three sisters. */
function rsaFunction(secret: boolean, otherwise: number, run: Operation): (given: unknown, data: unknown) => unknown {
  return (given, data) => {
    const { invalidArgType, dataBytes, Buffer, opensslError } = tools();
    const options = (typeof given === "object" && given !== null && !ArrayBuffer.isView(given) ? given : {}) as Dict;
    const key = keyFor(given, secret);
    const { padding = otherwise, oaepHash = "sha1", oaepLabel, encoding } = options;
    if (typeof data !== "string" && !ArrayBuffer.isView(data) && !(data instanceof ArrayBuffer)) throw invalidArgType("buffer", ["string", "ArrayBuffer", "Buffer", "TypedArray", "DataView"], data);
    if (typeof oaepHash !== "string") throw invalidArgType("key.oaepHash", "string", oaepHash);
    if (run === decrypt && padding === PADDING.pkcs1) throw Object.assign(new TypeError("RSA_PKCS1_PADDING is no longer supported for private decryption, this can be reverted with --security-revert=CVE-2023-46809"), { code: "ERR_INVALID_ARG_VALUE" });
    if (key.type !== "rsa") throw opensslError("03000096", "digital envelope routines", "operation not supported for this keytype", "ERR_OSSL_EVP_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE");
    const label = oaepLabel === undefined ? new Uint8Array() : dataBytes(oaepLabel, encoding);
    return Buffer.from(run(key, Uint8Array.from(dataBytes(data, encoding)), padding as number, { digest: oaepHash, label }));
  };
}

export const keys: KeyLibrary = (given) => {
  useTools(given);
  return {
    createPublicKey, createPrivateKey, sign, verify, subtle, X509Certificate,
    ...ciphers(), ...signClasses(), ...generation(), ...exchange(),
    publicEncrypt: rsaFunction(false, PADDING.oaep, encrypt), privateDecrypt: rsaFunction(true, PADDING.oaep, decrypt),
    privateEncrypt: rsaFunction(true, PADDING.pkcs1, encryptPrivately), publicDecrypt: rsaFunction(false, PADDING.pkcs1, decryptPublicly),
  };
};

offerLibrary<"keys">(keys);
