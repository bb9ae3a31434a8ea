// What threads change about `process`: the environment and the folder that they may share, and what only the main one may do.
import { nodeError } from "../errors.ts";
import type { AnyFunction, ProcessObject, Runtime } from "../runtime.ts";
import type { Relay } from "./relay.ts";
import type { ThreadData } from "./worker.ts";

const DISABLED = ["abort", "chdir", "setuid", "seteuid", "setgid", "setegid", "setgroups", "initgroups"];

/** `data`: a thread's. */
export function fitProcess(runtime: Runtime, relay: Relay, data: ThreadData | undefined): void {
  const { process } = runtime;
  const { env } = process;
  if (data) fitThread(runtime, data, env);
  process.env = new Proxy(env, {
    set: (target, name, value) => {
      const isSet = Reflect.set(target, name, value);
      if (typeof name === "string") relay.tellEnv(name, target[name]);
      return isSet;
    },
    deleteProperty: (target, name) => {
      const isGone = Reflect.deleteProperty(target, name);
      if (typeof name === "string") relay.tellEnv(name, undefined);
      return isGone;
    },
  });
  relay.on("env", ({ name, value }) => void (value === undefined ? Reflect.deleteProperty(env, name) : (env[name] = value)));
  relay.on("cwd", ({ cwd }) => void (runtime.cwd = cwd));
  if (data) return;
  const chdir = process["chdir"] as AnyFunction;
  process["chdir"] = Object.defineProperty((folder: unknown) => {
    chdir(folder);
    relay.spread({ kind: "cwd", cwd: runtime.cwd });
  }, "name", { value: "chdir" });
}

function fitThread({ process }: Runtime, data: ThreadData, env: ProcessObject["env"]): void {
  const refused = (what: string): Error => nodeError(TypeError, "ERR_WORKER_UNSUPPORTED_OPERATION", `${what} is not supported in workers`);
  process.execArgv = [...data.execArgv];
  for (const name of Object.keys(env)) if (!Object.hasOwn(data.env, name)) Reflect.deleteProperty(env, name);
  // Where the process has a parent of its own to talk to.
  const hasChannel = process.env["NODE_CHANNEL_FD"] !== undefined;
  for (const name of hasChannel ? [...DISABLED, "send", "disconnect"] : DISABLED) {
    const unavailable = (): never => {
      throw refused(`process.${name}()`);
    };
    process[name] = Object.assign(Object.defineProperty(unavailable, "name", { value: "unavailableInWorker" }), { disabled: true });
  }
  for (const name of hasChannel ? ["channel", "connected"] : []) {
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => {
      throw refused(`process.${name}`);
    } });
  }
  for (const name of ["title", "debugPort"]) {
    const value = process[name];
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => value, set: () => undefined });
  }
  const umask = process["umask"] as AnyFunction;
  process["umask"] = Object.defineProperty((mask?: unknown) => {
    if (mask !== undefined) throw refused("Setting process.umask()");
    return umask();
  }, "name", { value: "umask" });
}
