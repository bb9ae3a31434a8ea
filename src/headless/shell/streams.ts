// What a file descriptor stands for: an end of a pipe, a file, this shell's own input and output, nothing. All of them are
// read and written in pieces, and a reader waits; so a loop that prints is heard while it runs, and `yes | head -1` ends.
// (Over 300 lines: a small class for each kind, on one base.)
import { joined } from "../../base/bytes.ts";
import { concat } from "../append.ts";
import { FsError } from "../fs-error.ts";
import type { Vfs } from "../vfs.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { orKilled } from "./task.ts";

/** One open file: descriptors that were copied (`2>&1`, a subshell) share it. */
export interface Stream {
  /** The next bytes, at least one; undefined at the end. Rejects with the signal's reason when that comes first. */
  read(signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** What was read too much: the next `read` gives it. */
  unread(bytes: Uint8Array): void;
  /** Waits while the reader is behind. Throws BrokenPipe when nobody reads any more. */
  write(bytes: Uint8Array, signal: AbortSignal): Promise<void> | void;
  /** The last descriptor is closed. */
  end(): void;
  readonly terminal: boolean;
  /** Where this shell's own streams lead, so that a child may share them. */
  readonly own?: number;
}

export class BrokenPipe extends Error {}
export class BadDescriptor extends Error {}

/** A stream with the count of descriptors that hold it. */
export class OpenFile {
  readonly stream: Stream;
  #holders = 1;

  constructor(stream: Stream) {
    this.stream = stream;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    if (--this.#holders === 0) this.stream.end();
  }
}

abstract class Base implements Stream {
  readonly terminal: boolean = false;
  protected back: Uint8Array | undefined;

  unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.back = this.back ? concat(bytes, this.back) : bytes;
  }

  protected takeBack(): Uint8Array | undefined {
    const { back } = this;
    this.back = undefined;
    return back;
  }

  read(_signal: AbortSignal): Promise<Uint8Array | undefined> {
    return Promise.reject(new BadDescriptor("Bad file descriptor"));
  }

  write(_bytes: Uint8Array, _signal: AbortSignal): Promise<void> | void {
    throw new BadDescriptor("Bad file descriptor");
  }

  end(): void {
    this.back = undefined;
  }
}

/** Bytes that wait in a pipe before its writer has to. */
const PIPE_BYTES = 64 * 1024;

class Queue {
  parts: Uint8Array[] = [];
  bytes = 0;
  written = false;
  read = false;
  /** What to do when something has changed. */
  waiting = new Set<() => void>();

  changed(): void {
    for (const wake of this.waiting) wake();
  }

  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const done = (): void => {
        this.waiting.delete(done);
        signal.removeEventListener("abort", stop);
        resolve();
      };
      const stop = (): void => {
        this.waiting.delete(done);
        reject(signal.reason as Error);
      };
      this.waiting.add(done);
      signal.addEventListener("abort", stop, { once: true });
    });
  }
}

class PipeReader extends Base {
  readonly #queue: Queue;

  constructor(queue: Queue) {
    super();
    this.#queue = queue;
  }

  override async read(signal: AbortSignal): Promise<Uint8Array | undefined> {
    const back = this.takeBack();
    if (back) return back;
    const queue = this.#queue;
    while (queue.parts.length === 0) {
      if (queue.written) return undefined;
      await queue.wait(signal);
    }
    const parts = queue.parts.splice(0);
    queue.bytes = 0;
    queue.changed();
    return parts.length === 1 ? parts[0] : joined(parts);
  }

  override end(): void {
    super.end();
    this.#queue.read = true;
    this.#queue.parts = [];
    this.#queue.changed();
  }
}

class PipeWriter extends Base {
  readonly #queue: Queue;

  constructor(queue: Queue) {
    super();
    this.#queue = queue;
  }

  override async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const queue = this.#queue;
    for (let at = 0; at < bytes.length; at += PIPE_BYTES) {
      if (queue.read) throw new BrokenPipe();
      const piece = bytes.subarray(at, at + PIPE_BYTES);
      queue.parts.push(piece);
      queue.bytes += piece.length;
      queue.changed();
      while (queue.bytes > PIPE_BYTES) {
        await queue.wait(signal);
        if (queue.read) throw new BrokenPipe();
      }
    }
  }

  /** Of a child process, which nobody can make wait. False: nobody reads any more. */
  push(bytes: Uint8Array): boolean {
    const queue = this.#queue;
    if (queue.read) return false;
    queue.parts.push(bytes);
    queue.bytes += bytes.length;
    queue.changed();
    return true;
  }

  override end(): void {
    this.#queue.written = true;
    this.#queue.changed();
  }
}

export function pipe(): { readonly reader: Stream; readonly writer: Stream } {
  const queue = new Queue();
  return { reader: new PipeReader(queue), writer: new PipeWriter(queue) };
}

/** For what cannot wait: pushes into a pipe at once, else writes. False: nobody reads any more. */
export function pushTo(stream: Stream, bytes: Uint8Array, signal: AbortSignal): boolean {
  if (stream instanceof PipeWriter) return stream.push(bytes);
  void stream.write(bytes, signal);
  return true;
}

/** A file, written where the last write ended (`append`: always at its end). */
export class FileStream extends Base {
  readonly #vfs: Vfs;
  readonly #path: string;
  readonly #mode: { readonly read: boolean; readonly write: boolean; readonly append: boolean };
  #at: number;

  constructor(vfs: Vfs, path: string, mode: { read: boolean; write: boolean; append: boolean }, at = 0) {
    super();
    this.#vfs = vfs;
    this.#path = path;
    this.#mode = mode;
    this.#at = at;
  }

  override async read(): Promise<Uint8Array | undefined> {
    if (!this.#mode.read) throw new BadDescriptor("Bad file descriptor");
    const back = this.takeBack();
    if (back) return back;
    const data = this.#data();
    if (this.#at >= data.length) return undefined;
    const piece = data.slice(this.#at, this.#at + PIPE_BYTES);
    this.#at += piece.length;
    return piece;
  }

  override write(bytes: Uint8Array): void {
    if (!this.#mode.write) throw new BadDescriptor("Bad file descriptor");
    if (bytes.length === 0) return;
    const data = this.#data();
    const at = this.#mode.append ? data.length : this.#at;
    if (at === data.length && data.length > 0) this.#vfs.append(this.#path, bytes.slice());
    else {
      const whole = new Uint8Array(Math.max(data.length, at + bytes.length));
      whole.set(data);
      whole.set(bytes, at);
      this.#vfs.writeFile(this.#path, whole);
    }
    this.#at = at + bytes.length;
  }

  /** A file that was removed while open is empty. */
  #data(): Uint8Array {
    const node = this.#vfs.find(this.#path);
    if (node?.kind === "dir") throw new FsError("EISDIR", "read", this.#path);
    return node?.kind === "file" ? node.data : new Uint8Array();
  }
}

/** A here-document or here-string. */
export class TextStream extends Base {
  constructor(text: string) {
    super();
    this.unread(new TextEncoder().encode(text));
  }

  override async read(): Promise<Uint8Array | undefined> {
    return this.takeBack();
  }
}

export class NullStream extends Base {
  override async read(_signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return undefined;
  }

  override write(_bytes: Uint8Array): void {}
}

/** /dev/zero and /dev/urandom. What is written is gone. */
export class EndlessStream extends NullStream {
  readonly #random: boolean;

  constructor(random: boolean) {
    super();
    this.#random = random;
  }

  override async read(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const back = this.takeBack();
    if (back) return back;
    // Whoever reads for ever lets others have their turn.
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    const bytes = new Uint8Array(16_384);
    return this.#random ? crypto.getRandomValues(bytes) : bytes;
  }
}

/** This shell's own output, or its end of a pipe above 2. */
export class OutputStream extends Base {
  readonly own: number;
  override readonly terminal: boolean;
  readonly #send: (bytes: Uint8Array) => void;
  broken = false;
  /** No descriptor leads there any more. */
  ended = false;
  onEnd: (() => void) | undefined;

  constructor(own: number, terminal: boolean, send: (bytes: Uint8Array) => void) {
    super();
    this.own = own;
    this.terminal = terminal;
    this.#send = send;
  }

  override write(bytes: Uint8Array): void {
    if (this.broken) throw new BrokenPipe();
    this.#send(bytes);
  }

  override end(): void {
    this.ended = true;
    this.onEnd?.();
  }
}

/** This shell's own input: `wanted` asks for it the first time somebody reads. */
export class InputStream extends Base {
  readonly own: number = 0;
  override readonly terminal: boolean;
  readonly #queue = new Queue();
  readonly #taken: (bytes: number) => void;
  #want: (() => void) | undefined;

  constructor(terminal: boolean, want: () => void, taken: (bytes: number) => void) {
    super();
    this.terminal = terminal;
    this.#want = want;
    this.#taken = taken;
  }

  override async read(signal: AbortSignal): Promise<Uint8Array | undefined> {
    const back = this.takeBack();
    if (back) return back;
    this.#want?.();
    this.#want = undefined;
    const queue = this.#queue;
    while (queue.parts.length === 0) {
      if (queue.written) {
        // The end that is typed at a terminal ends one reader, not the next.
        if (this.terminal) queue.written = false;
        return undefined;
      }
      await queue.wait(signal);
    }
    // Line by line as it was typed: what one reader leaves, the next takes.
    if (this.terminal) return queue.parts.shift();
    const read = joined(queue.parts.splice(0));
    this.#taken(read.length);
    return read;
  }

  /** Null ends it. */
  push(bytes: Uint8Array | null): void {
    if (bytes === null) this.#queue.written = true;
    else this.#queue.parts.push(bytes);
    this.#queue.changed();
  }

  /** What was typed and nobody has read. */
  takeAll(): Uint8Array {
    this.#queue.written = false;
    return joined([this.takeBack() ?? new Uint8Array(), ...this.#queue.parts.splice(0)]);
  }

  override end(): void {}
}

/** A pipe above 2, both ways. */
export class PipeEnd extends InputStream {
  override readonly own: number;
  readonly output: OutputStream;
  readonly #close: () => void;

  constructor(fd: number, link: { want(): void; taken(bytes: number): void; send(bytes: Uint8Array): void; close(): void }) {
    super(false, () => link.want(), (bytes) => link.taken(bytes));
    this.own = fd;
    this.output = new OutputStream(fd, false, (bytes) => link.send(bytes));
    this.#close = () => link.close();
  }

  override write(bytes: Uint8Array): void {
    this.output.write(bytes);
  }

  override end(): void {
    this.#close();
  }
}

/** One command's share of the terminal's input: it reads while it is in the foreground, and waits while it is not. */
export class TerminalTurn extends Base {
  readonly own = 0;
  override readonly terminal = true;
  readonly #input: InputStream;
  #paused = new AbortController();
  #back: Deferred<void> | undefined;

  constructor(input: InputStream) {
    super();
    this.#input = input;
  }

  override async read(signal: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      const back = this.takeBack();
      if (back) return back;
      if (this.#back) await orKilled(this.#back.promise, signal);
      try {
        return await this.#input.read(AbortSignal.any([signal, this.#paused.signal]));
      } catch (error) {
        if (signal.aborted || !this.#back) throw error;
      }
    }
  }

  pause(): void {
    this.#back ??= deferred();
    this.#paused.abort();
    this.#paused = new AbortController();
  }

  resume(): void {
    this.#back?.resolve();
    this.#back = undefined;
  }

  /** Its command has ended: what it has not read is the next one's. */
  close(): void {
    this.#input.unread(this.takeBack() ?? new Uint8Array());
  }

  override end(): void {}
}

/** Everything up to the end. */
export async function readAll(stream: Stream, signal: AbortSignal): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const piece = await stream.read(signal);
    if (!piece) return joined(parts);
    parts.push(piece);
  }
}

/** The bytes up to and with the delimiter, or to the end; `found` tells which. What follows stays in the stream. */
export async function readLine(stream: Stream, delimiter: number, signal: AbortSignal): Promise<{ readonly bytes: Uint8Array; readonly found: boolean }> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const piece = await stream.read(signal);
    if (!piece) return { bytes: joined(parts), found: false };
    const at = piece.indexOf(delimiter);
    if (at < 0) {
      parts.push(piece);
      continue;
    }
    stream.unread(piece.subarray(at + 1));
    parts.push(piece.subarray(0, at));
    return { bytes: joined(parts), found: true };
  }
}
