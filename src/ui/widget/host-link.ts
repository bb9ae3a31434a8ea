// The frame's end of the port to the loader in the host's page. Only the page that frames this one gets to speak, once
// for each load; what it says is checked (src/embed/protocol.ts), and nothing here depends on its being honest.
import { LIMITS } from "../../base/limits.ts";
import { CONNECT, type FromFrame, HELLO, isHandshake, PROTOCOL_VERSION, readToFrame, type Setup, type Source, type ToFrame } from "../../embed/protocol.ts";

/** What is not answered inside this file. */
type Said = Exclude<ToFrame, { readonly type: "setup" | "context" }>;

export class HostLink {
  /** Of the page that frames us. */
  readonly hostOrigin: string;
  /** The first thing the host's page says. */
  readonly setup: Promise<Setup>;
  #listener: ((message: Said) => void) | undefined;
  /** What was said before anyone listened. */
  #early: Said[] = [];
  readonly #port: MessagePort;
  readonly #asked = new Map<number, (sources: readonly Source[]) => void>();
  #lastRequest = 0;

  private constructor(port: MessagePort, hostOrigin: string) {
    this.#port = port;
    this.hostOrigin = hostOrigin;
    const { promise, resolve } = Promise.withResolvers<Setup>();
    this.setup = promise;
    port.onmessage = ({ data }: MessageEvent<unknown>) => {
      const message = readToFrame(data);
      if (message?.type === "context") this.#asked.get(message.request)?.(message.sources);
      else if (message?.type === "setup") resolve(message.setup);
      else if (message && this.#listener) this.#listener(message);
      else if (message) this.#early.push(message);
    };
  }

  /** Says hello to the page around this one and waits for its port. Without a page around it waits for ever. */
  static connect(): Promise<HostLink> {
    return new Promise((resolve) => {
      const listen = ({ source, origin, data, ports: [port] }: MessageEvent<unknown>): void => {
        if (source !== parent || !port || !isHandshake(data, CONNECT)) return;
        removeEventListener("message", listen);
        resolve(new HostLink(port, origin));
      };
      addEventListener("message", listen);
      // Whoever frames us may know that we are here; nothing else is said before there is a port.
      if (parent !== window) parent.postMessage({ tabwright: HELLO, version: PROTOCOL_VERSION }, "*");
    });
  }

  /** Looks, visibility and the engine: from now on, and what came before. */
  set onMessage(listener: (message: Said) => void) {
    this.#listener = listener;
    for (const message of this.#early.splice(0)) listener(message);
  }

  send(message: FromFrame): void {
    this.#port.postMessage(message);
  }

  /** What the host's page can tell about a question; nothing if it has nothing or does not answer. */
  async context(): Promise<readonly Source[]> {
    const request = ++this.#lastRequest;
    this.send({ type: "context-wanted", request });
    const answered = new Promise<readonly Source[]>((resolve) => this.#asked.set(request, resolve));
    const late = new Promise<readonly Source[]>((resolve) => setTimeout(() => resolve([]), LIMITS.widgetContextMs + 1000));
    try {
      return await Promise.race([answered, late]);
    } finally {
      this.#asked.delete(request);
    }
  }
}
