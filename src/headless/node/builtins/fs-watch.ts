// fs.watch, fs.watchFile and the iterator of fs/promises: changes of the replica, from this process or another.
import { isWithin, parentPath } from "../../posix-path.ts";
import type { FileChange } from "../../vfs.ts";
import { abortError, checkFunction } from "../errors.ts";
import type { AnyFunction, Dict, Emitter, Runtime } from "../runtime.ts";
import { EventEmitter } from "./events.ts";
import { checkBoolean, named, optionsOf, readPath, toPath } from "./fs-arguments.ts";
import { emptyStats, makeStats } from "./fs-stats.ts";

type Listener = (change: FileChange) => void;

/** Something that keeps the process alive while it is referenced. */
class Holder extends (EventEmitter as unknown as new () => Emitter) {
  readonly #hold: () => () => void;
  #release: (() => void) | undefined;

  constructor(hold: () => () => void, persistent: boolean) {
    super();
    this.#hold = hold;
    if (persistent) this.ref();
  }

  ref(): this {
    this.#release ??= this.#hold();
    return this;
  }

  unref(): this {
    this.#release?.();
    this.#release = undefined;
    return this;
  }
}

export function createWatch(runtime: Runtime): Dict {
  const { loop, vfs } = runtime;
  const listeners = new Set<Listener>();
  const before = vfs.onChange;
  const hold = (): (() => void) => loop.hold();
  const listen = (listener: Listener): (() => void) => {
    if (listeners.size === 0) {
      vfs.onChange = (change) => {
        before?.(change);
        for (const each of listeners) each(change);
      };
    }
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const realOf = (path: string): string => (vfs.exists(path) ? vfs.realpath(path) : path);
  /** What a change is of, as seen from a folder or file that is watched under some name. */
  const nameIn = (folder: string, path: string, recursive: boolean, own: string): string | undefined => {
    if (path === folder) return own;
    if (!isWithin(path, folder) || (!recursive && parentPath(path) !== folder)) return undefined;
    return path.slice(folder === "/" ? 1 : folder.length + 1);
  };

  class FSWatcher extends Holder {
    readonly #stop: () => void;
    #closed = false;

    constructor(path: string, options: Dict) {
      super(hold, options["persistent"] !== false);
      // What a link leads to, not the link.
      const folder = realOf(path);
      const own = path.slice(path.lastIndexOf("/") + 1);
      this.#stop = listen((change) => {
        const name = nameIn(folder, change.path, options["recursive"] === true, own);
        if (name === undefined) return;
        loop.post(() => {
          if (!this.#closed) this.emit("change", change.event, named(name, options["encoding"]));
        });
      });
    }

    close(): void {
      if (this.#closed) return;
      this.#closed = true;
      this.#stop();
      this.unref();
      loop.nextTick(() => void this.emit("close"));
    }
  }

  const watch = (path: unknown, ...rest: unknown[]): FSWatcher => {
    const options = optionsOf(rest[0]);
    for (const name of ["persistent", "recursive"]) checkBoolean(options, name);
    const file = readPath(runtime, path, "filename");
    if (!vfs.find(file.full)) {
      const message = `ENOENT: no such file or directory, watch '${file.spelled}'`;
      throw Object.assign(new Error(message), { errno: -2, syscall: "watch", code: "ENOENT", path: file.spelled, filename: file.spelled });
    }
    const watcher = new FSWatcher(file.full, options);
    const listener = rest.find((x) => typeof x === "function") as AnyFunction | undefined;
    if (listener) watcher.on("change", listener);
    const signal = options["signal"] as AbortSignal | undefined;
    if (signal?.aborted) loop.nextTick(() => watcher.close());
    else signal?.addEventListener("abort", () => watcher.close(), { once: true });
    return watcher;
  };

  class StatWatcher extends Holder {
    #unlisten: (() => void) | undefined;
    #last: Dict;

    constructor(file: string, options: Dict) {
      super(hold, options["persistent"] !== false);
      const bigint = options["bigint"] === true;
      const read = (): Dict => (vfs.find(file) ? makeStats(vfs.stat(file), bigint) : emptyStats(bigint));
      this.#last = read();
      let real = realOf(file);
      if (!vfs.find(file)) loop.post(() => void this.emit("change", this.#last, this.#last));
      this.#unlisten = listen((change) => {
        // A folder changes with the names in it.
        const isOfFolder = change.event === "rename" && parentPath(change.path) === real;
        if (change.path !== file && change.path !== real && !isOfFolder && !isWithin(file, change.path)) return;
        real = realOf(file);
        const previous = this.#last;
        this.#last = read();
        const current = this.#last;
        loop.post(() => {
          if (this.#unlisten) this.emit("change", current, previous);
        });
      });
    }

    stop(): void {
      if (!this.#unlisten) return;
      this.#unlisten();
      this.#unlisten = undefined;
      this.unref();
      loop.nextTick(() => void this.emit("stop"));
    }
  }

  const watched = new Map<string, StatWatcher>();
  const watchFile = (path: unknown, ...rest: unknown[]): StatWatcher => {
    const file = toPath(runtime, path, "filename");
    const listener = rest.at(-1);
    checkFunction(listener, "listener");
    const known = watched.get(file) ?? new StatWatcher(file, rest.length > 1 ? ((rest[0] ?? {}) as Dict) : {});
    watched.set(file, known);
    known.on("change", listener as AnyFunction);
    return known;
  };
  const unwatchFile = (path: unknown, listener?: unknown): void => {
    const file = toPath(runtime, path, "filename");
    const known = watched.get(file);
    if (!known) return;
    if (typeof listener === "function") known.off("change", listener as AnyFunction);
    if (typeof listener === "function" && known.listenerCount("change") > 0) return;
    known.stop();
    watched.delete(file);
  };

  async function* watchIterator(path: unknown, options?: unknown): AsyncGenerator<Dict> {
    const signal = optionsOf(options)["signal"] as AbortSignal | undefined;
    if (signal?.aborted) throw abortError(signal);
    const watcher = watch(path, { ...optionsOf(options), signal: undefined });
    const queue: Dict[] = [];
    let wake: () => void = () => undefined;
    watcher.on("change", (eventType, filename) => {
      queue.push({ eventType, filename });
      wake();
    });
    signal?.addEventListener("abort", () => wake(), { once: true });
    try {
      for (;;) {
        if (signal?.aborted) throw abortError(signal);
        const next = queue.shift();
        if (next) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      watcher.close();
    }
  }
  return { watch, watchFile, unwatchFile, watchIterator };
}
