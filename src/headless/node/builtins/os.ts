// node:os: a small Linux machine.
import { monotonicMs } from "../../clock.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { checkInt } from "./fs-arguments.ts";
import facts from "./facts.json" with { type: "json" };

const [MIN_INT32, MAX_INT32] = [-(2 ** 31), 2 ** 31 - 1];

/** Functions that stand for what they return. */
const AS_TEXT = ["arch", "availableParallelism", "endianness", "freemem", "homedir", "hostname", "machine", "platform", "release", "tmpdir", "totalmem", "type", "uptime", "version"] as const;

/** Without prototypes, as in Node; programs may change them. */
function constants(): Dict {
  const { UV_UDP_REUSEADDR, dlopen, errno, signals, priority } = facts.os;
  const plain = (value: object): object => Object.assign(Object.create(null) as object, value);
  return plain({ UV_UDP_REUSEADDR, dlopen: plain(dlopen), errno: plain(errno), signals: plain(signals), priority: plain(priority) }) as Dict;
}

export function createOs(runtime: Runtime): Dict {
  const cores = (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 2;
  const home = (): string => runtime.process.env["HOME"] ?? "/home";
  const cpu = { model: "container", speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } };
  const temporary = (): string => {
    const { TMPDIR, TMP, TEMP } = runtime.process.env;
    const folder = TMPDIR || TMP || TEMP || "/tmp";
    return folder.length > 1 && folder.endsWith("/") ? folder.slice(0, -1) : folder;
  };
  let priority = 0;
  const os = {
    platform: () => "linux", type: () => "Linux", arch: () => "x64", machine: () => "x86_64", release: () => "5.15.0", version: () => "#1 SMP", endianness: () => "LE", hostname: () => "localhost",
    homedir: home, tmpdir: temporary,
    cpus: () => Array.from({ length: cores }, () => ({ ...cpu })), availableParallelism: () => cores,
    totalmem: () => 2 ** 32, freemem: () => 2 ** 31, loadavg: () => [0, 0, 0], uptime: () => monotonicMs() / 1000, networkInterfaces: () => ({ lo: [{ address: "127.0.0.1", netmask: "255.0.0.0", family: "IPv4", mac: "00:00:00:00:00:00", internal: true, cidr: "127.0.0.1/8" }] }),
    userInfo: () => ({ uid: 1000, gid: 1000, username: runtime.process.env["USER"] ?? "user", homedir: home(), shell: "/bin/sh" }),
    getPriority: (pid: unknown = 0) => {
      checkInt(pid, "pid", MIN_INT32, MAX_INT32);
      return priority;
    },
    setPriority: (...args: unknown[]) => {
      const [pid, given] = args[1] === undefined ? [0, args[0]] : args;
      checkInt(pid, "pid", MIN_INT32, MAX_INT32);
      priority = checkInt(given, "priority", -20, 19);
    },
    constants: constants(),
  };
  for (const name of AS_TEXT) Object.defineProperty(os[name], Symbol.toPrimitive, { value: () => os[name]() });
  for (const [name, value] of [["EOL", "\n"], ["devNull", "/dev/null"]] as const) Object.defineProperty(os, name, { value, configurable: true, enumerable: true, writable: false });
  return os;
}
