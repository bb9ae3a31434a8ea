// The slow half of an operation: a turn of its own, which keeps the process alive as Node's threads do.
import { tools } from "../tools.ts";
import { failed } from "./algorithms.ts";

export const job = <T>(run: () => T): Promise<T> => new Promise((resolve, reject) => {
  tools().later(() => {
    try {
      resolve(run());
    } catch (error) {
      reject(failed(plainCause(error)));
    }
  });
});

/** What Node's threads report of OpenSSL's errors has no code. */
function plainCause(error: unknown): unknown {
  if (error instanceof Error && "library" in error) for (const name of ["library", "reason", "code"]) Reflect.deleteProperty(error, name);
  return error;
}

/** Its own buffer, as the standard's functions return. */
export const bufferOf = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;
