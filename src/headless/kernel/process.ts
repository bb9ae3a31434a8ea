// One process of the table, and where its words go.
import { FIRST_EPHEMERAL_PORT, type FromProcess, PORTS_PER_PROCESS, type ProcessInfo, type Signal, type SpawnRequest, type StartMessage, type Terminal, type ToProcess } from "../protocol.ts";
import type { FileOp, Vfs } from "../vfs.ts";
import type { ReadyStep, Step } from "./plan.ts";
import type { SentInput } from "./sent-input.ts";

/** Where a process's words go: the page, or its parent. */
export interface ProcessSink {
  output(fd: number, data: Uint8Array): void;
  /** It writes no more there. */
  pipeEnd?(fd: number, broken: boolean): void;
  /** Of what it was sent it has read so much. */
  inputTaken?(fd: number, bytes: number): void;
  /** Bytes that wait to be taken; a process that lets too many pile up is stopped. */
  backlogBytes(): number;
  /** False: it holds what cannot be passed on. */
  message(message: unknown, ports?: readonly MessagePort[]): boolean;
  /** It reads its input from now on. */
  wantsInput?(fd?: number): void;
  /** It, or a process below it, sets the mode of the terminal. */
  terminalMode?(raw: boolean): void;
  /** A signal has stopped it. */
  stopped?(): void;
  /** Called once, last unless it is held: what it has left behind goes on writing here. Exactly one of the two is null. */
  exit(code: number | null, signal: Signal | null, held: boolean): void;
  /** Nobody writes here any more, of one that was held. */
  closed?(): void;
}

export interface Process {
  readonly pid: number;
  /** ms since 1970. */
  readonly startedMs: number;
  /** Undefined for the page's, and when the parent has ended and this goes on. */
  parent: Process | undefined;
  /** The page's own that all this came from, itself at the top. */
  readonly top: Process | undefined;
  /** Its end is the end of all that it has started. */
  endsAll: boolean;
  /** It goes on for its jobs alone: for its parent it has ended. */
  stays: boolean;
  request: SpawnRequest;
  sink: ProcessSink;
  /** Still to run, the current one first. */
  steps: Step[];
  worker: Worker | undefined;
  /** What came before the Worker was there, with the ports in it. */
  early: { readonly message: ToProcess; readonly ports: readonly MessagePort[] }[];
  /** Ports in a thread's data. */
  readonly ports: readonly MessagePort[];
  readonly children: Map<number, Process>;
  readonly handledSignals: Set<Signal>;
  outputBytes: number;
  terminal: Terminal | null;
  live: boolean;
  /** How many changes it was sent, and those it may not have applied yet. */
  fileSeq: number;
  unseen: { readonly seq: number; readonly op: FileOp }[];
  /** It sleeps until a child has ended or input has come: changes wait in `unseen`. */
  sleeping: boolean;
  /** By descriptor. */
  readonly inputs: Map<number, SentInput>;
  /** It sleeps for input. */
  reading: (FromProcess & { type: "read-sync" }) | undefined;
  /** See StartMessage. Undefined where the page shares no memory: then nothing can be stopped. */
  readonly stopped: Int32Array<SharedArrayBuffer> | undefined;
  /** Which of the ranges of ephemeral ports is its own. */
  readonly slot: number;
}

/** One that is about to start. */
export function newProcess(pid: number, slot: number, { request, sink, parent, ports, steps }: Pick<Process, "request" | "sink" | "parent" | "ports"> & { readonly steps: readonly Step[] }): Process {
  return {
    pid, slot, parent, request, sink, ports,
    startedMs: Date.now(),
    top: parent && (parent.top ?? parent),
    endsAll: parent?.endsAll === true,
    stays: false,
    steps: [...steps],
    worker: undefined,
    early: [],
    children: new Map(),
    handledSignals: new Set(),
    outputBytes: 0,
    terminal: request.terminal,
    live: true,
    fileSeq: 0,
    unseen: [],
    sleeping: false,
    inputs: new Map(),
    reading: undefined,
    stopped: globalThis.crossOriginIsolated ? new Int32Array(new SharedArrayBuffer(8)) : undefined,
  };
}

/** What its Worker is told first. */
export function startMessage(process: Process, step: ReadyStep & { readonly program: string }, given: Pick<StartMessage, "files" | "knownCode" | "libraries" | "firstPid">): StartMessage {
  const { request } = process;
  return {
    type: "start",
    pid: mainThread(process).pid,
    ppid: mainThread(process).parent?.pid ?? 0,
    argv: step.argv,
    argv0: step.argv0 ?? step.program,
    cwd: step.cwd,
    env: step.env,
    terminal: process.terminal,
    stdin: request.stdin,
    descriptors: request.descriptors ?? [],
    stopped: process.stopped?.buffer ?? null,
    ipc: request.ipc,
    firstPort: FIRST_EPHEMERAL_PORT + process.slot * PORTS_PER_PROCESS,
    thread: request.thread ?? null,
    ...given,
  };
}

/** A parent that is a process: it knows the child by a number of its own. */
export function parentSink(child: number, tell: (message: ToProcess, ports?: readonly MessagePort[]) => boolean, ended: () => void): ProcessSink {
  return {
    output: (fd, data) => void tell({ type: "child-output", child, fd, data }),
    backlogBytes: () => 0,
    message: (message, passed) => tell({ type: "child-message", child, message }, passed),
    pipeEnd: (fd, broken) => void tell({ type: "child-pipe-end", child, fd, broken }),
    inputTaken: (fd, bytes) => void tell({ type: "child-input-taken", child, fd, bytes }),
    wantsInput: (fd) => void tell({ type: "child-stdin-wanted", child, ...(fd === undefined ? {} : { fd }) }),
    stopped: () => void tell({ type: "child-stopped", child }),
    exit: (code, signal, held) => {
      ended();
      tell({ type: "child-exit", child, code, signal, held });
    },
    closed: () => void tell({ type: "child-closed", child }),
  };
}

/** Its parent has ended, and it goes on: what it writes goes where the parent's own went, to a file, or nowhere. True: the first. */
export function adopt(child: Process, { sink }: Process, holds: Holds, vfs: Vfs): boolean {
  const leads = [...(child.request.leads ?? [])];
  const holding = (): boolean => leads.some((to) => to === 1 || to === 2);
  const held = holding();
  const release = held ? holds.hold(sink) : () => undefined;
  child.parent = undefined;
  child.sink = {
    output: (fd, data) => {
      const to = leads[fd - 1];
      if (to === 1 || to === 2) sink.output(to, data);
      else if (typeof to === "string") append(vfs, to, data);
    },
    pipeEnd: (fd) => {
      leads[fd - 1] = null;
      if (!holding()) release();
    },
    backlogBytes: () => sink.backlogBytes(),
    message: () => true,
    exit: (_code, _signal, isHeld) => void (isHeld || release()),
    closed: release,
  };
  return held;
}

function append(vfs: Vfs, path: string, data: Uint8Array): void {
  try {
    if (vfs.exists(path)) vfs.append(path, data);
    else vfs.writeFile(path, data);
  } catch {
    // Its folder is gone, or the disk is full: nobody is left to tell.
  }
}

/** How many write where a process wrote that has ended. */
export class Holds {
  readonly #counts = new Map<ProcessSink, number>();

  hold(sink: ProcessSink): () => void {
    this.#counts.set(sink, (this.#counts.get(sink) ?? 0) + 1);
    let holds = true;
    return () => {
      if (!holds) return;
      holds = false;
      const left = (this.#counts.get(sink) ?? 1) - 1;
      if (left > 0) return void this.#counts.set(sink, left);
      this.#counts.delete(sink);
      sink.closed?.();
    };
  }
}

export function isBelow(process: Process, top: Process): boolean {
  for (let up: Process | undefined = process; up; up = up.parent) if (up === top) return true;
  return false;
}

/** The one whose pid a thread has. */
export function mainThread(process: Process): Process {
  return process.request.thread && process.parent ? mainThread(process.parent) : process;
}

/** As `ps` shows it: a program that Node runs by the file, what the page or npm asked for by that. */
export function processInfo({ pid, parent, top, request, steps: [step], terminal, stopped, startedMs }: Process): ProcessInfo {
  const words = step?.program === "node" && !/^np[mx]$/.test(request.command) ? ["node", ...step.argv] : [request.command, ...request.args];
  return { pid, ppid: parent && !parent.stays ? parent.pid : top ? 1 : 0, words, terminal: terminal !== null, stopped: stopped?.[0] === 1, startedMs };
}

/** A process may signal itself, what it started, what its parent started and what has none; what a user types into a shell reaches all. */
export function isRelated(target: Process, from: Process): boolean {
  return from.steps[0]?.program === "sh" || isBelow(target, from) || (target.parent === undefined ? target.top !== undefined : target.parent === from.parent);
}
