// node:readline and node:readline/promises: lines of a stream and questions; no line editing.
import { checkFunction, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Emitter, Runtime, StreamLike } from "../runtime.ts";
import { EventEmitter } from "./events.ts";

interface InterfaceOptions {
  readonly input?: StreamLike;
  readonly output?: StreamLike;
  readonly prompt?: string;
}

class Interface extends (EventEmitter as unknown as new () => Emitter) {
  readonly input: StreamLike | undefined;
  readonly output: StreamLike | undefined;
  line = "";
  closed = false;
  terminal = false;
  #prompt: string;
  #rest = "";
  readonly #answers: AnyFunction[] = [];
  readonly #decoder = new TextDecoder();

  constructor(first: InterfaceOptions | StreamLike, output?: StreamLike) {
    super();
    const options = (typeof (first as StreamLike).on === "function" ? { input: first, output } : first) as InterfaceOptions;
    this.input = options.input;
    this.output = options.output;
    this.#prompt = options.prompt ?? "> ";
    this.input?.on("data", (chunk) => this.#take(typeof chunk === "string" ? chunk : this.#decoder.decode(chunk as Uint8Array, { stream: true })));
    this.input?.on("end", () => {
      if (this.#rest !== "") this.#line(this.#rest);
      this.#rest = "";
      this.close();
    });
    (this.input as unknown as { resume?: () => void } | undefined)?.resume?.();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() as string;
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (this.closed) return;
    const answer = this.#answers.shift();
    if (answer) answer(line);
    else this.emit("line", line);
  }

  setPrompt(prompt: string): void {
    this.#prompt = prompt;
  }

  getPrompt(): string {
    return this.#prompt;
  }

  prompt(): void {
    this.output?.write(this.#prompt);
  }

  question(query: string, options: unknown, callback?: unknown): void {
    const done = callback ?? options;
    checkFunction(done, "callback");
    if (this.closed) throw nodeError(Error, "ERR_USE_AFTER_CLOSE", "readline was closed");
    this.output?.write(query);
    this.#answers.push(done as AnyFunction);
  }

  write(data: string): void {
    this.#take(data);
  }

  pause(): this {
    (this.input as unknown as { pause?: () => void } | undefined)?.pause?.();
    this.emit("pause");
    return this;
  }

  resume(): this {
    (this.input as unknown as { resume?: () => void } | undefined)?.resume?.();
    this.emit("resume");
    return this;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    (this.input as unknown as { pause?: () => void } | undefined)?.pause?.();
    this.emit("close");
  }

  [Symbol.asyncIterator](): AsyncIterator<string> {
    const lines: string[] = [];
    const waiting: ((result: IteratorResult<string>) => void)[] = [];
    this.on("line", (line) => {
      const next = waiting.shift();
      if (next) next({ value: line as string, done: false });
      else lines.push(line as string);
    });
    this.on("close", () => {
      for (const next of waiting.splice(0)) next({ value: undefined, done: true });
    });
    return {
      next: () => {
        const line = lines.shift();
        if (line !== undefined) return Promise.resolve({ value: line, done: false });
        return this.closed ? Promise.resolve({ value: undefined, done: true }) : new Promise((resolve) => waiting.push(resolve));
      },
      return: () => {
        this.close();
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }
}

class PromiseInterface extends Interface {
  // The promise form hides the callback form on purpose, as in Node.
  override question(query: string): Promise<string> & void {
    return new Promise<string>((resolve) => super.question(query, resolve as AnyFunction)) as Promise<string> & void;
  }
}

const cursor = (code: (...args: number[]) => string) => (stream: StreamLike, ...args: unknown[]): boolean => {
  const done = args.find((x) => typeof x === "function") as AnyFunction | undefined;
  const wrote = stream.write(code(...(args.filter((x) => typeof x === "number"))));
  done?.();
  return wrote;
};

export function createReadline(runtime: Runtime): Dict {
  return {
    Interface, createInterface: (first: InterfaceOptions, output?: StreamLike) => new Interface(first, output), promises: createReadlinePromises(runtime),
    clearLine: cursor((direction = 0) => `\u001b[${direction < 0 ? 1 : direction > 0 ? 0 : 2}K`), clearScreenDown: cursor(() => "\u001b[0J"),
    cursorTo: cursor((x = 0, y?: number) => (y === undefined ? `\u001b[${x + 1}G` : `\u001b[${y + 1};${x + 1}H`)), moveCursor: cursor(() => ""),
    emitKeypressEvents: () => undefined,
  };
}

export function createReadlinePromises(_runtime: Runtime): Dict {
  return { Interface: PromiseInterface, createInterface: (first: InterfaceOptions, output?: StreamLike) => new PromiseInterface(first, output) };
}
