// The processes of the container: starting, feeding, signalling and ending them. Each runs in a Worker of its own with a
// replica of the file system; the master is here. No user code runs in this realm. (Over 300 lines: one table, and every
// way a process can start, speak or end changes it.)
import { CONTAINER_LIMITS } from "../../base/limits.ts";
import type { PageConnect } from "../bridge.ts";
import { FsError } from "../fs-error.ts";
import { codeMemory } from "../known-code.ts";
import { packImage } from "../packed-image.ts";
import type { ConnectAnswer, FromProcess, Signal, SocketMessage, SpawnRequest, SyncSpawnRequest, StartMessage, SyncSpawnResult, Terminal, ToProcess } from "../protocol.ts";
import type { FileOp, Vfs } from "../vfs.ts";
import { checkFromProcess } from "./check-message.ts";
import { NeededLibraries } from "./needed-libraries.ts";
import { Network } from "./network.ts";
import { firstPidOf, Pids } from "./pids.ts";
import { plan, type ReadyStep } from "./plan.ts";
import { adopt, Holds, isBelow, isRelated, newProcess, parentSink, processInfo, type Process, type ProcessSink, startMessage } from "./process.ts";
import type { RegistryCalls } from "./registry-calls.ts";
import { SentInput } from "./sent-input.ts";
import { shareContents } from "./shared-contents.ts";
import { argumentBytes, SpawnError, spawnFailure } from "./spawn-request.ts";
import { answerSync, SyncChild } from "./sync-child.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** How long a process may take to answer a signal that it handles when the page asked for its end. */
const GRACE_MS = 400;

/** An owner of connections that is no process: the page, which shows what servers serve. Its ports as a client are its own. */
const PAGE = { firstPort: 28_000, ports: 4_000 } as const;

/** What the page hears of the container's network. */
export interface TableEvents {
  /** A TCP port opened or closed. */
  port(port: number, open: boolean): void;
  /** Of the page's own connections. */
  network(message: ConnectAnswer | SocketMessage): void;
}

const UNPASSABLE = "it sent a message with something in it that cannot be passed on";

const encoder = new TextEncoder();

export class ProcessTable {
  readonly #vfs: Vfs;
  readonly #pool: WorkerPool;
  #knownCode: SharedArrayBuffer | null = null;
  readonly #registry: RegistryCalls;
  readonly #live = new Map<number, Process>();
  readonly #libraries: NeededLibraries;
  readonly #network: Network<Process | typeof PAGE>;
  readonly #pids = new Pids();
  readonly #holds = new Holds();

  constructor(vfs: Vfs, pool: WorkerPool, registry: RegistryCalls, events: TableEvents) {
    this.#vfs = vfs;
    this.#pool = pool;
    this.#registry = registry;
    this.#libraries = new NeededLibraries(vfs, pool);
    this.#network = new Network<Process | typeof PAGE>({
      // What it does not ask for (it listens nowhere) is never sent to the page.
      post: (owner, message) => void (owner === PAGE ? events.network(message as ConnectAnswer | SocketMessage) : this.#post(owner as Process, message)),
      port: (port, open) => events.port(port, open),
    });
  }

  /** Starts it, or throws an error with code ENOENT (no such command or folder) or EAGAIN (too many). Returns its pid. */
  spawn(request: SpawnRequest, sink: ProcessSink): number {
    return this.#spawn(request, sink, undefined).pid;
  }

  stdin(pid: number, data: Uint8Array | null): void {
    this.#feed(this.#live.get(pid), data);
  }

  /** Of its terminal, which all that it started on it share. */
  resize(pid: number, terminal: Terminal): void {
    const top = this.#live.get(pid);
    for (const process of this.#live.values()) {
      if (!top || !process.terminal || !isBelow(process, top)) continue;
      process.terminal = terminal;
      this.#post(process, { type: "resize", terminal });
    }
  }

  /** As a terminal sends it to what runs in it. */
  interrupt(pid: number, signal: Signal): void {
    const process = this.#live.get(pid);
    if (process) this.#signal(process, signal);
  }

  /** From the page, which keeps to the windows. */
  network(message: PageConnect | SocketMessage): void {
    if (message.type === "connect") this.#network.connect(PAGE, message.socket, message.port, PAGE.firstPort + (message.socket % PAGE.ports));
    else this.#network.carry(PAGE, message);
  }

  /** Ends it and all that came from it, also where that has outlived it; at once what does not handle SIGTERM, the rest soon. */
  kill(pid: number): void {
    const top = this.#live.get(pid);
    for (const process of this.#from(pid)) {
      process.endsAll = true;
      if (process.live && (process === top || !process.parent)) this.#signal(process, "SIGTERM");
    }
    if (this.hasLeft(pid)) setTimeout(() => this.#from(pid).forEach((process) => this.#end(process, null, "SIGKILL")), GRACE_MS);
  }

  /** Whether any of what came from it lives. */
  hasLeft(pid: number): boolean {
    return this.#from(pid).length > 0;
  }

  #from(pid: number): Process[] {
    return [...this.#live.values()].filter((each) => (each.top ?? each).pid === pid);
  }

  /** Tells every process but the one that made it of a change. Who starts only now gets it with all files. */
  broadcast(op: FileOp, except?: Process): void {
    for (const process of this.#live.values()) {
      if (process === except || !process.worker) continue;
      const seq = ++process.fileSeq;
      // Only our Node runtime says what it has seen; nothing else can sleep.
      if (process.steps[0]?.program === "node") process.unseen.push({ seq, op });
      if (!process.sleeping) this.#post(process, { type: "file", op, seq });
    }
  }

  #spawn(request: SpawnRequest, sink: ProcessSink, parent: Process | undefined, ports: readonly MessagePort[] = [], pid?: number): Process {
    if (this.#live.size >= CONTAINER_LIMITS.processes) {
      throw new SpawnError("EAGAIN", request, `the container runs ${CONTAINER_LIMITS.processes} processes already`);
    }
    if (!request.cwdGone && this.#vfs.find(request.cwd)?.kind !== "dir") throw new SpawnError("ENOENT", request, `no folder ${request.cwd}`);
    if (argumentBytes(request) > CONTAINER_LIMITS.argumentBytes) {
      throw new SpawnError("E2BIG", request, `arguments and variables of one process may hold ${CONTAINER_LIMITS.argumentBytes} characters together`);
    }
    const steps = plan(this.#vfs, { ...request, env: { ...request.env, PWD: request.cwd } });
    if (!steps) throw new SpawnError("ENOENT", request);
    const number = this.#pids.choose((each) => [...this.#live.values()].some((live) => live.pid === each || live.top?.pid === each), parent?.slot, pid);
    const process = newProcess(number, this.#freeSlot(), { request, sink, parent, ports, steps });
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
    const fail = (what: string) => (error: unknown): void => {
      this.#output(process, 2, encoder.encode(`The container could not load ${what}: ${String(error)}\n`));
      this.#end(process, 126, null);
    };
    if ("late" in step) {
      this.#pool.plans().then(({ planLate }) => {
        process.steps.splice(0, 1, ...planLate(this.#vfs, step));
        this.#step(process);
      }).catch(fail(step.late));
      return;
    }
    if (step.program === undefined) {
      this.#output(process, 1, encoder.encode(step.stdout));
      this.#output(process, 2, encoder.encode(step.stderr));
      return this.#stepEnded(process, step.code, undefined);
    }
    if (step.banner !== undefined) this.#output(process, 1, encoder.encode(step.banner));
    const libraries = step.program === "node" ? this.#libraries.for(step, process.terminal) : {};
    Promise.all([this.#pool.take(step.program), libraries]).then(
      ([worker, urls]) => {
        if (process.live) this.#run(process, step, worker, urls);
        else worker.terminate();
      },
      fail(step.program),
    );
  }

  #run(process: Process, step: ReadyStep & { readonly program: string }, worker: Worker, libraries: StartMessage["libraries"]): void {
    process.worker = worker;
    process.handledSignals.clear();
    process.fileSeq = 0;
    process.unseen = [];
    const refuse = (): void => {
      if (process.live && process.worker === worker) this.#stop(process, "it sent a message that no process sends");
    };
    worker.onmessage = ({ data, ports = [] }: MessageEvent<unknown>) => {
      if (!process.live || process.worker !== worker) return;
      const message = checkFromProcess(data);
      if (process.stopped) Atomics.add(process.stopped, 1, 1);
      if (message) this.#receive(process, message, ports);
      else refuse();
    };
    worker.onmessageerror = refuse;
    // The runtime catches what user code throws; what arrives here is the runtime's own end (memory, stack).
    worker.onerror = (event) => {
      event.preventDefault();
      if (!process.live || process.worker !== worker) return;
      this.#output(process, 2, encoder.encode(`${event.message}\n`));
      this.#end(process, 1, null);
    };
    shareContents(this.#vfs.image().root);
    this.#knownCode = codeMemory(this.#knownCode);
    this.#post(process, startMessage(process, step, { files: packImage(this.#vfs.image()), knownCode: this.#knownCode, libraries, firstPid: firstPidOf(process.slot) }), process.ports);
    for (const { message, ports } of process.early.splice(0)) this.#post(process, message, ports);
  }

  #stepEnded(process: Process, code: number, stays: number | undefined): void {
    process.steps = process.steps.slice(1);
    if (code !== 0 || process.steps.length === 0) return stays !== undefined && !process.endsAll && !process.stays ? this.#stay(process, code, stays) : this.#end(process, code, null);
    process.worker?.terminate();
    process.worker = undefined;
    this.#network.left(process);
    this.#leave(process);
    this.#step(process);
  }

  /** For whoever started it, it has ended; its jobs go on in it. */
  #stay(process: Process, code: number, holds: number): void {
    const { sink } = process;
    process.stays = true;
    process.request = { ...process.request, leads: [holds & 1 ? 1 : null, holds & 2 ? 2 : null] };
    sink.exit(code, null, adopt(process, process, this.#holds, this.#vfs));
  }

  #receive(process: Process, message: FromProcess, ports: readonly MessagePort[]): void {
    switch (message.type) {
      case "ready":
        return;
      case "file":
        return this.#applyFile(process, message.op);
      case "files":
        for (const op of message.ops) if (process.live) this.#applyFile(process, op);
        return;
      case "terminal-mode": {
        let top = process;
        while (top.parent) top = top.parent;
        if (process.terminal) top.sink.terminalMode?.(message.raw);
        // At a prompt the session goes on: what was printed before it is not one program's flood.
        if (process.terminal && message.raw) process.outputBytes = 0;
        return;
      }
      case "stdin-wanted":
        return process.sink.wantsInput?.(message.fd);
      case "pipe-end":
        return process.sink.pipeEnd?.(message.fd, message.broken);
      case "input-taken":
        return process.sink.inputTaken?.(message.fd, message.bytes);
      case "child-broken":
        return void this.#post(process.children.get(message.child), { type: "pipe-broken", fd: message.fd });
      case "registry": {
        const { request } = message;
        if (process.steps[0]?.program !== "npm") return this.#stop(process, "it asked for a package itself: only npm may");
        this.#registry.ask(process, message.question, (answer) => this.#post(process, { type: "registry-answer", request, answer }));
        return;
      }
      case "output":
        return this.#output(process, message.fd, message.data);
      case "exit":
        return this.#stepEnded(process, message.code, message.stays);
      case "handles-signal":
        if (message.on) process.handledSignals.add(message.signal);
        else process.handledSignals.delete(message.signal);
        return;
      case "message":
        if (process.request.ipc && !process.sink.message(message.message, ports)) this.#stop(process, UNPASSABLE);
        return;
      case "spawn":
        return this.#spawnChild(process, message, ports);
      case "child-stdin":
        return this.#feed(process.children.get(message.child), message.data, message.fd);
      case "child-message":
        if (!this.#post(process.children.get(message.child), { type: "message", message: message.message }, ports)) this.#stop(process, UNPASSABLE);
        return;
      case "child-kill": {
        const child = process.children.get(message.child);
        if (child) this.#signal(child, message.signal);
        return;
      }
      case "files-seen":
        process.unseen = process.unseen.filter(({ seq }) => seq > message.seq);
        return;
      case "read-sync":
        process.sleeping = true;
        process.reading = message;
        this.#inputOf(process, message.fd).received(message.received);
        process.sink.wantsInput?.(message.fd);
        return this.#answerRead(process);
      case "input-seen":
        return this.#inputOf(process, message.fd).received(message.received);
      case "spawn-sync":
        return this.#spawnSync(process, message.spawn, message.seen, message.memory);
      case "listen":
        return this.#network.listen(process, message.server, message.address);
      case "unlisten":
        return this.#network.unlisten(process, message.server);
      case "connect":
        return this.#network.connect(process, message.socket, message.address, message.port);
      case "socket-data":
      case "socket-ack":
      case "socket-end":
      case "socket-close":
        if (!this.#network.carry(process, message)) this.#stop(process, "it sent more over a connection than the other side could take");
        return;
      case "processes":
        this.#post(process, { type: "processes", list: [...this.#live.values()].filter(({ request, stays, children }) => !request.thread && !(stays && children.size > 0)).map(processInfo) });
        return;
      case "kill": {
        const failure = this.#kill(process, message.pid, message.signal);
        if (message.wait) answerSync(message.wait.memory, { failure, ...this.#wake(process, message.wait.seen) });
        return;
      }
      default:
        message satisfies never;
    }
  }

  /** A null signal only asks. */
  #kill(process: Process, pid: number, signal: Signal | null): "ESRCH" | "EPERM" | null {
    const top = pid === 0 || pid === -1 ? process : this.#live.get(Math.abs(pid));
    if (!top || top.request.thread) return "ESRCH";
    if (!signal) return null;
    if (!isRelated(top, process)) return "EPERM";
    const group = pid > 0 ? [top] : [...this.#live.values()].filter((each) => isBelow(each, top));
    // Those below first: the end of one is the end of all below it.
    for (const each of group.reverse()) if (each.live && !(pid === -1 && each === process)) this.#signal(each, signal);
    return null;
  }

  #freeSlot(): number {
    const taken = new Set([...this.#live.values()].map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    return slot;
  }

  #applyFile(process: Process, op: FileOp): void {
    try {
      this.#vfs.apply(op);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      if (error.code === "ENOSPC") this.#stop(process, `the container's file system is full: ${error.message}`);
      // Anything else: two processes changed the same place at once, and the other one's change stands.
      return;
    }
    this.broadcast(op, process);
  }

  #spawnChild(process: Process, { child, request, pid }: FromProcess & { type: "spawn" }, ports: readonly MessagePort[]): void {
    const tell = (message: ToProcess, passed: readonly MessagePort[] = []): boolean => this.#post(process, message, passed);
    try {
      const started = this.#spawn(request, parentSink(child, tell, () => process.children.delete(child)), process, ports, pid);
      process.children.set(child, started);
      tell({ type: "child-started", child, pid: started.pid });
    } catch (error) {
      const { code, message } = spawnFailure(error, request);
      tell({ type: "child-error", child, code, message });
    }
  }

  /** The parent sleeps from before this call until `answerSync`. */
  #spawnSync(process: Process, spawn: SyncSpawnRequest, seen: number, memory: SharedArrayBuffer): void {
    let child: Process | undefined;
    const answer = (result: Omit<SyncSpawnResult, "pid" | "ops" | "seq">): void => {
      if (!process.live) return;
      if (child) process.children.delete(-child.pid);
      answerSync(memory, { ...result, pid: child?.pid ?? 0, ...this.#wake(process, seen) });
    };
    process.sleeping = true;
    try {
      const sink = new SyncChild(spawn, { output: (fd, data) => this.#output(process, fd, data), kill: (signal) => void (child && this.#signal(child, signal)), done: answer });
      child = this.#spawn({ ...spawn.request, stdin: true, ipc: false }, sink, process);
      // Below zero: a number that no process chooses for a child.
      process.children.set(-child.pid, child);
      if (spawn.input.length > 0) this.#feed(child, spawn.input);
      this.#feed(child, null);
      for (const { fd, file } of spawn.request.descriptors ?? []) if (!file) this.#feed(child, null, fd);
    } catch (error) {
      const { code, message } = spawnFailure(error, spawn.request);
      answer({ code: null, signal: null, error: { code, message }, stdout: new Uint8Array(), stderr: new Uint8Array(), others: [] });
    }
  }

  /** The changes that it has slept through. */
  #wake(process: Process, seen: number): Pick<SyncSpawnResult, "ops" | "seq"> {
    process.sleeping = false;
    const ops = process.unseen.filter(({ seq }) => seq > seen).map(({ op }) => op);
    process.unseen = [];
    return { ops, seq: process.fileSeq };
  }

  #feed(process: Process | undefined, data: Uint8Array | null, fd = 0): void {
    const [step] = process?.steps ?? [];
    if (process && step && ("late" in step || step.program === "node")) this.#inputOf(process, fd).add(data);
    this.#post(process, fd > 0 ? { type: "stdin", data, fd } : { type: "stdin", data });
    if (process) this.#answerRead(process);
  }

  #inputOf({ inputs }: Process, fd: number): SentInput {
    let input = inputs.get(fd);
    if (!input) inputs.set(fd, (input = new SentInput()));
    return input;
  }

  #answerRead(process: Process): void {
    const { reading } = process;
    const input = reading ? this.#inputOf(process, reading.fd).take() : [];
    if (!reading || input.length === 0) return;
    process.reading = undefined;
    answerSync(reading.memory, { input, ...this.#wake(process, reading.seen) });
  }

  #output(process: Process, fd: number, data: Uint8Array): void {
    if (data.length === 0 || !process.live || (fd > 2 && !process.request.descriptors?.some((each) => each.fd === fd))) return;
    process.outputBytes += data.length;
    process.sink.output(fd, data);
    if (process.outputBytes > CONTAINER_LIMITS.processOutputBytes) this.#stop(process, `it wrote more than ${CONTAINER_LIMITS.processOutputBytes} bytes`);
    else if (process.sink.backlogBytes() > CONTAINER_LIMITS.outputBacklogBytes) this.#stop(process, "it wrote faster than its output could be read");
  }

  /** Ends a process that broke a rule, and says which. */
  #stop(process: Process, why: string): void {
    if (!process.live) return;
    process.sink.output(2, encoder.encode(`\n[The container stopped this process: ${why}.]\n`));
    process.endsAll = true;
    this.#end(process, null, "SIGKILL");
  }

  #signal(process: Process, signal: Signal): void {
    if (/CONT|STOP|TSTP|TTIN|TTOU/.test(signal)) return this.#stopOrGoOn(process, signal);
    if (signal !== "SIGKILL" && process.handledSignals.has(signal) && process.worker) this.#post(process, { type: "signal", signal });
    else this.#end(process, null, signal);
  }

  /** It and all below it: a terminal sends these to a whole job. */
  #stopOrGoOn(top: Process, signal: Signal): void {
    const stops = signal !== "SIGCONT";
    for (const process of this.#live.values()) {
      if (!isBelow(process, top)) continue;
      const { stopped } = process;
      const handled = process.handledSignals.has(signal) && signal !== "SIGSTOP";
      if (stopped && !(stops && handled)) {
        Atomics.store(stopped, 0, stops ? 1 : 0);
        if (stops) this.#post(process, { type: "stop" });
        else Atomics.notify(stopped, 0);
        if (stops) process.sink.stopped?.();
      }
      if (handled) this.#post(process, { type: "signal", signal });
    }
  }

  #end(process: Process, code: number | null, signal: Signal | null): void {
    if (!process.live) return;
    process.live = false;
    this.#live.delete(process.pid);
    this.#registry.cancel(process);
    process.worker?.terminate();
    process.worker = undefined;
    this.#network.left(process);
    process.sink.exit(code, signal, this.#leave(process));
  }

  /** What it has started goes on without it, but for its threads. True: and writes where it wrote. */
  #leave(process: Process): boolean {
    let held = false;
    for (const child of process.children.values()) {
      if (child.request.thread || process.endsAll || child.endsAll) {
        child.endsAll ||= process.endsAll;
        this.#end(child, null, "SIGTERM");
        continue;
      }
      if (adopt(child, process, this.#holds, this.#vfs)) held = true;
      // Its parent's ends of its pipes are closed.
      const pipes = (child.request.descriptors ?? []).filter(({ file }) => !file).map(({ fd }) => fd);
      for (const fd of [0, ...pipes]) this.#feed(child, null, fd);
      for (const fd of [1, 2, ...pipes]) if (fd > 2 || child.request.leads?.[fd - 1] === undefined) this.#post(child, { type: "pipe-broken", fd });
    }
    process.children.clear();
    return held;
  }

  /** False if the message holds what cannot be cloned, which only a program's own message can. Who is gone hears nothing. */
  #post(process: Process | undefined, message: ToProcess, ports: readonly MessagePort[] = []): boolean {
    if (!process?.live) return true;
    try {
      if (process.worker) process.worker.postMessage(message, [...ports]);
      else process.early.push({ message, ports });
      return true;
    } catch {
      return false; // it throws for nothing else
    }
  }
}
