// What a process has used: the time since its start, and what the browser tells of memory. The rest of what an operating
// system counts is 0 here.
import { monotonicMs, wallMs } from "../../clock.ts";
import { invalidArgType, nodeError, outOfRange, unsupported } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";

function hrtime(time?: unknown): [number, number] {
  const nowMs = monotonicMs();
  const now: [number, number] = [Math.floor(nowMs / 1000), Math.floor((nowMs % 1000) * 1e6)];
  if (time === undefined) return now;
  if (!Array.isArray(time)) throw invalidArgType("time", "Array", time);
  if (time.length !== 2) throw outOfRange("time", "2", time.length);
  const [seconds, nanos] = [now[0] - Number(time[0]), now[1] - Number(time[1])];
  return nanos < 0 ? [seconds - 1, nanos + 1e9] : [seconds, nanos];
}

const UNCOUNTED = ["sharedMemorySize", "unsharedDataSize", "unsharedStackSize", "minorPageFault", "majorPageFault", "swappedOut", "fsRead", "fsWrite", "ipcSent", "ipcReceived", "signalsCount", "voluntaryContextSwitches", "involuntaryContextSwitches"];

/** What native code of packages is chosen by: there is none here that could run, and the choice for Linux's is refused by name. */
const LIBC = { glibcVersionRuntime: "2.36", glibcVersionCompiler: "2.28" };

/** `process.report`: its settings, and what a page can say of a process. A report is not written to a file. */
export function processReport(runtime: Runtime): Dict {
  const getReport = (error?: unknown): Dict => {
    if (error !== undefined && (typeof error !== "object" || error === null)) throw invalidArgType("err", "Object", error);
    const { process, cwd, host } = runtime;
    const message = error === undefined ? "Error [ERR_SYNTHETIC]: JavaScript Callstack" : `${(error as Error).name}: ${(error as Error).message}`;
    const { stack } = (error as Error | undefined) ?? new Error("report");
    const now = new Date(wallMs());
    return {
      header: {
        reportVersion: 4, event: "JavaScript API", trigger: "GetReport", filename: null, dumpEventTime: now.toISOString().replace(/\.\d+/, ""), dumpEventTimeStamp: String(now.getTime()), processId: host.pid,
        threadId: 0, cwd, commandLine: [process["execPath"], ...(process.execArgv), ...process.argv.slice(1)], nodejsVersion: process["version"], ...LIBC, wordSize: 64, arch: process["arch"],
        platform: process["platform"], componentVersions: process["versions"], release: process["release"],
      },
      javascriptStack: { message, stack: (stack ?? "").split("\n").slice(1).map((line) => line.trim()), errorProperties: {} },
      javascriptHeap: {}, nativeStack: [], resourceUsage: {}, libuv: [], workers: [], environmentVariables: { ...process.env }, userLimits: {}, sharedObjects: [],
    };
  };
  const writeReport = (): never => {
    throw unsupported("process.report.writeReport", "a page tells nothing of the machine or the native stack; getReport gives what there is");
  };
  return { compact: false, directory: "", excludeNetwork: false, filename: "", reportOnFatalError: false, reportOnSignal: false, reportOnUncaughtException: false, signal: "SIGUSR2", getReport, writeReport };
}

export function usageFunctions(): Dict {
  const startedMs = monotonicMs();
  const userMicros = (): number => Math.round((monotonicMs() - startedMs) * 1000);
  const memory = (): Dict & { readonly rss: number } => {
    const used = (performance as unknown as { memory?: { usedJSHeapSize: number; totalJSHeapSize: number } }).memory;
    return { rss: used?.totalJSHeapSize ?? 5e7, heapTotal: used?.totalJSHeapSize ?? 3e7, heapUsed: used?.usedJSHeapSize ?? 2e7, external: 0, arrayBuffers: 0 };
  };
  const before = (value: Dict, key: "user" | "system"): number => {
    const micros = value[key];
    if (typeof micros !== "number") throw invalidArgType(`prevValue.${key}`, "number", micros);
    if (!(micros >= 0 && micros <= Number.MAX_SAFE_INTEGER)) throw nodeError(RangeError, "ERR_INVALID_ARG_VALUE", `The property 'prevValue.${key}' is invalid. Received ${micros}`);
    return micros;
  };
  return {
    hrtime: Object.assign(hrtime, { bigint: () => BigInt(Math.floor(monotonicMs() * 1e6)) }),
    uptime: () => (monotonicMs() - startedMs) / 1000,
    memoryUsage: Object.assign(memory, { rss: () => memory().rss }),
    constrainedMemory: () => 0, availableMemory: () => 1e9,
    cpuUsage: (previous?: unknown) => {
      if (!previous) return { user: userMicros(), system: 0 };
      if (typeof previous !== "object") throw invalidArgType("prevValue", "object", previous);
      const [user, system] = [before(previous as Dict, "user"), before(previous as Dict, "system")];
      return { user: userMicros() - user, system: 0 - system };
    },
    resourceUsage: () => ({ userCPUTime: userMicros(), systemCPUTime: 0, maxRSS: Math.round(memory().rss / 1024), ...Object.fromEntries(UNCOUNTED.map((name) => [name, 0])) }),
  };
}
