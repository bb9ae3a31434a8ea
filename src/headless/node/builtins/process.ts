// The `process` object: what a program learns about itself and how it ends itself.
import { format } from "node-inspect-extracted";
import { checkString, invalidArgType, nodeError, outOfRange, unsupported } from "../errors.ts";
import { type AnyFunction, type Dict, type Emitter, NODE_VERSION, type ProcessObject, type Runtime } from "../runtime.ts";
import { resolvePath } from "../../posix-path.ts";
import { SIGNAL_EXIT_CODES } from "../../protocol.ts";
import { activeHandles, activeRequests, activeResources } from "../active-resources.ts";
import { setCaptureCallback, hasCaptureCallback } from "../uncaught.ts";
import { createMessenger } from "./child-messages.ts";
import { environmentFlags } from "./environment-flags.ts";
import { EventEmitter } from "./events.ts";
import { readMode } from "./fs-arguments.ts";
import { isBuiltin } from "./index.ts";
import { createIpcChannel } from "./ipc-channel.ts";
import { processBinding } from "./process-binding.ts";
import { makeEnv } from "./process-env.ts";
import { killFunctions } from "./process-kill.ts";
import { processReport, usageFunctions } from "./process-usage.ts";
import { userFunctions } from "./process-user.ts";
import { emitWarning, warningSettings } from "./process-warnings.ts";

export function createProcess(runtime: Runtime): ProcessObject {
  const { host, options } = runtime;
  // A function and no class: jest calls the constructor on its copy of the process. The engine names it by its property.
  const { process } = {
    process: function () {
      // Makes nothing of its own.
    },
  };
  Object.setPrototypeOf(process.prototype as object, EventEmitter.prototype as object);
  const object = Object.create(process.prototype as object) as ProcessObject;
  (EventEmitter as unknown as AnyFunction).call(object);
  const version = NODE_VERSION.slice(1);
  let exitCode: number | string | null | undefined;
  const told = new Set<string>();
  /** As in Node: once asked for it is known, even when the folder is gone. */
  let knowsFolder = false;
  const emitOnce = (text: string, code: string): void => {
    if (!told.has(code)) emitWarning(runtime, text, "DeprecationWarning", code);
    told.add(code);
  };

  Object.assign(object, {
    version: NODE_VERSION,
    versions: { node: version, v8: "11.3.244.8-node.36", uv: "1.46.0", modules: "115" },
    arch: "x64", platform: "linux", release: { name: "node", lts: "Iron" },
    title: options.title, argv: ["/usr/local/bin/node"], argv0: host.argv0, execArgv: options.execArgv, execPath: "/usr/local/bin/node",
    env: makeEnv(runtime, host.env), pid: host.pid, ppid: host.ppid, debugPort: 9229,
    config: { target_defaults: {}, variables: { napi_build_version: "9", node_module_version: 115 } },
    features: { inspector: false, debug: false, uv: true, ipv6: true, tls_alpn: true, tls_sni: true, tls_ocsp: true, tls: true, cached_builtins: true, require_module: options.requireModule },
    cwd: () => {
      knowsFolder ||= runtime.vfs.find(runtime.cwd)?.kind === "dir";
      if (!knowsFolder) throw Object.assign(new Error("ENOENT: no such file or directory, uv_cwd"), { errno: -2, code: "ENOENT", syscall: "uv_cwd" });
      return runtime.cwd;
    },
    chdir: (folder: unknown) => {
      checkString(folder, "directory");
      const target = resolvePath(folder, runtime.cwd);
      if (runtime.vfs.find(target)?.kind !== "dir") {
        throw Object.assign(new Error(`ENOENT: no such file or directory, chdir '${runtime.cwd}' -> '${folder}'`), { errno: -2, code: "ENOENT", syscall: "chdir", path: runtime.cwd, dest: folder });
      }
      runtime.cwd = runtime.vfs.realpath(target);
      knowsFolder = false;
    },
    umask: (mask?: unknown) => {
      const before = runtime.umask;
      if (mask !== undefined) runtime.umask = readMode(mask, "mask") & 0o777;
      return before;
    },
    exit: (...code: [unknown?]) => {
      if (code.length > 0) object["exitCode"] = code[0] as ProcessObject["exitCode"];
      return runtime.exit();
    },
    reallyExit: (code?: number) => runtime.end(code ?? 0),
    abort: () => {
      host.kill(host.pid, "SIGABRT");
      return runtime.exit(134);
    },
    nextTick: (task: unknown, ...args: unknown[]) => {
      if (typeof task !== "function") throw invalidArgType("callback", "function", task);
      const { loop } = runtime;
      const call = (): void => void (task as AnyFunction)(...args);
      const watched = loop.watch?.begin("TickObject", { callback: task, args });
      loop.nextTick(watched ? () => {
        watched.run(call);
        watched.end();
      } : call);
    },
    ...usageFunctions(), ...userFunctions(), ...killFunctions(runtime, object),
    emitWarning: (...args: [unknown]) => emitWarning(runtime, ...args), ...warningSettings(runtime),
    _rawDebug: (...args: unknown[]) => runtime.complain(`${format(...args)}\n`),
    assert: (value: unknown, message?: string) => {
      emitOnce("process.assert() is deprecated. Please use the `assert` module instead.", "DEP0100");
      if (!value) throw nodeError(Error, "ERR_ASSERTION", message || "assertion error");
    },
    _fatalException: (error: unknown, fromPromise?: boolean) => runtime.uncaught(error, fromPromise ? "unhandledRejection" : "uncaughtException"),
    binding: (name: unknown) => processBinding(runtime, String(name)),
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
    getActiveResourcesInfo: () => activeResources(runtime), _getActiveHandles: () => activeHandles(runtime), _getActiveRequests: () => activeRequests(runtime), allowedNodeEnvironmentFlags: environmentFlags, report: processReport(runtime),
    setSourceMapsEnabled: (on: unknown) => {
      if (typeof on !== "boolean") throw invalidArgType("val", "boolean", on);
      if (runtime.sources.maps) runtime.sources.maps.enabled = on;
    },
    setUncaughtExceptionCaptureCallback: (run: unknown) => setCaptureCallback(runtime, run), hasUncaughtExceptionCaptureCallback: () => hasCaptureCallback(runtime),
    ...(options.hasCode ? { _eval: options.code } : {}), moduleLoadList: [], getBuiltinModule: (id: unknown) => {
      if (typeof id !== "string") throw invalidArgType("id", "string", id);
      return isBuiltin(id) ? runtime.builtin(id.replace(/^node:/, "")) : undefined;
    },
  });
  for (const name of ["version", "versions", "arch", "platform", "release", "moduleLoadList", "config", "pid", ...(options.hasCode ? ["_eval"] : [])]) Object.defineProperty(object, name, { writable: false });
  for (const name of ["features", "argv0"]) Object.defineProperty(object, name, { writable: false, configurable: false });
  Object.defineProperty(object, Symbol.toStringTag, { value: "process", writable: true });
  Object.defineProperty(object, "exitCode", {
    enumerable: true, configurable: false, get: () => exitCode, set: (value: unknown) => {
      const number = typeof value === "string" && value !== "" && Number.isInteger(Number(value)) ? Number(value) : (value ?? 0);
      if (typeof number !== "number") throw invalidArgType("code", "number", value);
      if (!Number.isInteger(number)) throw outOfRange("code", "an integer", number);
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
    object["channel"] = object["_channel"] = null;
    channel.close();
    // Null is the end, to both sides.
    runtime.host.send(null);
    runtime.loop.post(() => void object.emit("disconnect"));
  };
  const messenger = createMessenger(runtime, { target: object, advanced, isConnected: () => object["connected"] === true, post: (value) => runtime.host.send(value) });
  Object.assign(object, { connected: true, disconnect, channel, _channel: channel, send: (...args: unknown[]) => messenger.send(...args) });
  runtime.receive = (message) => (message === null ? messenger.inTurn(disconnect) : messenger.receive(message));
  // As in Node, the channel keeps the process alive only while somebody listens to it.
  const counts = (event: unknown): boolean => event === "message" || event === "disconnect";
  object.on("newListener", (event) => {
    if (counts(event)) channel.refCounted();
  });
  object.on("removeListener", (event) => {
    if (counts(event)) channel.unrefCounted();
  });
}
