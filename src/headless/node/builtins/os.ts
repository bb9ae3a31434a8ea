// node:os: a small Linux machine.
import type { Dict, Runtime } from "../runtime.ts";

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
    constants: { signals: { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 }, errno: { ENOENT: 2, EEXIST: 17, EACCES: 13, EINVAL: 22 }, priority: {}, dlopen: {} },
  };
}
