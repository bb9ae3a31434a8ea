// The client's `fs` over the kernel.
import * as Comlink from "comlink-4.3.0";
import type { EntryKind } from "../bridge.ts";
import { ChangeQueue } from "../change-queue.ts";
import type { KernelClient } from "./kernel-client.ts";
import { record } from "./instance.ts";

/** The numbers the client's DirEnt reads; a link is neither file nor folder, as Node's Dirent has it. */
const ENTRY_TYPES: Readonly<Record<EntryKind, number>> = { file: 1, dir: 2, link: 3 };

type WatchCallback = ((event: string, name: string) => Promise<unknown>) & { [Comlink.releaseProxy]?: () => void };

export function createFs(kernel: KernelClient): object {
  let watches = 0;
  return Comlink.proxy({
    async readFile(path: unknown, options: unknown): Promise<Uint8Array | string> {
      const value = await kernel.call("readFile", String(path), encodingOf(options));
      return typeof value === "string" ? value : Comlink.transfer(value, [value.buffer]);
    },
    async writeFile(path: unknown, data: unknown, options: unknown): Promise<void> {
      await kernel.call("writeFile", String(path), data instanceof Uint8Array ? data : String(data), encodingOf(options));
    },
    async readdir(path: unknown, options: unknown): Promise<unknown[]> {
      const asBytes = encodingOf(options) === "buffer";
      const entries = await kernel.call("readdir", String(path));
      const nameOf = (name: string): unknown => (asBytes ? new TextEncoder().encode(name) : name);
      const withTypes = record(options)["withFileTypes"] === true;
      return entries.map(([name, kind]) => (withTypes ? { name: nameOf(name), "Symbol(type)": ENTRY_TYPES[kind] } : nameOf(name)));
    },
    async mkdir(path: unknown, options: unknown): Promise<string | undefined> {
      return (await kernel.call("mkdir", String(path), record(options)["recursive"] === true)) ?? undefined;
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
      const queue = new ChangeQueue();
      const deliver = async (): Promise<void> => {
        // A listener that throws has told its own console; the watch goes on.
        for (let events = queue.take(); events.length > 0; events = queue.take()) {
          for (const [event, name] of events) if (kernel.watches.has(watch)) await listener(event, name).catch(() => undefined);
        }
        delivering = false;
      };
      let delivering = false;
      kernel.watches.set(watch, (events) => {
        for (const event of events) queue.add(event);
        if (delivering) return;
        delivering = true;
        void deliver();
      });
      try {
        await kernel.call("watch", watch, String(path), record(options)["recursive"] === true);
      } catch (error) {
        kernel.watches.delete(watch);
        throw error;
      }
      return Comlink.proxy({
        async close(): Promise<void> {
          kernel.watches.delete(watch);
          // In a container that has crashed it is closed already; an error here would keep the client from ever booting again.
          await kernel.call("unwatch", watch).catch(() => undefined);
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
