// node:wasi: a library, loaded when it is first required.
import * as errors from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { fillRandom } from "./crypto-random.ts";
import { isTerminal } from "./tty.ts";

const WHY = "a process gets it when a file of the project, or its command, names it as it starts: run it again";

export function createWasi(runtime: Runtime): Dict {
  const { process, host } = runtime;
  // Where the container took a package's WebAssembly build, Node runs native code and warns of nothing.
  const asker = host.thread ? String(process.argv[1]) : String(new Error("asked").stack);
  if (!asker.includes("/node_modules/")) process.emitWarning("WASI is an experimental feature and might change at any time", "ExperimentalWarning");
  const load = host.library("wasi");
  if (!load) {
    return { WASI: function () {
      throw errors.unsupported("new wasi.WASI", WHY);
    } };
  }
  const fs = runtime.builtin("fs");
  return {
    WASI: load({
      ...errors, fs: { ...fs } as never, constants: fs["constants"] as Readonly<Record<string, number>>, fillRandom,
      isTerminal: (fd) => isTerminal(host, fd),
      cpuMicros: () => {
        const { user, system } = (process["cpuUsage"] as AnyFunction)() as { user: number; system: number };
        return user + system;
      },
      // A thread of a WebAssembly program may never return to its event loop.
      catchUp: host.thread && host.killSync ? () => void host.killSync?.(host.pid, null) : undefined,
      raise: (signal) => void (process["kill"] as AnyFunction)(host.pid, signal),
      exit: (code) => void (process["reallyExit"] as AnyFunction)(code),
    }),
  };
}
