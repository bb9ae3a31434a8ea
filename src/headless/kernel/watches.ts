// Who watches which folder, and what is told to them: a batch at a time.
import { ChangeQueue, type WatchEvent } from "../change-queue.ts";
import { baseName, isWithin } from "../posix-path.ts";
import type { FileChange } from "../vfs.ts";

/** How long changes are gathered before they are told. */
const GATHER_MS = 10;

interface Watch {
  readonly path: string;
  readonly recursive: boolean;
  readonly queue: ChangeQueue;
}

export class Watches {
  readonly #watches = new Map<number, Watch>();
  readonly #tell: (watch: number, events: readonly WatchEvent[]) => void;

  constructor(tell: (watch: number, events: readonly WatchEvent[]) => void) {
    this.#tell = tell;
  }

  /** `path` is real: no links in it. */
  add(watch: number, path: string, recursive: boolean): void {
    this.#watches.set(watch, { path, recursive, queue: new ChangeQueue() });
  }

  remove(watch: number): void {
    this.#watches.delete(watch);
  }

  changed({ event, path }: FileChange): void {
    for (const [number, { path: root, recursive, queue }] of this.#watches) {
      if (!isWithin(path, root)) continue;
      const name = path === root ? baseName(path) : path.slice(root === "/" ? 1 : root.length + 1);
      if (!recursive && path !== root && name.includes("/")) continue;
      if (queue.add([event, name])) setTimeout(() => this.#watches.has(number) && this.#tell(number, queue.take()), GATHER_MS);
    }
  }
}
