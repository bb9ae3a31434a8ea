// One closed range of a file over HTTP, straight into its place in memory. What the file's size is was known before: an
// answer is held to it, and no header is believed. `range` is the only header that is sent, so that no preflight is asked
// for: the hub's storage does not answer those.
import { AppError, abortedError } from "../base/errors.ts";
import { type Network, watchSilence } from "./network.ts";

/** A file of which everything that can be known beforehand is known. */
export interface RemoteFile {
  readonly name: string;
  readonly url: string;
  readonly bytes: number;
  /** Hex; absent where nobody published one. */
  readonly sha256?: string;
}

/** A part of the file, and how many of its bytes have arrived. */
export interface Part {
  readonly offset: number;
  readonly buffer: Uint8Array<ArrayBuffer>;
  got: number;
}

/** Worth another try: the connection or the server, not the file. Never leaves src/download. */
export class Unreached extends Error {
  readonly waitMs: number | undefined;
  constructor(why: string, waitMs?: number, cause?: unknown) {
    super(why, { cause });
    this.waitMs = waitMs;
  }
}

/** Where a file's bytes come from: the address of the file, or, once known, the one that it redirects to. */
export interface Route {
  readonly file: RemoteFile;
  /** A redirect that was followed; it saves one request a block, and is forgotten when it no longer works. */
  direct: string | undefined;
}

/** Fetches what is missing of `part`. What arrived before a failure stays. Throws `Unreached`, `download/…` or `aborted`. */
export async function fetchRest(route: Route, part: Part, network: Network, silentMs: number, onBytes: (count: number) => void, signal: AbortSignal): Promise<void> {
  const before = part.got;
  const { direct } = route;
  const own = new AbortController();
  const silence = watchSilence(silentMs, () => own.abort());
  try {
    const start = part.offset + part.got;
    const end = part.offset + part.buffer.byteLength - 1;
    const response = await network.fetch(direct ?? route.file.url, { headers: { range: `bytes=${start}-${end}` }, signal: AbortSignal.any([signal, own.signal]) });
    silence.heard();
    const refused = direct !== undefined && !response.ok;
    if (refused) throw new Unreached(`the server answered ${response.status}`, 0);
    checkAnswer(response, route.file, start, end);
    if (response.redirected && response.url !== "") route.direct = response.url;
    await readBody(response, route.file, part, (count) => {
      silence.heard();
      onBytes(count);
    });
  } catch (error) {
    // A signed address ends after an hour; the file's own says where it is then.
    if (direct !== undefined && part.got === before) route.direct = undefined;
    if (signal.aborted) throw abortedError(`Downloading ${route.file.name}`);
    if (error instanceof AppError || error instanceof Unreached) throw error;
    throw new Unreached(own.signal.aborted ? "the connection fell silent" : "the connection failed", undefined, error);
  } finally {
    silence.end();
    own.abort(); // what is still under way of this answer is not wanted
  }
}

async function readBody(response: Response, file: RemoteFile, part: Part, onBytes: (count: number) => void): Promise<void> {
  const reader = response.body?.getReader();
  if (!reader) throw new Unreached("the answer was empty");
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const { value } = piece;
    if (part.got + value.byteLength > part.buffer.byteLength) {
      throw integrity(file, `the server sent more than the ${part.buffer.byteLength} bytes that were asked for`);
    }
    part.buffer.set(value, part.got);
    part.got += value.byteLength;
    onBytes(value.byteLength);
  }
  if (part.got < part.buffer.byteLength) throw new Unreached("the connection ended early");
}

function checkAnswer(response: Response, file: RemoteFile, start: number, end: number): void {
  const { status, headers } = response;
  if (status === 408 || status === 425 || status === 429 || status >= 500) throw new Unreached(`the server answered ${status}`, retryAfter(headers.get("retry-after")));
  if (status === 416) throw integrity(file, `the server says that it ends before byte ${end}, but it was listed with ${file.bytes} bytes`);
  if (status === 401 || status === 403) {
    throw failed(file, `the server answered ${status}: it wants a login, or its publisher must let you in first. Get the file in another tab and open it from your disk`, status);
  }
  if (status === 404 || status === 410) throw failed(file, `the server answered ${status}: the file is no longer there. Look its address up again`, status);
  if (headers.get("content-type")?.toLowerCase().startsWith("text/html")) {
    throw integrity(file, "the server sent a web page instead. A network with a login page does that: open any page, log in, and go on");
  }
  const whole = start === 0 && end + 1 === file.bytes;
  if (status === 200 && whole) return;
  if (status === 200) throw failed(file, "the server sends the whole file when a part is asked for. Get it in another tab and open it from your disk", status);
  if (status !== 206) throw failed(file, `the server answered ${status}. Look its address up again`, status);
  // Not every server lets a page of another site read this header.
  const range = headers.get("content-range");
  const [, from, to, size] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range ?? "") ?? [];
  if (range !== null && (Number(from) !== start || Number(to) !== end)) throw integrity(file, `bytes ${start} to ${end} were asked for, and the server sent “${range}”`);
  if (size !== undefined && size !== "*" && Number(size) !== file.bytes) throw integrity(file, `it has ${size} bytes now and was listed with ${file.bytes}: it was changed there`);
}

/** Seconds, or a date, which a wrong clock makes useless. */
function retryAfter(header: string | null): number | undefined {
  return header !== null && /^\d{1,4}$/.test(header) ? Number(header) * 1000 : undefined;
}

function failed({ name }: RemoteFile, why: string, status: number): AppError {
  return new AppError("download/failed", `${name} could not be downloaded: ${why}.`, { data: { status } });
}

function integrity({ name }: RemoteFile, why: string): AppError {
  return new AppError("download/integrity", `${name} is not what was published: ${why}.`);
}
