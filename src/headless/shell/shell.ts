// One shell process: `sh -c script`, `sh file`, a script on its input that runs line by line, or, at a terminal, a prompt.
import { FsError } from "../fs-error.ts";
import { resolvePath } from "../posix-path.ts";
import { NetworkLink } from "../network-link.ts";
import { unpackImage } from "../packed-image.ts";
import type { ProcessLink } from "../process-link.ts";
import { PIDS_PER_PROCESS, PORTS_PER_PROCESS, type ProcessInfo, SIGNAL_EXIT_CODES, type Signal, type StartMessage, type Terminal, type ToProcess } from "../protocol.ts";
import { Vfs } from "../vfs.ts";
import { BashFs } from "./bash-fs.ts";
import { setOptions } from "./builtins/options.ts";
import { Children } from "./children.ts";
import { capture, leaving, runText, substitute } from "./interpreter.ts";
import { runByFirstLine } from "./interpreter-line.ts";
import { Jobs } from "./jobs.ts";
import { Leaves } from "./leaves.ts";
import { ShellState, type ShellHost } from "./state.ts";
import { FileStream, InputStream, OutputStream, PipeEnd, readLine, type Stream, TerminalTurn } from "./streams.ts";
import { Prompt } from "./prompt.ts";
import { Task } from "./task.ts";
import { isWhole } from "./whole.ts";

export class Shell implements ShellHost {
  readonly vfs: Vfs;
  readonly pid: number;
  readonly ppid: number;
  readonly children: Children;
  readonly leaves: Leaves;
  readonly network: NetworkLink;
  readonly interactive: boolean;
  terminal: Terminal | null;
  readonly tasks = new Map<number, Task>();
  readonly stopsProcesses: boolean;
  readonly history: string[] = [];
  foreground: ShellHost["foreground"];
  stopsNext = false;
  typed: ShellHost["typed"];
  readonly #link: ProcessLink;
  readonly #start: StartMessage;
  readonly #input: InputStream;
  readonly #outputs = new Map<number, OutputStream>();
  readonly #pipes = new Map<number, PipeEnd>();
  readonly #task: Task;
  readonly #state: ShellState;
  #prompt: Prompt | undefined;
  /** Who has asked for the processes. */
  readonly #askers: ((list: readonly ProcessInfo[]) => void)[] = [];
  /** It has ended but for its jobs: calls back when the last of those has. */
  #last: (() => void) | undefined;
  readonly #firstPid: number;
  #pids = 0;
  #ports = 0;
  /** Keys come as they are typed, by its own wish. */
  #raw = false;

  constructor(link: ProcessLink, start: StartMessage) {
    this.#link = link;
    this.#start = start;
    this.pid = start.pid;
    this.ppid = start.ppid;
    this.terminal = start.terminal;
    this.stopsProcesses = start.stopped !== null;
    const atTerminal = (fd: number): boolean => start.terminal !== null && ((start.terminal.fds ?? 7) & (1 << fd)) !== 0;
    this.interactive = atTerminal(0) && atTerminal(2) && start.stdin && (start.argv.length === 0 || start.argv.every((arg) => arg === "-i" || arg === "-l" || arg === "--login"));
    this.children = new Children(link);
    this.network = new NetworkLink(link, start.firstPort);
    this.#firstPid = start.firstPid;
    this.vfs = new Vfs(unpackImage(start.files));
    this.leaves = new Leaves(new BashFs(this.vfs));
    // just-bash finds its commands as files; these stand in this replica only.
    for (const name of [...this.leaves.files, "node", "npm", "npx", "yarn", "pnpm"]) {
      const path = `/usr/bin/${name}`;
      if (!this.vfs.exists(path)) {
        this.vfs.mkdir("/usr/bin", { recursive: true });
        this.vfs.writeFile(path, new TextEncoder().encode("#!/bin/builtin\n"), { mode: 0o755 });
      }
    }
    this.vfs.onOp = (op) => link.post({ type: "file", op });
    this.#input = new InputStream(atTerminal(0), () => link.post({ type: "stdin-wanted" }), (bytes) => link.post({ type: "input-taken", fd: 0, bytes }));
    if (!start.stdin) this.#input.push(null);
    const root = new Task();
    this.#task = new Task(root);
    this.#state = new ShellState(this, this.#task, new Jobs(root), { capture, substitute }, start.env, start.cwd);
    this.#state.name = this.interactive ? "jsh" : "bash";
    for (const [name, text] of Object.entries({ IFS: " \t\n", OPTIND: "1", PS4: "+ ", PWD: start.cwd, BASH_VERSION: "5.2.15(1)-release" })) this.#state.vars.set(name, text);
    this.#state.vars.declared("PWD").exported = true;
    this.#state.open(0, this.#input);
    for (const fd of [1, 2] as const) {
      const stream = new OutputStream(fd, atTerminal(fd), (bytes) => link.write(fd, bytes));
      this.#outputs.set(fd, stream);
      this.#state.open(fd, stream);
    }
    for (const { fd, file } of start.descriptors) this.#state.open(fd, file ? new FileStream(this.vfs, file.path, { read: file.readable, write: file.writable, append: file.append }, file.position) : this.#pipe(fd));
    // A shell waits for what it runs: it is told of these instead of being ended.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", ...(this.interactive ? (["SIGTSTP"] as const) : [])] as const) this.handleSignal(signal, true);
  }

  #pipe(fd: number): Stream {
    const link = this.#link;
    const end = new PipeEnd(fd, {
      want: () => link.post({ type: "stdin-wanted", fd }),
      taken: (bytes) => link.post({ type: "input-taken", fd, bytes }),
      send: (bytes) => link.write(fd, bytes),
      close: () => link.post({ type: "pipe-end", fd, broken: true }),
    });
    this.#pipes.set(fd, end);
    this.#outputs.set(fd, end.output);
    return end;
  }

  nextPort(): number {
    return this.network.firstPort + (this.#ports++ % PORTS_PER_PROCESS);
  }

  nextPid(): number {
    let pid: number;
    do pid = this.#firstPid + (this.#pids++ % PIDS_PER_PROCESS);
    while (this.tasks.has(pid));
    return pid;
  }

  handleSignal(signal: Signal, on: boolean): void {
    const always = signal === "SIGINT" || signal === "SIGTERM" || signal === "SIGHUP";
    if (on || !always) this.#link.post({ type: "handles-signal", signal, on });
  }

  get keyboard(): Stream | undefined {
    return this.interactive ? this.typed?.turn : this.#input.terminal ? this.#input : undefined;
  }

  rawTerminal(on: boolean): void {
    this.#raw = on;
    this.#link.post({ type: "terminal-mode", raw: on });
  }

  processes(): Promise<readonly ProcessInfo[]> {
    this.#link.post({ type: "processes" });
    return new Promise((resolve) => this.#askers.push(resolve));
  }

  signalProcess(pid: number, signal: Signal): void {
    this.#link.post({ type: "kill", pid, signal });
  }

  signalSelf(signal: Signal): void {
    this.#task.send(signal);
  }

  childStopped(task: Task): void {
    if (this.foreground && task.isWithin(this.foreground.task)) return this.foreground.stop();
    const job = this.#state.jobs.all.find((each) => task.isWithin(each.task));
    if (job) job.stopped = true;
  }

  receive(message: ToProcess): void {
    switch (message.type) {
      case "file":
        this.vfs.follow(message.op);
        if ("path" in message.op) this.#prompt?.fileChanged(message.op.path);
        return;
      case "stdin": {
        const { data, fd } = message;
        if (fd) return this.#pipes.get(fd)?.push(data);
        if (!this.#prompt || data === null) return this.#input.push(data);
        const given = new TextDecoder().decode(data);
        const keys = this.#prompt.type(given);
        if (keys === given && this.children.fed) this.#input.push(data);
        else if (keys !== "") this.#typedEarly(this.#prompt, keys);
        return;
      }
      case "pipe-broken": {
        const output = this.#outputs.get(message.fd);
        if (output) output.broken = true;
        return;
      }
      case "processes":
        return this.#askers.shift()?.(message.list);
      case "resize":
        this.terminal = message.terminal;
        return;
      case "signal":
        if (this.#last) return this.#state.jobs.root.kill(message.signal);
        if (this.#prompt && message.signal === "SIGINT") return this.#prompt.interrupt();
        if (message.signal === "SIGTSTP") return this.#prompt?.suspend();
        if (this.#prompt) this.#link.exit(SIGNAL_EXIT_CODES[message.signal]);
        return this.#task.send(message.signal);
      default:
        if (!this.network.receive(message)) this.children.receive(message);
    }
  }

  /**
   * Keys for nobody yet, typed before the terminal went from keys to lines: Enter ends a line, Ctrl+C and Ctrl+Z are signals
   * all the same, and drop what was typed before them. But a command of the shell that asked for keys gets them.
   */
  #typedEarly(prompt: Prompt, keys: string): void {
    const asked = prompt.running && this.#raw;
    const at = asked ? -1 : Math.max(keys.lastIndexOf("\u0003"), keys.lastIndexOf("\u001a"));
    if (at >= 0) {
      this.#input.takeAll();
      const interrupts = keys[at] === "\u0003";
      this.#link.write(1, new TextEncoder().encode(interrupts ? "^C\n" : "^Z"));
      if (interrupts) prompt.interrupt();
      else prompt.suspend();
    }
    const rest = keys.slice(at + 1).replaceAll("\r", "\n");
    if (rest !== "") this.#input.push(new TextEncoder().encode(rest));
  }

  taskEnded(): void {
    if (this.tasks.size === 0) this.#last?.();
  }

  /** Undefined unless jobs go on: which of output (1) and errors (2) they have open, as bits, and when they have ended. */
  leave(): { readonly holds: number; readonly jobsEnd: Promise<void> } | undefined {
    this.#state.closeAll();
    if (this.tasks.size === 0) return undefined;
    let holds = 0;
    for (const fd of [1, 2]) {
      const output = this.#outputs.get(fd);
      if (!output || output.ended) continue;
      holds |= fd;
      output.onEnd = () => this.#link.post({ type: "pipe-end", fd, broken: false });
    }
    return { holds, jobsEnd: new Promise((resolve) => (this.#last = resolve)) };
  }

  /** Runs to the end and returns the exit code. */
  async run(): Promise<number> {
    return leaving(this.#state, () => this.#run());
  }

  async #run(): Promise<number> {
    const { argv } = this.#start;
    const state = this.#state;
    let at = 0;
    let script: string | undefined;
    let reads = false;
    for (; /^[-+]./.test(argv[at] ?? ""); at++) {
      const arg = argv[at] ?? "";
      if (arg === "--") {
        at++;
        break;
      }
      if (arg.startsWith("--")) continue;
      if (arg === "-o" || arg === "+o") {
        await setOptions(state, [arg, argv[++at] ?? ""]);
        continue;
      }
      const letters = arg.slice(1).replaceAll(/[cils]/g, "");
      if (letters !== "") await setOptions(state, [arg.slice(0, 1) + letters]);
      if (arg.includes("s") && arg.startsWith("-")) reads = true;
      if (!arg.includes("c")) continue;
      script = argv[at + 1] ?? "";
      at += 2;
      break;
    }
    const runs = argv[0] === "--run";
    if (script !== undefined) {
      if (argv[at] !== undefined) state.name = argv[at] ?? "";
      state.positional = argv.slice(at + 1);
      return runText(state, script, "-c: ");
    }
    const file = reads ? undefined : argv[at];
    state.positional = argv.slice(reads ? at : at + 1);
    if (this.interactive) return this.#atPrompt();
    if (file === undefined) return this.#lines();
    state.name = file;
    try {
      const text = new TextDecoder().decode(this.vfs.readFile(resolvePath(file, state.cwd)));
      return runs ? await runByFirstLine(state, text, file, state.positional) : await runText(state, text);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      await state.write(2, `bash: ${file}: ${error.code === "ENOENT" ? "No such file or directory" : error.code === "EISDIR" ? "Is a directory" : error.message}\n`);
      return error.code === "ENOENT" ? 127 : 126;
    }
  }

  async #atPrompt(): Promise<number> {
    const write = (text: string): void => this.#link.write(1, new TextEncoder().encode(text));
    this.#prompt = new Prompt(this.#state, {
      write,
      turn: () => new TerminalTurn(this.#input),
      columns: () => this.terminal?.cols ?? 80,
      raw: (on) => this.rawTerminal(on),
      leftOver: () => new TextDecoder().decode(this.#input.takeAll()),
    });
    return this.#prompt.run();
  }

  /** A script that comes in: each command runs as soon as it is whole, and may read what comes after it. */
  async #lines(): Promise<number> {
    const state = this.#state;
    let text = "";
    for (;;) {
      const { bytes, found } = await readLine(this.#input, 10, state.signal);
      text += new TextDecoder().decode(bytes) + (found ? "\n" : "");
      if (!found || isWhole(text)) {
        await runText(state, text);
        text = "";
      }
      if (!found) return state.status;
    }
  }
}
