// node:child_process over the kernel. A child lives no longer than its parent: `detached` has no effect.
import { abortError, invalidArgType, nodeError } from "../errors.ts";
import { urlToFile } from "../file-url.ts";
import type { AnyFunction, ChildHandle, Dict, Emitter, Runtime, StreamLike } from "../runtime.ts";
import { Buffer, toBytes } from "./buffer.ts";
import { checkMaxBuffer, type Command, commandOf, errnoOf, looseArguments, requestOf, signalName, spawnError, type SpawnOptions, type Stdio, stdioOf } from "./child-options.ts";
import { liveChildren } from "./child-pids.ts";
import { createSyncChildren } from "./child-sync.ts";
import { createIpcChannel, type IpcChannel } from "./ipc-channel.ts";
import { EventEmitter } from "./events.ts";
import { createStream } from "./stream.ts";

const MAX_BUFFER_BYTES = 1024 * 1024;

type Readable = StreamLike & { push(chunk: unknown): boolean; resume(): void; pause(): void; destroyed: boolean };

/** What a message becomes on its way: JSON, or what structured cloning keeps. */
export function messageValue(message: unknown, advanced: boolean): unknown {
  if (message === undefined) throw nodeError(TypeError, "ERR_MISSING_ARGS", 'The "message" argument must be specified');
  if (advanced) return structuredClone(message);
  if (!["string", "object", "number", "boolean"].includes(typeof message)) throw invalidArgType("message", ["string", "object", "number", "boolean"].slice(0, 1).concat("boolean"), message);
  return JSON.parse(JSON.stringify(message)) as unknown;
}

class ChildProcess extends (EventEmitter as unknown as new () => Emitter) {
  pid: number | undefined;
  exitCode: number | null = null;
  signalCode: string | null = null;
  killed = false;
  connected = false;
  spawnfile = "";
  spawnargs: readonly string[] = [];
  stdin: StreamLike | null = null;
  stdout: StreamLike | null = null;
  stderr: StreamLike | null = null;
  stdio: (StreamLike | null)[] = [];
  channel: IpcChannel | null | undefined;
  #runtime: Runtime | undefined;
  #handle: ChildHandle | undefined;
  #release: (() => void) | undefined;
  #advanced = false;
  #started = false;

  start(runtime: Runtime, command: Command): this {
    const { options } = command;
    this.#runtime = runtime;
    this.spawnfile = command.file;
    this.spawnargs = command.shown;
    const kinds = stdioOf(options.stdio);
    this.#advanced = options.serialization === "advanced";
    const { Readable, Writable } = createStream();
    if (kinds[0] === "pipe") {
      this.stdin = new Writable({
        write: (chunk: Uint8Array, _encoding: string, done: () => void) => {
          this.#handle?.write(Uint8Array.from(chunk));
          done();
        },
        final: (done: () => void) => {
          this.#handle?.write(null);
          done();
        },
      });
    }
    const outputs = [1, 2].map((fd) => (kinds[fd] === "pipe" ? new Readable({ read: () => undefined }) : null));
    [this.stdout = null, this.stderr = null] = outputs;
    this.stdio = [this.stdin, this.stdout, this.stderr, ...kinds.slice(3).map(() => null)];
    const { loop } = runtime;
    this.connected = kinds.includes("ipc");
    if (this.connected) this.channel = createIpcChannel(() => loop.hold(), 1);
    this.#release = loop.hold();
    const [first] = kinds;
    const sharesInput = runtime.host.stdin && (first === "inherit" || (typeof first === "object" && (("stream" in first && first.stream === runtime.process.stdin) || ("fd" in first && first.fd === 0))));
    this.#handle = runtime.host.spawn(requestOf(runtime, command, kinds), {
      started: (pid) => {
        this.pid = pid;
        this.#started = true;
        liveChildren(runtime).set(pid, { detached: options.detached === true });
        loop.post(() => void this.emit("spawn"));
      },
      output: (fd, data) => loop.post(() => deliver(runtime, kinds[fd] ?? "ignore", outputs[fd - 1] as Readable | null, fd, data)),
      message: (message) => loop.post(() => {
        if (message !== null) this.emit("message", message, undefined);
        else this.#disconnected();
      }),
      exit: (code, signal) => loop.post(() => this.#ended(code, signal)),
      error: (code, message) => loop.post(() => this.#failed(command, code, message)),
      wantsInput: () => loop.post(() => {
        if (sharesInput) this.#feed(runtime, kinds[0] as Stdio);
      }),
    });
    // The program's own input is kept for it until the child reads.
    if (!sharesInput) this.#feed(runtime, kinds[0] ?? "ignore");
    this.#followOptions(runtime, options);
    return this;
  }

  /** Input that is not the program's to write. */
  #feed(runtime: Runtime, kind: Stdio): void {
    const handle = this.#handle;
    if (kind === "pipe" || kind === "ignore" || kind === "ipc") return;
    if (typeof kind === "object" && "fd" in kind && kind.fd > 2) {
      handle?.write(Uint8Array.from((runtime.builtin("fs")["readFileSync"] as (fd: number) => Uint8Array)(kind.fd)));
      handle?.write(null);
      return;
    }
    const source = (typeof kind === "object" && "stream" in kind ? kind.stream : runtime.process.stdin) as Readable;
    if (source === runtime.process.stdin && !runtime.host.stdin) return handle?.write(null);
    const onData = (chunk: unknown): void => handle?.write(Uint8Array.from(toBytes(chunk)));
    const onEnd = (): void => handle?.write(null);
    source.on("data", onData).on("end", onEnd);
    this.once("exit", () => {
      source.off("data", onData).off("end", onEnd);
      source.pause();
    });
  }

  #followOptions(runtime: Runtime, { signal, killSignal = "SIGTERM", timeout }: SpawnOptions): void {
    if (signal) {
      const abort = (): void => {
        if (this.kill(killSignal)) this.emit("error", abortError(signal));
      };
      if (signal.aborted) runtime.loop.nextTick(abort);
      else {
        signal.addEventListener("abort", abort, { once: true });
        this.once("exit", () => signal.removeEventListener("abort", abort));
      }
    }
    if (timeout) {
      const timer = (runtime.builtin("timers")["setTimeout"] as AnyFunction)(() => this.kill(killSignal), timeout) as { close(): void };
      this.once("exit", () => timer.close());
    }
  }

  #closeStreams(done: () => void): void {
    const open = ([this.stdout, this.stderr] as (Readable | null)[]).filter((stream) => stream !== null && !stream.destroyed) as Readable[];
    let waiting = open.length;
    if (waiting === 0) return done();
    for (const stream of open) {
      stream.once("close", () => {
        if (--waiting === 0) done();
      });
      stream.push(null);
      // A pipe that nobody reads would never end.
      if (stream.listenerCount("data") + stream.listenerCount("readable") === 0) stream.resume();
    }
  }

  #disconnected(): void {
    if (!this.connected) return;
    this.connected = false;
    this.channel?.close();
    this.channel = null;
    this.emit("disconnect");
  }

  #ended(code: number | null, signal: string | null): void {
    this.exitCode = code;
    this.signalCode = signal;
    if (this.#runtime) liveChildren(this.#runtime).delete(this.pid ?? 0);
    (this.stdin as unknown as { destroy(): void } | null)?.destroy();
    this.#disconnected();
    this.emit("exit", code, signal);
    this.#closeStreams(() => {
      this.#release?.();
      this.emit("close", code, signal);
    });
  }

  #failed(command: Command, code: string, message: string): void {
    this.exitCode = errnoOf(code);
    this.channel?.close();
    (this.stdin as unknown as { destroy(): void } | null)?.destroy();
    this.emit("error", spawnError("spawn", command, code, message));
    this.#closeStreams(() => {
      this.#release?.();
      this.emit("close", errnoOf(code), null);
    });
  }

  kill(signal: string | number = "SIGTERM"): boolean {
    const name = signal === 0 ? undefined : signalName(signal);
    if (this.exitCode !== null || this.signalCode !== null || !this.#started && this.pid === undefined && !this.#handle) return false;
    if (name === undefined) return true;
    this.#handle?.kill(name);
    this.killed = true;
    return true;
  }

  send(message: unknown, ...rest: unknown[]): boolean {
    const done = rest.find((x) => typeof x === "function") as AnyFunction | undefined;
    const loop = this.#runtime?.loop;
    if (!this.connected) {
      const error = nodeError(Error, "ERR_IPC_CHANNEL_CLOSED", "Channel closed");
      loop?.nextTick(() => (done ? void done(error) : void this.emit("error", error)));
      return false;
    }
    this.#handle?.send(messageValue(message, this.#advanced));
    if (done) loop?.post(() => void done(null));
    return true;
  }

  disconnect(): void {
    if (!this.connected) return void this.emit("error", nodeError(Error, "ERR_IPC_DISCONNECTED", "IPC channel is already disconnected"));
    this.#handle?.send(null);
    this.connected = false;
    this.channel?.close();
    this.channel = null;
    this.#runtime?.loop.nextTick(() => void this.emit("disconnect"));
  }

  ref(): void {
    if (this.#runtime && this.exitCode === null && this.signalCode === null) this.#release ??= this.#runtime.loop.hold();
  }

  unref(): void {
    this.#release?.();
    this.#release = undefined;
  }
}

function deliver(runtime: Runtime, kind: Stdio, stream: Readable | null, fd: 1 | 2, data: Uint8Array): void {
  if (kind === "inherit") runtime.host.write(fd, data);
  else if (kind === "pipe") stream?.push(Buffer.from(data));
  else if (typeof kind === "object" && "stream" in kind) kind.stream.write(Buffer.from(data));
  else if (typeof kind === "object" && (kind.fd === 1 || kind.fd === 2)) runtime.host.write(kind.fd, data);
  else if (typeof kind === "object") (runtime.builtin("fs")["writeSync"] as AnyFunction)(kind.fd, data);
}

export function createChildProcess(runtime: Runtime): Dict {
  const start = (command: Command): ChildProcess => new ChildProcess().start(runtime, command);
  const spawn = (file: unknown, second?: unknown, third?: unknown): ChildProcess => start(commandOf(file, second, third));

  const startKept = (command: Command): ChildProcess => {
    checkMaxBuffer(command.options);
    return start(command);
  };

  const collect = (child: ChildProcess, shown: string, options: SpawnOptions, done: AnyFunction | undefined): ChildProcess => {
    const limit = options.maxBuffer ?? MAX_BUFFER_BYTES;
    const kept: Record<"stdout" | "stderr", Uint8Array[]> = { stdout: [], stderr: [] };
    const text = (name: "stdout" | "stderr"): unknown => {
      const whole = Buffer.concat(kept[name]);
      return options.encoding === "buffer" || options.encoding === null ? whole : whole.toString(options.encoding ?? "utf8");
    };
    let failure: (Error & Dict) | undefined;
    for (const name of ["stdout", "stderr"] as const) {
      let bytes = 0;
      child[name]?.on("data", (chunk) => {
        const data = chunk as Uint8Array;
        kept[name].push(data.subarray(0, Math.max(0, limit - bytes)));
        bytes += data.length;
        if (bytes <= limit || failure) return;
        failure = nodeError(RangeError, "ERR_CHILD_PROCESS_STDIO_MAXBUFFER", `${name} maxBuffer length exceeded`) as unknown as Error & Dict;
        child.kill(options.killSignal);
      });
    }
    child.on("error", (error) => (failure ??= error as Error & Dict));
    child.on("close", (code, signal) => {
      if (!done) return;
      const [stdout, stderr] = [text("stdout"), text("stderr")];
      if (!failure && code === 0 && signal === null) return void done(null, stdout, stderr);
      const error = failure ?? Object.assign(new Error(`Command failed: ${shown}\n${String(stderr)}`), { code, killed: child.killed, signal });
      done(Object.assign(error, { cmd: shown }), stdout, stderr);
    });
    return child;
  };
  const execFile = (file: unknown, ...rest: unknown[]): ChildProcess => {
    const { args, options, done } = looseArguments(rest);
    const { stdio: _stdio, ...kept } = options;
    return collect(startKept(commandOf(file, args, kept)), [file, ...args].join(" "), options, done);
  };
  const exec = (command: unknown, ...rest: unknown[]): ChildProcess => {
    const { options, done } = looseArguments(rest);
    if (typeof command !== "string") throw invalidArgType("command", "string", command);
    const { stdio: _stdio, ...kept } = options;
    return collect(startKept(commandOf(command, { ...kept, shell: typeof options.shell === "string" ? options.shell : true }, undefined)), command, options, done);
  };
  const promised = (run: (...args: unknown[]) => ChildProcess) => (...args: unknown[]): Promise<unknown> & { child?: ChildProcess } => {
    let child: ChildProcess | undefined;
    const promise: Promise<unknown> & { child?: ChildProcess } = new Promise((resolve, reject) => {
      child = run(...args, (error: (Error & Dict) | null, stdout: unknown, stderr: unknown) => (error ? reject(Object.assign(error, { stdout, stderr })) : resolve({ stdout, stderr })));
    });
    if (child) promise.child = child;
    return promise;
  };
  for (const run of [exec, execFile]) Object.defineProperty(run, Symbol.for("nodejs.util.promisify.custom"), { value: promised(run as (...args: unknown[]) => ChildProcess) });

  const fork = (file: unknown, ...rest: unknown[]): ChildProcess => {
    const { args, options } = looseArguments(rest);
    const path = file instanceof URL ? urlToFile(file) : file;
    if (typeof path !== "string") throw invalidArgType("modulePath", ["string", "Buffer", "URL"], file);
    const given = options.stdio;
    const stdio = Array.isArray(given) ? given : typeof given === "string" ? [given, given, given, "ipc"] : options.silent ? ["pipe", "pipe", "pipe", "ipc"] : ["inherit", "inherit", "inherit", "ipc"];
    if (!(stdio as unknown[]).includes("ipc")) throw nodeError(Error, "ERR_CHILD_PROCESS_IPC_REQUIRED", "Forked processes must have an IPC channel, missing value 'ipc' in options.stdio");
    return start(commandOf(options.execPath ?? runtime.process["execPath"], [...(options.execArgv ?? runtime.process.execArgv), path, ...args], { ...options, stdio, shell: false }));
  };
  return { ChildProcess, spawn, exec, execFile, fork, ...createSyncChildren(runtime) };
}
