// A file on a server, to be read in file order: blocks ahead of the reader are fetched several at once and kept in bounded
// memory. Each block is tried again alone; a connection that drops inside one goes on from the byte that it had. Nothing is
// stored here and nothing is hashed: who reads does that.
import { AppError, abortedError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { ByteSource } from "../gguf/source.ts";
import { BROWSER_NETWORK, type Network, PATIENCE, type Patience } from "./network.ts";
import { fetchRest, type Part, type RemoteFile, type Route, Unreached } from "./range-request.ts";

/** How a download is, besides how far. */
export type Weather = "running" | "paused" | "offline" | "retrying";

/** What a source does. How far the file is, its reader knows. */
export interface RemoteProgress {
  /** Bytes that came over the network since the source was made. */
  readonly receivedBytes: number;
  readonly weather: Weather;
}

export interface RemoteOptions {
  readonly onProgress?: (progress: RemoteProgress) => void;
  readonly network?: Network;
  readonly patience?: Patience;
  readonly blockBytes?: number;
  /** Requests under way at once. */
  readonly parallel?: number;
  /** Blocks that are fetched before they are read, at most: the longer the reader goes straight on, the more. */
  readonly ahead?: number;
}

/** Also holds what was read last: a header is looked at again, the three matrices of an expert lie apart. */
const KEPT_BLOCKS = 4;

interface Block extends Part {
  readonly index: number;
  readonly ready: Promise<void>;
  end: AbortController;
  state: "waiting" | "loading" | "ready" | "failed";
  settle(error?: unknown): void;
}

/** Owns its requests until `close`. Memory: the blocks ahead, the kept ones, and what a reader asked for. */
export class RemoteSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #route: Route;
  readonly #options: Required<Omit<RemoteOptions, "onProgress">>;
  readonly #onProgress: (progress: RemoteProgress) => void;
  readonly #blocks = new Map<number, Block>();
  /** Blocks that somebody waits for, in the order in which they were asked for. */
  readonly #awaited: number[] = [];
  readonly #kept: number[] = [];
  readonly #closing = new AbortController();
  #next = 0;
  /** End of what was read up to now. */
  #farthest = 0;
  /** Blocks read one after another. */
  #run = 0;
  #received = 0;
  #paused = false;
  #troubled = 0;

  constructor(file: RemoteFile, { onProgress, ...options }: RemoteOptions = {}) {
    this.name = file.name;
    this.size = file.bytes;
    this.#route = { file, direct: undefined };
    this.#onProgress = onProgress ?? (() => undefined);
    this.#options = { network: BROWSER_NETWORK, patience: PATIENCE, blockBytes: LIMITS.blockBytes, parallel: 4, ahead: 8, ...options };
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      throw new AppError("model/format", `${this.name} ends too early: it has ${this.size} bytes, and bytes up to ${offset + length} are needed. Get the file again.`, { data: { size: this.size, needed: offset + length } });
    }
    if (this.#farthest === this.size && offset < this.size) this.#forget();
    this.#farthest = Math.max(this.#farthest, offset + length);
    const out = new Uint8Array(length);
    const { blockBytes } = this.#options;
    for (let index = Math.floor(offset / blockBytes); index * blockBytes < offset + length; index++) {
      const block = await this.#wait(index, signal);
      const from = Math.max(offset, block.offset);
      const to = Math.min(offset + length, block.offset + block.buffer.byteLength);
      out.set(block.buffer.subarray(from - block.offset, to - block.offset), from - offset);
      this.#keep(index);
    }
    return out;
  }

  /** Whoever read to the end and begins again doubts what came: it is fetched anew. */
  #forget(): void {
    this.#farthest = 0;
    this.#kept.length = 0;
    for (const [index, { state }] of this.#blocks) if (state === "ready" && !this.#awaited.includes(index)) this.#blocks.delete(index);
  }

  /** Ends what is under way; what has arrived of each block stays. Readers wait. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    for (const { end, state } of this.#blocks.values()) if (state === "loading") end.abort();
    this.#tell();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#pump(); // a block whose request still ends follows when it has
    this.#tell();
  }

  /** Readers fail with `aborted`. */
  close(): void {
    this.#closing.abort();
    for (const block of this.#blocks.values()) {
      block.end.abort();
      block.settle(abortedError(`Downloading ${this.name}`));
    }
    this.#blocks.clear();
  }

  async #wait(index: number, signal?: AbortSignal): Promise<Block> {
    const stopped = (): AppError => abortedError(`Downloading ${this.name}`);
    if (signal?.aborted || this.#closing.signal.aborted) throw stopped();
    if (index !== this.#next) this.#run = index === this.#next + 1 ? this.#run + 1 : 0;
    this.#next = index;
    this.#awaited.push(index);
    this.#pump();
    const block = this.#blocks.get(index) ?? this.#begin(index);
    try {
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => reject(stopped());
        signal?.addEventListener("abort", abort, { once: true });
        block.ready.then(resolve, reject).finally(() => signal?.removeEventListener("abort", abort));
      });
    } catch (error) {
      if (block.state === "failed" && this.#blocks.get(index) === block) this.#blocks.delete(index); // the next reader tries anew
      throw error;
    } finally {
      this.#awaited.splice(this.#awaited.indexOf(index), 1);
    }
    return block;
  }

  #keep(index: number): void {
    const at = this.#kept.indexOf(index);
    if (at >= 0) this.#kept.splice(at, 1);
    this.#kept.push(index);
    if (this.#kept.length > KEPT_BLOCKS) this.#kept.shift();
    this.#pump();
    this.#tell();
  }

  /** Starts what is wanted and not under way, drops what is neither wanted nor kept. */
  #pump(): void {
    if (this.#closing.signal.aborted) return;
    const { ahead, parallel, blockBytes } = this.#options;
    const last = Math.ceil(this.size / blockBytes) - 1;
    const wanted = new Set(this.#awaited);
    const reach = Math.min(last, this.#next + Math.min(ahead, 2 * this.#run));
    for (let index = this.#next; index <= reach; index++) wanted.add(index);
    for (const [index, block] of this.#blocks) {
      if (wanted.has(index) || this.#kept.includes(index)) continue;
      this.#blocks.delete(index);
      block.end.abort();
      block.settle(abortedError(`Downloading ${this.name}`));
    }
    let loading = [...this.#blocks.values()].filter(({ state }) => state === "loading").length;
    for (const index of wanted) {
      if (loading >= parallel || this.#paused) return;
      const block = this.#blocks.get(index) ?? this.#begin(index);
      if (block.state !== "waiting") continue;
      loading++;
      void this.#load(block);
    }
  }

  #begin(index: number): Block {
    const { blockBytes } = this.#options;
    const offset = index * blockBytes;
    let settle: Block["settle"] = () => undefined;
    const ready = new Promise<void>((resolve, reject) => {
      settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    ready.catch(() => undefined); // of a block that nobody waits for yet
    const block: Block = { index, offset, buffer: new Uint8Array(Math.min(blockBytes, this.size - offset)), got: 0, ready, end: new AbortController(), state: "waiting", settle };
    this.#blocks.set(index, block);
    return block;
  }

  /** Until the block is there, or nothing helps. */
  async #load(block: Block): Promise<void> {
    block.state = "loading";
    try {
      await this.#persist(block);
      block.state = "ready";
      block.settle();
    } catch (error) {
      const isPaused = block.end.signal.aborted && !this.#closing.signal.aborted && this.#blocks.get(block.index) === block;
      if (isPaused) suspend(block);
      else {
        block.state = "failed";
        block.settle(error);
      }
    }
    this.#pump();
  }

  async #persist(block: Block): Promise<void> {
    const { network, patience } = this.#options;
    const { signal } = block.end;
    for (let failures = 0; ; ) {
      const had = block.got;
      try {
        await fetchRest(this.#route, block, network, patience.silentMs, (count) => this.#arrived(count), signal);
        return;
      } catch (error) {
        if (!(error instanceof Unreached)) throw error;
        failures = block.got > had ? 1 : failures + 1;
        if (network.isOnline() && failures >= patience.tries) throw this.#gaveUp(error);
        await this.#recover(error, failures, signal);
        if (!network.isOnline()) failures = 0;
      }
    }
  }

  async #recover({ waitMs }: Unreached, failures: number, signal: AbortSignal): Promise<void> {
    const { network, patience } = this.#options;
    const { firstMs, mostMs } = patience;
    this.#troubled++;
    this.#tell();
    try {
      if (network.isOnline()) await network.pause(waitMs ?? Math.min(mostMs, firstMs * 2 ** (failures - 1)) * (0.75 + Math.random() / 2), signal);
      else await network.backOnline(signal);
    } finally {
      this.#troubled--;
      this.#tell();
    }
  }

  #gaveUp({ message, cause }: Unreached): AppError {
    return new AppError("download/failed", `${this.name} could not be downloaded: ${message}, ${this.#options.patience.tries} times in a row. What has arrived is kept: go on when the connection is better.`, { cause });
  }

  #arrived(count: number): void {
    this.#received += count;
    this.#tell();
  }

  #tell(): void {
    const weather = this.#paused ? "paused" : this.#troubled === 0 ? "running" : this.#options.network.isOnline() ? "retrying" : "offline";
    this.#onProgress({ receivedBytes: this.#received, weather });
  }
}

/** A paused block goes on where it was: the same bytes under a new signal. */
function suspend(block: Block): void {
  block.state = "waiting";
  block.end = new AbortController();
}
