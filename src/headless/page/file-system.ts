// The client's `fs` over the kernel.
import * as Comlink from "comlink-4.3.0";
import type { KernelClient } from "./kernel-client.ts";
import { record } from "./instance.ts";

/** The numbers the client's DirEnt reads; a link is neither file nor folder, as Node's Dirent has it. */
const ENTRY_TYPES: Readonly<Record<string, number>> = { file: 1, dir: 2, link: 3 };

type WatchCallback = ((event: string, name: string) => Promise<unknown>) & { [Comlink.releaseProxy]?: () => void };

export function createFs(kernel: KernelClient): object {
  let watches = 0;
  return Comlink.proxy({
    async readFile(path: unknown, options: unknown): Promise<Uint8Array | string> {
      const value: unknown = await kernel.call("readFile", String(path), encodingOf(options));
      if (value instanceof Uint8Array) return Comlink.transfer(value, [value.buffer]);
      if (typeof value === "string") return value;
      throw new Error("The container answered with no file.");
    },
    async writeFile(path: unknown, data: unknown, options: unknown): Promise<void> {
      await kernel.call("writeFile", String(path), data instanceof Uint8Array ? data : String(data), encodingOf(options));
    },
    async readdir(path: unknown, options: unknown): Promise<unknown[]> {
      const asBytes = encodingOf(options) === "buffer";
      const list: unknown = await kernel.call("readdir", String(path));
      const entries = (Array.isArray(list) ? list : []).map((entry: unknown) => (Array.isArray(entry) ? [String(entry[0]), String(entry[1])] : ["", ""]));
      const nameOf = (name: string): unknown => (asBytes ? new TextEncoder().encode(name) : name);
      const withTypes = record(options)["withFileTypes"] === true;
      return entries.map(([name = "", kind = ""]) => (withTypes ? { name: nameOf(name), "Symbol(type)": ENTRY_TYPES[kind] ?? 0 } : nameOf(name)));
    },
    async mkdir(path: unknown, options: unknown): Promise<string | undefined> {
      const made: unknown = await kernel.call("mkdir", String(path), record(options)["recursive"] === true);
      return typeof made === "string" ? made : undefined;
    },
    async rm(path: unknown, options: unknown): Promise<void> {
      const { recursive, force } = record(options);
      await kernel.call("rm", String(path), recursive === true, force === true);
    },
    async rename(from: unknown, to: unknown): Promise<void> {
      await kernel.call("rename", String(from), String(to));
    },
    async watch(path: unknown, options: unknown, listener: WatchCallback): Promise<object> {
      const watch = ++watches;
      // A listener that throws has told its own console; the watch goes on.
      kernel.watches.set(watch, (event, name) => void listener(event, name).catch(() => undefined));
      try {
        await kernel.call("watch", watch, String(path), record(options)["recursive"] === true);
      } catch (error) {
        kernel.watches.delete(watch);
        throw error;
      }
      return Comlink.proxy({
        async close(): Promise<void> {
          kernel.watches.delete(watch);
          await kernel.call("unwatch", watch);
          listener[Comlink.releaseProxy]?.();
        },
      });
    },
  });
}

/** `"utf8"`, `{ encoding: "utf8" }` or nothing. */
function encodingOf(options: unknown): string | null {
  if (typeof options === "string") return options;
  const { encoding } = record(options);
  return typeof encoding === "string" ? encoding : null;
}
