// Which builtin modules there are and how each is made. Made when first asked for; a name without an implementation
// loads and fails with its name and the function's when something of it is used.
import { nodeError } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { createAssert } from "../later/assert.ts";
import { createAsyncHooks } from "./async-hooks.ts";
import { createBuffer } from "./buffer.ts";
import { createChildProcess } from "../later/child-process.ts";
import { createConsole } from "./console.ts";
import { createCrypto } from "../later/crypto.ts";
import { createDiagnosticsChannel } from "./diagnostics-channel.ts";
import { createDomain } from "../later/domain.ts";
import { createEvents } from "./events.ts";
import { createFs } from "../later/fs.ts";
import { absentModule } from "./absent.ts";
import { fillMissing } from "./missing.ts";
import { createModule } from "../later/module.ts";
import { createDgram, createHttp, createHttps, createTls } from "../later/http.ts";
import { createDns, createNet } from "../later/net.ts";
import { createOs } from "./os.ts";
import { createPath } from "../later/path.ts";
import { createPerfHooks } from "../later/perf-hooks.ts";
import { PRIVATE } from "./private.ts";
import { querystring } from "./querystring.ts";
import { StringDecoder } from "./string-decoder.ts";
import { createStream, createStreamConsumers, createStreamPromises, createStreamWeb } from "./stream.ts";
import { createReadline } from "./terminal.ts";
import { createTest } from "../later/testing.ts";
import { createTimers } from "./timers.ts";
import { createTty } from "./tty.ts";
import { createPunycode, createUrl } from "../later/url.ts";
import { createUtil } from "../later/util.ts";
import { types } from "./util-types.ts";
import { createV8 } from "../later/v8.ts";
import { createVm } from "../later/vm.ts";
import { createWasi } from "./wasi.ts";
import { createWorkerThreads } from "../later/worker-threads.ts";
import { createZlib } from "../later/zlib.ts";

type Factory = (runtime: Runtime) => Dict;

const FACTORIES: Readonly<Record<string, Factory>> = {
  ...PRIVATE,
  assert: createAssert,
  "assert/strict": (runtime) => (runtime.builtin("assert")["strict"] as Dict),
  async_hooks: createAsyncHooks,
  buffer: createBuffer,
  child_process: createChildProcess,
  console: createConsole,
  constants: (runtime) => {
    const { signals, errno, priority, dlopen } = runtime.builtin("os")["constants"] as Readonly<Record<string, Dict | undefined>>;
    return { ...dlopen, ...errno, ...priority, ...signals, ...(runtime.builtin("fs")["constants"] as Dict), ...(runtime.builtin("crypto")["constants"] as Dict | undefined) };
  },
  crypto: createCrypto,
  dgram: createDgram,
  diagnostics_channel: createDiagnosticsChannel,
  domain: createDomain,
  dns: createDns,
  "dns/promises": (runtime) => runtime.builtin("dns")["promises"] as Dict,
  events: createEvents,
  fs: createFs,
  "fs/promises": (runtime) => runtime.builtin("fs")["promises"] as Dict,
  http: createHttp,
  https: createHttps,
  module: createModule,
  net: createNet,
  os: createOs,
  path: createPath,
  "path/posix": (runtime) => runtime.builtin("path"),
  "path/win32": (runtime) => runtime.builtin("path")["win32"] as Dict,
  perf_hooks: createPerfHooks,
  process: (runtime) => runtime.process,
  punycode: createPunycode,
  querystring: () => querystring,
  readline: createReadline,
  "readline/promises": (runtime) => runtime.builtin("readline")["promises"] as Dict,
  stream: (runtime) => {
    runtime.builtin("events"); // its class is a subclass, with all that is on the emitter
    return createStream();
  },
  "stream/consumers": createStreamConsumers,
  "stream/promises": createStreamPromises,
  "stream/web": createStreamWeb,
  string_decoder: () => ({ StringDecoder }),
  sys: (runtime) => runtime.builtin("util"),
  test: createTest,
  "test/reporters": (runtime) => runtime.builtin("test")["reporters"] as Dict,
  timers: createTimers,
  tls: createTls,
  "timers/promises": (runtime) => createTimers(runtime)["promises"] as Dict,
  tty: createTty,
  url: createUrl,
  util: createUtil,
  "util/types": () => types,
  v8: createV8,
  vm: createVm,
  wasi: createWasi,
  worker_threads: createWorkerThreads,
  zlib: createZlib,
};

/** Exist in Node, not here. */
const ABSENT = [
  "cluster", "http2", "inspector", "inspector/promises", "repl", "trace_events",
];
/** Only with the `node:` prefix. */
const PREFIX_ONLY = new Set(["test", "test/reporters", "sea", "sqlite"]);

export const builtinNames: readonly string[] = Object.freeze([...Object.keys(FACTORIES), ...ABSENT].filter((name) => !PREFIX_ONLY.has(name)).sort());

export function isBuiltin(specifier: unknown): boolean {
  if (typeof specifier !== "string") return false;
  const name = specifier.replace(/^node:/, "");
  return (Object.hasOwn(FACTORIES, name) || ABSENT.includes(name)) && (specifier !== name || !PREFIX_ONLY.has(name));
}

export function makeBuiltin(runtime: Runtime, name: string): Dict {
  const factory = Object.hasOwn(FACTORIES, name) ? FACTORIES[name] : undefined;
  if (factory) return fillMissing(name, factory(runtime));
  if (ABSENT.includes(name)) return fillMissing(name, absentModule(name, builtinNames));
  throw nodeError(Error, "ERR_UNKNOWN_BUILTIN_MODULE", `No such built-in module: ${name}`);
}
