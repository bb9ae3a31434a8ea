// Which files a run was made of, and a word when one of them changes.
import type { AnyFunction, Emitter, Runtime } from "../runtime.ts";
import { urlToFile } from "../file-url.ts";
import { startTimer } from "../builtins/timers.ts";

const DEBOUNCE_MS = 200;
/** Set for a process that is to tell its parent which files it loads. */
const REPORTS = "WATCH_REPORT_DEPENDENCIES";
export const reporting = { [REPORTS]: "1" };

/** In such a process: this file has been read to be run. */
export function reportLoaded({ process, host }: Runtime, path: string): void {
  if (process.env[REPORTS] !== undefined && host.ipc) (process["send"] as AnyFunction | undefined)?.({ "watch:require": [path] });
}

/** What a child has said that it loads, as Node's own and loaders of others say it. */
export function loadedFiles(message: unknown): string[] {
  const { "watch:require": paths, "watch:import": urls } = (message ?? {}) as { "watch:require"?: unknown; "watch:import"?: unknown };
  return [...(Array.isArray(paths) ? paths : []), ...(Array.isArray(urls) ? urls.map((url) => urlToFile(String(url))) : [])].map(String);
}

/** Calls back once for changes that come close together, with the owners of what changed. It keeps the process alive until it is closed. */
export class ChangedFiles {
  /** By path. */
  readonly #owners = new Map<string, Set<string>>();
  readonly #changed = new Set<string>();
  readonly #watch: (path: string) => Emitter;
  readonly #watchers: (Emitter & { close(): void })[] = [];
  readonly #wait: () => void;
  #timer: { close(): void } | undefined;

  constructor(runtime: Runtime, onChange: (owners: ReadonlySet<string>) => void) {
    const { watch } = runtime.builtin("fs") as { watch(path: string, options: object): Emitter & { close(): void } };
    this.#watch = (path) => {
      const watcher = watch(path, { recursive: true });
      this.#watchers.push(watcher);
      return watcher;
    };
    this.#wait = () => {
      this.#timer?.close();
      this.#timer = startTimer(runtime, () => {
        const owners = new Set(this.#changed);
        this.#changed.clear();
        onChange(owners);
      }, DEBOUNCE_MS);
    };
  }

  /** Only files that are added. */
  watchAdded(): void {
    this.#watch("/").on("change", (_event: unknown, name: unknown) => {
      const owners = this.#owners.get(`/${String(name)}`);
      if (!owners) return;
      for (const owner of owners) this.#changed.add(owner);
      this.#wait();
    });
  }

  /** All that lies under it. Throws ENOENT. */
  watchFolder(path: string): void {
    this.#watch(path).on("change", this.#wait);
  }

  add(path: string, owner: string): void {
    const owners = this.#owners.get(path) ?? new Set();
    this.#owners.set(path, owners.add(owner));
  }

  close(): void {
    this.#timer?.close();
    for (const watcher of this.#watchers) watcher.close();
  }

  forget(owner: string): void {
    for (const owners of this.#owners.values()) owners.delete(owner);
  }
}
