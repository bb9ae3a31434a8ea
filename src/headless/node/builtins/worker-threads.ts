// node:worker_threads: each thread is a process of the kernel's with a channel to its parent, whose pid it has. Messages go
// through the kernel, in order with file changes and the end. Memory is shared where the page may share it; SHARE_ENV
// gives a thread a copy of the environment, and a message can only be had from the event loop. (Over 300 lines: both ends of
// one channel, and the names Node gives a port.)
import { inspect } from "node-inspect-extracted";
import { invalidArgType, nodeError, unsupported } from "../errors.ts";
import { fileToUrl, urlToFile } from "../file-url.ts";
import type { AnyFunction, ChildHandle, Dict, Emitter, Runtime, StreamLike } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { EventEmitter } from "./events.ts";
import { quietPorts } from "./quiet-ports.ts";
import { createStream } from "./stream.ts";

/** What goes over the channel. */
type Letter =
  | { readonly kind: "message"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: unknown; readonly fields: Dict };

interface ThreadData {
  readonly workerData: unknown;
  readonly environment: ReadonlyMap<unknown, unknown>;
}

interface WorkerOptions {
  readonly argv?: readonly unknown[];
  readonly env?: unknown;
  readonly eval?: boolean;
  readonly execArgv?: readonly string[];
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly workerData?: unknown;
  readonly transferList?: readonly Transferable[];
  readonly name?: string;
}

const SHARE_ENV = Symbol.for("nodejs.worker_threads.SHARE_ENV");

function transferOf(given: unknown): Transferable[] {
  const list = Array.isArray(given) ? (given as Transferable[]) : ((given as { transfer?: readonly Transferable[] } | undefined)?.transfer ?? []);
  return [...list];
}

/** An error with the fields that cloning would drop. */
export function reportThreadError(runtime: Runtime, error: unknown): void {
  const fields = error instanceof Error ? Object.fromEntries(Object.entries(error).filter(([, value]) => typeof value !== "function" && typeof value !== "symbol")) : {};
  const letter: Letter = { kind: "error", error, fields };
  try {
    runtime.host.send(letter);
  } catch {
    // It holds what cannot be cloned: what it looks like is better than nothing.
    const shown = error instanceof Error ? Object.assign(new Error(error.message), { name: error.name, stack: error.stack }) : inspect(error);
    runtime.host.send({ kind: "error", error: shown, fields: {} } satisfies Letter);
  }
}

const parentPorts = new WeakMap<Runtime, ParentPort>();

class ParentPort extends (EventEmitter as unknown as new () => Emitter) {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  readonly #runtime: Runtime;
  #release: (() => void) | undefined;
  #closed = false;
  /** Messages that came before anybody listened. */
  readonly #early: unknown[] = [];

  constructor(runtime: Runtime) {
    super();
    this.#runtime = runtime;
    this.on("newListener", (event) => {
      if (event !== "message" || this.#closed) return;
      this.#release ??= runtime.loop.hold();
      runtime.loop.post(() => this.#drain());
    });
    this.on("removeListener", () => {
      if (this.listenerCount("message") === 0) this.unref();
    });
  }

  receive(value: unknown): void {
    if (this.#closed) return;
    this.#early.push(value);
    this.#drain();
  }

  #drain(): void {
    while (this.#early.length > 0 && (this.listenerCount("message") > 0 || this.onmessage)) {
      const value = this.#early.shift();
      this.onmessage?.({ data: value });
      this.emit("message", value);
    }
  }

  addEventListener(type: string, listener: AnyFunction): void {
    this.on(type, Object.assign((data: unknown) => void listener({ type, data, target: this }), { listener }) as AnyFunction);
  }

  removeEventListener(type: string, listener: AnyFunction): void {
    this.off(type, listener);
  }

  postMessage(value: unknown, transfer?: unknown): void {
    if (!this.#closed) this.#runtime.host.send({ kind: "message", value } satisfies Letter, transferOf(transfer));
  }

  start(): void {
    this.#drain();
  }

  ref(): void {
    if (!this.#closed) this.#release ??= this.#runtime.loop.hold();
  }

  unref(): void {
    this.#release?.();
    this.#release = undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.unref();
    this.#runtime.loop.post(() => void this.emit("close"));
  }
}

function parentPortOf(runtime: Runtime): ParentPort {
  let port = parentPorts.get(runtime);
  if (!port) {
    port = new ParentPort(runtime);
    parentPorts.set(runtime, port);
  }
  return port;
}

/** A letter of the parent's. */
export function fromParent(runtime: Runtime, letter: unknown): void {
  if ((letter as Letter | null)?.kind === "message") parentPortOf(runtime).receive((letter as Letter & { value: unknown }).value);
}

/** Node's names for listening to a native port; a listener to messages keeps the process alive until the port is closed. */
function teachPorts(runtime: Runtime): void {
  const { prototype } = MessagePort as unknown as { prototype: Dict };
  if (prototype["on"]) return;
  const { loop } = runtime;
  const holds = new WeakMap<MessagePort, () => void>();
  const wrapped = new WeakMap<AnyFunction, (event: Event) => void>();
  const letGo = (port: MessagePort): MessagePort => {
    holds.get(port)?.();
    holds.delete(port);
    return port;
  };
  const listen = (port: MessagePort, event: string, listener: AnyFunction, once: boolean): MessagePort => {
    const run = (native: Event): void => loop.run(() => {
      if (once) {
        port.removeEventListener(event, run);
        if (event === "message") letGo(port);
      }
      listener.call(port, (native as MessageEvent).data);
    });
    wrapped.set(listener, run);
    port.addEventListener(event, run);
    if (event === "message") {
      if (!holds.has(port) && !quietPorts.has(port)) {
        holds.set(port, loop.hold());
        port.addEventListener("close", () => void letGo(port), { once: true });
      }
      port.start();
    }
    return port;
  };
  const close = prototype["close"] as AnyFunction;
  const methods = {
    on(this: MessagePort, event: string, listener: AnyFunction) {
      return listen(this, event, listener, false);
    },
    once(this: MessagePort, event: string, listener: AnyFunction) {
      return listen(this, event, listener, true);
    },
    off(this: MessagePort, event: string, listener: AnyFunction) {
      const run = wrapped.get(listener);
      if (run) this.removeEventListener(event, run);
      return letGo(this);
    },
    ref(this: MessagePort) {
      if (!holds.has(this) && !quietPorts.has(this)) holds.set(this, loop.hold());
    },
    unref(this: MessagePort) {
      letGo(this);
    },
    close(this: MessagePort) {
      letGo(this);
      close.call(this);
      loop.post(() => void this.dispatchEvent(new Event("close")));
    },
  };
  for (const [name, value] of Object.entries({ ...methods, addListener: methods.on, removeListener: methods.off })) Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
}

export function createWorkerThreads(runtime: Runtime): Dict {
  const { host, loop } = runtime;
  const given = host.thread?.data as ThreadData | undefined;
  const environment = new Map(given?.environment);
  let threads = 0;
  if (host.ownsRealm) teachPorts(runtime);

  const commandOf = (file: unknown, options: WorkerOptions): string[] => {
    const flags = [...(options.execArgv ?? runtime.process.execArgv)];
    const argv = (options.argv ?? []).map(String);
    if (options.eval) return [...flags, "-e", String(file), "--", ...argv];
    const url = file instanceof URL ? file : undefined;
    if (url?.protocol === "data:") return [...flags, "--input-type=module", "-e", `import ${JSON.stringify(url.href)}`, "--", ...argv];
    if (url && url.protocol !== "file:") throw nodeError(TypeError, "ERR_INVALID_URL_SCHEME", "The URL must be of scheme file");
    if (!url && typeof file !== "string") throw invalidArgType("filename", ["string", "URL"], file);
    const path = url ? urlToFile(url) : (file as string);
    if (!/^(?:\/|\.\.?\/)/.test(path)) {
      throw nodeError(TypeError, "ERR_WORKER_PATH", `The worker script or module filename must be an absolute path or a relative path starting with './' or '../'. Received "${path}"`);
    }
    return [...flags, path.startsWith("/") ? path : urlToFile(new URL(path, fileToUrl(`${runtime.cwd}/`))), ...argv];
  };

  class Worker extends (EventEmitter as unknown as new () => Emitter) {
    threadId: number;
    readonly stdin: StreamLike | null;
    readonly stdout: StreamLike;
    readonly stderr: StreamLike;
    readonly resourceLimits = {};
    readonly performance = { eventLoopUtilization: () => ({ idle: 0, active: 0, utilization: 0 }) };
    readonly #handle: ChildHandle;
    #release: (() => void) | undefined;
    #exitCode: number | undefined;
    #failed = false;

    constructor(file: unknown, options: WorkerOptions = {}) {
      super();
      if (host.thread === undefined) throw unsupported("new worker_threads.Worker", "this program runs without a kernel that could make threads");
      const { Readable, Writable } = createStream();
      const args = commandOf(file, options);
      const env: Record<string, string> = {};
      const from = options.env === undefined || options.env === SHARE_ENV || options.env === null ? runtime.process.env : (options.env as Record<string, unknown>);
      for (const [name, value] of Object.entries(from)) if (value !== undefined) env[name] = String(value);
      this.threadId = (host.thread?.id ?? 0) * 100 + ++threads;
      this.stdout = new Readable({ read: () => undefined });
      this.stderr = new Readable({ read: () => undefined });
      const outputs = [this.stdout, this.stderr] as unknown as { push(chunk: unknown): void }[];
      const data: ThreadData = { workerData: options.workerData, environment };
      this.#handle = host.spawn(
        { command: "node", args, cwd: runtime.cwd, env, stdin: options.stdin === true, ipc: true, terminal: null, thread: { id: this.threadId, data } },
        {
          started: () => loop.post(() => void this.emit("online")),
          output: (fd, bytes) => loop.post(() => {
            if (options[fd === 1 ? "stdout" : "stderr"]) outputs[fd - 1]?.push(Buffer.from(bytes));
            else (fd === 1 ? runtime.process.stdout : runtime.process.stderr).write(Buffer.from(bytes));
          }),
          message: (letter) => loop.post(() => this.#receive(letter as Letter)),
          exit: (code) => loop.post(() => this.#ended(this.#failed ? 1 : (code ?? 1))),
          error: (code, message) => loop.post(() => {
            this.emit("error", nodeError(Error, "ERR_WORKER_INIT_FAILED", `Worker initialization failure: ${code}: ${message}`));
            this.#ended(1);
          }),
        },
        transferOf(options.transferList),
      );
      this.#release = loop.hold();
      this.stdin = options.stdin ? new Writable({
        write: (chunk: Uint8Array, _encoding: string, done: () => void) => {
          this.#handle.write(Uint8Array.from(chunk));
          done();
        },
        final: (done: () => void) => {
          this.#handle.write(null);
          done();
        },
      }) : null;
    }

    #receive(letter: Letter): void {
      if (letter.kind === "message") return void this.emit("message", letter.value);
      this.#failed = true;
      this.emit("error", letter.error instanceof Error ? Object.assign(letter.error, letter.fields) : letter.error);
    }

    #ended(code: number): void {
      if (this.#exitCode !== undefined) return;
      this.#exitCode = code;
      this.threadId = -1;
      for (const stream of [this.stdout, this.stderr] as unknown as { push(chunk: null): void }[]) stream.push(null);
      this.#release?.();
      this.emit("exit", code);
    }

    postMessage(value: unknown, transfer?: unknown): void {
      if (this.#exitCode === undefined) this.#handle.send({ kind: "message", value } satisfies Letter, transferOf(transfer));
    }

    terminate(): Promise<number | undefined> {
      if (this.#exitCode !== undefined) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        this.once("exit", (code) => void resolve(code as number));
        this.#handle.kill("SIGKILL");
      });
    }

    ref(): void {
      if (this.#exitCode === undefined) this.#release ??= loop.hold();
    }

    unref(): void {
      this.#release?.();
      this.#release = undefined;
    }
  }

  return {
    isMainThread: !host.thread, parentPort: host.thread ? parentPortOf(runtime) : null, workerData: given?.workerData ?? null, threadId: host.thread?.id ?? 0, resourceLimits: {}, SHARE_ENV, Worker,
    MessageChannel: globalThis.MessageChannel, MessagePort: globalThis.MessagePort, BroadcastChannel: globalThis.BroadcastChannel,
    markAsUntransferable: () => undefined, isMarkedAsUntransferable: () => false,
    setEnvironmentData: (key: unknown, value: unknown) => void (value === undefined ? environment.delete(key) : environment.set(key, value)), getEnvironmentData: (key: unknown) => environment.get(key),
    receiveMessageOnPort: () => {
      throw unsupported("worker_threads.receiveMessageOnPort", "a page hands messages out only from its event loop; listen to the port instead");
    },
    moveMessagePortToContext: () => {
      throw unsupported("worker_threads.moveMessagePortToContext");
    },
  };
}
