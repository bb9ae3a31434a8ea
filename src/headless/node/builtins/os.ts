// node:os: a small Linux machine.
import type { Dict, Runtime } from "../runtime.ts";
import facts from "./facts.json" with { type: "json" };

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
  return {
    EOL: "\n", devNull: "/dev/null",
    platform: () => "linux", type: () => "Linux", arch: () => "x64", machine: () => "x86_64", release: () => "5.15.0", version: () => "#1 SMP", endianness: () => "LE", hostname: () => "localhost",
    homedir: home, tmpdir: () => runtime.process.env["TMPDIR"] ?? "/tmp",
    cpus: () => Array.from({ length: cores }, () => ({ ...cpu })), availableParallelism: () => cores,
    totalmem: () => 2 ** 32, freemem: () => 2 ** 31, loadavg: () => [0, 0, 0], uptime: () => performance.now() / 1000, networkInterfaces: () => ({}),
    userInfo: () => ({ uid: 1000, gid: 1000, username: runtime.process.env["USER"] ?? "user", homedir: home(), shell: "/bin/sh" }),
    getPriority: () => 0, setPriority: () => undefined,
    constants: constants(),
  };
}
