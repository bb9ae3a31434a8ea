// A shell process in this realm: the kernel's side of its messages. Programs it starts are shells too, or a function of the
// test's; a file system is shared by all of them.
import { connect, type Socket } from "node:net";
import { Tty } from "../../src/headless/kernel/tty.ts";
import { packImage } from "../../src/headless/packed-image.ts";
import { ProcessLink } from "../../src/headless/process-link.ts";
import type { FromProcess, ProcessInfo, Signal, SpawnRequest, StartMessage, Terminal, ToProcess } from "../../src/headless/protocol.ts";
import { deferred } from "../../src/headless/shell/deferred.ts";
import { Shell } from "../../src/headless/shell/shell.ts";
import { Vfs } from "../../src/headless/vfs.ts";

export interface ShellOptions {
  readonly argv?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | null | undefined;
  readonly terminal?: Terminal;
  /** What the kernel says lives, and is told to signal. */
  readonly processes?: () => readonly ProcessInfo[];
  readonly killed?: (pid: number, signal: Signal) => void;
  /** What a program other than a shell does. */
  readonly program?: (request: SpawnRequest, io: ProgramIo) => Promise<number>;
}

export interface ProgramIo {
  write(fd: 1 | 2, text: string): void;
  /** The next input; null at its end. Asks for it, as a program that reads does. */
  read(): Promise<string | null>;
  /** Resolves when it is sent this signal. */
  signal(signal: Signal): Promise<void>;
}

let pids = 1;
export const CWD = "/home/project";

export class ShellProcess {
  readonly vfs: Vfs;
  readonly exitCode: Promise<number>;
  stdout = "";
  stderr = "";
  /** Both, in order. */
  output = "";
  readonly #deliver: (message: ToProcess) => void;
  readonly #watchers = new Set<() => void>();
  readonly pid = pids++;
  readonly #children = new Map<number, { receive(message: ToProcess): void; end(signal: Signal): void; handles: Set<Signal> }>();
  readonly #options: ShellOptions;
  readonly #sockets = new Map<number, Socket>();
  readonly #decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  readonly handles = new Set<Signal>();
  readonly #tty = new Tty({
    echo: (text) => this.#print(text),
    input: (text) => this.input(text),
    signal: (signal) => this.signal(signal),
  });
  onWantsInput: () => void = () => undefined;
  onOutput: (fd: 1 | 2, data: Uint8Array) => void = () => undefined;

  constructor(options: ShellOptions, vfs = folderOf(options.files ?? {})) {
    this.#options = options;
    this.vfs = vfs;
    let deliver: (message: ToProcess) => void = () => undefined;
    const { promise, resolve } = deferred<number>();
    this.exitCode = promise;
    const stopped = options.terminal ? new Int32Array(new SharedArrayBuffer(8)) : undefined;
    const port = {
      postMessage: (message: unknown) => {
        // As the kernel counts what it has taken.
        if (stopped) Atomics.add(stopped, 1, 1);
        this.#receive(message as FromProcess, resolve);
      },
      addEventListener: (_: "message", listener: (event: MessageEvent) => void) => {
        deliver = (message) => queueMicrotask(() => listener({ data: message } as MessageEvent));
      },
    };
    let shell: Shell | undefined;
    const link = new ProcessLink(port, (message) => {
      if (message.type !== "start") return shell?.receive(message);
      shell = new Shell(link, message);
      // One file system for all: what a shell changes is there for the others.
      void shell.run().then((code) => link.exit(code), (error: unknown) => {
        link.write(2, new TextEncoder().encode(`crash: ${(error as Error).stack}\n`));
        link.exit(2);
      });
    });
    this.#deliver = (message) => deliver(message);
    const start: StartMessage = {
      type: "start", pid: this.pid, ppid: 0, argv: options.argv ?? [], argv0: "sh", cwd: CWD, env: { HOME: "/home", PATH: "/usr/local/bin:/usr/bin:/bin", USER: "user", ...options.env }, files: packImage(vfs.clone().image()),
      terminal: options.terminal ?? null, stdin: options.stdin !== null, descriptors: [], ipc: false, libraries: {}, firstPort: 40_000, firstPid: 1000, knownCode: null, thread: null, stopped: stopped?.buffer ?? null,
    };
    this.#deliver(start);
    if (options.stdin !== undefined && options.stdin !== null) {
      this.input(options.stdin);
      this.input(null);
    }
  }

  /** As at a keyboard. */
  type(keys: string): void {
    this.#tty.type(keys);
  }

  /** Another process has written a file. */
  changed(path: string, text: string): void {
    const op = { op: "write", path, data: new TextEncoder().encode(text) } as const;
    this.vfs.follow(op);
    this.#deliver({ type: "file", op, seq: 0 });
  }

  input(text: string | null): void {
    this.#deliver({ type: "stdin", data: text === null ? null : new TextEncoder().encode(text) });
  }

  signal(signal: Signal): void {
    this.#deliver({ type: "signal", signal });
  }

  /** Once the output so far is like this. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.output)) await new Promise<void>((resolve) => this.#watchers.add(resolve));
  }

  #print(text: string): void {
    this.output += text;
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
  }

  #receive(message: FromProcess, exit: (code: number) => void): void {
    switch (message.type) {
      case "output": {
        const text = this.#decoders[message.fd as 1 | 2].decode(message.data, { stream: true });
        if (message.fd === 1) this.stdout += text;
        else this.stderr += text;
        this.onOutput(message.fd as 1 | 2, message.data);
        return this.#print(text);
      }
      case "terminal-mode":
        this.#tty.raw = message.raw;
        return;
      case "exit":
        return exit(message.code);
      case "file":
        return this.vfs.follow(message.op);
      case "stdin-wanted":
        return this.onWantsInput();
      case "handles-signal":
        if (message.on) this.handles.add(message.signal);
        else this.handles.delete(message.signal);
        return;
      case "spawn":
        return this.#spawn(message.child, message.request);
      case "child-stdin":
        return this.#children.get(message.child)?.receive({ type: "stdin", data: message.data });
      case "connect":
        return this.#connect(message.socket, Number(message.address));
      case "socket-data":
        this.#sockets.get(message.socket)?.write(message.data, () => this.#deliver({ type: "socket-ack", socket: message.socket, bytes: message.data.length }));
        return;
      case "socket-end":
        this.#sockets.get(message.socket)?.end();
        return;
      case "socket-close":
        this.#sockets.get(message.socket)?.destroy();
        return;
      case "processes":
        return this.#deliver({ type: "processes", list: this.#options.processes?.() ?? [] });
      case "kill":
        return message.signal ? this.#options.killed?.(message.pid, message.signal) : undefined;
      case "child-kill":
        return this.#children.get(message.child)?.end(message.signal);
      default:
    }
  }

  /** The kernel's network is this machine's. */
  #connect(number: number, port: number): void {
    const socket = connect(port, "127.0.0.1");
    this.#sockets.set(number, socket);
    socket.on("connect", () => this.#deliver({ type: "connected", socket: number }));
    socket.on("error", (error: NodeJS.ErrnoException) => this.#deliver({ type: "connect-error", socket: number, code: error.code ?? "" }));
    socket.on("data", (data) => this.#deliver({ type: "socket-data", socket: number, data: new Uint8Array(data) }));
    socket.on("end", () => this.#deliver({ type: "socket-end", socket: number }));
    socket.on("close", (failed) => this.#deliver({ type: "socket-close", socket: number, reset: failed }));
  }

  #spawn(child: number, request: SpawnRequest): void {
    if (["sh", "bash", "jsh"].includes(request.command)) {
      const shell = new ShellProcess({ ...this.#options, argv: request.args, env: request.env, stdin: undefined, ...(request.terminal ? { terminal: request.terminal } : {}) }, this.vfs);
      this.#children.set(child, { handles: shell.handles, receive: (message) => shell.#deliver(message), end: (signal) => shell.signal(signal) });
      this.#deliver({ type: "child-started", child, pid: shell.pid });
      shell.onOutput = (fd, data) => this.#deliver({ type: "child-output", child, fd, data });
      shell.onWantsInput = () => this.#deliver({ type: "child-stdin-wanted", child });
      void shell.exitCode.then((code) => this.#deliver({ type: "child-exit", child, code, signal: null, held: false }));
      return;
    }
    const { program } = this.#options;
    if (!program) return this.#deliver({ type: "child-error", child, code: "ENOENT", message: `spawn ${request.command} ENOENT` });
    const inputs: (string | null)[] = [];
    let waiting: ((text: string | null) => void) | undefined;
    const signals = new Map<Signal, () => void>();
    const ended = deferred<Signal>();
    this.#children.set(child, {
      handles: new Set(),
      receive: (message) => {
        if (message.type !== "stdin") return;
        const text = message.data && new TextDecoder().decode(message.data);
        if (waiting) waiting(text);
        else inputs.push(text);
        waiting = undefined;
      },
      end: (signal) => (signal === "SIGTSTP" && !signals.has(signal) ? this.#deliver({ type: "child-stopped", child }) : signal === "SIGCONT" && !signals.has(signal) ? undefined : signals.has(signal) ? signals.get(signal)?.() : ended.resolve(signal)),
    });
    this.#deliver({ type: "child-started", child, pid: pids++ });
    let asked = false;
    const run = program(request, {
      write: (fd, text) => this.#deliver({ type: "child-output", child, fd, data: new TextEncoder().encode(text) }),
      read: () => {
        if (!asked) this.#deliver({ type: "child-stdin-wanted", child });
        asked = true;
        const next = inputs.shift();
        return next !== undefined ? Promise.resolve(next) : new Promise((resolve) => (waiting = resolve));
      },
      signal: (signal) => new Promise((resolve) => signals.set(signal, resolve)),
    });
    void Promise.race([run.then((code) => ({ code, signal: null })), ended.promise.then((signal) => ({ code: null, signal }))]).then((end) => this.#deliver({ type: "child-exit", child, ...end, held: false }));
  }
}

/** A folder of files below CWD. */
export function folderOf(files: Readonly<Record<string, string>>): Vfs {
  const vfs = new Vfs();
  for (const folder of [CWD, "/tmp", "/bin", "/usr/bin", "/dev"]) vfs.mkdir(folder, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    const whole = `${CWD}/${path}`;
    vfs.mkdir(whole.slice(0, whole.lastIndexOf("/")), { recursive: true });
    vfs.writeFile(whole, new TextEncoder().encode(text));
  }
  return vfs;
}

/** A script run to its end. */
export async function runShell(script: string, options: ShellOptions = {}): Promise<{ readonly stdout: string; readonly stderr: string; readonly code: number }> {
  const shell = new ShellProcess({ stdin: null, ...options, argv: ["-c", script, ...(options.argv ?? [])] });
  const code = await shell.exitCode;
  return { stdout: shell.stdout, stderr: shell.stderr, code };
}
