// The processes that a shell starts: asked of the kernel, known here by a number of our own.
import type { ProcessLink } from "../process-link.ts";
import { SIGNAL_EXIT_CODES, type SpawnRequest, type ToProcess } from "../protocol.ts";

export interface ChildEvents {
  output(fd: 1 | 2, data: Uint8Array): void;
}

interface Child {
  readonly events: ChildEvents;
  resolve(code: number): void;
}

export class Children {
  readonly #link: ProcessLink;
  readonly #children = new Map<number, Child>();
  #last = 0;
  /** Children that read this shell's own input. */
  readonly #readers = new Set<number>();
  /** Input that nobody has taken yet. */
  #input: Uint8Array[] = [];
  #inputEnded = false;
  #onInputEnd: (() => void) | undefined;

  constructor(link: ProcessLink) {
    this.#link = link;
  }

  /**
   * Runs it to its end; resolves with the code a shell would show: 127 when there is no such command.
   * `input`: all of its input, or `inherit` to pass on what comes to this shell.
   */
  run(request: Omit<SpawnRequest, "stdin" | "ipc">, input: Uint8Array | "inherit", events: ChildEvents): Promise<number> {
    const child = ++this.#last;
    return new Promise((resolve) => {
      this.#children.set(child, { events, resolve });
      this.#link.post({ type: "spawn", child, request: { ...request, stdin: true, ipc: false } });
      if (input === "inherit") {
        this.#readers.add(child);
        for (const data of this.#input.splice(0)) this.#link.post({ type: "child-stdin", child, data });
        if (this.#inputEnded) this.#link.post({ type: "child-stdin", child, data: null });
      } else {
        if (input.length > 0) this.#link.post({ type: "child-stdin", child, data: input });
        this.#link.post({ type: "child-stdin", child, data: null });
      }
    });
  }

  /** Input of this shell; null ends it. It goes to the children that inherit it, else it waits for one. */
  input(data: Uint8Array | null): void {
    for (const child of this.#readers) this.#link.post({ type: "child-stdin", child, data });
    if (data === null) {
      this.#inputEnded = true;
      this.#onInputEnd?.();
    } else if (this.#readers.size === 0) this.#input.push(data);
  }

  /** Everything that came in and was not taken, once the input has ended. */
  async wholeInput(): Promise<Uint8Array> {
    if (!this.#inputEnded) {
      await new Promise<void>((resolve) => {
        this.#onInputEnd = resolve;
      });
    }
    return new Uint8Array(await new Blob(this.#input.splice(0) as BlobPart[]).arrayBuffer());
  }

  receive(message: ToProcess): void {
    if (!("child" in message)) return;
    const child = this.#children.get(message.child);
    if (!child) return;
    if (message.type === "child-output") child.events.output(message.fd, message.data);
    if (message.type === "child-error") {
      child.events.output(2, new TextEncoder().encode(`sh: ${message.message}\n`));
      this.#end(message.child, child, 127);
    }
    if (message.type === "child-exit") this.#end(message.child, child, message.code ?? SIGNAL_EXIT_CODES[message.signal ?? "SIGTERM"]);
  }

  #end(number: number, child: Child, code: number): void {
    this.#children.delete(number);
    this.#readers.delete(number);
    child.resolve(code);
  }
}
