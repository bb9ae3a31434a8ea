// Random access to the bytes of a model file, wherever it lies: memory, a File the user picked, or a URL that serves ranges.
// A source never caches and never reads more than it is asked for.
import { AppError, abortedError } from "../base/errors.ts";

export interface ByteSource {
  /** For messages: the file's name. */
  readonly name: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`. Throws `model/format` when the range leaves the file, `aborted`, or `download/failed`. */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

function checkRange(source: { readonly name: string; readonly size: number }, offset: number, length: number): void {
  if (offset < 0 || length < 0 || offset + length > source.size) {
    throw new AppError("model/format", `${source.name} ends too early: it has ${source.size} bytes, and bytes up to ${offset + length} are needed. Get the file again.`, {
      data: { size: source.size, needed: offset + length },
    });
  }
}

/** Bytes in memory. Reads are copies. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    async read(offset, length, signal) {
      checkRange({ name, size: bytes.byteLength }, offset, length);
      if (signal?.aborted) throw abortedError(`Reading ${name}`);
      return Uint8Array.from(bytes.subarray(offset, offset + length));
    },
  };
}

/** A File or Blob; nothing but the asked range is brought into memory. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, length, signal) {
      checkRange({ name, size: blob.size }, offset, length);
      if (signal?.aborted) throw abortedError(`Reading ${name}`);
      try {
        return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (cause) {
        throw new AppError("model/format", `${name} can no longer be read: it was moved or changed after it was chosen. Choose it again.`, { cause });
      }
    },
  };
}

/** A URL on a server that answers byte ranges. `size` is known beforehand: a response header is never trusted for it. */
export function urlSource(name: string, url: string, size: number, fetchBytes: typeof fetch = fetch): ByteSource {
  return {
    name,
    size,
    async read(offset, length, signal) {
      checkRange({ name, size }, offset, length);
      if (length === 0) return new Uint8Array();
      let response: Response;
      let bytes: Uint8Array<ArrayBuffer>;
      try {
        response = await fetchBytes(url, { headers: { range: `bytes=${offset}-${offset + length - 1}` }, ...(signal ? { signal } : {}) });
        bytes = new Uint8Array(await response.arrayBuffer());
      } catch (cause) {
        if (signal?.aborted) throw abortedError(`Downloading ${name}`);
        throw new AppError("download/failed", `${name} could not be downloaded: the connection failed. Try again; what is stored is kept.`, { cause });
      }
      if (response.status === 200 && bytes.byteLength === size) return bytes.slice(offset, offset + length);
      if (response.status !== 206 || bytes.byteLength !== length) {
        throw new AppError("download/failed", `${name} could not be downloaded: the server answered ${response.status} with ${bytes.byteLength} bytes instead of ${length}.`, {
          data: { status: response.status, bytes: bytes.byteLength, expected: length },
        });
      }
      return bytes;
    },
  };
}
