// Which builtin modules there are and how each is made. Made when first asked for; a name without an implementation
// loads and fails with its name and the function's when something of it is used.
import stringDecoder from "string_decoder";
import { nodeError } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { createAssert } from "./assert.ts";
import { createAsyncHooks } from "./async-hooks.ts";
import { createBuffer } from "./buffer.ts";
import { createChildProcess } from "./child-process.ts";
import { createConsole } from "./console.ts";
import { createCrypto } from "./crypto.ts";
import { createDiagnosticsChannel } from "./diagnostics-channel.ts";
import { createEvents } from "./events.ts";
import { createFs } from "./fs.ts";
import { absentModule } from "./absent.ts";
import { createModule } from "./module.ts";
import { createOs } from "./os.ts";
import { createPath } from "./path.ts";
import { createPerfHooks } from "./perf-hooks.ts";
import { querystring } from "./querystring.ts";
import { createReadline, createReadlinePromises } from "./readline.ts";
import { createStream, createStreamConsumers, createStreamPromises, createStreamWeb } from "./stream.ts";
import { createTest } from "../testing/test-module.ts";
import { createTimers } from "./timers.ts";
import { createTty } from "./tty.ts";
import { createUrl } from "./url.ts";
import { createUtil } from "./util.ts";
import { types } from "./util-types.ts";
import { createV8 } from "./v8.ts";
import { createVm } from "./vm.ts";
import { createWorkerThreads } from "./worker-threads.ts";

type Factory = (runtime: Runtime) => Dict;

const FACTORIES: Readonly<Record<string, Factory>> = {
  assert: createAssert,
  "assert/strict": (runtime) => (runtime.builtin("assert")["strict"] as Dict),
  async_hooks: createAsyncHooks,
  buffer: createBuffer,
  child_process: createChildProcess,
  console: createConsole,
  constants: (runtime) => runtime.builtin("fs")["constants"] as Dict,
  crypto: createCrypto,
  diagnostics_channel: createDiagnosticsChannel,
  events: createEvents,
  fs: createFs,
  "fs/promises": (runtime) => runtime.builtin("fs")["promises"] as Dict,
  module: createModule,
  os: createOs,
  path: createPath,
  "path/posix": (runtime) => runtime.builtin("path"),
  "path/win32": (runtime) => runtime.builtin("path"),
  perf_hooks: createPerfHooks,
  process: (runtime) => runtime.process,
  querystring: () => querystring,
  readline: createReadline,
  "readline/promises": createReadlinePromises,
  stream: createStream,
  "stream/consumers": createStreamConsumers,
  "stream/promises": createStreamPromises,
  "stream/web": createStreamWeb,
  string_decoder: () => stringDecoder as unknown as Dict,
  sys: (runtime) => runtime.builtin("util"),
  test: createTest,
  "test/reporters": (runtime) => runtime.builtin("test")["reporters"] as Dict,
  timers: createTimers,
  "timers/promises": (runtime) => createTimers(runtime)["promises"] as Dict,
  tty: createTty,
  url: createUrl,
  util: createUtil,
  "util/types": () => types,
  v8: createV8,
  vm: createVm,
  worker_threads: createWorkerThreads,
};

/** Exist in Node, not here. */
const ABSENT = [
  "cluster", "dgram", "dns", "dns/promises", "domain", "http", "http2", "https", "inspector", "inspector/promises", "net", "punycode", "repl", "tls", "trace_events", "wasi", "zlib",
];
/** Only with the `node:` prefix. */
const PREFIX_ONLY = new Set(["test", "test/reporters", "sea", "sqlite"]);

export const builtinNames: readonly string[] = [...Object.keys(FACTORIES), ...ABSENT].filter((name) => !PREFIX_ONLY.has(name)).sort();

export function isBuiltin(specifier: unknown): boolean {
  if (typeof specifier !== "string") return false;
  const name = specifier.replace(/^node:/, "");
  return (Object.hasOwn(FACTORIES, name) || ABSENT.includes(name)) && (specifier !== name || !PREFIX_ONLY.has(name));
}

export function makeBuiltin(runtime: Runtime, name: string): Dict {
  const factory = Object.hasOwn(FACTORIES, name) ? FACTORIES[name] : undefined;
  if (factory) return factory(runtime);
  if (ABSENT.includes(name)) return absentModule(name);
  throw nodeError(Error, "ERR_UNKNOWN_BUILTIN_MODULE", `No such built-in module: ${name}`);
}
