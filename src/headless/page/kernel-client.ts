// The trusted page's side of the bridge: makes the frame, calls the kernel, checks all that comes back. Whatever the
// frame sends, nothing but numbers, strings, byte arrays and checked lists leaves this file.
import type { FromKernel, KernelCalls, KernelMethod, ToKernel } from "../bridge.ts";

const FRAME_URL = "/headless/frame.html";
const FRAME_MS = 12_000;

export interface ProcessEvents {
  output(fd: 1 | 2, data: Uint8Array): void;
  exit(code: number): void;
}
export type WatchListener = (event: "rename" | "change", name: string) => void;

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class KernelClient {
  readonly processes = new Map<number, ProcessEvents>();
  readonly watches = new Map<number, WatchListener>();
  readonly #frame: HTMLIFrameElement;
  readonly #port: MessagePort;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #closed = false;

  private constructor(frame: HTMLIFrameElement, port: MessagePort) {
    this.#frame = frame;
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data);
  }

  /** Loads the frame and waits for its kernel. */
  static async start(): Promise<KernelClient> {
    const frame = document.createElement("iframe");
    frame.setAttribute("allow", "cross-origin-isolated");
    frame.src = FRAME_URL;
    const { port1, port2 } = new MessageChannel();
    try {
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error("The container's frame did not start.")), FRAME_MS);
        const onMessage = ({ source, origin, data }: MessageEvent<unknown>): void => {
          if (source !== frame.contentWindow || origin !== location.origin || (data as { type?: unknown } | null)?.type !== "frame-ready") return;
          removeEventListener("message", onMessage);
          clearTimeout(late);
          frame.contentWindow?.postMessage({ type: "connect" }, location.origin, [port2]);
          resolve();
        };
        addEventListener("message", onMessage);
        document.body.append(frame);
      });
    } catch (error) {
      frame.remove();
      throw error;
    }
    return new KernelClient(frame, port1);
  }

  /** Rejects with the kernel's error, by name and message. */
  call<M extends KernelMethod>(method: M, ...args: Parameters<KernelCalls[M]>): Promise<ReturnType<KernelCalls[M]>> {
    if (this.#closed) return Promise.reject(new Error("This WebContainer was torn down."));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      // The value is checked by whoever asked: see instance.ts.
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#post({ type: "call", id, method, args });
    });
  }

  ack(process: number, bytes: number): void {
    if (!this.#closed) this.#post({ type: "ack", process, bytes });
  }

  /** Removes the frame with all that runs in it. Processes end with 143; calls under way are rejected. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#port.close();
    this.#frame.remove();
    for (const { reject } of this.#pending.values()) reject(new Error("This WebContainer was torn down."));
    for (const events of this.processes.values()) events.exit(143);
    this.#pending.clear();
    this.processes.clear();
    this.watches.clear();
  }

  #post(message: ToKernel): void {
    this.#port.postMessage(message);
  }

  #receive(data: unknown): void {
    if (typeof data !== "object" || data === null) return;
    const m = data as { readonly [K in keyof AllFields]?: unknown };
    switch (m.type as FromKernel["type"]) {
      case "result":
      case "failure": {
        const pending = this.#pending.get(Number(m.id));
        this.#pending.delete(Number(m.id));
        if (m.type === "result") pending?.resolve(m.value);
        else pending?.reject(Object.assign(new Error(String(m.message)), { name: String(m.name) }));
        return;
      }
      case "output":
        if (m.data instanceof Uint8Array) this.processes.get(Number(m.process))?.output(m.fd === 2 ? 2 : 1, m.data);
        return;
      case "exit": {
        const events = this.processes.get(Number(m.process));
        this.processes.delete(Number(m.process));
        events?.exit(Number(m.code) & 0xff);
        return;
      }
      case "watch":
        this.watches.get(Number(m.watch))?.(m.event === "change" ? "change" : "rename", String(m.name));
        return;
      default:
        return; // not one of ours
    }
  }
}

/** Every field of every message, for reading one that is not trusted yet. */
interface AllFields {
  readonly type: unknown;
  readonly id: unknown;
  readonly value: unknown;
  readonly name: unknown;
  readonly message: unknown;
  readonly process: unknown;
  readonly fd: unknown;
  readonly data: unknown;
  readonly code: unknown;
  readonly watch: unknown;
  readonly event: unknown;
}
