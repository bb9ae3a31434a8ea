// One frame and the port to it. The frame is ours only if its window and its origin both say so; after that everything
// goes over the port, and what comes from it is checked (protocol.ts).
import { LIMITS } from "../base/limits.ts";
import { CONNECT, type FromFrame, HELLO, isHandshake, PROTOCOL_VERSION, readFromFrame, type ToFrame } from "./protocol.ts";

/** What a link tells the widget. */
export interface LinkEvents {
  /** The frame's page runs: it can be told everything. Again after it was reloaded. */
  connected(): void;
  message(message: FromFrame): void;
  /** By the host's policy, or it said nothing in time. */
  failed(why: "blocked" | "late"): void;
}

/** Owns the frame and the port to it; `close` ends both. */
export class FrameLink {
  readonly frame: HTMLIFrameElement;
  readonly #origin: string;
  readonly #events: LinkEvents;
  #port: MessagePort | undefined;
  #late: ReturnType<typeof setTimeout> | undefined;

  /** Nothing is fetched before the frame is put into the document. */
  constructor(frame: HTMLIFrameElement, url: URL, events: LinkEvents) {
    this.frame = frame;
    this.#origin = url.origin;
    this.#events = events;
    frame.allow = "cross-origin-isolated; clipboard-write; storage-access";
    frame.referrerPolicy = "no-referrer";
    frame.src = url.href;
    addEventListener("message", this.#hello);
    document.addEventListener("securitypolicyviolation", this.#blocked);
    this.#late = setTimeout(() => events.failed("late"), LIMITS.widgetHelloMs);
  }

  send(message: ToFrame): void {
    this.#port?.postMessage(message);
  }

  /** Ends the frame with all that runs in it. */
  close(): void {
    removeEventListener("message", this.#hello);
    this.#settled();
    this.#port?.close();
    this.#port = undefined;
    this.frame.remove();
  }

  readonly #hello = ({ source, origin, data }: MessageEvent<unknown>): void => {
    if (source !== this.frame.contentWindow || origin !== this.#origin || !isHandshake(data, HELLO)) return;
    this.#settled();
    this.#port?.close();
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data: received }: MessageEvent<unknown>) => {
      const message = readFromFrame(received);
      if (message) this.#events.message(message);
    };
    this.#port = port1;
    this.frame.contentWindow?.postMessage({ tabwright: CONNECT, version: PROTOCOL_VERSION }, this.#origin, [port2]);
    this.#events.connected();
  };

  readonly #blocked = ({ blockedURI, effectiveDirective }: SecurityPolicyViolationEvent): void => {
    if (!/^(?:frame|child|default)-src$/.test(effectiveDirective) || !blockedURI.startsWith(this.#origin)) return;
    this.#settled();
    this.#events.failed("blocked");
  };

  #settled(): void {
    clearTimeout(this.#late);
    document.removeEventListener("securitypolicyviolation", this.#blocked);
  }
}
