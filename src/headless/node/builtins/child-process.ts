// node:child_process over the kernel: spawn, exec, execFile, fork. The synchronous ones would have to stop this thread
// while another works, which a Worker cannot do without shared memory.
import { invalidArgType, nodeError } from "../errors.ts";
import { resolvePath } from "../../posix-path.ts";
import { urlToFile } from "../file-url.ts";
import type { AnyFunction, ChildHandle, Dict, Emitter, Runtime, StreamLike } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { EventEmitter } from "./events.ts";
import { createStream } from "./stream.ts";

const MAX_BUFFER_BYTES = 1024 * 1024;
const SIGNAL_NAMES: Readonly<Record<number, string>> = { 1: "SIGHUP", 2: "SIGINT", 9: "SIGKILL", 15: "SIGTERM" };

interface SpawnOptions {
  readonly cwd?: string | URL;
  readonly env?: Record<string, string | undefined>;
  readonly stdio?: string | readonly unknown[];
  readonly shell?: boolean | string;
  readonly signal?: AbortSignal;
  readonly timeout?: number;
  readonly killSignal?: string;
  readonly encoding?: string | null;
  readonly maxBuffer?: number;
  readonly ipc?: boolean;
  readonly execArgv?: readonly string[];
  readonly silent?: boolean;
  readonly execPath?: string;
}

type Stdio = "pipe" | "inherit" | "ignore" | "ipc";

function stdioOf(given: SpawnOptions["stdio"]): Stdio[] {
  const list = Array.isArray(given) ? (given as unknown[]) : Array.from({ length: 3 }, () => given ?? "pipe");
  const kinds = list.map((one, fd): Stdio => {
    if (one === "ipc") return "ipc";
    if (one === "ignore" || one === "inherit") return one;
    if (one === fd || (typeof one === "object" && one !== null && (one as StreamLike & { fd?: number })["fd"] === fd)) return "inherit";
    return "pipe";
  });
  while (kinds.length < 3) kinds.push("pipe");
  return kinds;
}

class ChildProcess extends (EventEmitter as unknown as new () => Emitter) {
  pid: number | undefined;
  exitCode: number | null = null;
  signalCode: string | null = null;
  killed = false;
  connected = false;
  spawnfile: string;
  spawnargs: readonly string[];
  stdin: StreamLike | null = null;
  stdout: StreamLike | null = null;
  stderr: StreamLike | null = null;
  stdio: (StreamLike | null)[] = [];
  readonly #runtime: Runtime;
  #handle: ChildHandle | undefined;
  #release: (() => void) | undefined;

  constructor(runtime: Runtime, command: string, args: readonly string[], options: SpawnOptions) {
    super();
    this.#runtime = runtime;
    this.spawnfile = command;
    this.spawnargs = [command, ...args];
    const kinds = stdioOf(options.stdio);
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
    this.stdio = [this.stdin, this.stdout, this.stderr];
    this.connected = kinds.includes("ipc") || options.ipc === true;
    this.#release = runtime.loop.hold();
    const env = Object.fromEntries(Object.entries(options.env ?? runtime.process.env).filter((entry): entry is [string, string] => entry[1] !== undefined).map(([key, value]) => [key, String(value)]));
    const cwd = options.cwd instanceof URL ? urlToFile(options.cwd) : options.cwd;
    const toParent = (fd: 1 | 2, data: Uint8Array): void => {
      if (kinds[fd] === "inherit") runtime.host.write(fd, data);
      else (outputs[fd - 1] as unknown as { push(chunk: unknown): void } | null)?.push(Buffer.from(data));
    };
    this.#handle = runtime.host.spawn(
      {
        command, args, cwd: cwd === undefined ? runtime.cwd : resolvePath(cwd, runtime.cwd), env, stdin: kinds[0] === "pipe", ipc: this.connected,
        terminal: kinds[1] === "inherit" ? runtime.host.terminal : null,
      },
      {
        started: (pid) => {
          this.pid = pid;
          runtime.loop.post(() => void this.emit("spawn"));
        },
        output: (fd, data) => runtime.loop.post(() => toParent(fd, data)),
        message: (message) => runtime.loop.post(() => void this.emit("message", message, undefined)),
        exit: (code, signal) => runtime.loop.post(() => this.#ended(code, signal)),
        error: (code, message) => runtime.loop.post(() => this.#failed(code, message)),
      },
    );
    options.signal?.addEventListener("abort", () => {
      this.kill(options.killSignal);
      this.emit("error", Object.assign(nodeError(Error, "ABORT_ERR", "The operation was aborted"), { name: "AbortError" }));
    }, { once: true });
    if (options.timeout) {
      const timer = (runtime.builtin("timers")["setTimeout"] as AnyFunction)(() => this.kill(options.killSignal), options.timeout) as { close(): void };
      this.once("exit", () => timer.close());
    }
  }

  #closeStreams(done: () => void): void {
    const open = [this.stdout, this.stderr].filter((stream) => stream !== null) as (StreamLike & { push(chunk: null): void; resume(): void; listenerCount(event: string): number })[];
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

  #ended(code: number | null, signal: string | null): void {
    this.exitCode = code;
    this.signalCode = signal;
    if (this.connected) {
      this.connected = false;
      this.emit("disconnect");
    }
    this.emit("exit", code, signal);
    this.#closeStreams(() => {
      this.#release?.();
      this.emit("close", code, signal);
    });
  }

  #failed(code: string, message: string): void {
    const error = Object.assign(new Error(message), { errno: code === "ENOENT" ? -2 : -11, code, syscall: `spawn ${this.spawnfile}`, path: this.spawnfile, spawnargs: this.spawnargs.slice(1) });
    this.emit("error", error);
    this.#closeStreams(() => {
      this.#release?.();
      this.emit("close", code === "ENOENT" ? -2 : -11, null);
    });
  }

  kill(signal: string | number = "SIGTERM"): boolean {
    if (this.exitCode !== null || this.signalCode !== null) return false;
    if (signal === 0) return true;
    this.#handle?.kill(typeof signal === "number" ? (SIGNAL_NAMES[signal] ?? "SIGTERM") : signal);
    this.killed = true;
    return true;
  }

  send(message: unknown, ...rest: unknown[]): boolean {
    if (!this.connected) throw nodeError(Error, "ERR_IPC_CHANNEL_CLOSED", "Channel closed");
    this.#handle?.send(JSON.parse(JSON.stringify(message)) as unknown);
    const done = rest.find((x) => typeof x === "function") as AnyFunction | undefined;
    if (done) this.#runtime.loop.post(() => void done(null));
    return true;
  }

  disconnect(): void {
    if (!this.connected) return;
    this.connected = false;
    this.#handle?.send(null);
    this.#runtime.loop.post(() => void this.emit("disconnect"));
  }

  ref(): void {
    this.#release ??= this.#runtime.loop.hold();
  }

  unref(): void {
    this.#release?.();
    this.#release = undefined;
  }
}

export function createChildProcess(runtime: Runtime): Dict {
  const spawn = (command: unknown, second?: unknown, third?: unknown): ChildProcess => {
    if (typeof command !== "string") throw invalidArgType("file", "string", command);
    const args = Array.isArray(second) ? second.map(String) : [];
    const options = ((Array.isArray(second) ? third : second) ?? {}) as SpawnOptions;
    if (options.shell) return new ChildProcess(runtime, typeof options.shell === "string" ? options.shell : "sh", ["-c", [command, ...args].join(" ")], options);
    return new ChildProcess(runtime, command, args, options);
  };

  const collect = (child: ChildProcess, command: string, options: SpawnOptions, done: AnyFunction | undefined): ChildProcess => {
    const chunks: Record<"stdout" | "stderr", Uint8Array[]> = { stdout: [], stderr: [] };
    const text = (name: "stdout" | "stderr"): unknown => {
      const whole = Buffer.concat(chunks[name]);
      return options.encoding === "buffer" || options.encoding === null ? whole : whole.toString(options.encoding ?? "utf8");
    };
    let failure: Error | undefined;
    for (const name of ["stdout", "stderr"] as const) {
      let bytes = 0;
      child[name]?.on("data", (chunk) => {
        bytes += (chunk as Uint8Array).length;
        chunks[name].push(chunk as Uint8Array);
        if (bytes <= (options.maxBuffer ?? MAX_BUFFER_BYTES) || failure) return;
        failure = nodeError(RangeError, "ERR_CHILD_PROCESS_STDIO_MAXBUFFER", `${name} maxBuffer length exceeded`);
        child.kill();
      });
    }
    child.on("error", (error) => (failure ??= error as Error));
    child.on("close", (code, signal) => {
      const stdout = text("stdout");
      const stderr = text("stderr");
      if (!done) return;
      if (!failure && code === 0 && signal === null) return void done(null, stdout, stderr);
      const error = failure ?? new Error(`Command failed: ${command}\n${String(stderr)}`);
      if (!failure) Object.assign(error, { code, killed: child.killed, signal, cmd: command });
      done(Object.assign(error, { stdout, stderr }), stdout, stderr);
    });
    return child;
  };
  const execFile = (file: string, ...rest: unknown[]): ChildProcess => {
    const args = Array.isArray(rest[0]) ? (rest[0] as string[]) : [];
    const options = (rest.find((x) => typeof x === "object" && x !== null && !Array.isArray(x)) ?? {}) as SpawnOptions;
    const done = rest.find((x) => typeof x === "function") as AnyFunction | undefined;
    return collect(spawn(file, args, { ...options, stdio: "pipe" }), [file, ...args].join(" "), options, done);
  };
  const exec = (command: string, ...rest: unknown[]): ChildProcess => {
    const options = (typeof rest[0] === "object" && rest[0] !== null ? rest[0] : {}) as SpawnOptions;
    const done = rest.find((x) => typeof x === "function") as AnyFunction | undefined;
    return collect(spawn(command, { ...options, shell: options.shell ?? true, stdio: "pipe" }), command, options, done);
  };
  const promised = (run: (...args: unknown[]) => ChildProcess) => (...args: unknown[]): Promise<unknown> & { child?: ChildProcess } => {
    let child: ChildProcess | undefined;
    const promise: Promise<unknown> & { child?: ChildProcess } = new Promise((resolve, reject) => {
      child = run(...args, (error: Error | null, stdout: unknown, stderr: unknown) => (error ? reject(error) : resolve({ stdout, stderr })));
    });
    if (child) promise.child = child;
    return promise;
  };
  for (const run of [exec, execFile]) Object.defineProperty(run, Symbol.for("nodejs.util.promisify.custom"), { value: promised(run as (...args: unknown[]) => ChildProcess) });

  const fork = (file: string | URL, ...rest: unknown[]): ChildProcess => {
    const args = Array.isArray(rest[0]) ? (rest[0] as string[]) : [];
    const options = (rest.find((x) => typeof x === "object" && x !== null && !Array.isArray(x)) ?? {}) as SpawnOptions;
    const stdio = options.stdio ?? (options.silent ? ["pipe", "pipe", "pipe", "ipc"] : ["inherit", "inherit", "inherit", "ipc"]);
    const path = file instanceof URL ? urlToFile(file) : file;
    return new ChildProcess(runtime, "node", [...(options.execArgv ?? runtime.process.execArgv), path, ...args], { ...options, stdio, ipc: true });
  };
  const refuse = (name: string) => (): never => {
    throw Object.assign(new Error(`child_process.${name} is not available: a process in the browser cannot wait for another without returning to its event loop; use ${name.replace("Sync", "")} instead (ENOSYS)`), { code: "ENOSYS", errno: -38, syscall: name });
  };
  return { ChildProcess, spawn, exec, execFile, fork, spawnSync: refuse("spawnSync"), execSync: refuse("execSync"), execFileSync: refuse("execFileSync") };
}
