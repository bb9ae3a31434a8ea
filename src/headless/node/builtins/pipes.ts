// Pipes above stdin, stdout and stderr: in a child what its parent put into `stdio`, read and written by number; in the parent
// a socket for each, or, where a child has one of the parent's own, what carries the bytes between the two.
import type { Descriptor } from "../../protocol.ts";
import { checkInteger } from "../errors.ts";
import type { AnyFunction, ChildHandle, Dict, Input, Pipe, Runtime } from "../runtime.ts";
import type { Socket } from "../net/socket.ts";
import type { Wire, WireEvents } from "../net/wire.ts";
import { Buffer, toBytes } from "./buffer.ts";
import { type Descriptors, descriptorsOf } from "./fs-descriptors.ts";
import type { Stdio } from "./child-options.ts";
import { noWaiting } from "./stdio.ts";

const READ_BYTES = 64 * 1024;

class InheritedPipe implements Pipe {
  readonly fd: number;
  readonly #runtime: Runtime;
  readonly #waiting: (Uint8Array | null)[] = [];
  #readers: (() => void)[] = [];
  #asked = false;
  #take: ((chunk: Uint8Array | null) => void) | undefined;

  constructor(runtime: Runtime, fd: number) {
    this.#runtime = runtime;
    this.fd = fd;
  }

  deliver(chunk: Uint8Array | null): void {
    this.#waiting.push(chunk);
    this.#pass();
    for (const tell of this.#readers.splice(0)) tell();
  }

  has(need: "some" | "all"): boolean {
    return need === "all" ? this.#waiting.includes(null) : this.#waiting.length > 0;
  }

  onMore(then: () => void): void {
    const go = this.#runtime.loop.hold();
    this.#readers.push(() => {
      go();
      then();
    });
    this.#want();
  }

  take(most: number): Uint8Array {
    const { host } = this.#runtime;
    if (this.#waiting.length === 0 && host.readSync) this.#waiting.push(...host.readSync(this.fd));
    const [chunk] = this.#waiting;
    if (chunk === undefined) throw noWaiting("a pipe", "it");
    if (chunk === null) return new Uint8Array();
    if (chunk.length > most) this.#waiting[0] = chunk.subarray(most);
    else this.#waiting.shift();
    host.inputTaken?.(this.fd, Math.min(most, chunk.length));
    return chunk.subarray(0, most);
  }

  listen(take: (chunk: Uint8Array | null) => void): void {
    this.#take = take;
    this.#want();
    this.#pass();
  }

  #pass(): void {
    if (this.#take) for (const chunk of this.#waiting.splice(0)) this.#take(chunk);
  }

  #want(): void {
    if (!this.#asked) this.#runtime.host.wantsInput?.(this.fd);
    this.#asked = true;
  }
}

function openFiles(runtime: Runtime): Descriptors {
  runtime.builtin("fs");
  return descriptorsOf(runtime) as Descriptors;
}

/** What a process begins with. */
export function openPipes(runtime: Runtime, descriptors: readonly Descriptor[]): void {
  for (const { fd, file } of descriptors) if (!file) runtime.pipes.set(fd, new InheritedPipe(runtime, fd));
  openFiles(runtime).begin(descriptors);
}

/** `new net.Socket({ fd })`. */
export function openDescriptor(runtime: Runtime, socket: Socket, options: Dict): void {
  const { fd } = options;
  checkInteger(fd, "fd", 0);
  const { events, use } = socket.attach(undefined, undefined);
  const closed = (name: "readable" | "writable"): boolean => name in options && !options[name];
  use(wireOf(runtime, fd, events));
  if (closed("readable")) socket.push(null);
  else if (options["manualStart"] !== true) socket.read(0);
  if (closed("writable")) socket.end();
}

/** What it is joined to: an end of a pipe, or the process's own input or output. */
function wireOf(runtime: Runtime, fd: number, events: WireEvents): Wire {
  const { host, loop } = runtime;
  const descriptors = openFiles(runtime);
  const pipe = runtime.pipes.get(fd);
  const give = (chunk: Uint8Array | null): void => {
    if (chunk === null) events.ended();
    else events.data(chunk);
  };
  if (pipe) pipe.listen((chunk) => loop.post(() => give(chunk)));
  else if (fd === 0) pump(runtime.input, give);
  return {
    send: (bytes) => {
      if (runtime.broken.has(fd)) return loop.post(() => events.closed(false));
      const { length } = bytes;
      descriptors.write(fd, bytes, null);
      loop.post(() => events.taken(length));
    },
    take: (bytes) => {
      if (pipe) host.inputTaken?.(fd, bytes);
    },
    end: () => {
      if (pipe) host.pipeEnd?.(fd, false);
    },
    close: () => {
      if (pipe && runtime.pipes.has(fd)) descriptors.close(fd);
    },
  };
}

/** All that comes, as it comes. */
function pump(input: Input, give: (chunk: Uint8Array | null) => void): void {
  if (!input.has("some")) return input.onMore(() => pump(input, give));
  const chunk = input.take(READ_BYTES);
  give(chunk.length > 0 ? chunk.slice() : null);
  if (chunk.length > 0) pump(input, give);
}

/** The parent's end of one of a child's pipes. */
export interface ChildPipe {
  readonly socket: Socket | null;
  output(data: Uint8Array): void;
  end(broken: boolean): void;
  taken(bytes: number): void;
  wantsInput(): void;
}

const nothing = (): void => undefined;

/** By descriptor, for those above 2. `handle`: undefined while there is no process to hear it. */
export function childPipes(runtime: Runtime, kinds: readonly Stdio[], handle: () => ChildHandle | undefined): Map<number, ChildPipe> {
  const pipes = new Map<number, ChildPipe>();
  for (const [fd, kind] of kinds.entries()) {
    if (fd < 3 || kind === "ignore" || kind === "ipc") continue;
    pipes.set(fd, kind === "pipe" ? socketPipe(runtime, fd, handle) : relay(runtime, fd, kind, handle));
  }
  return pipes;
}

function socketPipe(runtime: Runtime, fd: number, handle: () => ChildHandle | undefined): ChildPipe {
  const { Socket: Class } = runtime.builtin("net") as unknown as { Socket: new (options: Dict) => Socket };
  const socket = new Class({});
  const { events, use } = socket.attach(undefined, undefined);
  use({
    send: (bytes) => handle()?.write(bytes, fd),
    take: nothing,
    end: () => handle()?.write(null, fd),
    close: () => {
      handle()?.write(null, fd);
      handle()?.broken?.(fd);
    },
  });
  runtime.loop.nextTick(() => {
    if (!socket.destroyed) socket.read(0);
  });
  return {
    socket, wantsInput: nothing, output: (data) => events.data(data), taken: (bytes) => events.taken(bytes),
    end: (broken) => (broken ? events.closed(false) : events.ended()),
  };
}

type Readable = { on(event: string, run: AnyFunction): Readable; write(data: unknown): void; fd?: unknown };

/** The child has what this process, or a stream of its program, has at a descriptor of its own. */
function relay(runtime: Runtime, fd: number, kind: Stdio, handle: () => ChildHandle | undefined): ChildPipe {
  const own = kind === "inherit" ? fd : typeof kind === "object" && "fd" in kind ? kind.fd : undefined;
  const stream = typeof kind === "object" && "stream" in kind ? (kind.stream as unknown as Readable) : undefined;
  return {
    socket: null, end: nothing, taken: nothing,
    output: (data) => {
      if (stream) stream.write(Buffer.from(data));
      else if (own !== undefined) openFiles(runtime).write(own, data, null);
    },
    wantsInput: () => {
      stream?.on("data", (chunk) => handle()?.write(Uint8Array.from(toBytes(chunk)), fd)).on("end", () => handle()?.write(null, fd));
      const input = own === 0 ? runtime.input : own === undefined ? undefined : runtime.pipes.get(own);
      if (input) pump(input, (chunk) => handle()?.write(chunk, fd));
    },
  };
}
