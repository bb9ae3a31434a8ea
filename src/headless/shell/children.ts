// The processes that a shell or npm starts: asked of the kernel, known here by a number of our own. A child that reads its
// input says so first, and only then is it given any: `while read f; do node x.js "$f"; done` keeps its list.
import type { ProcessLink } from "../process-link.ts";
import { SIGNAL_EXIT_CODES, type Signal, type SpawnRequest, type ToProcess } from "../protocol.ts";
import { deferred } from "./deferred.ts";
import type { Stream } from "./streams.ts";

export interface ChildEvents {
  /** False: nobody reads it any more; the child is ended with SIGPIPE. */
  output(fd: number, data: Uint8Array): boolean;
  /** What it reads at a descriptor above 2. */
  input?(fd: number): Stream | undefined;
  /** A signal has stopped it. */
  stopped?(): void;
}

export interface RunningChild {
  readonly pid: Promise<number>;
  /** The code a shell would show: 127 when there is no such command. */
  readonly done: Promise<number>;
  kill(signal: Signal): void;
}

interface Child {
  readonly input: Stream;
  readonly events: ChildEvents;
  /** Ends the passing on of input. */
  readonly fed: AbortController;
  fedAlready: boolean;
  started(pid: number): void;
  ended(code: number): void;
}

export class Children {
  readonly #link: ProcessLink;
  readonly #children = new Map<number, Child>();
  readonly #byPid = new Map<number, number>();
  #last = 0;

  constructor(link: ProcessLink) {
    this.#link = link;
  }

  /** `input` is read from once the child wants it, or at once when it is the child's alone (`own`); who made it closes it. */
  start(request: Omit<SpawnRequest, "stdin" | "ipc">, input: Stream, own: boolean, events: ChildEvents): RunningChild {
    const number = ++this.#last;
    const pid = deferred<number>();
    const done = deferred<number>();
    const made: Child = {
      input,
      fedAlready: own,
      events,
      fed: new AbortController(),
      started: (id) => {
        this.#byPid.set(id, number);
        pid.resolve(id);
      },
      ended: (code) => {
        pid.resolve(0);
        done.resolve(code);
      },
    };
    this.#children.set(number, made);
    this.#link.post({ type: "spawn", child: number, request: { ...request, stdin: true, ipc: false } });
    if (own) void this.#feed(number, made);
    return { pid: pid.promise, done: done.promise, kill: (signal) => this.#link.post({ type: "child-kill", child: number, signal }) };
  }

  /** Whether one of them reads what comes to this process. */
  get fed(): boolean {
    return [...this.#children.values()].some((child) => child.fedAlready);
  }

  has(pid: number): boolean {
    return this.#byPid.has(pid);
  }

  /** Whether it was one of these. */
  kill(pid: number, signal: Signal): boolean {
    const number = this.#byPid.get(pid);
    if (number === undefined) return false;
    this.#link.post({ type: "child-kill", child: number, signal });
    return true;
  }

  receive(message: ToProcess): void {
    if (!("child" in message)) return;
    const child = this.#children.get(message.child);
    if (!child) return;
    switch (message.type) {
      case "child-started":
        return child.started(message.pid);
      case "child-output":
        if (!child.events.output(message.fd, message.data)) this.#link.post({ type: "child-kill", child: message.child, signal: "SIGPIPE" });
        return;
      case "child-stopped":
        return child.events.stopped?.();
      case "child-stdin-wanted":
        if (message.fd) {
          const stream = child.events.input?.(message.fd);
          if (stream) void this.#feed(message.child, { ...child, input: stream }, message.fd);
          return;
        }
        if (!child.fedAlready) void this.#feed(message.child, child);
        child.fedAlready = true;
        return;
      case "child-error":
        child.events.output(2, new TextEncoder().encode(`sh: ${message.message}\n`));
        return this.#end(message.child, child, message.code === "ENOENT" ? 127 : 126);
      case "child-exit":
        child.ended(message.code ?? SIGNAL_EXIT_CODES[message.signal ?? "SIGTERM"]);
        // What it has started may still write where it wrote.
        if (!message.held) this.#end(message.child, child, 0);
        return;
      case "child-closed":
        return this.#end(message.child, child, 0);
      default:
    }
  }

  async #feed(number: number, { input, fed }: Pick<Child, "input" | "fed">, fd?: number): Promise<void> {
    const where = fd === undefined ? {} : { fd };
    try {
      for (;;) {
        const data = await input.read(fed.signal);
        if (fed.signal.aborted) {
          if (data) input.unread(data);
          return;
        }
        this.#link.post({ type: "child-stdin", child: number, data: data ? data.slice() : null, ...where });
        if (!data && !input.terminal) return;
        // A writer that never ends shall not keep the child's end from being heard.
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    } catch (error) {
      if (!fed.signal.aborted) this.#link.post({ type: "child-stdin", child: number, data: null, ...where });
      void error; // closed descriptors end the input, as they do for a program
    }
  }

  #end(number: number, child: Child, code: number): void {
    this.#children.delete(number);
    for (const [pid, known] of this.#byPid) if (known === number) this.#byPid.delete(pid);
    child.fed.abort();
    child.ended(code);
  }
}
