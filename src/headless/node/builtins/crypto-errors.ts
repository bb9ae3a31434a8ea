// Errors as OpenSSL's own come out of Node.

/** `library` and `reason` are own properties there too. */
export function opensslError(number: string, library: string, reason: string, code: string): Error {
  return Object.assign(new Error(`error:${number}:${library}::${reason}`), { library, reason, code });
}
