// The class Worker: a thread as its parent drives it. To the kernel it is a child process with messages.
import { nodeError, unsupported } from "../errors.ts";
import type { AnyFunction, ChildHandle, Dict, Emitter, Runtime, StreamLike } from "../runtime.ts";
import { Buffer } from "../builtins/buffer.ts";
import { EventEmitter } from "../builtins/events.ts";
import { createStream } from "../builtins/stream.ts";
import { LoopTimes, type Utilization } from "../loop-times.ts";
import { sharesMemory } from "./mailbox.ts";
import { receive, send, type Sent } from "./message.ts";
import { pullAll } from "./port-transfer.ts";
import type { Relay, ThreadLetter, Tie } from "./relay.ts";
import { checkTransfer, transferListOf } from "./transfer-list.ts";
import { inputOf } from "../builtins/child-input.ts";
import { checkWorkerFlags, commandOf, environmentOf, execArgvOf, resourceLimitsOf, SHARE_ENV, type WorkerOptions } from "./worker-options.ts";

/** What a thread is given when it starts. */
export interface ThreadData {
  /** Its `workerData`. */
  readonly sent: Sent;
  readonly environment: ReadonlyMap<unknown, unknown>;
  readonly execArgv: readonly string[];
  readonly resourceLimits: Readonly<Record<string, number>>;
  /** Counts the threads of the process, where memory is shared. */
  readonly count: SharedArrayBuffer | undefined;
  /** Those of its event loop. */
  readonly times: SharedArrayBuffer | undefined;
  readonly sharesEnv: boolean;
  /** All of it: the kernel adds what a process of its own would have. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Threads {
  readonly relay: Relay;
  readonly environment: ReadonlyMap<unknown, unknown>;
  readonly count: SharedArrayBuffer | undefined;
  /** A number for the next one. */
  nextId(): number;
}

type Piped = StreamLike & { push(chunk: unknown): void; pipe(to: unknown, options: object): void };

export function workerClass(runtime: Runtime, threads: Threads): unknown {
  const { host, loop } = runtime;
  const { relay } = threads;

  return class Worker extends (EventEmitter as unknown as new () => Emitter) {
    readonly performance = { eventLoopUtilization: (from?: Utilization, before?: Utilization) => (this.#handle ? this.#times : new LoopTimes()).utilization(from, before) };
    readonly #times: LoopTimes;
    readonly #id: number;
    readonly #streams: { readonly stdin: StreamLike | null; readonly stdout: Piped; readonly stderr: Piped };
    readonly #limits: Readonly<Record<string, number>>;
    #handle: ChildHandle | undefined;
    readonly #tie: Tie;
    #release: (() => void) | undefined;

    constructor(file: unknown, options: WorkerOptions = {}) {
      super();
      if (host.thread === undefined) throw unsupported("new worker_threads.Worker", "this program runs without a kernel that could make threads");
      const command = commandOf(runtime, file, options);
      const env = environmentOf(runtime, options);
      checkWorkerFlags(command, env, options);
      const { Readable } = createStream();
      const output = (fd: 1 | 2): Piped => {
        const stream = new Readable({ read: () => undefined }) as unknown as Piped;
        // Not piped: the process's own stream would have a listener more for each thread.
        if (!options[fd === 1 ? "stdout" : "stderr"]) stream.on("data", (chunk) => void (fd === 1 ? runtime.process.stdout : runtime.process.stderr).write(chunk as Uint8Array));
        return stream;
      };
      this.#id = threads.nextId();
      this.#limits = resourceLimitsOf(options);
      const sharesEnv = options.env === SHARE_ENV;
      this.#tie = { sharesEnv, post: (letter, passed) => this.#handle?.send(letter, passed) };
      const times = sharesMemory ? new SharedArrayBuffer(LoopTimes.BYTES) : undefined;
      this.#times = new LoopTimes(times);
      const outputs = [output(1), output(2)] as const;
      const transfer = checkTransfer(transferListOf(options.transferList));
      send(runtime, options.workerData, transfer, (sent, natives) => {
        const data: ThreadData = { sent, environment: threads.environment, execArgv: execArgvOf(options) ?? runtime.process.execArgv, resourceLimits: this.#limits, count: threads.count, times, sharesEnv, env };
        this.#handle = host.spawn(
          { command: "node", args: [...command.flags, ...command.rest], cwd: runtime.cwd, env, stdin: options.stdin === true, ipc: true, terminal: null, thread: { id: this.#id, data } },
          {
            started: () => loop.post(() => void this.emit("online")),
            output: (fd, bytes) => loop.post(() => outputs[fd - 1]?.push(Buffer.from(bytes))),
            message: (letter) => {
              pullAll(runtime);
              loop.post(() => this.#receive(letter as ThreadLetter));
            },
            exit: (code) => {
              pullAll(runtime);
              loop.post(() => this.#ended(code ?? 1));
            },
            error: (code, message) => loop.post(() => {
              this.emit("error", nodeError(Error, "ERR_WORKER_INIT_FAILED", `Worker initialization failure: ${code}: ${message}`));
              this.#ended(1);
            }),
          },
          natives,
        );
      }, this.#id);
      relay.begins(this.#id, this.#tie);
      this.#release = loop.hold();
      const stdin = options.stdin ? inputOf(() => this.#handle) : null;
      this.#streams = { stdin, stdout: outputs[0], stderr: outputs[1] };
      loop.nextTick(() => void runtime.process.emit("worker", this));
      const channel = (runtime.builtin("diagnostics_channel")["channel"] as AnyFunction)("worker_threads") as { hasSubscribers: boolean; publish(message: Dict): void };
      if (channel.hasSubscribers) channel.publish({ worker: this });
    }

    #receive(letter: ThreadLetter): void {
      if (letter.kind === "message") this.emit("message", receive(runtime, letter.sent).value);
      else if (letter.kind === "error") this.emit("error", letter.error instanceof Error ? Object.assign(letter.error, letter.fields) : letter.error);
      else relay.receive(letter, this.#tie);
    }

    #ended(code: number): void {
      if (!this.#handle) return;
      this.#handle = undefined;
      relay.ends(this.#id, this.#tie);
      for (const stream of [this.#streams.stdout, this.#streams.stderr]) stream.push(null);
      this.#release?.();
      this.emit("exit", code);
      (this as unknown as { removeAllListeners(): void }).removeAllListeners();
    }

    get threadId(): number {
      return this.#handle ? this.#id : -1;
    }

    get stdin(): StreamLike | null {
      return this.#streams.stdin;
    }

    get stdout(): StreamLike {
      return this.#streams.stdout;
    }

    get stderr(): StreamLike {
      return this.#streams.stderr;
    }

    get resourceLimits(): Readonly<Record<string, number>> {
      return this.#handle ? this.#limits : {};
    }

    postMessage(...args: unknown[]): void {
      const handle = this.#handle;
      if (!handle) return;
      if (args.length === 0) throw nodeError(TypeError, "ERR_MISSING_ARGS", "Not enough arguments to MessagePort.postMessage");
      send(runtime, args[0], checkTransfer(transferListOf(args[1])), (sent, natives) => handle.send({ kind: "message", sent } satisfies ThreadLetter, natives), this.#id);
    }

    terminate(callback?: unknown): Promise<number | undefined> {
      this.ref();
      if (typeof callback === "function") {
        runtime.process.emitWarning("Passing a callback to worker.terminate() is deprecated. It returns a Promise instead.", { type: "DeprecationWarning", code: "DEP0132" });
        if (this.#handle) this.once("exit", (code) => void (callback as AnyFunction)(null, code));
      }
      const handle = this.#handle;
      if (!handle) return Promise.resolve(undefined);
      handle.kill("SIGKILL");
      return new Promise((resolve) => void this.once("exit", (code) => void resolve(code as number)));
    }

    ref(): void {
      if (this.#handle) this.#release ??= loop.hold();
    }

    unref(): void {
      this.#release?.();
      this.#release = undefined;
    }

    getHeapSnapshot(): never {
      throw unsupported("worker_threads.Worker.getHeapSnapshot", "no API tells a page what its memory holds");
    }
  };
}
