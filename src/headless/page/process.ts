// The client's `spawn` over the kernel: output in whole characters, acknowledged when the app has taken it.
import * as Comlink from "comlink-4.3.0";
import type { SpawnOptions } from "../bridge.ts";
import type { Terminal } from "../protocol.ts";
import { record } from "./instance.ts";
import type { KernelClient } from "./kernel-client.ts";
import { Utf8Cutter } from "./utf8-cutter.ts";

/** Resolves when the app has run its listener. */
type Output = ((chunk: Uint8Array | null) => Promise<unknown>) & { [Comlink.releaseProxy]?: () => void };

export async function runProcess(kernel: KernelClient, process: number, options: unknown, output: unknown): Promise<object> {
  const take = typeof output === "function" ? (output as Output) : undefined;
  const cutters = { 1: new Utf8Cutter(), 2: new Utf8Cutter() };
  const deliver = (bytes: Uint8Array): Promise<unknown> => (take && bytes.length > 0 ? take(bytes).catch(() => undefined) : Promise.resolve());
  let exit: (code: number) => void = () => undefined;
  const onExit = new Promise<number>((resolve) => {
    exit = resolve;
  });
  kernel.processes.set(process, {
    output(fd, data) {
      const bytes = data.length;
      void deliver(cutters[fd].push(data)).then(() => kernel.ack(process, bytes));
    },
    exit(code) {
      void deliver(cutters[1].end());
      void deliver(cutters[2].end());
      // The stream closes before the exit code is known, so that a reader of both never waits.
      if (take) void take(null).catch(() => undefined);
      exit(code);
      take?.[Comlink.releaseProxy]?.();
    },
  });
  try {
    await kernel.call("spawn", process, spawnOptions(record(options)));
  } catch (error) {
    kernel.processes.delete(process);
    throw error;
  }
  return Comlink.proxy({
    onExit,
    write: (data: unknown) => kernel.call("stdin", process, String(data)),
    kill: () => kernel.call("kill", process),
    resize: (size: unknown) => kernel.call("resize", process, terminalOf(size) ?? { cols: 80, rows: 24 }),
  });
}

function spawnOptions(o: Readonly<Record<string, unknown>>): SpawnOptions {
  const args = Array.isArray(o["args"]) ? o["args"].map(String) : [];
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(record(o["env"]))) env[name] = String(value);
  return {
    command: String(o["command"]),
    args,
    cwd: typeof o["cwd"] === "string" ? o["cwd"] : null,
    env,
    terminal: terminalOf(o["terminal"]),
  };
}

function terminalOf(value: unknown): Terminal | null {
  const { cols, rows } = record(value);
  return typeof cols === "number" && typeof rows === "number" && cols > 0 && rows > 0 ? { cols: Math.floor(cols), rows: Math.floor(rows) } : null;
}
