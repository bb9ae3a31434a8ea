// The Node process inside its Worker: joins the kernel's messages to the runtime. Called once, by the Worker's script.
import { type Libraries, takeLibrary } from "../libraries.ts";
import { commandExists } from "../executables.ts";
import { useCodeMemory } from "../known-code.ts";
import { NetworkLink } from "../network-link.ts";
import { Vfs } from "../vfs.ts";
import { unpackImage } from "../packed-image.ts";
import type { ProcessLink } from "../process-link.ts";
import { PIDS_PER_PROCESS, type Signal, type StartMessage, type ToProcess } from "../protocol.ts";
import { SyncLink } from "../sync-link.ts";
import { startNodeProcess } from "./process-run.ts";
import type { ChildEvents, NodeHost } from "./runtime.ts";

/** The pids that a process gives to its children, one after the other; those that live are left out. */
class ChildPids {
  readonly #first: number;
  readonly #live = new Map<number, number>();
  #given = 0;

  constructor(first: number) {
    this.#first = first;
  }

  next(): number {
    const taken = new Set(this.#live.values());
    let pid: number;
    do pid = this.#first + (this.#given++ % PIDS_PER_PROCESS);
    while (taken.has(pid));
    return pid;
  }

  live(child: number, pid: number): void {
    this.#live.set(child, pid);
  }

  gone(child: number): void {
    this.#live.delete(child);
  }
}

/** Programs do not see it: Node has no such global. */
const loadScript = (globalThis as { importScripts?: (url: string) => void }).importScripts?.bind(globalThis);

/** Starts the program; returns where the kernel's later messages go. */
export function startNode(link: ProcessLink, start: StartMessage): (message: ToProcess) => void {
  useCodeMemory(start.knownCode);
  const vfs = new Vfs(unpackImage(start.files));
  let changes = 0;
  vfs.onOp = (op) => {
    changes++;
    link.post({ type: "file", op });
  };
  const network = new NetworkLink(link, start.firstPort);
  const sync = new SyncLink(link, vfs);
  const children = new Map<number, ChildEvents>();
  let childNumbers = 0;
  const pids = new ChildPids(start.firstPid);
  const libraries: Partial<Libraries> = {};
  const host: NodeHost = {
    vfs, argv: start.argv, argv0: start.argv0, cwd: start.cwd, env: start.env, pid: start.pid, ppid: start.ppid, terminal: start.terminal, stdin: start.stdin, descriptors: start.descriptors, ipc: start.ipc, ownsRealm: true, network,
    write: (fd, bytes) => link.write(fd, bytes),
    pipeEnd: (fd, broken) => link.post({ type: "pipe-end", fd, broken }),
    inputTaken: (fd, bytes) => link.post({ type: "input-taken", fd, bytes }),
    exit: (code) => {
      // What still runs after its end must not change files.
      vfs.onOp = undefined;
      link.exit(code);
    },
    thread: start.thread,
    spawn: (request, events, transfer = []) => {
      const child = ++childNumbers;
      const isThere = !request.thread && (request.cwdGone === true || vfs.find(request.cwd)?.kind === "dir") && commandExists(vfs, request.command, request.cwd, request.env);
      const pid = isThere ? pids.next() : undefined;
      children.set(child, events);
      try {
        link.post({ type: "spawn", child, request, ...(pid === undefined ? {} : { pid }) }, transfer);
      } catch (error) {
        // A thread's data that cannot be cloned: there is no child.
        children.delete(child);
        throw error;
      }
      return {
        pid,
        write: (data, fd) => link.post({ type: "child-stdin", child, data, ...(fd ? { fd } : {}) }),
        broken: (fd) => link.post({ type: "child-broken", child, fd }),
        send: (message, passed = []) => link.post({ type: "child-message", child, message }, passed),
        kill: (signal) => link.post({ type: "child-kill", child, signal: signal as Signal }),
      };
    },
    library: (name) => {
      const url = start.libraries[name];
      if (url !== undefined) Object.assign(libraries, { [name]: libraries[name] ?? takeLibrary(() => loadScript?.(url)) });
      return libraries[name];
    },
    send: (message, passed = []) => link.post({ type: "message", message }, passed),
    kill: (pid, signal) => link.post({ type: "kill", pid, signal: signal as Signal }),
    ...(sync.available ? { spawnSync: (spawn) => sync.spawn(spawn), readSync: (fd) => sync.read(fd), changes: () => changes, killSync: (pid, signal) => sync.kill(pid, signal as Signal | null) } : {}),
    rawMode: (raw) => link.post({ type: "terminal-mode", raw }),
    wantsInput: (fd) => link.post({ type: "stdin-wanted", ...(fd ? { fd } : {}) }),
    handlesSignal: (signal, on) => link.post({ type: "handles-signal", signal: signal as Signal, on }),
  };
  const process = startNodeProcess(host);

  return (message) => {
    if (network.receive(message)) return;
    switch (message.type) {
      case "start":
        return;
      case "file":
        sync.follow(message.op, message.seq);
        return;
      case "stdin":
        if (sync.comes(message.fd ?? 0)) process.stdin(message.data, message.fd);
        return;
      case "pipe-broken":
        process.pipeBroken(message.fd);
        return;
      case "resize":
        process.resize(message.terminal.cols, message.terminal.rows);
        return;
      case "signal":
        process.signal(message.signal);
        return;
      case "message":
        process.message(message.message);
        return;
      case "child-started":
        pids.live(message.child, message.pid);
        children.get(message.child)?.started(message.pid);
        return;
      case "child-output":
        children.get(message.child)?.output(message.fd, message.data);
        return;
      case "child-message":
        children.get(message.child)?.message(message.message);
        return;
      case "child-error":
        children.get(message.child)?.error(message.code, message.message);
        children.delete(message.child);
        return;
      case "child-exit":
        pids.gone(message.child);
        children.get(message.child)?.exit(message.code, message.signal, message.held);
        if (!message.held) children.delete(message.child);
        return;
      case "child-closed":
        children.get(message.child)?.closed?.();
        children.delete(message.child);
        return;
      case "child-pipe-end":
        children.get(message.child)?.pipeEnd?.(message.fd, message.broken);
        return;
      case "child-input-taken":
        children.get(message.child)?.taken?.(message.fd, message.bytes);
        return;
      case "child-stdin-wanted":
        children.get(message.child)?.wantsInput?.(message.fd ?? 0);
        return;
      case "registry-answer":
        return; // npm's alone
      default:
        return; // the network's
    }
  };
}
