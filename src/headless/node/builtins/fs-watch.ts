// fs.watch, fs.watchFile and the iterator of fs/promises: changes of the replica, from this process or another.
import { isWithin, parentPath } from "../../posix-path.ts";
import type { FileChange } from "../../vfs.ts";
import type { AnyFunction, Dict, Emitter, Runtime } from "../runtime.ts";
import { EventEmitter } from "./events.ts";
import { toPath } from "./fs-stats.ts";
import { type SyncOperations, optionsOf } from "./fs-sync.ts";

export function createWatch(runtime: Runtime, sync: SyncOperations): Dict {
  const listeners = new Set<(change: FileChange) => void>();
  const before = runtime.vfs.onChange;
  const listen = (listener: (change: FileChange) => void): (() => void) => {
    if (listeners.size === 0) {
      runtime.vfs.onChange = (change) => {
        before?.(change);
        for (const each of listeners) each(change);
      };
    }
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const nameIn = (folder: string, path: string, recursive: boolean): string | undefined => {
    if (path === folder) return path.slice(path.lastIndexOf("/") + 1);
    if (!isWithin(path, folder) || (!recursive && parentPath(path) !== folder)) return undefined;
    return path.slice(folder === "/" ? 1 : folder.length + 1);
  };

  const watch = (path: unknown, ...rest: unknown[]): Emitter => {
    const options = optionsOf(rest[0]);
    const folder = toPath(runtime, path, "filename");
    (sync["statSync"] as AnyFunction)(folder);
    const watcher = new EventEmitter() as Emitter & Dict;
    let release: (() => void) | undefined = options["persistent"] === false ? undefined : runtime.loop.hold();
    const stop = listen((change) => {
      const name = nameIn(folder, change.path, options["recursive"] === true);
      if (name !== undefined) runtime.loop.post(() => void watcher.emit("change", change.event, name));
    });
    const listener = rest.find((x) => typeof x === "function") as AnyFunction | undefined;
    if (listener) watcher.on("change", listener);
    watcher["close"] = () => {
      stop();
      release?.();
      release = undefined;
      runtime.loop.nextTick(() => void watcher.emit("close"));
    };
    watcher["ref"] = () => {
      release ??= runtime.loop.hold();
      return watcher;
    };
    watcher["unref"] = () => {
      release?.();
      release = undefined;
      return watcher;
    };
    (options["signal"] as AbortSignal | undefined)?.addEventListener("abort", () => (watcher["close"] as AnyFunction)());
    return watcher;
  };

  const watched = new Map<string, { stop: () => void; release: () => void }>();
  const watchFile = (path: unknown, ...rest: unknown[]): void => {
    const file = toPath(runtime, path);
    const listener = rest.at(-1) as AnyFunction;
    const read = (): unknown => (sync["statSync"] as AnyFunction)(file, { throwIfNoEntry: false });
    let last = read();
    const stop = listen((change) => {
      if (change.path !== file) return;
      const current = read();
      const previous = last;
      last = current;
      runtime.loop.post(() => void listener(current, previous));
    });
    watched.set(file, { stop, release: runtime.loop.hold() });
  };
  const unwatchFile = (path: unknown): void => {
    const file = toPath(runtime, path);
    watched.get(file)?.stop();
    watched.get(file)?.release();
    watched.delete(file);
  };
  async function* watchIterator(path: string, options?: unknown): AsyncGenerator<Dict> {
    const watcher = watch(path, options) as Emitter & Dict;
    const queue: Dict[] = [];
    let wake: () => void = () => undefined;
    watcher.on("change", (eventType, filename) => {
      queue.push({ eventType, filename });
      wake();
    });
    try {
      for (;;) {
        const next = queue.shift();
        if (next) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      (watcher["close"] as AnyFunction)();
    }
  }
  return { watch, watchFile, unwatchFile, watchIterator };
}
