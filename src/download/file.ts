// Fetches one file whole and checks that it is the file that was meant: size and SHA-256 are known beforehand, and no
// header of the answer is trusted. For files that fit into memory; nothing is stored here.
import { sha256Hex } from "../base/digest.ts";
import { AppError, abortedError } from "../base/errors.ts";
import type { RemoteFile } from "./range-request.ts";

/** Throws `download/failed` (connection, status), `download/integrity` (another size or content) or `aborted`. */
export async function downloadFile(file: RemoteFile & { readonly sha256: string }, onProgress: (doneBytes: number) => void, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(file.bytes);
  let at = 0;
  try {
    const response = await fetch(file.url, signal ? { signal } : {});
    if (!response.ok || !response.body) {
      throw new AppError("download/failed", `${file.name} could not be downloaded: the server answered ${response.status}. Try again later.`, { data: { status: response.status } });
    }
    const reader = response.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (at + part.value.byteLength > whole.byteLength) throw wrong(file, `it is longer than ${file.bytes} bytes`);
      whole.set(part.value, at);
      at += part.value.byteLength;
      onProgress(at);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    if (signal?.aborted) throw abortedError(`Downloading ${file.name}`);
    throw new AppError("download/failed", `${file.name} could not be downloaded: the connection failed. Check it and try again.`, { cause });
  }
  if (at !== file.bytes) throw wrong(file, `it has ${at} bytes, not ${file.bytes}`);
  if ((await sha256Hex(whole)) !== file.sha256.toLowerCase()) throw wrong(file, "its content is another one");
  return whole;
}

function wrong(file: RemoteFile, why: string): AppError {
  return new AppError("download/integrity", `${file.name} is not the file this page expects: ${why}. Reload the page; if it happens again, the site's copy is broken.`);
}
