// The trusted page's side of the bridge: makes the frame, calls the kernel, checks all that comes back. Whatever the
// frame sends, nothing but numbers, strings, byte arrays and checked lists leaves this file.
import type { KernelCalls, KernelMethod, ToKernel } from "../bridge.ts";
import type { WatchEvent } from "../change-queue.ts";
import type { RegistryQuestion } from "../registry/question.ts";
import { checkFromKernel, checkResult } from "./check-kernel.ts";
import { PreviewDesk } from "./preview-desk.ts";
import { RegistryClient } from "./registry-client.ts";

const FRAME_URL = "/headless/frame.html";
const FRAME_MS = 12_000;
const LOST = "The container has crashed, most likely because what ran in it took too much memory: of objects and strings it may hold some 4 GB. Boot it again.";
const KILLED = 137;
/** While something is awaited the kernel is asked this often whether it lives, and given up after so many askings in silence: it answers within milliseconds, but not while it packs a large project. */
const BEAT_MS = 1000;
const SILENT_BEATS = 12;
const PACKING_BEATS = 90;

export interface ProcessEvents {
  output(fd: 1 | 2, data: Uint8Array): void;
  exit(code: number): void;
}
/** A server of the container opened or closed a TCP port. */
export type PortListener = (port: number, open: boolean) => void;
export type WatchListener = (events: readonly WatchEvent[]) => void;

interface Pending {
  readonly method: KernelMethod;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class KernelClient {
  readonly processes = new Map<number, ProcessEvents>();
  readonly watches = new Map<number, WatchListener>();
  readonly ports = new Set<PortListener>();
  readonly previews = new PreviewDesk((message) => {
    if (this.#closed === undefined) this.#port.postMessage({ type: "network", message } satisfies ToKernel, message.type === "socket-data" ? [message.data.buffer as ArrayBuffer] : []);
  });
  readonly #frame: HTMLIFrameElement;
  readonly #port: MessagePort;
  readonly #pending = new Map<number, Pending>();
  readonly #registry = new RegistryClient();
  readonly #questions = new Map<number, AbortController>();
  /** Told, once, when the frame has ended by itself. */
  onLost: (message: string) => void = () => undefined;
  readonly #pulse: ReturnType<typeof setInterval>;
  /** The frame's own page says when what it framed has gone elsewhere. */
  readonly #onWindowMessage = ({ source, data }: MessageEvent<unknown>): void => {
    if (source === this.#frame.contentWindow && (data as { type?: unknown } | null)?.type === "frame-lost") this.#lose();
  };
  /** Beats since the kernel was last heard. */
  #silentBeats = 0;
  #lastId = 0;
  /** Why nothing can be asked any more. */
  #closed: string | undefined;

  private constructor(frame: HTMLIFrameElement, port: MessagePort) {
    this.#frame = frame;
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data);
    this.#pulse = setInterval(() => this.#beat(), BEAT_MS);
    addEventListener("message", this.#onWindowMessage);
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
  async call<M extends KernelMethod>(method: M, ...args: Parameters<KernelCalls[M]>): Promise<ReturnType<KernelCalls[M]>> {
    if (this.#closed !== undefined) throw new Error(this.#closed);
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { method, resolve, reject });
    this.#post({ type: "call", id, method, args });
    return checkResult(method, await promise);
  }

  ack(process: number, bytes: number): void {
    if (this.#closed === undefined) this.#post({ type: "ack", process, bytes });
  }

  /** Removes the frame with all that runs in it. Processes end with 143; calls under way are rejected. */
  close(): void {
    this.#end("This WebContainer was torn down.", 143);
  }

  #end(why: string, code: number): void {
    if (this.#closed !== undefined) return;
    this.#closed = why;
    clearInterval(this.#pulse);
    this.#registry.close();
    this.previews.close();
    removeEventListener("message", this.#onWindowMessage);
    this.#port.close();
    this.#frame.remove();
    for (const { reject } of this.#pending.values()) reject(new Error(why));
    for (const events of this.processes.values()) events.exit(code);
    this.#pending.clear();
    this.processes.clear();
    this.watches.clear();
    this.ports.clear();
  }

  /** Where the frame has a process of its own in the browser, that one dies of too much memory, and no event tells of it. */
  #beat(): void {
    if (this.#pending.size === 0 && this.processes.size === 0) {
      this.#silentBeats = 0;
      return;
    }
    const isPacking = [...this.#pending.values()].some(({ method }) => method === "serialize" || method === "loadFiles");
    if (++this.#silentBeats > (isPacking ? PACKING_BEATS : SILENT_BEATS)) this.#lose();
    else this.#post({ type: "ping" });
  }

  #lose(): void {
    if (this.#closed !== undefined) return;
    this.#end(LOST, KILLED);
    this.onLost(LOST);
  }

  #post(message: ToKernel): void {
    this.#port.postMessage(message);
  }

  async #ask(request: number, question: RegistryQuestion): Promise<void> {
    const abort = new AbortController();
    this.#questions.set(request, abort);
    const answer = await this.#registry.answer(question, abort.signal);
    this.#questions.delete(request);
    if (this.#closed === undefined) this.#port.postMessage({ type: "registry-answer", request, answer } satisfies ToKernel, answer.ok ? [answer.bytes.buffer] : []);
  }

  #receive(data: unknown): void {
    this.#silentBeats = 0;
    const m = checkFromKernel(data);
    if (!m) return; // not one of ours
    switch (m.type) {
      case "result":
      case "failure": {
        const pending = this.#pending.get(m.id);
        this.#pending.delete(m.id);
        if (m.type === "result") pending?.resolve(m.value);
        else pending?.reject(Object.assign(new Error(m.message), { name: m.name }));
        return;
      }
      case "output":
        this.processes.get(m.process)?.output(m.fd, m.data);
        return;
      case "exit": {
        const events = this.processes.get(m.process);
        this.processes.delete(m.process);
        events?.exit(m.code);
        return;
      }
      case "port":
        for (const listener of this.ports) listener(m.port, m.open);
        return this.previews.port(m.port, m.open);
      case "network":
        return this.previews.receive(m.message);
      case "watch":
        this.watches.get(m.watch)?.(m.events);
        return;
      case "pong":
        return;
      case "registry":
        return void this.#ask(m.request, m.question);
      case "registry-cancel":
        return this.#questions.get(m.request)?.abort();
      default:
        m satisfies never;
    }
  }
}
