// Messages in shared memory, from one thread to another: what `receiveMessageOnPort` takes without returning to the event loop.
// One side only writes, the other only reads, and neither waits. Positions are counts of bytes that only grow (and wrap as
// 32-bit numbers do); whenever all has been read, the writer starts at the front again.

const WRITTEN = 0;
const READ = 1;
/** The position whose byte is the first behind the head; the writer's, while nothing is unread. */
const BASE = 2;
const HEAD_BYTES = 16;
const FIRST_BYTES = 4 * 1024;
/** Address space is taken for all that a box may grow to, and all processes have 16 GB of it: few boxes may be large. */
const LARGE_BYTES = 32 * 1024 * 1024;
const LARGE_BOXES = 16;
const SMALL_BYTES = 128 * 1024;
/** In a length: the sender has changed files before it. */
const CHANGED = 1 << 30;
/** Instead of a length: a message that comes on its own way, and one that did not come after all. */
const ELSEWHERE = -1;
const WITHDRAWN = -2;

// Kept before a program can replace the globals.
const Shared = globalThis.SharedArrayBuffer as SharedArrayBufferConstructor | undefined;
const { load, store } = Atomics;

/** Only on a page that is isolated (COOP and COEP) is there memory to share. */
export const sharesMemory = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true && Shared !== undefined;

let large = 0;
const collected = new FinalizationRegistry(() => void large--);

/** Undefined: there is no memory to share. */
export function newMailbox(): SharedArrayBuffer | undefined {
  if (!sharesMemory || !Shared) return undefined;
  const isLarge = large < LARGE_BOXES;
  try {
    const memory = new Shared(FIRST_BYTES, { maxByteLength: isLarge ? LARGE_BYTES : SMALL_BYTES });
    if (isLarge) collected.register(memory, undefined);
    if (isLarge) large++;
    return memory;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

export class Mailbox {
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    // They grow with the memory.
    this.#numbers = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory);
  }

  /** `changed`: its sender has changed files, which its receiver must see. False: there is no room. */
  put(message: Uint8Array, changed: boolean): boolean {
    const at = this.#reserve(message.length);
    if (at === undefined) return false;
    this.#bytes.set(message, at + 4);
    this.#publish(at, changed ? message.length | CHANGED : message.length, message.length);
    return true;
  }

  /** Says that the next message comes elsewhere. Returns what takes that back; undefined: there is no room. */
  announce(): (() => void) | undefined {
    const at = this.#reserve(0);
    if (at === undefined) return undefined;
    this.#publish(at, ELSEWHERE, 0);
    return () => void store(this.#numbers, at / 4, WITHDRAWN);
  }

  /** The next message; "elsewhere": one that was announced, which stays until `skip`. Undefined: none. `changed`: told before. */
  take(changed?: () => void): Uint8Array | "elsewhere" | undefined {
    for (;;) {
      const read = load(this.#numbers, READ);
      if (read === load(this.#numbers, WRITTEN)) return undefined;
      const at = this.#place(read);
      const mark = load(this.#numbers, at / 4);
      if (mark === ELSEWHERE) return "elsewhere";
      const length = mark === WITHDRAWN ? mark : mark & ~CHANGED;
      if (length !== mark) changed?.();
      const message = length === WITHDRAWN ? undefined : this.#bytes.slice(at + 4, at + 4 + length);
      store(this.#numbers, READ, (read + sizeOf(Math.max(length, 0))) | 0);
      if (message) return message;
    }
  }

  /** Past the announced one. */
  skip(): void {
    store(this.#numbers, READ, (load(this.#numbers, READ) + sizeOf(0)) | 0);
  }

  #place(position: number): number {
    return HEAD_BYTES + ((position - load(this.#numbers, BASE)) | 0);
  }

  #reserve(length: number): number | undefined {
    const written = load(this.#numbers, WRITTEN);
    if (written === load(this.#numbers, READ)) store(this.#numbers, BASE, written);
    const at = this.#place(written);
    const end = at + sizeOf(length);
    const { byteLength, maxByteLength } = this.memory;
    if (end > maxByteLength) return undefined;
    if (end > byteLength) this.memory.grow(Math.min(maxByteLength, Math.max(end, byteLength * 2)));
    return at;
  }

  #publish(at: number, mark: number, length: number): void {
    store(this.#numbers, at / 4, mark);
    store(this.#numbers, WRITTEN, (load(this.#numbers, WRITTEN) + sizeOf(length)) | 0);
  }
}

/** With its length, to a whole number of words. */
function sizeOf(length: number): number {
  return 4 + ((length + 3) & ~3);
}
