// A process's only way out: posts typed messages to the kernel. A few writes go out at once (a program that prints and
// then never returns to its event loop is still heard); of many in a short time it makes larger ones, so that a program
// that prints a million lines sends thousands of messages, not a million. Made once, before any user code runs;
// it keeps its own reference to postMessage because user code may replace the global.
import { monotonicMs } from "./clock.ts";
import { type FromProcess, PROCESS_CHUNK_BYTES, type ToProcess } from "./protocol.ts";

/** The part of a Worker's global scope that the link needs. */
export interface WorkerPort {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

// Kept before a program can replace the globals.
const soon = globalThis.queueMicrotask.bind(globalThis);
const { load, wait } = Atomics;

/** In every stretch of this time the first writes go out at once; held output goes out with the first of the next. */
const STRETCH_MS = 16;
const DIRECT_WRITES = 32;

/**
 * Messages that may wait for the kernel, where the page is isolated. It takes them in order, what its page asks among them: were
 * there no limit, a kill would come after all that a loop of writes has sent, eight seconds late on a busy machine.
 */
const MOST_WAITING = 4096;
const LOOK_MS = 5;

export class ProcessLink {
  readonly #post: (message: FromProcess, transfer: Transferable[]) => void;
  #fd = 1;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #stretchStart = 0;
  #writes = 0;
  #scheduled = false;
  #ended = false;
  /** Whether it is stopped, and how many messages the kernel has taken of this process. */
  #stopped: Int32Array<SharedArrayBuffer> | undefined;
  /** Sent, on that count. */
  #sent = 0;

  constructor(port: WorkerPort, onMessage: (message: ToProcess) => void) {
    const post = port.postMessage.bind(port);
    this.#post = (message, transfer) => {
      this.#waitForKernel();
      try {
        post(message, transfer);
      } catch (error) {
        // The engine says where it was sent to; to the program that is nobody it knows.
        if (error instanceof DOMException && error.name === "DataCloneError") throw new DOMException(error.message.replace(/^Failed to execute 'postMessage' on '\w+': /, ""), error.name);
        throw error;
      }
    };
    port.addEventListener("message", (event) => {
      const message = event.data as ToProcess;
      if (message.type === "start" && message.stopped) this.#sent = load((this.#stopped = new Int32Array(message.stopped)), 1);
      this.#waitWhileStopped();
      if (message.type !== "stop") onMessage(message);
    });
    this.post({ type: "ready" });
  }

  /** Sends what was written before, then the message. Ignored after `exit`. */
  post(message: FromProcess, transfer: Transferable[] = []): void {
    if (this.#ended) return;
    this.flush();
    this.#waitWhileStopped();
    this.#post(message, transfer);
  }

  /**
   * A process that was stopped (Ctrl+Z, SIGSTOP) sleeps here until it is told to go on: at the next message that comes, or the
   * next thing it prints or changes. What it computes in between, nobody sees.
   */
  #waitWhileStopped(): void {
    while (this.#stopped && load(this.#stopped, 0) === 1) wait(this.#stopped, 0, 1);
  }

  #waitForKernel(): void {
    this.#sent++;
    for (let taken; this.#stopped && this.#sent - (taken = load(this.#stopped, 1)) > MOST_WAITING; ) wait(this.#stopped, 1, taken, LOOK_MS);
  }

  /** Sends bytes to stdout, stderr or a pipe, in order, now or soon. The bytes are copied: the caller may reuse them. */
  write(fd: number, bytes: Uint8Array): void {
    if (this.#ended || bytes.length === 0) return;
    if (this.#pendingBytes > 0 && fd !== this.#fd) this.flush();
    this.#fd = fd;
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.slice(at, at + PROCESS_CHUNK_BYTES - this.#pendingBytes);
      this.#pending.push(piece);
      this.#pendingBytes += piece.length;
      at += piece.length;
      if (this.#pendingBytes >= PROCESS_CHUNK_BYTES) this.flush();
    }
    if (this.#pendingBytes === 0) return;
    if (monotonicMs() - this.#stretchStart > STRETCH_MS) {
      this.#stretchStart = monotonicMs();
      this.#writes = 0;
    }
    if (++this.#writes <= DIRECT_WRITES) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      soon(() => {
        this.#scheduled = false;
        this.flush();
      });
    }
  }

  flush(): void {
    if (this.#pendingBytes === 0) return;
    const data = new Uint8Array(this.#pendingBytes);
    let at = 0;
    for (const piece of this.#pending) {
      data.set(piece, at);
      at += piece.length;
    }
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#waitWhileStopped();
    this.#post({ type: "output", fd: this.#fd, data }, [data.buffer]);
  }

  /** Flushes and ends the process. Nothing is sent after it, unless it stays (FromProcess). */
  exit(code: number, stays?: number): void {
    if (this.#ended) return;
    this.post({ type: "exit", code: code & 0xff, ...(stays === undefined ? {} : { stays }) });
    if (stays !== undefined) return;
    this.#ended = true;
  }
}
