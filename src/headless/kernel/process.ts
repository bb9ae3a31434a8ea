// One process of the table, and where its words go.
import type { FromProcess, ProcessInfo, Signal, SpawnRequest, Terminal, ToProcess } from "../protocol.ts";
import type { FileOp } from "../vfs.ts";
import type { Step } from "./plan.ts";
import type { SentInput } from "./sent-input.ts";

/** Where a process's words go: the page, or its parent. */
export interface ProcessSink {
  output(fd: 1 | 2, data: Uint8Array): void;
  /** Bytes that wait to be taken; a process that lets too many pile up is stopped. */
  backlogBytes(): number;
  /** False: it holds what cannot be passed on. */
  message(message: unknown, ports?: readonly MessagePort[]): boolean;
  /** It reads its input from now on. */
  wantsInput?(): void;
  /** It, or a process below it, sets the mode of the terminal. */
  terminalMode?(raw: boolean): void;
  /** A signal has stopped it. */
  stopped?(): void;
  /** Called once, last. Exactly one of the two is null. */
  exit(code: number | null, signal: Signal | null): void;
}

export interface Process {
  readonly pid: number;
  /** ms since 1970. */
  readonly startedMs: number;
  /** Another one when that has ended and this goes on. */
  parent: Process | undefined;
  readonly request: SpawnRequest;
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
  readonly input: SentInput;
  /** It sleeps for input. */
  reading: (FromProcess & { type: "read-sync" }) | undefined;
  /** See StartMessage. Undefined where the page shares no memory: then nothing can be stopped. */
  readonly stopped: Int32Array<SharedArrayBuffer> | undefined;
  /** Which of the ranges of ephemeral ports is its own. */
  readonly slot: number;
}

/** Its parent has ended, and it goes on: nobody hears it any more. */
export function adopt(child: Process, parent: Process): void {
  child.parent = parent;
  child.sink = { output: () => undefined, backlogBytes: () => 0, message: () => true, exit: () => void parent.children.delete(-child.pid) };
  // Below zero: a number that no process chooses for a child.
  parent.children.set(-child.pid, child);
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
export function processInfo({ pid, parent, request, steps: [step], terminal, stopped, startedMs }: Process): ProcessInfo {
  const words = step?.program === "node" && !/^np[mx]$/.test(request.command) ? ["node", ...step.argv] : [request.command, ...request.args];
  return { pid, ppid: parent?.pid ?? 0, words, terminal: terminal !== null, stopped: stopped?.[0] === 1, startedMs };
}

/** A process may signal itself, what it started, and what its parent started; what a user types into a shell reaches all. */
export function isRelated(target: Process, from: Process): boolean {
  return from.steps[0]?.program === "sh" || isBelow(target, from) || target.parent !== undefined && target.parent === from.parent;
}
