// WebSocket to the container's servers, through the page around the frame. To any other address it is the browser's own,
// which the policy refuses.
import { servedUrl } from "../served-url.ts";
import type { Served } from "./served.ts";

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const REASON_BYTES = 123;

export function installWebSocket(served: Served): void {
  const Native = window.WebSocket;
  window.WebSocket = new Proxy(ServedSocket, {
    construct(target, [url, protocols]: [string | URL, string | string[] | undefined], newTarget) {
      const address = URL.parse(url, document.baseURI);
      if (address && !servedUrl(address.href.replace(/^ws:/, "http:"))) return new Native(url, protocols);
      return Reflect.construct(target, [served, address, protocols], newTarget) as object;
    },
  }) as unknown as typeof WebSocket;
}

class ServedSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readonly url: string;
  readonly extensions = "";
  protocol = "";
  readyState = 0;
  binaryType: BinaryType = "blob";
  bufferedAmount = 0;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  readonly #served: Served;
  readonly #id: number;
  /** A Blob's bytes come later; what is sent after it waits for them. */
  #before: Promise<void> | undefined;
  readonly #sizes: number[] = [];

  constructor(served: Served, address: URL | null, protocols: string | readonly string[] = []) {
    super();
    const wanted = typeof protocols === "string" ? [protocols] : [...protocols].map(String);
    if (!address) throw new DOMException("The address is no URL", "SyntaxError");
    if (new Set(wanted.map((name) => name.toLowerCase())).size < wanted.length || !wanted.every((name) => TOKEN.test(name))) throw new DOMException("The protocols are no distinct tokens", "SyntaxError");
    address.hash = "";
    this.url = address.href.replace(/^http/, "ws");
    this.#served = served;
    this.#id = served.openSocket({
      opened: (protocol) => {
        this.protocol = protocol;
        this.readyState = Math.max(this.readyState, ServedSocket.OPEN);
        if (this.readyState === ServedSocket.OPEN) this.#fire(new Event("open"));
      },
      message: (data) => this.#fire(new MessageEvent("message", { data: this.#given(data), origin: new URL(this.url).origin })),
      taken: () => (this.bufferedAmount -= this.#sizes.shift() ?? 0),
      closed: (code, reason, wasClean) => {
        this.readyState = ServedSocket.CLOSED;
        if (!wasClean) this.#fire(new Event("error"));
        this.#fire(new CloseEvent("close", { code, reason, wasClean }));
      },
    });
    served.tell({ type: "socket-open", id: this.#id, url: this.url, protocols: wanted });
  }

  send(data: string | ArrayBuffer | ArrayBufferView | Blob): void {
    if (this.readyState === ServedSocket.CONNECTING) throw new DOMException("Still in CONNECTING state.", "InvalidStateError");
    const size = data instanceof Blob ? data.size : typeof data === "string" ? new TextEncoder().encode(data).length : ArrayBuffer.isView(data) || data instanceof ArrayBuffer ? data.byteLength : String(data).length;
    this.bufferedAmount += size;
    if (this.readyState !== ServedSocket.OPEN) return;
    this.#sizes.push(size);
    this.#inOrder(data instanceof Blob ? data.arrayBuffer() : undefined, (read) => this.#served.tell({ type: "socket-send", id: this.#id, data: bytesOf(read ?? data) }));
  }

  close(code?: number, reason = ""): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) throw new DOMException(`The close code must be either 1000, or between 3000 and 4999. ${code} is neither.`, "InvalidAccessError");
    if (new TextEncoder().encode(reason).length > REASON_BYTES) throw new DOMException(`The close reason must not be greater than ${REASON_BYTES} UTF-8 bytes.`, "SyntaxError");
    if (this.readyState >= ServedSocket.CLOSING) return;
    this.readyState = ServedSocket.CLOSING;
    this.#inOrder(undefined, () => this.#served.tell({ type: "socket-close", id: this.#id, code: code ?? (reason === "" ? null : 1000), reason }));
  }

  #inOrder(read: Promise<ArrayBuffer> | undefined, act: (bytes: ArrayBuffer | undefined) => void): void {
    if (!read && !this.#before) return act(undefined);
    const turn = (this.#before ?? Promise.resolve()).then(async () => act(await read)).finally(() => {
      if (this.#before === turn) this.#before = undefined;
    });
    this.#before = turn;
  }

  #given(data: string | Uint8Array<ArrayBuffer>): unknown {
    if (typeof data === "string") return data;
    return this.binaryType === "arraybuffer" ? data.buffer : new Blob([data]);
  }

  #fire(event: Event): void {
    const handler = { open: this.onopen, message: this.onmessage, error: this.onerror, close: this.onclose }[event.type as "open"];
    this.dispatchEvent(event);
    (handler as ((event: Event) => void) | null)?.call(this, event);
  }
}

/** A copy of its own: what the program does with its bytes afterwards is not sent. */
function bytesOf(data: unknown): string | Uint8Array<ArrayBuffer> {
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice());
  if (ArrayBuffer.isView(data)) return Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return String(data);
}
