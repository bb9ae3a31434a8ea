// process.stdout, stderr and stdin. Output is synchronous: it has left before `write` returns, as with a pipe in Node. Input
// waits here until its stream or a synchronous read takes it.
import type { Input, Runtime, StreamLike } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { streamError } from "../net/errors.ts";
import { createStream } from "./stream.ts";
import { terminalLibrary } from "./terminal.ts";
import { isTerminal } from "./tty.ts";

/** Of a synchronous read on a page that shares no memory. */
export const noWaiting = (what: string, stream: string): Error =>
  Object.assign(new Error(`EAGAIN: resource temporarily unavailable, read: this page shares no memory, so a program cannot wait inside a synchronous read of ${what}. Read ${stream} as a stream, or reload the page: isolated (COOP, COEP) it can`), { errno: -11, code: "EAGAIN", syscall: "read" });

export function attachStdio(runtime: Runtime): Input {
  const { host, process, loop } = runtime;
  const { Writable, Readable } = createStream();
  const classes = host.terminal && (terminalLibrary(runtime).tty as Readonly<Record<string, { readonly prototype: object }>>);
  const output = (fd: 1 | 2): StreamLike => {
    const terminal = isTerminal(host, fd);
    const stream = new Writable({
      decodeStrings: false,
      write: (chunk: string | Uint8Array, encoding: string, done: (error: Error | null) => void) => {
        const broken = runtime.broken.has(fd);
        if (!runtime.ended && !broken) host.write(fd, typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk);
        done(broken ? streamError("EPIPE", "write") : null);
      },
      // They belong to the process: what is written after this is written still.
      destroy(this: { _undestroy(): void }, error: unknown, done: (error: unknown) => void) {
        done(error);
        this._undestroy();
      },
    });
    if (terminal) Object.setPrototypeOf(Object.assign(stream, { isTTY: true, columns: host.terminal?.cols, rows: host.terminal?.rows }), classes?.["WriteStream"]?.prototype ?? null);
    return Object.assign(stream, { fd, _type: terminal ? "tty" : "pipe", _isStdio: true, destroySoon: () => undefined });
  };
  // As in Node: what copies `process` (jest) has the very streams, and nobody puts another in their place by an assignment.
  const give = (name: string, stream: unknown): void => void Object.defineProperty(process, name, { get: () => stream, enumerable: true, configurable: true });
  give("stdout", output(1));
  give("stderr", output(2));

  const terminal = isTerminal(host, 0);
  const waiting: (Uint8Array | null)[] = host.stdin ? [] : [null];
  let release: (() => void) | undefined;
  let want = host.wantsInput;
  /** Its stream has asked for more. */
  let asked = false;
  const letGo = (): void => {
    release?.();
    release = undefined;
  };
  let paused = false;
  /** While its stream waits for more, and somebody reads it, the process goes on. */
  const hold = (): void => {
    if (asked && waiting.length === 0 && (!paused || stdin.listenerCount("readable") > 0)) release ??= loop.hold();
  };
  const pump = (): void => {
    while (asked && waiting.length > 0) {
      const chunk = waiting.shift() ?? null;
      asked = false;
      // Its end stays the end, for whoever asks again.
      if (chunk === null) waiting.unshift(null);
      if (chunk === null) letGo();
      else host.inputTaken?.(0, chunk.length);
      stdin.push(chunk && Buffer.from(chunk));
    }
  };
  const stdin = new Readable({
    read: () => {
      asked = true;
      pump();
      hold();
      if (asked) want?.();
      if (asked) want = undefined;
    },
    destroy: (error: unknown, done: (error: unknown) => void) => {
      asked = false;
      letGo();
      done(error);
    },
  });
  const { pause, resume } = stdin as unknown as { pause: () => unknown; resume: () => unknown };
  if (terminal) Object.setPrototypeOf(Object.assign(stdin, { isTTY: true, isRaw: false }), classes?.["ReadStream"]?.prototype ?? null);
  give("stdin", Object.assign(stdin, {
    fd: 0, ref: () => stdin,
    unref: () => {
      letGo();
      return stdin;
    },
    pause: () => {
      paused = true;
      letGo();
      return pause.call(stdin);
    },
    resume: () => {
      paused = false;
      hold();
      return resume.call(stdin);
    },
  }));
  Object.assign(process, { openStdin: () => (stdin as unknown as { resume(): unknown }).resume() });
  const kept = stdin as unknown as { readableLength: number; read(size: number): Uint8Array };
  const readers: (() => void)[] = [];
  return {
    deliver: (chunk) => {
      waiting.push(chunk);
      pump();
      for (const tell of readers.splice(0)) tell();
    },
    has: (need) => (need === "all" ? waiting.includes(null) : waiting.length > 0 || kept.readableLength > 0),
    onMore: (then) => {
      const go = loop.hold();
      readers.push(() => {
        go();
        then();
      });
      want?.();
      want = undefined;
    },
    take: (most) => {
      if (kept.readableLength > 0) return kept.read(Math.min(most, kept.readableLength));
      if (waiting.length === 0 && host.readSync) waiting.push(...host.readSync(0));
      const [chunk] = waiting;
      if (chunk === undefined) throw noWaiting("stdin", "process.stdin");
      if (chunk === null) {
        // Ctrl+D ends one read of a terminal.
        if (terminal && host.stdin) waiting.shift();
        return new Uint8Array();
      }
      if (chunk.length > most) waiting[0] = chunk.subarray(most);
      else waiting.shift();
      host.inputTaken?.(0, Math.min(most, chunk.length));
      return chunk.subarray(0, most);
    },
  };
}
