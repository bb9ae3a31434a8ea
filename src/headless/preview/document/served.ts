// Requests to the servers of the container, through the page around the frame.
import type { FromDocument, SocketToDocument, ToDocument } from "../document-link.ts";
import type { AnswerHead, HeaderList } from "../exchange.ts";

export interface Asking {
  readonly method?: string;
  readonly headers?: HeaderList;
  readonly body?: Uint8Array | null;
  readonly signal?: AbortSignal | null;
}

/** An answer whose body is still to come. */
export interface Answered {
  readonly url: string;
  readonly head: AnswerHead;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
}

interface Waiting {
  head(url: string, head: AnswerHead): void;
  data(bytes: Uint8Array<ArrayBuffer>): void;
  end(): void;
  failed(code: string): void;
}

/** What becomes of one WebSocket. */
export interface SocketListener {
  opened(protocol: string): void;
  message(data: string | Uint8Array<ArrayBuffer>): void;
  /** The oldest message that was not told of yet is on its way. */
  taken(): void;
  closed(code: number, reason: string, wasClean: boolean): void;
}

/** An answer, whole. */
export interface ServedFile {
  readonly url: string;
  readonly ok: boolean;
  readonly status: number;
  /** Of Content-Type, without parameters, in lower case; empty for none. */
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const MAX_REDIRECTS = 20;

// Kept before the document's code can replace it.
const post = parent.postMessage.bind(parent);

export class Served {
  readonly #waiting = new Map<number, Waiting>();
  readonly #sockets = new Map<number, SocketListener>();
  #numbers = 0;
  /** Told of an entry of the history that was gone back to. */
  onPopped: (key: number, url: string) => void = () => undefined;

  tell(message: FromDocument): void {
    post(message, "*"); // whoever is around us made us
  }

  receive(message: ToDocument): void {
    if (message.type === "popped") return this.onPopped(message.key, message.url);
    if (message.type === "show") return;
    const waiting = this.#waiting.get(message.id);
    switch (message.type) {
      case "head":
        return waiting?.head(message.url, message.head);
      case "data":
        return waiting?.data(message.data);
      case "end":
        this.#waiting.delete(message.id);
        return waiting?.end();
      case "failed":
        this.#waiting.delete(message.id);
        return waiting?.failed(message.code);
      default:
        return this.#toSocket(message);
    }
  }

  /** The number of a WebSocket whose messages this hears. */
  openSocket(listener: SocketListener): number {
    const id = ++this.#numbers;
    this.#sockets.set(id, listener);
    return id;
  }

  #toSocket(message: SocketToDocument): void {
    const socket = this.#sockets.get(message.id);
    switch (message.type) {
      case "socket-opened":
        return socket?.opened(message.protocol);
      case "socket-message":
        return socket?.message(message.data);
      case "socket-taken":
        return socket?.taken();
      case "socket-closed":
        this.#sockets.delete(message.id);
        return socket?.closed(message.code, message.reason, message.isClean);
      default:
        message satisfies never;
    }
  }

  /** Follows no redirect. Rejects with a TypeError as fetch does. */
  once(url: string, { method = "GET", headers = [], body = null, signal }: Asking = {}): Promise<Answered> {
    const id = ++this.#numbers;
    return new Promise((resolve, reject) => {
      let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
      const cancel = (): void => {
        this.#waiting.delete(id);
        this.tell({ type: "cancel", id });
      };
      const abort = (): void => {
        cancel();
        controller?.error(signal?.reason);
        reject(signal?.reason as Error);
      };
      if (signal?.aborted) return reject(signal.reason as Error);
      signal?.addEventListener("abort", abort, { once: true });
      const over = (): void => signal?.removeEventListener("abort", abort);
      const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (given) => void (controller = given), cancel });
      this.#waiting.set(id, {
        head: (at, head) => resolve({ url: at, head, body: stream }),
        data: (bytes) => controller?.enqueue(bytes),
        end: () => {
          over();
          controller?.close();
        },
        failed: (code) => {
          over();
          const error = new TypeError(`Failed to fetch ${url}: ${code}`);
          controller?.error(error);
          reject(error);
        },
      });
      this.tell({ type: "request", id, url, method, headers, body });
    });
  }

  /** As `once`, redirects followed. */
  async ask(url: string, asking: Asking = {}): Promise<Answered> {
    let { method = "GET", body = null, headers = [] } = asking;
    for (let hops = 0; ; hops++) {
      const answer = await this.once(url, { ...asking, method, body, headers });
      const { status } = answer.head;
      const next = status >= 300 && status < 400 ? headerOf(answer.head, "location") : undefined;
      if (next === undefined) return answer;
      if (hops >= MAX_REDIRECTS) throw new TypeError(`Failed to fetch ${url}: too many redirects`);
      await answer.body.cancel();
      if (status === 303 || (status < 303 && method === "POST")) {
        method = "GET";
        body = null;
        headers = headers.filter(([name]) => name.toLowerCase() !== "content-type");
      }
      url = new URL(next, answer.url).href;
    }
  }

  async file(url: string): Promise<ServedFile> {
    const answer = await this.ask(url);
    const bytes = new Uint8Array(await new Response(answer.body).arrayBuffer());
    const { status } = answer.head;
    return { url: answer.url, ok: status >= 200 && status < 300, status, type: typeOf(answer.head), bytes };
  }
}

export function headerOf({ headers }: AnswerHead, wanted: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}

export function typeOf(head: AnswerHead): string {
  return (headerOf(head, "content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}
