// The object the client knows as a booted WebContainer, over the kernel. Arguments from the app and values from the
// kernel are both rebuilt to the shape the protocol promises; Comlink 4.3.0 is what the client speaks, to the byte.
import * as Comlink from "comlink-4.3.0";
import type { KernelClient, PortListener } from "./kernel-client.ts";
import { createFs } from "./file-system.ts";
import { runProcess } from "./process.ts";

type Listener = ((...args: unknown[]) => Promise<unknown>) & { [Comlink.releaseProxy]?: () => void };

const EVENTS = new Set(["port", "server-ready", "error", "preview-message", "xdg-open", "code"]);

export interface Instance {
  teardown(): void;
}

/** `onTeardown` runs once, when the client tears the container down. */
export async function createInstance(kernel: KernelClient, workdirName: string, onTeardown: () => void): Promise<Instance> {
  const runtimeInfo = await kernel.call("init", workdirName);
  const fs = createFs(kernel);
  let processes = 0;
  const errorListeners = new Set<Listener>();
  kernel.onLost = (message) => {
    // A listener that throws has told its own console.
    for (const listener of errorListeners) void listener({ message }).catch(() => undefined);
  };
  const instance = {
    fs: () => fs,
    previewScript: () => Comlink.proxy({}),
    runtimeInfo: () => runtimeInfo,
    run: (options: unknown, _stdout: unknown, _stderr: unknown, output: unknown) => runProcess(kernel, ++processes, options, output),
    async serialize(path: unknown, options: unknown): Promise<Uint8Array> {
      const o = record(options);
      const format = o["format"] === "binary" || o["format"] === "zip" ? o["format"] : "json";
      const bytes = await kernel.call("serialize", String(path), { format, includes: strings(o["includes"]), excludes: strings(o["excludes"]) });
      return Comlink.transfer(bytes, [bytes.buffer]);
    },
    async loadFiles(snapshot: unknown, options: unknown): Promise<void> {
      if (!(snapshot instanceof Uint8Array)) throw new Error("mount: the snapshot is no byte array");
      const mountPoint = record(options)["mountPoints"];
      await kernel.call("loadFiles", snapshot, typeof mountPoint === "string" ? mountPoint : ".");
    },
    /** Ports are told of, and a container that has crashed (`error`); the other events belong to previews and to StackBlitz's editor, which this host does not have. */
    on(event: unknown, listener: Listener): unknown {
      if (typeof event !== "string" || !EVENTS.has(event)) throw new Error(`There is no event '${String(event)}'.`);
      const onPort: PortListener | undefined = event === "port" ? (port, open) => tell(listener, port, open ? "open" : "close", urlOf(port))
        : event === "server-ready" ? (port, open) => void (open && tell(listener, port, urlOf(port))) : undefined;
      if (onPort) kernel.ports.add(onPort);
      if (event === "error") errorListeners.add(listener);
      return Comlink.proxy(() => {
        if (onPort) kernel.ports.delete(onPort);
        errorListeners.delete(listener);
        listener[Comlink.releaseProxy]?.();
      });
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

/** A page of ours that shows, in an iframe of the page that booted the container, what the server serves. A path may be added to it. */
function urlOf(port: number): string {
  return `${location.origin}/headless/preview.html#${port}`;
}

/** A listener that throws has told its own console. */
function tell(listener: Listener, ...args: unknown[]): void {
  void listener(...args).catch(() => undefined);
}

/** Any value as a record, to read options from. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
