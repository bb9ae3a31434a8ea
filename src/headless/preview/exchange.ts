// One request over one connection to a server of the container: HTTP/1.1 written out, the answer parsed as it comes.
import { HTTPParser } from "http-parser-js";
import type { DeskLink } from "./desk-link.ts";

// Field values are bytes.
HTTPParser.encoding = "latin1";

export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface ServedRequest {
  readonly method: string;
  /** http, of this machine: its port is the server's. */
  readonly url: URL;
  readonly headers: HeaderList;
  readonly body: Uint8Array | null;
}

export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: HeaderList;
}

export interface AnswerEvents {
  head(head: AnswerHead): void;
  data(bytes: Uint8Array<ArrayBuffer>): void;
  end(): void;
  /** Nothing comes any more; before or after the head. */
  failed(code: string): void;
}

/** What the parser asks of a piece. */
class Piece extends Uint8Array<ArrayBuffer> {
  override toString(_encoding?: string, from = 0, to = this.length): string {
    return String.fromCharCode(...this.subarray(from, to));
  }
}

/** Sends the request; what comes is told. Returns what gives it up. */
export function exchange(desk: DeskLink, request: ServedRequest, events: AnswerEvents): () => void {
  const parser = new HTTPParser("RESPONSE");
  let over = false;
  const finish = (tell: () => void): void => {
    if (over) return;
    over = true;
    connection.close();
    tell();
  };
  let answered = false;
  parser[2] = ({ statusCode, statusMessage, headers }) => {
    answered = statusCode >= 200;
    if (!answered) return 0; // "continue": the real answer follows
    const list = headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1] ?? ""] as const] : []));
    events.head({ status: statusCode, statusText: statusMessage, headers: list });
    return request.method === "HEAD" ? 1 : 0;
  };
  parser[3] = (chunk, offset, length) => {
    if (!over) events.data(new Uint8Array(chunk.subarray(offset, offset + length)));
  };
  parser[4] = () => {
    if (answered) finish(() => events.end());
  };
  const execute = (bytes: Uint8Array<ArrayBuffer>): void => {
    const used = parser.execute(new Piece(bytes.buffer, bytes.byteOffset, bytes.length) as never);
    if (typeof used !== "number") finish(() => events.failed("EPROTO"));
  };
  const connection = desk.connect(Number(request.url.port) || 80, requestBytes(request), {
    data: execute,
    ended: () => {
      const error = parser.finish();
      finish(() => (error || !answered ? events.failed("ECONNRESET") : events.end()));
    },
    failed: (code) => finish(() => events.failed(code)),
  });
  return () => finish(() => undefined);
}

function requestBytes({ method, url, headers, body }: ServedRequest): Uint8Array {
  const own: HeaderList = [["Host", url.host], ["Connection", "close"], ...(body ? [["Content-Length", String(body.length)] as const] : [])];
  const fields = [...own, ...headers.filter(([name]) => !/^(?:host|connection|content-length|transfer-encoding)$/i.test(name))];
  const text = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value.replace(/[\r\n]/g, " ")}\r\n`).join("")}\r\n`;
  const head = Uint8Array.from(text, (c) => c.charCodeAt(0));
  if (!body) return head;
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}
