// The kernel's answers to the page: every method of KernelCalls over the master file system and the process table.
import { type FromKernel, type KernelCalls, OUTPUT_WINDOW_BYTES, type PageConnect } from "../bridge.ts";
import { FsError } from "../fs-error.ts";
import { baseName, resolvePath } from "../posix-path.ts";
import type { SocketMessage } from "../protocol.ts";
import { Vfs } from "../vfs.ts";
import { OutputGate } from "./output-gate.ts";
import { ProcessTable } from "./process-table.ts";
import { ownProgramText } from "./plan.ts";
import { RegistryCalls } from "./registry-calls.ts";
import { loadSnapshot, serialize } from "./snapshot.ts";
import { exitCodeOf, hostEnvironment } from "./spawn-request.ts";
import { decodeBytes, encodeText } from "./text-encoding.ts";
import { Watches } from "./watches.ts";
import { Tty } from "./tty.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** Folders every POSIX program expects. */
const SYSTEM_FOLDERS = ["/bin", "/usr/bin", "/usr/local/bin", "/dev", "/tmp", "/home"];
const PATH = "/usr/local/bin:/usr/bin:/bin";
/** Programs look for these on PATH before they start them. The plan (plan.ts) goes by their names, and by what they say of theirs. */
const PROGRAMS = ["/usr/local/bin/node", "/usr/local/bin/npm", "/usr/local/bin/npx", "/bin/sh", "/bin/bash"];

/** Ctrl+D on its own ends the input, as on a terminal: the client has no other way to say so. */
const END_OF_TRANSMISSION = "\u0004";

interface Hosted {
  readonly pid: number;
  readonly gate: OutputGate;
  readonly tty: Tty | null;
  killed: boolean;
}

export interface Kernel {
  readonly calls: KernelCalls;
  readonly registry: RegistryCalls;
  ack(process: number, bytes: number): void;
  network(message: PageConnect | SocketMessage): void;
}

/** `send` posts to the page; its second argument is transferred. */
export function createKernel(pool: WorkerPool, send: (message: FromKernel, transfer?: Transferable[]) => void): Kernel {
  const vfs = new Vfs();
  const registry = new RegistryCalls(send);
  const table = new ProcessTable(vfs, pool, registry, {
    port: (port, open) => send({ type: "port", port, open }),
    network: (message) => send({ type: "network", message }, message.type === "socket-data" ? [message.data.buffer as ArrayBuffer] : []),
  });
  const hosted = new Map<number, Hosted>();
  const watches = new Watches((watch, events) => send({ type: "watch", watch, events }));
  let workdir = "/";
  const at = (path: string): string => resolvePath(path, workdir);

  vfs.onOp = (op) => table.broadcast(op);
  vfs.onChange = (change) => watches.changed(change);

  const calls: KernelCalls = {
    init(workdirName) {
      workdir = `/home/${workdirName}`;
      for (const folder of [...SYSTEM_FOLDERS, workdir]) vfs.mkdir(folder, { recursive: true });
      for (const file of PROGRAMS) vfs.writeFile(file, encodeText(ownProgramText(baseName(file)), "utf8"), { mode: 0o755 });
      void pool.warm("node");
      return { path: PATH, cwd: workdir };
    },
    readFile(path, encoding) {
      const data = vfs.readFile(at(path));
      return encoding === null ? data.slice() : decodeBytes(data, encoding);
    },
    writeFile(path, data, encoding) {
      vfs.writeFile(at(path), typeof data === "string" ? encodeText(data, encoding ?? "utf8") : data);
    },
    readdir(path) {
      const dir = vfs.dir(at(path));
      return [...dir.entries].map(([name, node]) => [name, node.kind] as const).sort(([a], [b]) => (a < b ? -1 : 1));
    },
    mkdir(path, recursive) {
      return vfs.mkdir(at(path), { recursive }) ?? null;
    },
    rm(path, recursive, force) {
      const node = vfs.find(at(path), false);
      if (!node) {
        if (force) return;
        throw new FsError("ENOENT", "rm", at(path));
      }
      if (node.kind === "dir" && !recursive) throw new Error(`Path is a directory: rm returned EISDIR (is a directory) ${at(path)}`);
      vfs.removeTree(at(path));
    },
    rename(from, to) {
      vfs.rename(at(from), at(to));
    },
    watch(watch, path, recursive) {
      watches.add(watch, vfs.realpath(at(path)), recursive);
    },
    unwatch(watch) {
      watches.remove(watch);
    },
    spawn(process, options) {
      const gate = new OutputGate((fd, data) => send({ type: "output", process, fd, data }, [data.buffer]));
      const tty = options.terminal && new Tty({
        echo: (text) => gate.push(1, new TextEncoder().encode(text)),
        input: (text) => table.stdin(pid, text === null ? null : new TextEncoder().encode(text)),
        signal: (signal) => table.interrupt(pid, signal),
      });
      const cwd = at(options.cwd ?? ".");
      let ended = false;
      const pid: number = table.spawn(
        {
          command: options.command,
          args: options.args,
          cwd,
          env: hostEnvironment(options.env, PATH, cwd),
          stdin: true,
          ipc: false,
          terminal: options.terminal,
        },
        {
          // What it has left behind may go on printing: nobody reads it any more.
          output: (fd, data) => (ended ? undefined : gate.push(fd as 1 | 2, data)),
          backlogBytes: () => gate.queuedBytes,
          message: () => true,
          terminalMode: (raw) => void (tty && (tty.raw = raw)),
          exit: (code, signal) => {
            ended = true;
            gate.end(
              () => {
                hosted.delete(process);
                send({ type: "exit", process, code: exitCodeOf(code, signal) });
              },
              // Who kills a process does not want to read the rest first.
              signal === "SIGTERM" || hosted.get(process)?.killed === true,
            );
          },
        },
      );
      hosted.set(process, { pid, gate, tty, killed: false });
    },
    stdin(process, data) {
      const entry = hosted.get(process);
      if (entry?.tty) entry.tty.type(data);
      else if (entry) table.stdin(entry.pid, data === END_OF_TRANSMISSION ? null : new TextEncoder().encode(data));
    },
    kill(process) {
      const entry = hosted.get(process);
      if (!entry) return;
      entry.killed = true;
      table.kill(entry.pid);
    },
    resize(process, terminal) {
      const entry = hosted.get(process);
      if (entry) table.resize(entry.pid, terminal);
    },
    serialize: (path, options) => serialize(vfs, at(path), options),
    loadFiles: (snapshot, mountPoint) => loadSnapshot(vfs, snapshot, at(mountPoint)),
  };
  return { calls, registry, network: (message) => table.network(message), ack: (process, bytes) => hosted.get(process)?.gate.ack(Math.min(bytes, OUTPUT_WINDOW_BYTES * 2)) };
}
