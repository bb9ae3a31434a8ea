// The Node process inside its Worker: joins the kernel's messages to the runtime. Called once, by the Worker's script.
import { Vfs } from "../vfs.ts";
import type { ProcessLink } from "../process-link.ts";
import type { Signal, StartMessage, ToProcess } from "../protocol.ts";
import { startNodeProcess } from "./process-run.ts";
import type { ChildEvents, NodeHost } from "./runtime.ts";

/** Starts the program; returns where the kernel's later messages go. */
export function startNode(link: ProcessLink, start: StartMessage): (message: ToProcess) => void {
  const vfs = new Vfs(start.files);
  vfs.onOp = (op) => link.post({ type: "file", op });
  const children = new Map<number, ChildEvents>();
  let childNumbers = 0;
  const host: NodeHost = {
    vfs, argv: start.argv, cwd: start.cwd, env: start.env, pid: start.pid, ppid: start.ppid, terminal: start.terminal, stdin: start.stdin, ipc: start.ipc, ownsRealm: true,
    write: (fd, bytes) => link.write(fd, bytes),
    exit: (code) => {
      // What still runs after its end must not change files.
      vfs.onOp = undefined;
      link.exit(code);
    },
    spawn: (request, events) => {
      const child = ++childNumbers;
      children.set(child, events);
      link.post({ type: "spawn", child, request });
      return {
        write: (data) => link.post({ type: "child-stdin", child, data }),
        send: (message) => link.post({ type: "child-message", child, message }),
        kill: (signal) => link.post({ type: "child-kill", child, signal: signal as Signal }),
      };
    },
    send: (message) => link.post({ type: "message", message }),
    kill: (pid, signal) => link.post({ type: "kill", pid, signal: signal as Signal }),
    handlesSignal: (signal, on) => link.post({ type: "handles-signal", signal: signal as Signal, on }),
  };
  const process = startNodeProcess(host);

  return (message) => {
    switch (message.type) {
      case "start":
        return;
      case "file":
        vfs.follow(message.op);
        return;
      case "stdin":
        process.stdin(message.data);
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
        children.get(message.child)?.exit(message.code, message.signal);
        children.delete(message.child);
        return;
      default:
        message satisfies never;
    }
  };
}
