// The `process` object: what a program learns about itself and how it ends itself.
import { invalidArgType, nodeError, unsupported } from "../errors.ts";
import { type AnyFunction, type Dict, type Emitter, NODE_VERSION, type ProcessObject, type Runtime } from "../runtime.ts";
import { resolvePath } from "../../posix-path.ts";
import { SIGNAL_EXIT_CODES } from "../../protocol.ts";
import { messageValue } from "./child-process.ts";
import { signalName } from "./child-options.ts";
import { EventEmitter } from "./events.ts";
import { readMode } from "./fs-arguments.ts";
import { isBuiltin } from "./index.ts";
import { createIpcChannel } from "./ipc-channel.ts";
import { terminalLibrary } from "./terminal.ts";

/** process.env: every value is a string, as in a real environment. */
function makeEnv(initial: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return new Proxy({ ...initial } as Record<string, string | undefined>, {
    set: (target, key, value) => Reflect.set(target, key, typeof key === "symbol" ? value : String(value)),
    defineProperty: (target, key, descriptor) =>
      Reflect.defineProperty(target, key, "value" in descriptor ? { ...descriptor, value: String(descriptor.value), configurable: true, writable: true, enumerable: true } : descriptor),
  });
}

function hrtime(start?: [number, number]): [number, number] {
  const nowMs = performance.now();
  let seconds = Math.floor(nowMs / 1000);
  let nanos = Math.floor((nowMs % 1000) * 1e6);
  if (start) {
    seconds -= start[0];
    nanos -= start[1];
    if (nanos < 0) {
      seconds--;
      nanos += 1e9;
    }
  }
  return [seconds, nanos];
}

export function createProcess(runtime: Runtime): ProcessObject {
  const { host, options } = runtime;
  const startedMs = performance.now();
  // A function and no class: jest calls the constructor on its copy of the process.
  const process = Object.defineProperty(function () {
    // Makes nothing of its own.
  }, "name", { value: "process" });
  Object.setPrototypeOf(process.prototype as object, EventEmitter.prototype as object);
  const object = Object.create(process.prototype as object) as ProcessObject;
  (EventEmitter as unknown as AnyFunction).call(object);
  const version = NODE_VERSION.slice(1);
  let exitCode: number | string | null | undefined;
  const memory = (): Dict => {
    const used = (performance as unknown as { memory?: { usedJSHeapSize: number; totalJSHeapSize: number } }).memory;
    return { rss: used?.totalJSHeapSize ?? 5e7, heapTotal: used?.totalJSHeapSize ?? 3e7, heapUsed: used?.usedJSHeapSize ?? 2e7, external: 0, arrayBuffers: 0 };
  };

  Object.assign(object, {
    version: NODE_VERSION,
    versions: { node: version, v8: "11.3.244.8-node.36", uv: "1.46.0", modules: "115" },
    arch: "x64", platform: "linux", release: { name: "node", lts: "Iron" },
    title: "node", argv: ["/usr/local/bin/node"], argv0: "node", execArgv: options.execArgv, execPath: "/usr/local/bin/node",
    env: makeEnv(host.env), pid: host.pid, ppid: host.ppid, debugPort: 9229,
    config: { target_defaults: {}, variables: {} },
    features: { inspector: false, debug: false, uv: true, ipv6: true, tls_alpn: true, tls_sni: true, tls_ocsp: true, tls: true, cached_builtins: true, require_module: options.requireModule, typescript: false },
    cwd: () => runtime.cwd,
    chdir: (folder: string) => {
      const target = resolvePath(folder, runtime.cwd);
      if (runtime.vfs.find(target)?.kind !== "dir") {
        throw Object.assign(new Error(`ENOENT: no such file or directory, chdir '${runtime.cwd}' -> '${folder}'`), { errno: -2, code: "ENOENT", syscall: "chdir", path: runtime.cwd, dest: folder });
      }
      runtime.cwd = runtime.vfs.realpath(target);
    },
    umask: (mask?: unknown) => {
      const before = runtime.umask;
      if (mask !== undefined) runtime.umask = readMode(mask, "mask") & 0o777;
      return before;
    },
    exit: (code?: number | string | null) => runtime.exit(code),
    reallyExit: (code?: number) => runtime.exit(code),
    abort: () => {
      host.kill(host.pid, "SIGABRT");
      return runtime.exit(134);
    },
    nextTick: (task: unknown, ...args: unknown[]) => {
      if (typeof task !== "function") throw invalidArgType("callback", "function", task);
      runtime.loop.nextTick(() => void (task as AnyFunction)(...args));
    },
    hrtime: Object.assign(hrtime, { bigint: () => BigInt(Math.floor(performance.now() * 1e6)) }),
    uptime: () => (performance.now() - startedMs) / 1000,
    memoryUsage: Object.assign(memory, { rss: () => memory()["rss"] }),
    constrainedMemory: () => 0, availableMemory: () => 1e9,
    cpuUsage: () => ({ user: Math.round((performance.now() - startedMs) * 1000), system: 0 }),
    resourceUsage: () => ({ userCPUTime: 0, systemCPUTime: 0, maxRSS: 0 }),
    getuid: () => 1000, geteuid: () => 1000, getgid: () => 1000, getegid: () => 1000, getgroups: () => [1000],
    kill: (pid: unknown, signal: string | number = "SIGTERM") => {
      if (typeof pid !== "number" && !(typeof pid === "string" && pid.trim() !== "" && Number.isInteger(Number(pid)))) throw invalidArgType("pid", "number", pid);
      if (signal === 0) return true;
      const name = signalName(signal);
      if (Number(pid) === host.pid && object.listenerCount(name) > 0 && name !== "SIGKILL") runtime.loop.post(() => void object.emit(name, name, SIGNAL_EXIT_CODES[name] - 128));
      else host.kill(Number(pid), name);
      return true;
    },
    emitWarning: (warning: string | Error, ...rest: unknown[]) => emitWarning(runtime, warning, rest),
    binding: (name: string) => {
      const { binding } = name === "tty_wrap" ? terminalLibrary(runtime) : {};
      if (binding) return binding;
      throw unsupported(`process.binding("${name}")`, "native bindings cannot run in the browser");
    },
    dlopen: () => {
      throw unsupported("process.dlopen", "native addons cannot run in the browser");
    },
    loadEnvFile: (path: unknown = ".env") => {
      const fs = runtime.builtin("fs") as Record<"openSync" | "readFileSync" | "closeSync", AnyFunction>;
      const fd = fs.openSync(path);
      const read = (runtime.builtin("util")["parseEnv"] as AnyFunction)(fs.readFileSync(fd, "utf8")) as Dict;
      fs.closeSync(fd);
      object.env = Object.assign(object.env, { ...read, ...object.env });
    },
    getActiveResourcesInfo: () => [], allowedNodeEnvironmentFlags: new Set<string>(), report: {},
    setSourceMapsEnabled: (on: unknown) => {
      if (typeof on !== "boolean") throw invalidArgType("val", "boolean", on);
      if (runtime.sources.maps) runtime.sources.maps.enabled = on;
    }, setUncaughtExceptionCaptureCallback: () => undefined, hasUncaughtExceptionCaptureCallback: () => false,
    moduleLoadList: [], getBuiltinModule: (id: unknown) => {
      if (typeof id !== "string") throw invalidArgType("id", "string", id);
      return isBuiltin(id) ? runtime.builtin(id.replace(/^node:/, "")) : undefined;
    },
  });
  Object.defineProperty(object, Symbol.toStringTag, { value: "process", writable: true });
  Object.defineProperty(object, "exitCode", {
    enumerable: true, configurable: false, get: () => exitCode, set: (value: unknown) => {
      const valid = value == null || (typeof value === "number" && Number.isInteger(value)) || (typeof value === "string" && value !== "" && Number.isInteger(Number(value)));
      if (!valid) {
        if (typeof value === "number") throw nodeError(RangeError, "ERR_OUT_OF_RANGE", `The value of "code" is out of range. It must be an integer. Received ${value}`);
        throw invalidArgType("code", "number", value);
      }
      exitCode = value as number | string | null | undefined;
    },
  });
  followSignals(runtime, object);
  if (host.ipc && !host.thread) addIpc(runtime, object);
  return object;
}

/** The host must know which signals end the process by default and which are the program's. */
function followSignals(runtime: Runtime, object: Emitter): void {
  const count = (event: unknown): number => (typeof event === "string" && Object.hasOwn(SIGNAL_EXIT_CODES, event) ? object.listenerCount(event) : -1);
  object.on("newListener", (event) => {
    if (count(event) === 0) runtime.host.handlesSignal(event as string, true);
  });
  object.on("removeListener", (event) => {
    if (count(event) === 0) runtime.host.handlesSignal(event as string, false);
  });
}

function addIpc(runtime: Runtime, object: ProcessObject): void {
  const advanced = object.env["NODE_CHANNEL_SERIALIZATION_MODE"] === "advanced";
  Reflect.deleteProperty(object.env, "NODE_CHANNEL_SERIALIZATION_MODE");
  const channel = createIpcChannel(() => runtime.loop.hold());
  const disconnect = (): void => {
    if (object["connected"] !== true) return void object.emit("error", nodeError(Error, "ERR_IPC_DISCONNECTED", "IPC channel is already disconnected"));
    object["connected"] = false;
    object["channel"] = null;
    channel.close();
    // Null is the end, to both sides.
    runtime.host.send(null);
    runtime.loop.post(() => void object.emit("disconnect"));
  };
  Object.assign(object, {
    connected: true, disconnect, channel,
    send: (message: unknown, ...rest: unknown[]) => {
      const done = rest.find((x) => typeof x === "function") as AnyFunction | undefined;
      if (object["connected"] !== true) {
        const error = nodeError(Error, "ERR_IPC_CHANNEL_CLOSED", "Channel closed");
        runtime.loop.nextTick(() => (done ? void done(error) : void object.emit("error", error)));
        return false;
      }
      runtime.host.send(messageValue(message, advanced));
      if (done) runtime.loop.post(() => void done(null));
      return true;
    },
  });
  // As in Node, the channel keeps the process alive only while somebody listens to it.
  const counts = (event: unknown): boolean => event === "message" || event === "disconnect";
  object.on("newListener", (event) => {
    if (counts(event)) channel.refCounted();
  });
  object.on("removeListener", (event) => {
    if (counts(event)) channel.unrefCounted();
  });
}

function emitWarning(runtime: Runtime, warning: string | Error, rest: readonly unknown[]): void {
  const given = (typeof rest[0] === "object" && rest[0] !== null ? rest[0] : { type: rest[0], code: rest[1] }) as { type?: string; code?: string; detail?: string };
  const error = typeof warning === "string" ? new Error(warning) : warning;
  if (typeof warning === "string") {
    Object.defineProperty(error, "name", { value: given.type ?? "Warning", configurable: true, writable: true, enumerable: false });
    if (given.code !== undefined) (error as Error & { code?: string }).code = given.code;
    if (given.detail !== undefined) (error as Error & { detail?: string }).detail = given.detail;
  }
  runtime.loop.nextTick(() => void runtime.process.emit("warning", error));
}

/** Node's own listener: prints warnings to the program's stderr, with the one hint it gives per run. */
export function printWarnings(runtime: Runtime): void {
  const { process, options, host } = runtime;
  if (!options.warnings || host.env["NODE_NO_WARNINGS"] === "1") return;
  let hinted = false;
  process.on("warning", (value) => {
    const warning = value as Error & { code?: string; detail?: string };
    const code = warning.code === undefined ? "" : `[${warning.code}] `;
    const text = options.traceWarnings ? (warning.stack ?? String(warning)) : `${warning.name}: ${warning.message}`;
    const hint = hinted || options.traceWarnings ? "" : `(Use \`node --trace-${warning.name === "DeprecationWarning" ? "deprecation" : "warnings"} ...\` to show where the warning was created)\n`;
    hinted = true;
    process.stderr.write(`(node:${host.pid}) ${code}${text}\n${warning.detail === undefined ? "" : `${warning.detail}\n`}${hint}`);
  });
}
