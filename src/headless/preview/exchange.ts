// One request over one connection to a server of the container: HTTP/1.1 written out, the answer parsed as it comes.
import { HttpParser } from "../node/http/parser.ts";
import type { DeskLink } from "./desk-link.ts";

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

/** Sends the request; what comes is told. Returns what gives it up. */
export function exchange(desk: DeskLink, request: ServedRequest, events: AnswerEvents): () => void {
  let over = false;
  const finish = (tell: () => void): void => {
    if (over) return;
    over = true;
    connection.close();
    tell();
  };
  let answered = false;
  const parser = new HttpParser("RESPONSE", {
    head({ status, reason, fields }) {
      answered = status >= 200;
      if (!answered) return undefined; // "continue": the real answer follows
      const headers = fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1] ?? ""] as const] : []));
      events.head({ status, statusText: reason, headers });
      return request.method === "HEAD" ? "bodiless" : undefined;
    },
    body(bytes) {
      if (!over) events.data(new Uint8Array(bytes));
    },
    end() {
      if (answered) finish(() => events.end());
    },
  });
  const parsed = (work: () => void): boolean => {
    try {
      work();
      return true;
    } catch {
      return false; // what came is no HTTP, or is cut short
    }
  };
  const connection = desk.connect(Number(request.url.port) || 80, requestBytes(request), {
    data: (bytes) => {
      if (!over && !parsed(() => parser.execute(bytes))) finish(() => events.failed("EPROTO"));
    },
    ended: () => {
      const whole = parsed(() => parser.finish());
      finish(() => (whole && answered ? events.end() : events.failed("ECONNRESET")));
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
