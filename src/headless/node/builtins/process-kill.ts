// process.kill. Of its own children, its parent and itself a process knows whether they live; of others the kernel tells,
// where the page shares memory; elsewhere the signal is sent and nobody knows.
import { invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Emitter, Runtime } from "../runtime.ts";
import { signalOf } from "./child-options.ts";
import { liveChildren } from "./child-pids.ts";
import facts from "./facts.json" with { type: "json" };

const ERRNOS = { EPERM: -1, ESRCH: -3, EINVAL: -22 } as const;
const LAST_SIGNAL = 64;

export function killFunctions(runtime: Runtime, process: Emitter & Dict): Dict {
  const { host, loop } = runtime;

  const toItself = (number: number): number => {
    const signal = signalOf(number);
    const [name] = Object.entries(facts.os.signals).find(([, each]) => each === number) ?? [];
    if (name !== undefined && process.listenerCount(name) > 0 && name !== "SIGKILL" && name !== "SIGSTOP") loop.post(() => void process.emit(name, name, number));
    else if (signal) host.kill(host.pid, signal);
    return 0;
  };

  /** 0, or what went wrong as a number below it. A process below 0 is it and all that it started. */
  const send = (pid: number, number: number): number => {
    if (number < 0 || number > LAST_SIGNAL) return ERRNOS.EINVAL;
    if (pid === host.pid) return toItself(number);
    const signal = signalOf(number);
    const child = liveChildren(runtime).get(Math.abs(pid));
    if (pid < -1 && child && !child.detached) return ERRNOS.ESRCH;
    const known = child !== undefined || pid === host.ppid || pid === 0 || pid === -1;
    // Those that no process minds.
    if (number !== 0 && !signal) return known ? 0 : ERRNOS.ESRCH;
    if (!known && host.killSync) {
      const failure = host.killSync(pid, signal ?? null);
      return failure === null ? 0 : ERRNOS[failure];
    }
    if (signal) host.kill(pid, signal);
    return known || signal ? 0 : ERRNOS.ESRCH;
  };

  const kill = (pid: unknown, signal?: unknown): true => {
    // Node compares as loosely: "5" is a number.
    // oxlint-disable-next-line eqeqeq
    if (pid != (Number(pid) | 0) || pid === null) throw invalidArgType("pid", "number", pid);
    const names: Readonly<Record<string, number>> = facts.os.signals;
    const named = String(signal || "SIGTERM");
    const number = Number.isInteger(signal) ? signal : Object.hasOwn(names, named) ? names[named] : undefined;
    if (number === undefined) throw nodeError(TypeError, "ERR_UNKNOWN_SIGNAL", `Unknown signal: ${named}`);
    const errno = (process["_kill"] as AnyFunction)(Number(pid), number) as number;
    if (!errno) return true;
    const [code] = Object.entries(ERRNOS).find(([, each]) => each === errno) ?? ["EPERM"];
    throw Object.assign(new Error(`kill ${code}`), { errno, code, syscall: "kill" });
  };
  return { _kill: send, kill };
}
