// The processes of the container: starting, feeding, signalling and ending them. Each runs in a Worker of its own with a
// replica of the file system; the master is here. No user code runs in this realm. (Over 300 lines: one table, and every
// way a process can start, speak or end changes it.)
import { LIMITS } from "../../base/limits.ts";
import { FsError } from "../fs-error.ts";
import { type FromProcess, SIGNAL_EXIT_CODES, type Signal, type SpawnRequest, type Terminal, type ToProcess } from "../protocol.ts";
import type { FileOp, Vfs } from "../vfs.ts";
import { checkFromProcess } from "./check-message.ts";
import { plan, type Step } from "./plan.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** Where a process's words go: the page, or its parent. */
export interface ProcessSink {
  output(fd: 1 | 2, data: Uint8Array): void;
  /** Bytes that wait to be taken; a process that lets too many pile up is stopped. */
  backlogBytes(): number;
  message(message: unknown): void;
  /** Called once, last. Exactly one of the two is null. */
  exit(code: number | null, signal: Signal | null): void;
}

interface Process {
  readonly pid: number;
  readonly parent: Process | undefined;
  readonly request: SpawnRequest;
  readonly sink: ProcessSink;
  /** Still to run, the current one first. */
  steps: Step[];
  worker: Worker | undefined;
  /** Input that came before the Worker was there. */
  early: ToProcess[];
  readonly children: Map<number, Process>;
  readonly handledSignals: Set<Signal>;
  outputBytes: number;
  terminal: Terminal | null;
  live: boolean;
}

/** How long a process may take to answer a signal that it handles when the page asked for its end. */
const GRACE_MS = 400;

const encoder = new TextEncoder();

export class ProcessTable {
  readonly #vfs: Vfs;
  readonly #pool: WorkerPool;
  readonly #live = new Map<number, Process>();
  #nextPid = 1;

  constructor(vfs: Vfs, pool: WorkerPool) {
    this.#vfs = vfs;
    this.#pool = pool;
  }

  /** Starts it, or throws an error with code ENOENT (no such command or folder) or EAGAIN (too many). Returns its pid. */
  spawn(request: SpawnRequest, sink: ProcessSink): number {
    return this.#spawn(request, sink, undefined).pid;
  }

  stdin(pid: number, data: Uint8Array | null): void {
    this.#post(this.#live.get(pid), { type: "stdin", data });
  }

  resize(pid: number, terminal: Terminal): void {
    const process = this.#live.get(pid);
    if (process) process.terminal = terminal;
    this.#post(process, { type: "resize", terminal });
  }

  /** Ends it and all it started; at once unless it handles SIGTERM, and then soon. */
  kill(pid: number): void {
    const process = this.#live.get(pid);
    if (!process) return;
    this.#signal(process, "SIGTERM");
    if (process.live) setTimeout(() => this.#end(process, null, "SIGKILL"), GRACE_MS);
  }

  /** Tells every process but the one that made it of a change. */
  broadcast(op: FileOp, except?: Process): void {
    for (const process of this.#live.values()) if (process !== except) this.#post(process, { type: "file", op });
  }

  #spawn(request: SpawnRequest, sink: ProcessSink, parent: Process | undefined): Process {
    if (this.#live.size >= LIMITS.processes) {
      throw new SpawnError("EAGAIN", `spawn ${request.command} EAGAIN: the container runs ${LIMITS.processes} processes already`);
    }
    if (this.#vfs.find(request.cwd)?.kind !== "dir") throw new SpawnError("ENOENT", `spawn ${request.command} ENOENT: no folder ${request.cwd}`);
    const steps = plan(this.#vfs, { ...request, env: { ...request.env, PWD: request.cwd } });
    if (!steps) throw new SpawnError("ENOENT", `spawn ${request.command} ENOENT`);
    const process: Process = {
      pid: this.#nextPid++,
      parent,
      request,
      sink,
      steps: [...steps],
      worker: undefined,
      early: [],
      children: new Map(),
      handledSignals: new Set(),
      outputBytes: 0,
      terminal: request.terminal,
      live: true,
    };
    this.#live.set(process.pid, process);
    // Not within the call: whoever spawns learns the pid before the first word.
    queueMicrotask(() => this.#step(process));
    return process;
  }

  /** Runs the first of the remaining steps. */
  #step(process: Process): void {
    const [step] = process.steps;
    if (!process.live) return;
    if (!step) return this.#end(process, 0, null);
    if (step.program === undefined) {
      this.#output(process, 1, encoder.encode(step.stdout));
      this.#output(process, 2, encoder.encode(step.stderr));
      return this.#stepEnded(process, step.code);
    }
    if (step.banner !== undefined) this.#output(process, 1, encoder.encode(step.banner));
    this.#pool.take(step.program).then(
      (worker) => {
        if (process.live) this.#run(process, step, worker);
        else worker.terminate();
      },
      (error: unknown) => {
        this.#output(process, 2, encoder.encode(`The container could not load ${step.program}: ${String(error)}\n`));
        this.#end(process, 126, null);
      },
    );
  }

  #run(process: Process, step: Step & { readonly program: string }, worker: Worker): void {
    process.worker = worker;
    process.handledSignals.clear();
    worker.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (!process.live || process.worker !== worker) return;
      const message = checkFromProcess(data);
      if (message) this.#receive(process, message);
      else this.#stop(process, "it sent a message that no process sends");
    };
    // The runtime catches what user code throws; what arrives here is the runtime's own end (memory, stack).
    worker.onerror = (event) => {
      event.preventDefault();
      if (!process.live || process.worker !== worker) return;
      this.#output(process, 2, encoder.encode(`${event.message}\n`));
      this.#end(process, 1, null);
    };
    const { request } = process;
    this.#post(process, {
      type: "start",
      pid: process.pid,
      ppid: process.parent?.pid ?? 0,
      argv: step.argv,
      cwd: step.cwd,
      env: step.env,
      files: this.#vfs.image(),
      terminal: process.terminal,
      stdin: request.stdin,
      ipc: request.ipc,
    });
    // `start` carries the files as they are now; of what came early only input still counts.
    for (const message of process.early.splice(0)) if (message.type !== "file") this.#post(process, message);
  }

  #stepEnded(process: Process, code: number): void {
    process.worker?.terminate();
    process.worker = undefined;
    this.#endChildren(process);
    process.steps = process.steps.slice(1);
    if (code !== 0 || process.steps.length === 0) this.#end(process, code, null);
    else this.#step(process);
  }

  #receive(process: Process, message: FromProcess): void {
    switch (message.type) {
      case "ready":
        return;
      case "file":
        return this.#applyFile(process, message.op);
      case "output":
        return this.#output(process, message.fd, message.data);
      case "exit":
        return this.#stepEnded(process, message.code);
      case "handles-signal":
        if (message.on) process.handledSignals.add(message.signal);
        else process.handledSignals.delete(message.signal);
        return;
      case "message":
        if (process.request.ipc) process.sink.message(message.message);
        return;
      case "spawn":
        return this.#spawnChild(process, message.child, message.request);
      case "child-stdin":
        return this.#post(process.children.get(message.child), { type: "stdin", data: message.data });
      case "child-message":
        return this.#post(process.children.get(message.child), { type: "message", message: message.message });
      case "child-kill": {
        const child = process.children.get(message.child);
        if (child) this.#signal(child, message.signal);
        return;
      }
      case "kill": {
        const target = this.#live.get(message.pid);
        if (target && isRelated(target, process)) this.#signal(target, message.signal);
        return;
      }
      default:
        message satisfies never;
    }
  }

  #applyFile(process: Process, op: FileOp): void {
    try {
      this.#vfs.apply(op);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      if (error.code === "ENOSPC") this.#stop(process, "the container's file system is full");
      // Anything else: two processes changed the same place at once, and the other one's change stands.
      return;
    }
    this.broadcast(op, process);
  }

  #spawnChild(process: Process, child: number, request: SpawnRequest): void {
    const tell = (message: ToProcess): void => {
      if (process.live) this.#post(process, message);
    };
    try {
      const started = this.#spawn(
        request,
        {
          output: (fd, data) => tell({ type: "child-output", child, fd, data }),
          backlogBytes: () => 0,
          message: (message) => tell({ type: "child-message", child, message }),
          exit: (code, signal) => {
            process.children.delete(child);
            tell({ type: "child-exit", child, code, signal });
          },
        },
        process,
      );
      process.children.set(child, started);
      tell({ type: "child-started", child, pid: started.pid });
    } catch (error) {
      if (!(error instanceof SpawnError)) throw error;
      tell({ type: "child-error", child, code: error.code, message: error.message });
    }
  }

  #output(process: Process, fd: 1 | 2, data: Uint8Array): void {
    if (data.length === 0 || !process.live) return;
    process.outputBytes += data.length;
    process.sink.output(fd, data);
    if (process.outputBytes > LIMITS.processOutputBytes) this.#stop(process, `it wrote more than ${LIMITS.processOutputBytes} bytes`);
    else if (process.sink.backlogBytes() > LIMITS.outputBacklogBytes) this.#stop(process, "it wrote faster than its output could be read");
  }

  /** Ends a process that broke a rule, and says which. */
  #stop(process: Process, why: string): void {
    if (!process.live) return;
    process.sink.output(2, encoder.encode(`\n[The container stopped this process: ${why}.]\n`));
    this.#end(process, null, "SIGKILL");
  }

  #signal(process: Process, signal: Signal): void {
    if (signal !== "SIGKILL" && process.handledSignals.has(signal) && process.worker) this.#post(process, { type: "signal", signal });
    else this.#end(process, null, signal);
  }

  #end(process: Process, code: number | null, signal: Signal | null): void {
    if (!process.live) return;
    process.live = false;
    this.#live.delete(process.pid);
    process.worker?.terminate();
    process.worker = undefined;
    this.#endChildren(process);
    process.sink.exit(code, signal);
  }

  /** Nothing outlives the process that started it: a container has no background. */
  #endChildren(process: Process): void {
    for (const child of process.children.values()) this.#end(child, null, "SIGTERM");
    process.children.clear();
  }

  #post(process: Process | undefined, message: ToProcess): void {
    if (!process?.live) return;
    if (process.worker) process.worker.postMessage(message);
    else process.early.push(message);
  }
}

/** A process may signal itself, what it started, and what its parent started. */
function isRelated(target: Process, from: Process): boolean {
  for (let up: Process | undefined = target; up; up = up.parent) if (up === from) return true;
  return target.parent !== undefined && target.parent === from.parent;
}

export class SpawnError extends Error {
  readonly code: "ENOENT" | "EAGAIN";

  constructor(code: SpawnError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** The environment of a process that the page starts. */
export function hostEnvironment(given: Readonly<Record<string, string>>, path: string, cwd: string): Record<string, string> {
  return { HOME: "/home", PATH: path, PWD: cwd, SHELL: "/bin/sh", TERM: "xterm-256color", USER: "user", LANG: "C.UTF-8", TMPDIR: "/tmp", ...given };
}

/** 128 + number for a signal, as a shell would say it. */
export function exitCodeOf(code: number | null, signal: Signal | null): number {
  return code ?? SIGNAL_EXIT_CODES[signal ?? "SIGTERM"];
}

