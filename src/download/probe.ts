// A file at any address: whether its server answers ranges, and how large it says that it is. What it says is a lead: the
// size is fixed from then on, and every answer is held to it. Nobody has published a hash of such a file.
import { AppError, abortedError } from "../base/errors.ts";
import type { RemoteFile } from "./range-request.ts";

/** Throws `download/failed` with what the server does wrong, or `aborted`. */
export async function probeFile(url: string, signal?: AbortSignal, get: typeof fetch = fetch): Promise<RemoteFile> {
  const { host, pathname } = new URL(url);
  const name = decodeURIComponent(pathname.slice(pathname.lastIndexOf("/") + 1)) || host;
  const own = new AbortController();
  const both = signal ? AbortSignal.any([signal, own.signal]) : own.signal;
  try {
    const first = await get(url, { headers: { range: "bytes=0-0" }, signal: both });
    checkStatus(first, name);
    const told = /^bytes 0-0\/(\d+)$/.exec(first.headers.get("content-range") ?? "")?.[1];
    // A page of another site may read the length of an answer even where it may not read the range.
    const size = Number(told ?? (await get(url, { signal: both })).headers.get("content-length") ?? Number.NaN);
    if (!Number.isSafeInteger(size) || size <= 0) throw new AppError("download/failed", `${host} does not tell pages of other sites how large ${name} is. Get the file in another tab and open it from your disk.`);
    return { name, url, bytes: size };
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    if (signal?.aborted) throw abortedError(`Looking at ${name}`);
    throw new AppError("download/failed", `${host} cannot be reached, or does not let pages of other sites read its files. Check the address, or get the file in another tab and open it from your disk.`, { cause });
  } finally {
    own.abort(); // of a whole file only the headers were wanted
  }
}

function checkStatus({ status, headers }: Response, name: string): void {
  if (headers.get("content-type")?.toLowerCase().startsWith("text/html")) throw new AppError("download/failed", `${name}: there is a web page at this address, not a file. Use the address of the file itself.`, { data: { status } });
  if (status === 200) throw new AppError("download/failed", `${name}: the server sends only whole files, so an interrupted download would start over. Get the file in another tab and open it from your disk.`, { data: { status } });
  if (status !== 206) throw new AppError("download/failed", `${name}: the server answered ${status}. Check the address.`, { data: { status } });
}
