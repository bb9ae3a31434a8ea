// `process.binding`: of Node's native parts those that are plain tables or functions of the language. What loaders and
// shims of some age ask (`esm`, `graceful-fs`).
import { unsupported } from "../errors.ts";
import { resolvePath } from "../../posix-path.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { spawnSyncBinding } from "./child-wrapped.ts";
import { terminalLibrary } from "./terminal.ts";
import { types } from "./util-types.ts";

const TYPES = [
  "isExternal", "isDate", "isNativeError", "isRegExp", "isAsyncFunction", "isPromise", "isMap", "isSet", "isMapIterator", "isSetIterator", "isArrayBuffer", "isDataView", "isAnyArrayBuffer", "isArrayBufferView",
  "isTypedArray", "isUint8Array",
] as const;

/** Those that Node names and that need its native code, or its sources. */
const NATIVE = new Set([
  "async_wrap", "buffer", "cares_wrap", "contextify", "crypto", "fs_event_wrap", "http_parser", "icu", "inspector", "js_stream", "natives", "os", "pipe_wrap", "process_wrap", "signal_wrap", "stream_wrap", "tcp_wrap",
  "tls_wrap", "tty_wrap", "udp_wrap", "url", "v8", "zlib",
]);

const made = new WeakMap<Runtime, Map<string, Dict>>();

/** Throws as Node does where there is no such part, and ERR_FEATURE_UNAVAILABLE_ON_PLATFORM for those that are native. */
export function processBinding(runtime: Runtime, name: string): unknown {
  if (name === "util") return Object.fromEntries(TYPES.map((type) => [type, types[type]]));
  if (name === "spawn_sync") return spawnSyncBinding(runtime);
  const native = name === "tty_wrap" ? terminalLibrary(runtime).binding : undefined;
  if (native) return native;
  const kept = made.get(runtime) ?? new Map<string, Dict>();
  made.set(runtime, kept);
  const binding = kept.get(name) ?? (Object.hasOwn(TABLES, name) ? TABLES[name]?.(runtime) : undefined);
  if (!binding) throw NATIVE.has(name) ? unsupported(`process.binding("${name}")`, "native bindings cannot run in the browser") : new Error(`No such module: ${name}`);
  kept.set(name, binding);
  return binding;
}

const TABLES: Readonly<Record<string, (runtime: Runtime) => Dict>> = {
  config: () => ({ isDebugBuild: false, hasOpenSSL: true, fipsMode: true, hasIntl: true, hasTracing: true, hasNodeOptions: true, hasInspector: true, noBrowserGlobals: false, bits: 64 }),
  constants: (runtime) => {
    const of = (module: string): unknown => runtime.builtin(module)["constants"];
    return Object.assign(Object.create(null) as Dict, { os: of("os"), fs: of("fs"), crypto: of("crypto"), zlib: of("zlib") });
  },
  fs: (runtime) => {
    const { realpathSync } = runtime.builtin("fs") as { readonly realpathSync: { readonly native: AnyFunction } };
    /** 1 for a folder, 0 for a file, below 0 for neither. */
    const internalModuleStat = (path: unknown): number => {
      const node = runtime.vfs.find(resolvePath(String(path), runtime.cwd));
      return node ? Number(node.kind === "dir") : -2;
    };
    const rest = new Proxy({}, {
      get(target, name, receiver): unknown {
        if (typeof name === "symbol" || name in target) return Reflect.get(target, name, receiver);
        throw unsupported(`process.binding("fs").${name}`, "native bindings cannot run in the browser");
      },
    });
    return Object.setPrototypeOf({ internalModuleStat, realpath: (path: unknown, encoding: unknown): unknown => realpathSync.native(path, encoding) }, rest) as Dict;
  },
  uv: (runtime) => {
    const { getSystemErrorMap, getSystemErrorName } = runtime.builtin("util") as { getSystemErrorMap(): Map<number, [string, string]>; getSystemErrorName: AnyFunction };
    const errors = [...getSystemErrorMap()];
    return { errname: (errno: number) => getSystemErrorName(errno), getErrorMap: getSystemErrorMap, ...Object.fromEntries(errors.map(([errno, [name]]) => [`UV_${name}`, errno])) };
  },
};
