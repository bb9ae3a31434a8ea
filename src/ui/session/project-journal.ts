// Keeps what the container's files are while they change, so that a crash in the middle of a command loses about a
// second (more of a project that takes long to pack): a change, whoever made it, is followed by one atomic write of the project's image (links, modes and empty folders
// included). The whole session is saved when an activity ends (core.ts); this is what happens in between.
import type { LiveProject } from "../../container/sandbox.ts";

/** From a change to its image; changes in between are in it. */
const DELAY_MS = 400;
/** The next image is made no sooner than so many times what the last one took: a large project is not packed all the time. */
const REST = 4;

export class ProjectJournal {
  readonly #live: LiveProject;
  readonly #keep: (image: Uint8Array, hasPackages: boolean) => Promise<void>;
  readonly #report: (error: unknown) => void;
  #stopWatching: () => void = () => undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #notBefore = 0;
  #holds = 0;
  #closed = false;

  /** `keep` stores an image under the workspace that is open then. */
  constructor(live: LiveProject, keep: (image: Uint8Array, hasPackages: boolean) => Promise<void>, report: (error: unknown) => void) {
    this.#live = live;
    this.#keep = keep;
    this.#report = report;
  }

  async start(): Promise<void> {
    this.#stopWatching = await this.#live.watch(() => this.#changed());
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stopWatching();
  }

  /** Nothing is kept while `work` puts another project into the container: it would be kept as the one before. */
  async holding<T>(work: () => Promise<T>): Promise<T> {
    this.#holds++;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#writing;
    try {
      return await work();
    } finally {
      this.#holds--;
    }
  }

  /** Keeps the project as it is now. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  #changed(): void {
    if (this.#closed || this.#holds > 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.flush(), Math.max(DELAY_MS, this.#notBefore - performance.now()));
  }

  async #write(): Promise<void> {
    if (this.#closed || this.#holds > 0) return;
    const started = performance.now();
    try {
      await this.#keep(await this.#live.image(), await this.#live.hasPackages());
    } catch (error) {
      this.#report(error);
    }
    this.#notBefore = performance.now() + REST * (performance.now() - started);
  }
}
