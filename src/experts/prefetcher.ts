// Reads experts ahead while the storage has nothing else to do, up to a number of bytes for as long as the model is loaded.
// What it reads changes when a token is fast, never a result.
import { LIMITS } from "../base/limits.ts";
import type { ExpertCache } from "./cache.ts";

export class Prefetcher {
  readonly #cache: Pick<ExpertCache, "prefetch" | "waited">;
  readonly #past: (layer: number) => ArrayLike<number> | undefined;
  readonly #limitBytes: number;
  readonly #stopped = new AbortController();
  #bytes = 0;
  #running = false;

  /** `past(layer)`: how often each expert was used in earlier sessions, `[experts]`; undefined: not known. */
  constructor(cache: Pick<ExpertCache, "prefetch" | "waited">, past: (layer: number) => ArrayLike<number> | undefined, limitBytes: number = LIMITS.prefetchBytes) {
    this.#cache = cache;
    this.#past = past;
    this.#limitBytes = limitBytes;
  }

  /** Bytes read ahead so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** To be called whenever the storage may be idle: begins, unless it is at it or has nothing more to do. Resolves when it pauses. */
  async run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.#stopped.signal.aborted && !this.#cache.waited && this.#bytes < this.#limitBytes) {
        const bytes = await this.#cache.prefetch(this.#past, this.#stopped.signal);
        if (bytes === 0) break;
        this.#bytes += bytes;
      }
    } catch {
      // Nobody asked for these: whoever needs one will read it, and be told what is wrong with it.
      this.stop();
    } finally {
      this.#running = false;
    }
  }

  /** For good. What is being read is dropped. */
  stop(): void {
    this.#stopped.abort();
  }
}
