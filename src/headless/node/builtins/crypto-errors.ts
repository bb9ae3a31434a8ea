// Errors as OpenSSL's own come out of Node.

/** `library` and `reason` are own properties there too. */
export function opensslError(number: string, library: string, reason: string, code: string): Error {
  return Object.assign(new Error(`error:${number}:${library}::${reason}`), { library, reason, code });
}

export const badDecrypt = (): Error => opensslError("1C800064", "Provider routines", "bad decrypt", "ERR_OSSL_BAD_DECRYPT");
export const wrongBlockLength = (): Error => opensslError("1C80006B", "Provider routines", "wrong final block length", "ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH");
