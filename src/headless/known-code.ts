// What processes find out about code by reading it, for all processes of the container: a test runner starts several, again
// and again, which load the same files, and most of what loading takes is parsing. Facts are plain data, kept by the text
// they are about in memory that all share; there is none on a page that is not isolated, and each process reads for itself.
//
// The memory: a lock, the number of bytes used, and entries one after the other, each a head of six numbers (four of the
// text's hash, the bytes of its facts, 1 once they are all there) and its facts as JSON, padded to four bytes.

const LOCK = 0;
const USED = 1;
const FIRST = 2;
const HASH_NUMBERS = 4;
const HEAD_NUMBERS = HASH_NUMBERS + 2;
/** Pages that nobody has written to take no memory. */
const BYTES = 64 * 1024 * 1024;
/** A process that is ended while it holds the lock takes it with it: then nothing is added any more. */
const TRIES = 10_000;
/** What is shorter is read faster than it is looked up. */
const SHORTEST = 400;

/** Programs change theirs. */
const { parse, stringify } = JSON;
const { imul } = Math;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Memory for facts, or a new one when `before` is nearly full: what is in it is then found out again. */
export function codeMemory(before: SharedArrayBuffer | null): SharedArrayBuffer | null {
  if ((globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== true) return null;
  if (before && Atomics.load(new Int32Array(before), USED) < BYTES * 0.9) return before;
  return makeCodeMemory(BYTES);
}

export function makeCodeMemory(bytes: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(bytes);
  Atomics.store(new Int32Array(memory), USED, FIRST * Int32Array.BYTES_PER_ELEMENT);
  return memory;
}

/** 128 bits of what kind of facts are wanted and of the text: two multiplications a letter, in four rows. */
function hashOf(kind: string, text: string): Int32Array {
  const rows = new Int32Array([0x9e3779b9, 0x243f6a88, 0xb7e15162, text.length]);
  let [a, b, c, d] = rows as unknown as [number, number, number, number];
  for (const part of [kind, text]) {
    for (let at = 0; at < part.length; at++) {
      const unit = part.charCodeAt(at);
      a = imul(a ^ unit, 0x85ebca6b);
      b = imul(b + unit, 0xc2b2ae35) ^ (a >>> 13);
      c = (c + b) | 0;
      d = imul(d ^ c, 0x27d4eb2f) ^ (c >>> 15);
    }
    d ^= part.length;
  }
  rows.set([a ^ (d >>> 16), b, c ^ (a >>> 11), d]);
  return rows;
}

export class KnownCode {
  readonly #numbers: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  /** By hash: where the entry begins, in numbers. */
  readonly #entries = new Map<string, number>();
  /** By kind and text, of what this process has asked for: a runner loads a file once for each of its tests. */
  readonly #asked = new Map<string, Map<string, number>>();
  #seen = FIRST;

  constructor(memory: SharedArrayBuffer) {
    this.#numbers = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory);
  }

  /** The facts of this kind about `text`, found out by `find` if they are not known. They must be plain data. Throws what `find` throws. */
  facts<T>(kind: string, text: string, find: () => T): T {
    const asked = this.#asked.get(kind) ?? new Map<string, number>();
    this.#asked.set(kind, asked);
    const at = asked.get(text);
    if (at !== undefined) return parse(this.#read(at)) as T;
    const hash = hashOf(kind, text);
    const place = this.#placeOf(hash.join());
    if (place !== undefined) {
      asked.set(text, place);
      return parse(this.#read(place)) as T;
    }
    // What comes back is the same for who finds it out and for who is told.
    const found = stringify(find());
    const added = this.#add(hash, encoder.encode(found));
    if (added !== undefined) asked.set(text, added);
    return parse(found) as T;
  }

  #placeOf(key: string): number | undefined {
    this.#readOn();
    const at = this.#entries.get(key);
    return at !== undefined && Atomics.load(this.#numbers, at + HEAD_NUMBERS - 1) === 1 ? at : undefined;
  }

  #read(at: number): string {
    const from = (at + HEAD_NUMBERS) * Int32Array.BYTES_PER_ELEMENT;
    // A copy: a decoder takes no shared memory.
    return decoder.decode(this.#bytes.slice(from, from + (this.#numbers[at + HASH_NUMBERS] as number)));
  }

  /** Takes notice of what others have added. */
  #readOn(): void {
    const end = Atomics.load(this.#numbers, USED) / Int32Array.BYTES_PER_ELEMENT;
    while (this.#seen < end) {
      this.#entries.set(this.#numbers.subarray(this.#seen, this.#seen + HASH_NUMBERS).join(), this.#seen);
      this.#seen += sizeOf(this.#numbers[this.#seen + HASH_NUMBERS] as number);
    }
  }

  #add(hash: Int32Array, facts: Uint8Array): number | undefined {
    const at = this.#reserve(hash, facts.length);
    if (at === undefined) return undefined;
    this.#bytes.set(facts, (at + HEAD_NUMBERS) * Int32Array.BYTES_PER_ELEMENT);
    Atomics.store(this.#numbers, at + HEAD_NUMBERS - 1, 1);
    return at;
  }

  /** A head with its number of bytes, and room behind it. Undefined when there is none, or the lock is lost. */
  #reserve(hash: Int32Array, bytes: number): number | undefined {
    let tries = 0;
    while (Atomics.compareExchange(this.#numbers, LOCK, 0, 1) !== 0) if (++tries === TRIES) return undefined;
    const at = Atomics.load(this.#numbers, USED) / Int32Array.BYTES_PER_ELEMENT;
    const next = at + sizeOf(bytes);
    const fits = next <= this.#numbers.length;
    if (fits) {
      this.#numbers.set(hash, at);
      this.#numbers[at + HASH_NUMBERS] = bytes;
      Atomics.store(this.#numbers, USED, next * Int32Array.BYTES_PER_ELEMENT);
    }
    Atomics.store(this.#numbers, LOCK, 0);
    return fits ? at : undefined;
  }
}

/** Of an entry, in numbers. */
const sizeOf = (bytes: number): number => HEAD_NUMBERS + Math.ceil(bytes / Int32Array.BYTES_PER_ELEMENT);

let known: KnownCode | undefined;
let shortest = SHORTEST;

/** For this process, from its start on. Texts of fewer letters than `least` are always read. */
export function useCodeMemory(memory: SharedArrayBuffer | null, least = SHORTEST): void {
  known = memory ? new KnownCode(memory) : undefined;
  shortest = least;
}

/** `find()`, or what it gave another process for the same text. It gives plain data, and must depend on nothing but `kind` and `text`. */
export function factsOf<T>(kind: string, text: string, find: () => T): T {
  return known && text.length >= shortest ? known.facts(kind, text, find) : find();
}
