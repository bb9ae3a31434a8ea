// node:child_process over the kernel.
import { activeRuntime } from "../active.ts";
import { closeHandle, openHandle } from "../active-resources.ts";
import { abortError, checkString, invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import type { AnyFunction, ChildHandle, Dict, Emitter, Runtime, StreamLike } from "../runtime.ts";
import { Buffer, toBytes } from "./buffer.ts";
import { createExec } from "./child-exec.ts";
import { ChildInput } from "./child-input.ts";
import { createMessenger, type Messenger } from "./child-messages.ts";
import { checkNulls, checkObject, checkSignal, checkTimeout, type Command, commandOf, errnoOf, isMinded, killSignalOf, ownOptions, refusal, requestOf, signalName, spawnError, type SpawnOptions, isStdioWord, type Stdio, stdioOf } from "./child-options.ts";
import { liveChildren } from "./child-pids.ts";
import { createSyncChildren } from "./child-sync.ts";
import { fromPairs, nativeOptions } from "./child-wrapped.ts";
import { EventEmitter } from "./events.ts";
import { spelledPath } from "./fs-arguments.ts";
import { createIpcChannel, type IpcChannel } from "./ipc-channel.ts";
import { childPipes } from "../later/pipes.ts";
import type { ChildPipe } from "./pipes.ts";
import { createStream } from "./stream.ts";

type Readable = StreamLike & { push(chunk: unknown): boolean; resume(): void; pause(): void; destroyed: boolean };

export class ChildProcess extends (EventEmitter as unknown as new () => Emitter) {
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
  _channel: IpcChannel | null | undefined;
  #runtime: Runtime | undefined;
  #handle: ChildHandle | undefined;
  #release: (() => void) | undefined;
  /** What the child writes to, also where a program has put streams of its own into `stdout` and `stderr`, as execa does. */
  #outputs: readonly (Readable | null)[] = [];
  #messenger: Messenger | undefined;
  #input: ChildInput | undefined;
  /** Those above 2, by descriptor. */
  #pipes: Map<number, ChildPipe> | undefined;

  /** As Node's own code calls it, and some programs: `{ file, args, envPairs, cwd, stdio, … }`. */
  spawn(options: SpawnOptions & { file?: unknown; args?: unknown; envPairs?: unknown }): void {
    const runtime = activeRuntime();
    checkObject(options, "options");
    const { file, args = [], envPairs = [] } = options;
    if (!Array.isArray(envPairs)) throw invalidArgType("options.envPairs", "Array", envPairs);
    checkString(file, "options.file");
    if (!Array.isArray(args)) throw invalidArgType("options.args", "Array", args);
    if (runtime) this.start(runtime, { file, args: (args as string[]).slice(1), shown: args as string[], env: fromPairs(envPairs as string[]), options });
  }

  start(runtime: Runtime, command: Command): this {
    const { options } = command;
    const kinds = stdioOf(options.stdio);
    const { serialization } = options;
    if (![undefined, "json", "advanced"].includes(serialization)) throw invalidArgValue("options.serialization", serialization, "must be one of: undefined, 'json', 'advanced'");
    const refused = refusal(runtime, command, kinds);
    if (refused) throw Object.assign(new Error(`spawn ${refused}`), { errno: errnoOf(refused), code: refused, syscall: "spawn" });
    this.#runtime = runtime;
    this.spawnfile = command.file;
    this.spawnargs = command.shown;
    const { Readable } = createStream();
    if (kinds[0] === "pipe") {
      this.#input = new ChildInput(() => this.#handle);
      // As in Node not to be read from.
      this.stdin = Object.defineProperty(this.#input.stream, "readable", { value: false, writable: true, configurable: true });
    }
    const outputs = [1, 2].map((fd) => (kinds[fd] === "pipe" ? new Readable({ read: () => undefined }) : null));
    [this.stdout = null, this.stderr = null] = outputs;
    this.stdio = [this.stdin, this.stdout, this.stderr];
    this.#outputs = outputs as (Readable | null)[];
    if (kinds.length > 3) {
      const pipes = (this.#pipes = childPipes(runtime, kinds, () => this.#handle));
      this.stdio.push(...kinds.slice(3).map((_, at) => (pipes.get(at + 3)?.socket ?? null) as unknown as StreamLike | null));
      this.#outputs = [...this.#outputs, ...(this.stdio.slice(3) as unknown as Readable[])];
    }
    for (const [at, stream] of outputs.entries()) stream?.once("close", () => this.#handle?.broken?.(at + 1));
    const { loop } = runtime;
    this.connected = kinds.includes("ipc");
    if (this.connected) {
      this.channel = this._channel = createIpcChannel(() => loop.hold(), 1);
      const messenger = createMessenger(runtime, { target: this, advanced: serialization === "advanced", isConnected: () => this.connected, post: (value) => this.#handle?.send(value) });
      this.#messenger = messenger;
      // As in Node, only where there is a channel.
      Object.assign(this, { send: (...args: unknown[]) => messenger.send(...args), disconnect: () => this.#disconnect() });
    }
    this.#release = loop.hold();
    const [first] = kinds;
    const sharesInput = runtime.host.stdin && (first === "inherit" || (typeof first === "object" && (("stream" in first && first.stream === runtime.process.stdin) || ("fd" in first && first.fd === 0))));
    this.#handle = runtime.host.spawn(requestOf(runtime, command, kinds), {
      started: (pid) => this.#started(runtime, pid, options),
      output: (fd, data) => loop.post(() => {
        if (fd > 2) this.#pipes?.get(fd)?.output(data);
        else deliver(runtime, kinds[fd] ?? "ignore", outputs[fd - 1] as Readable | null, fd as 1 | 2, data);
      }),
      pipeEnd: (fd, broken) => loop.post(() => {
        if (fd > 2) this.#pipes?.get(fd)?.end(broken);
        else if (fd > 0) (outputs[fd - 1] as Readable | null)?.push(null);
        else if (broken) this.#input?.break();
      }),
      taken: (fd, bytes) => loop.post(() => (fd === 0 ? this.#input : this.#pipes?.get(fd))?.taken(bytes)),
      message: (message) => loop.post(() => {
        if (message !== null) this.#messenger?.receive(message);
        else if (this.#messenger) this.#messenger.inTurn(() => this.#disconnected());
        else this.#disconnected();
      }),
      exit: (code, signal, held) => {
        // A write that waits learns it first.
        if (this.#input) loop.post(() => this.#input?.break());
        loop.post(() => this.#ended(code, signal, held));
      },
      closed: () => loop.post(() => this.#closed()),
      error: (code, message) => loop.post(() => this.#failed(command, code, message)),
      wantsInput: (fd) => loop.post(() => {
        if (fd > 2) this.#pipes?.get(fd)?.wantsInput();
        else if (sharesInput) this.#feed(runtime, kinds[0] as Stdio);
      }),
    });
    if (this.#handle.pid !== undefined) {
      this.#started(runtime, this.#handle.pid, options);
      loop.nextTick(() => void this.emit("spawn"));
    }
    // The program's own input is kept for it until the child reads.
    if (!sharesInput) this.#feed(runtime, kinds[0] ?? "ignore");
    return this;
  }

  #started(runtime: Runtime, pid: number, { detached }: SpawnOptions): void {
    if (this.pid !== undefined) liveChildren(runtime).delete(this.pid);
    this.pid = pid;
    liveChildren(runtime).set(pid, { detached: detached === true });
    openHandle(runtime, this, "ProcessWrap", () => this.#release !== undefined);
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

  #closeStreams(done: () => void): void {
    for (const pipe of this.#pipes?.values() ?? []) pipe.end(true);
    const open = this.#outputs.filter((stream): stream is Readable => stream !== null && !stream.destroyed);
    let waiting = open.length;
    if (waiting === 0) return done();
    for (const stream of open) {
      stream.once("close", () => {
        if (--waiting === 0) done();
      });
      if (!this.stdio.slice(3).includes(stream)) stream.push(null);
      // A pipe that nobody reads would never end.
      if (stream.listenerCount("data") + stream.listenerCount("readable") === 0) stream.resume();
    }
  }

  #disconnected(): void {
    if (!this.connected) return;
    this.connected = false;
    this.channel?.close();
    this.channel = this._channel = null;
    this.emit("disconnect");
  }

  #ended(code: number | null, signal: string | null, held: boolean): void {
    this.exitCode = code;
    this.signalCode = signal;
    this.#gone();
    (this.stdin as unknown as { destroy(): void } | null)?.destroy();
    this.#disconnected();
    this.emit("exit", code, signal);
    // What the child has started may still write where it wrote.
    if (!held) this.#closed();
  }

  #closed(): void {
    this.#closeStreams(() => {
      this.#release?.();
      this.emit("close", this.exitCode, this.signalCode);
    });
  }

  #gone(): void {
    if (!this.#runtime) return;
    liveChildren(this.#runtime).delete(this.pid ?? 0);
    closeHandle(this.#runtime, this);
  }

  #failed(command: Command, code: string, message: string): void {
    this.exitCode = errnoOf(code);
    this.#gone();
    this.channel?.close();
    (this.stdin as unknown as { destroy(): void } | null)?.destroy();
    this.emit("error", spawnError("spawn", command, code, message));
    this.#closeStreams(() => {
      this.#release?.();
      this.emit("close", errnoOf(code), null);
    });
  }

  kill(signal?: string | number): boolean {
    const name = signal === 0 ? undefined : signalName(signal ?? "SIGTERM");
    if (this.exitCode !== null || this.signalCode !== null || !this.#handle) return false;
    if (name !== undefined && isMinded(name)) this.#handle.kill(name);
    this.killed = true;
    return true;
  }

  #disconnect(): void {
    if (!this.connected) return void this.emit("error", nodeError(Error, "ERR_IPC_DISCONNECTED", "IPC channel is already disconnected"));
    this.#handle?.send(null);
    this.connected = false;
    this.channel?.close();
    this.channel = this._channel = null;
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

const { spawn: ownSpawn } = ChildProcess.prototype;

function deliver(runtime: Runtime, kind: Stdio, stream: Readable | null, fd: 1 | 2, data: Uint8Array): void {
  if (kind === "inherit") runtime.host.write(fd, data);
  else if (kind === "pipe") stream?.push(Buffer.from(data));
  else if (typeof kind === "object" && "stream" in kind) kind.stream.write(Buffer.from(data));
  else if (typeof kind === "object" && (kind.fd === 1 || kind.fd === 2)) runtime.host.write(kind.fd, data);
  else if (typeof kind === "object") (runtime.builtin("fs")["writeSync"] as AnyFunction)(kind.fd, data);
}

const { dispose } = Symbol as unknown as { dispose?: symbol };
if (dispose) {
  const end = function (this: ChildProcess): void {
    if (!this.killed) this.kill();
  };
  Object.defineProperty(ChildProcess.prototype, dispose, { value: end, writable: true, configurable: true });
}

/** Ends the child when its time is over or its signal says so. */
function followOptions(runtime: Runtime, child: ChildProcess, { signal, timeout }: SpawnOptions, killSignal: string | undefined): void {
  if (signal) {
    const abort = (): void => {
      try {
        if (child.kill(killSignal)) child.emit("error", abortError(signal));
      } catch (error) {
        child.emit("error", error);
      }
    };
    if (signal.aborted) runtime.loop.nextTick(abort);
    else {
      signal.addEventListener("abort", abort, { once: true });
      child.once("exit", () => signal.removeEventListener("abort", abort));
    }
  }
  if (timeout) {
    const timer = (runtime.builtin("timers")["setTimeout"] as AnyFunction)(() => {
      try {
        child.kill(killSignal);
      } catch (error) {
        child.emit("error", error);
      }
    }, timeout) as { close(): void };
    child.once("exit", () => timer.close());
  }
}

/** Without the code of `-e`, which is the program's own. */
function inheritedArguments({ process, options }: Runtime): readonly string[] {
  const at = options.hasCode ? process.execArgv.lastIndexOf(options.code) : -1;
  return at > 0 ? process.execArgv.filter((_, k) => k !== at && k !== at - 1) : process.execArgv;
}

export function createChildProcess(runtime: Runtime): Dict {
  const spawn = (file: unknown, second?: unknown, third?: unknown): ChildProcess => {
    const command = commandOf(runtime, file, second, third);
    checkTimeout(command.options);
    checkSignal(command.options);
    const killSignal = killSignalOf(command.options);
    const child = new ChildProcess();
    if (child.spawn === ownSpawn) child.start(runtime, command);
    else child.spawn(nativeOptions(command));
    followOptions(runtime, child, command.options, killSignal);
    return child;
  };

  const fork = (file: unknown, second?: unknown, third?: unknown): ChildProcess => {
    const path = spelledPath(file, "modulePath");
    if (second !== undefined && second !== null && typeof second !== "object") throw invalidArgType("args", "Array", second);
    const args = Array.isArray(second) ? (second as unknown[]) : [];
    const given = Array.isArray(second) || second === undefined || second === null ? third : second;
    if (given !== undefined && given !== null) checkObject(given, "options");
    const options: SpawnOptions = Object.assign(ownOptions(given), { shell: false });
    const execPath = options.execPath || (runtime.process["execPath"] as string);
    checkNulls(execPath, "options.execPath");
    const execArgv = options.execArgv || inheritedArguments(runtime);
    for (const [k, each] of execArgv.entries()) checkNulls(each, `options.execArgv[${k}]`);
    const kind = typeof options.stdio === "string" ? options.stdio : options.silent ? "pipe" : "inherit";
    if (!isStdioWord(kind)) throw invalidArgValue("stdio", kind);
    const stdio: readonly unknown[] = Array.isArray(options.stdio) ? (options.stdio as unknown[]) : [kind, kind, kind, "ipc"];
    if (!stdio.includes("ipc")) throw nodeError(Error, "ERR_CHILD_PROCESS_IPC_REQUIRED", "Forked processes must have an IPC channel, missing value 'ipc' in options.stdio");
    return (exported["spawn"] as typeof spawn)(execPath, [...execArgv, path, ...args], { ...options, stdio });
  };
  const exported: Dict = { ChildProcess, spawn, fork, ...createSyncChildren(runtime) };
  return Object.assign(exported, createExec(runtime, exported));
}
