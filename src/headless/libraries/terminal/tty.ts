// node:tty's classes, of process.stdin, stdout and stderr at a terminal, and the moves of a cursor. There is one terminal; a stream
// made of its descriptor is the process's own.
import type { AnyFunction, Dict, StreamLike } from "../../node/runtime.ts";
import type { TerminalTools } from "./tools.ts";

type Class = AnyFunction & { readonly prototype: Dict };

/** A move of the cursor; the callback and the result are the write's. */
const move = (code: (...args: never[]) => string): AnyFunction => function (this: StreamLike, ...args: unknown[]) {
  const done = args.findLast((arg) => typeof arg === "function");
  return (this.write as AnyFunction)(code(...(args as never[])), ...(done ? [done] : []));
};

export const CURSOR = {
  clearLine: (direction: number) => `\u001b[${direction < 0 ? 1 : direction > 0 ? 0 : 2}K`,
  clearScreenDown: () => "\u001b[0J",
  cursorTo: (x: number, y?: unknown) => (typeof y === "number" ? `\u001b[${y + 1};${x + 1}H` : `\u001b[${x + 1}G`),
  moveCursor: (dx: number, dy: number) => (dx < 0 ? `\u001b[${-dx}D` : dx > 0 ? `\u001b[${dx}C` : "") + (dy < 0 ? `\u001b[${-dy}A` : dy > 0 ? `\u001b[${dy}B` : ""),
};

/** Bits of colour, by what the environment says. */
function colorDepth(env: Readonly<Record<string, unknown>>): number {
  const { FORCE_COLOR: force, TERM = "" } = env;
  if (force !== undefined) return force === "0" ? 1 : force === "2" ? 8 : force === "3" ? 24 : 4;
  if (env["NODE_DISABLE_COLORS"] || env["NO_COLOR"] || TERM === "dumb") return 1;
  return /^(truecolor|24bit)$/.test(String(env["COLORTERM"])) ? 24 : /-256/.test(String(TERM)) ? 8 : 4;
}

/** `ReadStream` and `WriteStream`; and what programs that wait inside a read take of Node's inside. */
export function makeTty({ runtime, Readable, Writable, isTerminal, errors: { invalidArgType, nodeError } }: TerminalTools): { readonly tty: Dict; readonly binding: Dict } {
  const { host } = runtime;
  const setRawMode = (on: unknown): number => {
    host.rawMode?.(Boolean(on));
    return 0;
  };
  const own = (fd: unknown, streams: readonly unknown[]): unknown => {
    if (typeof fd !== "number") throw invalidArgType("fd", "number", fd);
    if (fd < 0) throw nodeError(RangeError, "ERR_INVALID_FD", `"fd" must be a positive integer: ${fd}`);
    if (isTerminal(host, fd) && streams[fd]) return streams[fd];
    throw nodeError(Error, "ERR_TTY_INIT_FAILED", "TTY initialization failed: uv_tty_init returned EINVAL (invalid argument)");
  };
  const ReadStream = function (fd: unknown): unknown {
    return own(fd, [runtime.process.stdin]);
  } as unknown as Class;
  const WriteStream = function (fd: unknown): unknown {
    return own(fd, [undefined, runtime.process.stdout, runtime.process.stderr]);
  } as unknown as Class;
  const inherit = (Child: Class, Parent: unknown, methods: Dict): void => {
    Object.setPrototypeOf(Child, Parent as object);
    Object.setPrototypeOf(Child.prototype, (Parent as Class).prototype);
    for (const [name, value] of Object.entries(methods)) Object.defineProperty(Child.prototype, name, { value, writable: true, configurable: true, enumerable: true });
  };
  inherit(ReadStream, Readable, {
    _handle: { setRawMode },
    setRawMode(this: Dict, on: unknown) {
      setRawMode(on);
      return Object.assign(this, { isRaw: Boolean(on) });
    },
  });
  inherit(WriteStream, Writable, {
    isTTY: true,
    getColorDepth: (env?: Dict) => colorDepth(env ?? runtime.process.env),
    hasColors: (count: unknown = 16, env?: Dict) => 2 ** colorDepth(env ?? (typeof count === "object" ? (count as Dict) : runtime.process.env)) >= (typeof count === "number" ? count : 16),
    getWindowSize(this: StreamLike) {
      return [this.columns, this.rows];
    },
    ...Object.fromEntries(Object.entries(CURSOR).map(([name, code]) => [name, move(code)])),
  });
  const TTY = function (): unknown {
    return { setRawMode };
  };
  return { tty: { ReadStream, WriteStream }, binding: { TTY } };
}

/** A function of node:readline: a stream that is none is passed over, as in Node. */
const onStream = (code: (...args: never[]) => string): AnyFunction => (stream, ...args) => {
  const done = args.findLast((arg) => typeof arg === "function") as AnyFunction | undefined;
  const text = stream ? code(...(args as never[])) : "";
  if (text !== "") return ((stream as StreamLike).write as AnyFunction)(text, ...(done ? [done] : []));
  if (done) queueMicrotask(() => done(null));
  return true;
};

export const cursorFunctions: Dict = Object.fromEntries(Object.entries(CURSOR).map(([name, code]) => [name, onStream(code)]));
