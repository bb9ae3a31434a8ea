// Changes of files on their way to whoever watches, faster than it can take them: the same change twice is told once, and
// past a number of them one event without a name says that much has changed. A program that writes for ever fills nothing.

export type WatchEvent = readonly [event: "rename" | "change", name: string];

/** Different changes that may wait. */
const MOST = 4096;
/** "Look at everything": as inotify does when its queue overflows. */
const MUCH_CHANGED: WatchEvent = ["rename", ""];

export class ChangeQueue {
  readonly #waiting = new Map<string, WatchEvent>();

  /** True if it was empty before. */
  add(event: WatchEvent): boolean {
    const isFirst = this.#waiting.size === 0;
    const added = this.#waiting.size < MOST ? event : MUCH_CHANGED;
    this.#waiting.set(added.join(" "), added);
    return isFirst;
  }

  /** All that waits, oldest first. */
  take(): readonly WatchEvent[] {
    const events = [...this.#waiting.values()];
    this.#waiting.clear();
    return events;
  }
}
