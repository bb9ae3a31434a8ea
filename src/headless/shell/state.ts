// One shell's state: variables, functions, descriptors, options. A subshell is a copy of it; the copies of one process share
// a `ShellHost`. Also the ways in which a script leaves what it does: break, return, exit, an error, a signal.
import { CONTAINER_LIMITS } from "../../base/limits.ts";
import type { NetworkHost } from "../node/net/wire.ts";
import { type ProcessInfo, SIGNAL_EXIT_CODES, type Signal, type Terminal } from "../protocol.ts";
import type { Vfs } from "../vfs.ts";
import type { Children } from "./children.ts";
import type { Jobs } from "./jobs.ts";
import type { Leaves } from "./leaves.ts";
import { OpenFile, type Stream, type TerminalTurn } from "./streams.ts";
import type { FunctionBody, ScriptNode } from "./syntax.ts";
import { orKilled, type Task } from "./task.ts";
import { Variables } from "./variables.ts";

export class Break extends Error {
  levels: number;
  readonly continues: boolean;

  constructor(levels: number, continues: boolean) {
    super();
    this.levels = levels;
    this.continues = continues;
  }
}
export class Return extends Error {
  readonly code: number;

  constructor(code: number) {
    super();
    this.code = code;
  }
}
export class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super();
    this.code = code;
  }
}
/** A signal has ended what runs. */
export class Killed extends Error {
  readonly signal: Signal;

  constructor(signal: Signal) {
    super();
    this.signal = signal;
  }

  get code(): number {
    return SIGNAL_EXIT_CODES[this.signal];
  }
}
/** What ends with a failed expansion: the command it is for, the line it stands on, or, unless somebody types, the shell. */
export type Ends = "command" | "line" | "shell";

export class ExpansionError extends Error {
  readonly ends: Ends;

  constructor(message: string, ends: Ends = "command") {
    super(message);
    this.ends = ends;
  }
}

/** What all subshells of one process share. */
export interface ShellHost {
  readonly vfs: Vfs;
  readonly pid: number;
  readonly ppid: number;
  readonly children: Children;
  readonly leaves: Leaves;
  /** Servers of other processes. */
  readonly network: NetworkHost;
  /** A port for this process's end of a connection. */
  nextPort(): number;
  readonly interactive: boolean;
  terminal: Terminal | null;
  /** Numbers for subshells, which are no processes of the kernel. */
  nextPid(): number;
  /** The kernel shall send this signal instead of ending the process. */
  handleSignal(signal: Signal, on: boolean): void;
  /** Subshells by their numbers, to be signalled. */
  readonly tasks: Map<number, Task>;
  /** One of them is gone. */
  taskEnded(): void;
  /** The keys of the terminal that it runs at, whatever its input is. */
  readonly keyboard: Stream | undefined;
  /** Whether keys come as they are typed; else in lines, with Ctrl+C a signal. */
  rawTerminal(on: boolean): void;
  /** The container's, of the kernel. */
  processes(): Promise<readonly ProcessInfo[]>;
  /** Sends a signal to any of them. */
  signalProcess(pid: number, signal: Signal): void;
  /** `kill $$` */
  signalSelf(signal: Signal): void;
  /** What Ctrl+Z stops; only at a prompt. */
  foreground: Foreground | undefined;
  stopsNext: boolean;
  /** Whether processes can be stopped: the page shares memory with them. */
  readonly stopsProcesses: boolean;
  /** A signal has stopped a process of this task. */
  childStopped(task: Task): void;
  /** The command line at the prompt, what it reads, and those before it. */
  typed: { readonly line: string; readonly turn: TerminalTurn } | undefined;
  readonly history: string[];
}

/** A command, a pipe or a subshell that the prompt waits for. */
export interface Foreground {
  readonly task: Task;
  stop(): void;
}

const DEFAULT_SHOPTS = ["extglob", "expand_aliases", "sourcepath", "cmdhist", "promptvars"];

export class ShellState {
  readonly host: ShellHost;
  vars: Variables;
  functions = new Map<string, FunctionBody>();
  aliases = new Map<string, string>();
  /** Long names: errexit, nounset, … */
  options = new Set<string>();
  shopts = new Set(DEFAULT_SHOPTS);
  positional: string[] = [];
  /** `$0`, and what messages begin with. */
  name = "bash";
  cwd = "/";
  readonly fds = new Map<number, OpenFile>();
  status = 0;
  pipeStatus: string[] = [];
  /** `$!` */
  lastJobPid: number | undefined;
  pid: number;
  task: Task;
  jobs: Jobs;
  /** By name (EXIT, INT, ERR, …); empty: ignored. */
  traps = new Map<string, string>();
  /** Nothing comes after the command that it runs next: what stood where that is redirected is closed. */
  isLast = false;
  line = 1;
  loops = 0;
  calls: string[] = [];
  /** Above zero where a failure is an answer (`if`, `&&`): `set -e` and ERR do not count there. */
  tested = 0;
  depth = 0;
  folders: string[] = [];
  seconds = 0;
  random = Math.floor(Math.random() * 32768);
  /** Output of a script with this state's variables (`$(…)`). */
  readonly capture: (state: ShellState, script: ScriptNode) => Promise<string>;
  /** A script that runs beside this one: the path or stream of its other end (`<(…)`). */
  readonly substitute: (state: ShellState, script: ScriptNode, direction: "input" | "output") => Promise<string>;
  /** The input that the command itself was given, by a pipe or `<`: it is passed on before it is asked for. */
  given: Stream | undefined;
  /** Where `getopts` is in a bundle of letters. */
  optionIndex = 0;
  optionPlace = 1;
  /** How often `$(…)` has run: a command without words has the status of the last. */
  captures = 0;
  /** Done once the command that used them has ended. */
  cleanups: (() => Promise<void> | void)[] = [];

  constructor(host: ShellHost, task: Task, jobs: Jobs, runners: Pick<ShellState, "capture" | "substitute">, env: Readonly<Record<string, string>>, cwd: string) {
    this.host = host;
    this.task = task;
    this.jobs = jobs;
    this.capture = runners.capture;
    this.substitute = runners.substitute;
    this.vars = new Variables(env);
    this.pid = host.pid;
    this.cwd = cwd;
    this.seconds = performance.now();
  }

  /** A copy that changes nothing here; descriptors are shared. */
  fork(task: Task, jobs: Jobs): ShellState {
    if (this.host.tasks.size >= CONTAINER_LIMITS.subshells) {
      task.close();
      throw new ExpansionError(`fork: Resource temporarily unavailable: a shell of the container has at most ${CONTAINER_LIMITS.subshells} subshells and jobs at once`, "shell");
    }
    const copy = new ShellState(this.host, task, jobs, this, {}, this.cwd);
    copy.vars = this.vars.clone();
    copy.functions = new Map(this.functions);
    copy.aliases = new Map(this.aliases);
    copy.options = new Set(this.options);
    copy.shopts = new Set(this.shopts);
    copy.positional = [...this.positional];
    copy.name = this.name;
    copy.status = this.status;
    copy.lastJobPid = this.lastJobPid;
    copy.pid = this.host.nextPid();
    this.host.tasks.set(copy.pid, task);
    copy.line = this.line;
    copy.loops = this.loops;
    copy.calls = [...this.calls];
    copy.tested = this.tested;
    copy.depth = this.depth + 1;
    copy.folders = [...this.folders];
    copy.seconds = this.seconds;
    // A subshell forgets what was to be done on signals, but for those ignored.
    for (const [name, action] of this.traps) if (action === "") copy.traps.set(name, "");
    for (const [fd, file] of this.fds) copy.fds.set(fd, file.hold());
    return copy;
  }

  /** Puts a stream at a descriptor, closing what was there. */
  setFd(fd: number, file: OpenFile | undefined): void {
    this.fds.get(fd)?.release();
    if (file) this.fds.set(fd, file);
    else this.fds.delete(fd);
  }

  open(fd: number, stream: Stream): void {
    this.setFd(fd, new OpenFile(stream));
  }

  closeAll(): void {
    for (const fd of this.fds.keys()) this.setFd(fd, undefined);
  }

  /** Throws what a closed descriptor is. */
  stream(fd: number): Stream {
    const file = this.fds.get(fd);
    if (!file) throw new ExpansionError(`${fd}: Bad file descriptor`);
    return file.stream;
  }

  get signal(): AbortSignal {
    return this.task.signal;
  }

  /** While its task is stopped: what to wait for. A shell without a prompt is stopped as a process, whole. */
  get held(): Promise<void> | undefined {
    return this.host.interactive ? this.task.held : undefined;
  }

  async write(fd: number, text: string | Uint8Array): Promise<void> {
    for (let { held } = this; held; { held } = this) await orKilled(held, this.signal);
    await this.fds.get(fd)?.stream.write(typeof text === "string" ? new TextEncoder().encode(text) : text, this.signal);
  }

  /** `bash: line 3: what: why`. */
  async complain(message: string): Promise<void> {
    const where = this.host.interactive ? "" : `line ${this.line}: `;
    await this.write(2, `${this.name}: ${where}${message}\n`);
  }
}
