// One preview: the address it is at, the document it shows, and what that document may ask for.
import type { DeskLink } from "./desk-link.ts";
import { checkFromDocument, type FromDocument, type Navigation, type ToDocument } from "./document-link.ts";
import { Cookies } from "./cookies.ts";
import { type AnswerHead, exchange, type HeaderList, type ServedRequest } from "./exchange.ts";
import { opaqueFrame } from "./opaque-frame.ts";
import { Sockets } from "./sockets.ts";
import { hashOfUrl, servedUrl, urlOfHash } from "./served-url.ts";

const MAX_REDIRECTS = 20;
const DOCUMENT_BYTES = 64 * 1024 * 1024;
const REQUESTS = 256;
/** A document says that it has loaded before the frame's own event tells of it: its word is on the way already. */
const LOADED_MS = 500;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What stands in the entry of the history: which document it belongs to, and that document's own number for it. */
interface Entry {
  readonly document: number;
  readonly key: number;
}

export class Preview {
  readonly #desk: DeskLink | undefined;
  readonly #cookies = new Cookies();
  /** Requests of the document that is shown. */
  readonly #requests = new Map<number, () => void>();
  readonly #sockets: Sockets;
  #frame: HTMLIFrameElement | undefined;
  /** Counts what was shown; the number of the current one. */
  #document = 0;
  #failed = false;
  #stopLoading: () => void = () => undefined;
  #whenReady: () => void = () => undefined;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  constructor(desk: DeskLink | undefined) {
    this.#desk = desk;
    this.#sockets = new Sockets(desk, () => [["Origin", this.#url()?.origin ?? "null"], ...this.#own()], (message, transfer) => this.#tell(message, transfer));
    document.documentElement.style.cssText = "block-size: 100%; color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif";
    document.body.style.cssText = "margin: 0; block-size: 100%";
    if (desk) {
      // A server that comes back is asked at once.
      desk.onPort = (port, open) => {
        if (open && this.#failed && String(port) === this.#url()?.port) this.reload();
      };
      desk.onGone = () => this.#fail("The container is gone", "It was shut down or has crashed. Start the server again, then reload.");
    }
    addEventListener("message", ({ source, data }: MessageEvent<unknown>) => {
      if (!this.#frame || source !== this.#frame.contentWindow) return;
      const message = checkFromDocument(data);
      if (message) this.#heard(message);
    });
  }

  reload(): void {
    const url = this.#url();
    if (url) void this.#load({ url: url.href, method: "GET", headers: [], body: null, replace: true });
    else this.#fail("There is no such address", "The address of a preview ends in # and the number of a port, such as #3000, and may go on with a path.");
  }

  /** The address has changed: back, forward, or by hand. */
  moved(): void {
    const entry = history.state as Entry | null;
    const url = this.#url();
    if (url && entry?.document === this.#document) {
      this.#tell({ type: "popped", key: entry.key, url: url.href });
      this.#announce();
    } else this.reload();
  }

  #url(): URL | undefined {
    return urlOfHash(location.hash);
  }

  async #load(to: Navigation): Promise<void> {
    this.#stopLoading();
    const started = ++this.#document;
    const isCurrent = (): boolean => started === this.#document;
    try {
      const { url, head, body } = await this.#fetch(to);
      if (!isCurrent() || head.status === 204 || head.status === 205) return;
      this.#enter(url, { document: started, key: 0 }, to.replace);
      const frame = await opaqueFrame();
      if (!isCurrent()) return;
      this.#clear();
      this.#frame = frame;
      frame.style.cssText = "display: block; border: 0; inline-size: 100%; block-size: 100%; background: white";
      frame.title = "Preview";
      this.#whenReady = () => this.#tell({ type: "show", url: url.href, head, body, cookies: this.#cookies.text(true) }, [body.buffer]);
      frame.addEventListener("load", () => {
        clearTimeout(this.#leaving);
        this.#leaving = setTimeout(() => {
          if (this.#frame === frame) this.#fail("The page left the preview", "Its code set an address in a way that cannot be followed here.");
        }, LOADED_MS);
      });
      document.body.replaceChildren(frame);
    } catch (error) {
      if (!isCurrent()) return;
      const port = URL.parse(to.url)?.port ?? "";
      const code = error instanceof Error ? error.message : String(error);
      if (code === "ECONNREFUSED") this.#fail(`Nothing listens on port ${port}`, "The server has not started yet, or it has ended. Start it again: this page loads by itself then.");
      else this.#fail("The page could not be loaded", `The server on port ${port} gave no answer that could be shown (${code}).`);
    }
  }

  /** The whole answer to a navigation, redirects followed. Rejects with the code of what went wrong. */
  async #fetch(to: Navigation): Promise<{ readonly url: URL; readonly head: AnswerHead; readonly body: Uint8Array<ArrayBuffer> }> {
    let { method, body } = to;
    let headers: HeaderList = [["Accept", "text/html,application/xhtml+xml,*/*;q=0.8"], ["Upgrade-Insecure-Requests", "1"], ...to.headers];
    let url = servedUrl(to.url);
    for (let hops = 0; url; hops++) {
      const answer: { readonly head: AnswerHead; readonly body: Uint8Array<ArrayBuffer> } = await this.#whole({ method, url, headers, body });
      const next = REDIRECTS.has(answer.head.status) ? headerOf(answer.head, "location") : undefined;
      if (next === undefined || hops >= MAX_REDIRECTS) return { url, ...answer };
      if (!(answer.head.status >= 307)) {
        method = "GET";
        body = null;
        headers = headers.filter(([name]) => name.toLowerCase() !== "content-type");
      }
      const target = servedUrl(next, url.href);
      if (target && target.hash === "") target.hash = url.hash;
      url = target;
    }
    throw new Error("it leads out of the container");
  }

  #whole(request: ServedRequest): Promise<{ readonly head: AnswerHead; readonly body: Uint8Array<ArrayBuffer> }> {
    return new Promise((resolve, reject) => {
      let head: AnswerHead | undefined;
      const parts: Uint8Array<ArrayBuffer>[] = [];
      let size = 0;
      this.#stopLoading = this.#send(request, {
        head: (given) => (head = given),
        data: (bytes) => {
          parts.push(bytes);
          size += bytes.length;
          if (size <= DOCUMENT_BYTES) return;
          this.#stopLoading();
          reject(new Error(`more than ${DOCUMENT_BYTES} bytes`));
        },
        end: () => {
          const body = new Uint8Array(size);
          let at = 0;
          for (const part of parts) {
            body.set(part, at);
            at += part.length;
          }
          if (head) resolve({ head, body });
        },
        failed: (code) => reject(new Error(code)),
      });
    });
  }

  #send(request: ServedRequest, events: Parameters<typeof exchange>[2]): () => void {
    if (!this.#desk) {
      queueMicrotask(() => events.failed("ECONNREFUSED"));
      return () => undefined;
    }
    const headers = [...this.#own(), ...request.headers.filter(([name]) => !/^(?:cookie|user-agent)$/i.test(name))];
    return exchange(this.#desk, { ...request, headers }, {
      ...events,
      head: (head) => {
        for (const [name, value] of head.headers) if (name.toLowerCase() === "set-cookie") this.#cookies.set(value);
        events.head(head);
      },
    });
  }

  /** What a browser says of itself in every request. */
  #own(): HeaderList {
    const cookie = this.#cookies.text();
    return [["User-Agent", navigator.userAgent], ["Accept-Language", navigator.language], ...(cookie ? [["Cookie", cookie] as const] : [])];
  }

  #heard(message: FromDocument): void {
    switch (message.type) {
      case "ready": {
        const ready = this.#whenReady;
        this.#whenReady = () => undefined;
        return ready();
      }
      case "loaded":
        return clearTimeout(this.#leaving);
      case "request":
        return this.#request(message);
      case "cancel":
        return this.#requests.get(message.id)?.();
      case "navigate":
        if (servedUrl(message.to.url)) void this.#load(message.to);
        else parent.postMessage({ type: "preview-outside", url: message.to.url }, location.origin);
        return;
      case "reload":
        return this.reload();
      case "go":
        return history.go(message.by);
      case "socket-open":
      case "socket-send":
      case "socket-close":
        return this.#sockets.heard(message);
      case "cookie":
        return this.#cookies.set(message.text, true);
      case "at": {
        const url = servedUrl(message.url);
        if (url && url.origin === this.#url()?.origin) this.#enter(url, { document: this.#document, key: message.key }, !message.push);
        return;
      }
      default:
        message satisfies never;
    }
  }

  #request({ id, url: given, method, headers, body }: FromDocument & { readonly type: "request" }): void {
    const url = servedUrl(given);
    const fail = (code: string): void => this.#tell({ type: "failed", id, code });
    if (!url) return fail("it is no server of the container, and the preview has no other network");
    if (this.#requests.size >= REQUESTS || this.#requests.has(id)) return fail("EMFILE");
    const over = (): void => void this.#requests.delete(id);
    this.#requests.set(id, this.#send({ method, url, headers, body }, {
      head: (head) => this.#tell({ type: "head", id, url: url.href, head }),
      data: (data) => this.#tell({ type: "data", id, data }, [data.buffer]),
      end: () => {
        over();
        this.#tell({ type: "end", id });
      },
      failed: (code) => {
        over();
        fail(code);
      },
    }));
  }

  #enter(url: URL, entry: Entry, replace: boolean): void {
    if (replace) history.replaceState(entry, "", hashOfUrl(url));
    else history.pushState(entry, "", hashOfUrl(url));
    this.#announce();
  }

  /** The page around it may show where it is. */
  #announce(): void {
    const url = this.#url();
    if (url) parent.postMessage({ type: "preview-at", port: Number(url.port || "80"), path: url.pathname + url.search + url.hash }, location.origin);
  }

  #fail(title: string, text: string): void {
    this.#document++;
    this.#clear();
    this.#failed = true;
    const box = document.createElement("main");
    box.setAttribute("role", "alert");
    box.style.cssText = "max-inline-size: 50ch; margin: 12vh auto; padding: 0 24px";
    const again = document.createElement("button");
    again.textContent = "Reload";
    again.addEventListener("click", () => this.reload());
    box.append(Object.assign(document.createElement("h1"), { textContent: title, style: "font-size: 20px" }), Object.assign(document.createElement("p"), { textContent: text }), again);
    document.body.replaceChildren(box);
  }

  #clear(): void {
    this.#failed = false;
    this.#frame = undefined;
    for (const cancel of this.#requests.values()) cancel();
    this.#requests.clear();
    this.#sockets.clear();
  }

  #tell(message: ToDocument, transfer: Transferable[] = []): void {
    this.#frame?.contentWindow?.postMessage(message, "*", transfer); // an opaque origin has no name to address
  }
}

function headerOf({ headers }: AnswerHead, wanted: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}
