// `fetch` and EventSource to the container's servers. Anything else is left to the browser, whose policy refuses it.
import { servedUrl } from "../served-url.ts";
import type { Served } from "./served.ts";

const EMPTY: ReadonlySet<number> = new Set([101, 204, 205, 304]);

export function installRequests(served: Served): void {
  const native = fetch.bind(window);
  window.fetch = async (input, init) => {
    const request = new Request(input, init);
    if (!servedUrl(request.url)) return native(request);
    const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
    const follow = request.redirect === "follow";
    const answer = await (follow ? served.ask : served.once).call(served, request.url, { method: request.method, headers: [...request.headers], body, signal: request.signal });
    const { status, statusText, headers } = answer.head;
    if (!follow && request.redirect === "error" && status >= 300 && status < 400) throw new TypeError(`Failed to fetch ${request.url}: it redirects`);
    const response = new Response(EMPTY.has(status) ? null : answer.body, { status: Math.max(200, status), statusText, headers: headers.filter(([name]) => !/^set-cookie2?$/i.test(name)).map(([name, value]) => [name, value]) });
    return Object.defineProperties(response, { url: { value: answer.url }, redirected: { value: answer.url !== request.url }, type: { value: "basic" } });
  };
  navigator.sendBeacon = (url, data) => {
    if (!servedUrl(String(url), document.baseURI)) return false;
    void fetch(url, { method: "POST", body: data ?? null }).catch(() => undefined); // nobody waits for a beacon
    return true;
  };
  window.EventSource = ServedEvents as unknown as typeof EventSource;
}

const RETRY_MS = 3000;

/** Server-sent events over `fetch`. */
class ServedEvents extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  readonly url: string;
  readonly withCredentials = false;
  readyState = 0;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readonly #abort = new AbortController();
  #lastId = "";
  #retryMs = RETRY_MS;

  constructor(url: string | URL) {
    super();
    this.url = new URL(url, document.baseURI).href;
    void this.#run();
  }

  close(): void {
    this.readyState = ServedEvents.CLOSED;
    this.#abort.abort();
  }

  async #run(): Promise<void> {
    while (this.readyState !== ServedEvents.CLOSED) {
      try {
        const response = await fetch(this.url, { headers: { accept: "text/event-stream", ...(this.#lastId ? { "last-event-id": this.#lastId } : {}) }, signal: this.#abort.signal });
        if (!response.ok || !response.headers.get("content-type")?.startsWith("text/event-stream")) this.readyState = ServedEvents.CLOSED;
        else {
          this.readyState = ServedEvents.OPEN;
          this.#fire("open", new Event("open"));
          await this.#read(response.body!.pipeThrough(new TextDecoderStream()).getReader());
        }
      } catch {
        // Lost: it is tried again, as the standard has it.
      }
      if (this.readyState !== ServedEvents.CLOSED) this.readyState = ServedEvents.CONNECTING;
      if (this.#abort.signal.aborted) return;
      this.#fire("error", new Event("error"));
      await new Promise((resolve) => setTimeout(resolve, this.#retryMs));
    }
  }

  async #read(reader: ReadableStreamDefaultReader<string>): Promise<void> {
    let text = "";
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      text = (text + next.value).replaceAll("\r\n", "\n").replaceAll("\r", "\n");
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        this.#block(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  }

  #block(block: string): void {
    let type = "message";
    const data: string[] = [];
    for (const line of block.split("\n")) {
      const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (field === "data") data.push(value);
      else if (field === "event") type = value || "message";
      else if (field === "id") this.#lastId = value;
      else if (field === "retry" && /^\d+$/.test(value)) this.#retryMs = Number(value);
    }
    if (data.length > 0) this.#fire(type, new MessageEvent(type, { data: data.join("\n"), lastEventId: this.#lastId, origin: new URL(this.url).origin }));
  }

  #fire(type: string, event: Event): void {
    const handler = type === "open" ? this.onopen : type === "error" ? this.onerror : type === "message" ? this.onmessage : null;
    (handler as ((event: Event) => void) | null)?.(event);
    this.dispatchEvent(event);
  }
}
