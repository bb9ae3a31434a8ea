// An HTTP/1.1 response from the bytes of a connection (RFC 9112 §4 to §7): its head, then its body piece by piece.
import { joined } from "../../../base/bytes.ts";
import { latin1 } from "../../kernel/text-encoding.ts";
import { CurlError } from "./error.ts";
import type { Connection } from "./connection.ts";

export interface Head {
  readonly version: string;
  readonly status: number;
  /** Names as they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** With all line ends, the empty line included. */
  readonly text: string;
}

const HEAD_BYTES = 300_000;

export class Response {
  readonly #connection: Connection;
  readonly #signal: AbortSignal;
  #rest: Uint8Array = new Uint8Array();

  constructor(connection: Connection, signal: AbortSignal) {
    this.#connection = connection;
    this.#signal = signal;
  }

  /** The next head that is no announcement (1xx). */
  async head(): Promise<Head> {
    for (;;) {
      const text = await this.#until("\r\n\r\n");
      if (text === "") throw new CurlError(52, "Empty reply from server");
      const [first = "", ...lines] = text.trimEnd().split("\r\n");
      const [, version, status] = /^HTTP\/(\d(?:\.\d)?) (\d{3})/.exec(first) ?? [];
      if (version === undefined || status === undefined) throw new CurlError(1, "Received HTTP/0.9 when not allowed");
      if (status.startsWith("1") && status !== "101") continue;
      const headers = lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as const);
      return { version, status: Number(status), headers, text };
    }
  }

  async *body(head: Head, method: string): AsyncGenerator<Uint8Array> {
    if (method === "HEAD" || head.status === 204 || head.status === 304) return;
    if (/\bchunked\b/i.test(field(head, "transfer-encoding") ?? "")) return yield* this.#chunks();
    const length = field(head, "content-length");
    let left = length === undefined ? Number.POSITIVE_INFINITY : Number(length);
    while (left > 0) {
      const piece = await this.#next();
      if (!piece && length !== undefined) throw new CurlError(18, `transfer closed with ${left} bytes remaining to read`);
      if (!piece) return;
      yield piece.subarray(0, left);
      left -= piece.length;
    }
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const line = await this.#until("\r\n");
      const [size] = /^[\da-f]+/i.exec(line) ?? [];
      if (size === undefined) throw new CurlError(line === "" ? 18 : 56, line === "" ? "transfer closed with outstanding read data remaining" : "Malformed encoding found in chunked-encoding");
      let left = Number.parseInt(size, 16);
      if (left === 0) return;
      while (left > 0) {
        const piece = await this.#next();
        if (!piece) throw new CurlError(18, "transfer closed with outstanding read data remaining");
        this.#rest = piece.subarray(left);
        yield piece.subarray(0, left);
        left -= Math.min(left, piece.length);
      }
      await this.#until("\r\n");
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    const rest = this.#rest;
    this.#rest = new Uint8Array();
    return rest.length > 0 ? rest : this.#connection.read(this.#signal);
  }

  /** Up to and with `end`; what came of it where the connection ended before. */
  async #until(end: string): Promise<string> {
    for (;;) {
      const text = latin1(this.#rest);
      const at = text.indexOf(end);
      if (at >= 0) {
        this.#rest = this.#rest.subarray(at + end.length);
        return text.slice(0, at + end.length);
      }
      if (this.#rest.length > HEAD_BYTES) throw new CurlError(56, "Too large response headers");
      const more = await this.#connection.read(this.#signal);
      if (!more) return "";
      this.#rest = joined([this.#rest, more]);
    }
  }
}

/** The last value of a header. */
export function field({ headers }: Head, name: string): string | undefined {
  return headers.findLast(([key]) => key.toLowerCase() === name)?.[1];
}
