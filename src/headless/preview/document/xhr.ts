// XMLHttpRequest over `fetch`, for the libraries that know no other way. Asynchronous alone: a synchronous one throws.

const TYPES = ["", "text", "json", "arraybuffer", "blob", "document"] as const;

export function installXhr(): void {
  window.XMLHttpRequest = ServedXhr as unknown as typeof XMLHttpRequest;
}

class ServedXhr extends EventTarget {
  static readonly UNSENT = 0;
  static readonly OPENED = 1;
  static readonly HEADERS_RECEIVED = 2;
  static readonly LOADING = 3;
  static readonly DONE = 4;
  readonly UNSENT = 0;
  readonly OPENED = 1;
  readonly HEADERS_RECEIVED = 2;
  readonly LOADING = 3;
  readonly DONE = 4;
  readyState = 0;
  status = 0;
  statusText = "";
  responseURL = "";
  responseType: (typeof TYPES)[number] = "";
  response: unknown = "";
  timeout = 0;
  withCredentials = false;
  readonly upload = new EventTarget();
  [handler: `on${string}`]: ((event: Event) => void) | null | undefined;
  #method = "GET";
  #url = "";
  #headers = new Headers();
  #answer: Headers | undefined;
  #abort = new AbortController();

  get responseText(): string {
    return typeof this.response === "string" ? this.response : "";
  }

  get responseXML(): Document | null {
    return this.response instanceof Document ? this.response : null;
  }

  open(method: string, url: string | URL, async = true): void {
    if (!async) throw new DOMException("The preview answers no synchronous request: pass true to open(), or use fetch.", "InvalidAccessError");
    this.#method = method.toUpperCase();
    this.#url = new URL(url, document.baseURI).href;
    this.#headers = new Headers();
    this.#abort = new AbortController();
    this.status = 0;
    this.response = "";
    this.#state(1);
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers.append(name, value);
  }

  overrideMimeType(): void {
    // What is read of an answer does not depend on its type here.
  }

  getResponseHeader(name: string): string | null {
    return this.#answer?.get(name) ?? null;
  }

  getAllResponseHeaders(): string {
    return [...(this.#answer ?? [])].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  }

  abort(): void {
    this.#abort.abort();
  }

  send(body: XMLHttpRequestBodyInit | Document | null = null): void {
    void this.#send(body instanceof Document ? new XMLSerializer().serializeToString(body) : body);
  }

  async #send(body: XMLHttpRequestBodyInit | null): Promise<void> {
    const late = this.timeout > 0 ? setTimeout(() => this.#abort.abort("timeout"), this.timeout) : undefined;
    try {
      this.#fire("loadstart");
      const hasBody = body !== null && this.#method !== "GET" && this.#method !== "HEAD";
      const answer = await fetch(this.#url, { method: this.#method, headers: this.#headers, signal: this.#abort.signal, ...(hasBody ? { body } : {}) });
      this.status = answer.status;
      this.statusText = answer.statusText;
      this.responseURL = answer.url;
      this.#answer = answer.headers;
      this.#state(2);
      const bytes = await answer.arrayBuffer();
      this.#state(3);
      this.response = this.#read(bytes);
      this.#fire("progress", bytes.byteLength);
      this.#state(4);
      this.#fire("load", bytes.byteLength);
    } catch {
      this.status = 0;
      this.#state(4);
      this.#fire(this.#abort.signal.aborted ? (this.#abort.signal.reason === "timeout" ? "timeout" : "abort") : "error");
    } finally {
      clearTimeout(late);
      this.#fire("loadend");
    }
  }

  #read(bytes: ArrayBuffer): unknown {
    const type = this.#answer?.get("content-type") ?? "";
    switch (this.responseType) {
      case "arraybuffer":
        return bytes;
      case "blob":
        return new Blob([bytes], { type });
      case "json":
        try {
          return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
        } catch {
          return null; // as the standard has it
        }
      case "document":
        return new DOMParser().parseFromString(new TextDecoder().decode(bytes), type.includes("xml") ? "text/xml" : "text/html");
      default:
        return new TextDecoder().decode(bytes);
    }
  }

  #state(state: number): void {
    this.readyState = state;
    this.#fire("readystatechange");
  }

  #fire(type: string, loaded = 0): void {
    const event = type === "readystatechange" ? new Event(type) : new ProgressEvent(type, { loaded });
    this.dispatchEvent(event);
    this[`on${type}`]?.call(this, event);
  }
}
