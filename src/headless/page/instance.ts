// The object the client knows as a booted WebContainer, over the kernel. Arguments from the app and values from the
// kernel are both rebuilt to the shape the protocol promises; Comlink 4.3.0 is what the client speaks, to the byte.
import * as Comlink from "comlink-4.3.0";
import type { KernelClient } from "./kernel-client.ts";
import { createFs } from "./file-system.ts";
import { runProcess } from "./process.ts";

type Listener = ((...args: unknown[]) => void) & { [Comlink.releaseProxy]?: () => void };

const EVENTS = new Set(["port", "server-ready", "error", "preview-message", "xdg-open", "code"]);

export interface Instance {
  teardown(): void;
}

/** `onTeardown` runs once, when the client tears the container down. */
export async function createInstance(kernel: KernelClient, workdirName: string, onTeardown: () => void): Promise<Instance> {
  const info = await kernel.call("init", workdirName);
  const runtimeInfo = { path: String(info.path), cwd: String(info.cwd) };
  const fs = createFs(kernel);
  let processes = 0;
  const instance = {
    fs: () => fs,
    previewScript: () => Comlink.proxy({}),
    runtimeInfo: () => runtimeInfo,
    run: (options: unknown, _stdout: unknown, _stderr: unknown, output: unknown) => runProcess(kernel, ++processes, options, output),
    async serialize(path: unknown, options: unknown): Promise<Uint8Array> {
      const o = record(options);
      const format = o["format"] === "binary" || o["format"] === "zip" ? o["format"] : "json";
      const bytes = await kernel.call("serialize", String(path), { format, includes: strings(o["includes"]), excludes: strings(o["excludes"]) });
      if (!(bytes instanceof Uint8Array)) throw new Error("The container answered with no snapshot.");
      return Comlink.transfer(bytes, [bytes.buffer]);
    },
    async loadFiles(snapshot: unknown, options: unknown): Promise<void> {
      if (!(snapshot instanceof Uint8Array)) throw new Error("mount: the snapshot is no byte array");
      const mountPoint = record(options)["mountPoints"];
      await kernel.call("loadFiles", snapshot, typeof mountPoint === "string" ? mountPoint : ".");
    },
    /** The events all tell of previews and of StackBlitz's editor; this host has neither, so none ever fires. */
    on(event: unknown, listener: Listener): unknown {
      if (typeof event !== "string" || !EVENTS.has(event)) throw new Error(`There is no event '${String(event)}'.`);
      return Comlink.proxy(() => listener[Comlink.releaseProxy]?.());
    },
    setPreviewScript: () => undefined,
    setCredentials: () => undefined,
    teardown(): void {
      kernel.close();
      onTeardown();
    },
  };
  return Comlink.proxy(instance);
}

/** Any value as a record, to read options from. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
