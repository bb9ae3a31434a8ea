// How much a process holds in buffers and WebAssembly memories. The engine bounds neither and tells nobody, so what makes
// them is put behind a meter here. That a buffer is gone is seen without a turn of the event loop (a loop that fills memory
// makes none): of all bytes one in each stretch is chosen by chance, what it lies in is given a small object that lives as long
// as it does, and what remains of those is counted when the limit seems to be reached. (By chance: were it the last byte of each
// stretch, a program that in turn drops 60 MB and keeps 5 might be told to hold all.) (Looking at a WeakRef keeps its object until the job ends, and so
// does making one: the refs are made beforehand, each is looked at once in a job, and only the small object is kept.)
// (memory-limits.ts says what becomes of a process that holds too much.)
import { CONTAINER_LIMITS } from "../../base/limits.ts";
import type { AnyFunction, Dict } from "./runtime.ts";
import { Buffer } from "./builtins/buffer.ts";
import { collectGarbage } from "./collect-garbage.ts";

/** Bytes of a stretch. */
const STRIDE = CONTAINER_LIMITS.processBufferBytes / 64;
/** To be made after a count before the next: it collects all garbage. */
const SLACK = CONTAINER_LIMITS.processBufferBytes / 8;
/** Enough for 32 GiB in one job; past that the rest of it goes unwatched. */
const SPARE = 2048;

interface Sample {
  readonly witness: WeakRef<object>;
  readonly bytes: number;
  /** Looked at in this job: it is there until the job ends. */
  seen: boolean;
}

/** Where the page is not isolated its name is hidden; the class is there. */
const sharedClass = (): unknown => {
  try {
    return new WebAssembly.Memory({ initial: 0, maximum: 0, shared: true }).buffer.constructor;
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError || error instanceof TypeError || error instanceof ReferenceError) return undefined; // an engine without any
    throw error;
  }
};
const NATIVE = { ArrayBuffer, Uint8Array, SharedArrayBuffer: (globalThis.SharedArrayBuffer ?? sharedClass()) as SharedArrayBufferConstructor | undefined, WebAssembly: globalThis.WebAssembly, setTimeout: globalThis.setTimeout.bind(globalThis) };
const { random } = Math;
const VIEWS = ["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"] as const;

/** Objects with a WeakRef from an earlier job. */
const spare: (readonly [object, WeakRef<object>])[] = [];

/** Ahead of the job that uses them: when the Worker's script runs. */
export function prepareBufferMeter(): void {
  while (spare.length < SPARE) {
    const witness = {};
    spare.push([witness, new WeakRef(witness)]);
  }
}

export class BufferMeter {
  /** Told the bytes; throws. */
  readonly #over: (bytes: number) => never;
  /** By what is counted: its witnesses. */
  readonly #witnesses = new WeakMap<object, object[]>();
  #samples: Sample[] = [];
  /** Where in its stretch the next chosen byte lies, and how many bytes are to be made before it. */
  #at = random() * STRIDE;
  #before = this.#at;
  /** Bytes of the samples not looked at in this job, and at how many they are; and what was there when they last were. */
  #unseen = 0;
  #window: number = CONTAINER_LIMITS.processBufferBytes;
  #found = 0;
  #turn = false;

  constructor(over: (bytes: number) => never) {
    this.#over = over;
  }

  /** `owner` lives as long as the bytes. */
  add(owner: () => object, bytes: number): void {
    this.#before -= bytes;
    if (this.#before >= 0) return;
    let chosen = 0;
    while (this.#before < 0) {
      const next = random() * STRIDE;
      this.#before += STRIDE - this.#at + next;
      this.#at = next;
      chosen += STRIDE;
    }
    const made = spare.pop();
    if (!made) return;
    const [object, witness] = made;
    const key = owner();
    const known = this.#witnesses.get(key);
    if (known) known.push(object);
    else this.#witnesses.set(key, [object]);
    this.#samples.push({ witness, bytes: chosen, seen: false });
    this.#unseen += chosen;
    this.#nextTurn();
    if (this.#unseen > this.#window) this.#look();
  }

  /** What is found now is proof: what was found earlier in this job may have gone since, and does not count. */
  #look(): void {
    collectGarbage();
    let found = 0;
    this.#samples = this.#samples.filter((sample) => {
      if (sample.seen) return true;
      if (!sample.witness.deref()) return false;
      found += sample.bytes;
      return (sample.seen = true);
    });
    this.#unseen = 0;
    this.#found = found;
    if (found > CONTAINER_LIMITS.processBufferBytes) this.#over(found);
    this.#window = Math.min(this.#window * 2, 4 * CONTAINER_LIMITS.processBufferBytes);
  }

  /** The next job sees anew, and has as many spare ones. */
  #nextTurn(): void {
    if (this.#turn) return;
    this.#turn = true;
    NATIVE.setTimeout(() => {
      this.#turn = false;
      this.#samples = this.#samples.filter((sample) => {
        sample.seen = false;
        return sample.witness.deref(); // what the engine has collected by itself need not be looked for
      });
      this.#unseen = this.#samples.reduce((sum, { bytes }) => sum + bytes, 0);
      this.#window = Math.max(CONTAINER_LIMITS.processBufferBytes, this.#found + SLACK);
      prepareBufferMeter();
    }, 0);
  }
}

const isMemory = (value: unknown): boolean => value instanceof NATIVE.ArrayBuffer || (NATIVE.SharedArrayBuffer !== undefined && value instanceof NATIVE.SharedArrayBuffer);

/** As messages say it. */
export const BUFFER_LIMIT = `a process of the container may hold ${CONTAINER_LIMITS.processBufferBytes / 2 ** 20} MiB`;

/** Puts the meter behind all that makes buffers, on the global object of a Worker that is one process. */
export function meterBuffers(meter: BufferMeter): void {
  const global = globalThis as unknown as Dict;
  const { construct, defineProperty, get } = Reflect;
  const hold = (name: string, holder: object, unit: number, measure: (made: object, given: unknown) => void): void => {
    if (!(name in holder)) return;
    const Native = (holder as Dict)[name] as (new (...args: unknown[]) => object) & { prototype: object };
    // A function, since the engine is quick with those: each `subarray` of a view asks for its class.
    function Metered(this: unknown, given: unknown, b: unknown, c: unknown): object {
      if (!new.target) throw new TypeError(name === "Memory" ? "WebAssembly.Memory(): WebAssembly.Memory must be invoked with 'new'" : `Constructor ${name} requires 'new'`);
      // Alone more than all may be: as an engine says it that cannot give so much.
      if (typeof given === "number" && given * unit > CONTAINER_LIMITS.processBufferBytes) throw new RangeError(`Array buffer allocation failed (${BUFFER_LIMIT} in buffers)`);
      const plain = new.target === (Metered as unknown);
      if (b !== undefined && plain) return c === undefined ? new Native(given, b) : new Native(given, b, c);
      const made = plain ? new Native(given) : (construct(Native, [given, b, c], new.target as unknown as AnyFunction) as object);
      measure(made, given);
      return made;
    }
    for (const key of Reflect.ownKeys(Native)) defineProperty(Metered, key, Reflect.getOwnPropertyDescriptor(Native, key) as PropertyDescriptor);
    Object.setPrototypeOf(Metered, Object.getPrototypeOf(Native) as object);
    // What methods make of a plain one is made by the engine alone; copies are measured below.
    defineProperty(Metered, Symbol.species, { get(this: unknown) {
      return this === Metered ? Native : this;
    }, configurable: true });
    defineProperty(Native.prototype, "constructor", { value: Metered, writable: true, configurable: true });
    defineProperty(holder, name, { value: Metered, writable: true, configurable: true, enumerable: false });
  };
  const grown = (owner: object, before: number, after: number): void => {
    if (after > before) meter.add(() => owner, after - before);
  };
  const wholly = (made: object): void => grown(made, 0, (made as ArrayBuffer).byteLength);
  for (const name of ["ArrayBuffer", "SharedArrayBuffer"]) hold(name, global, 1, wholly);
  for (const name of VIEWS) {
    hold(name, global, globalThis[name].BYTES_PER_ELEMENT, (made, given) => {
      const view = made as Uint8Array;
      if (view.byteLength > 0 && !isMemory(given)) meter.add(() => view.buffer, view.byteLength);
    });
  }
  /** Copies. */
  const copies = (prototype: object): void => {
    const native = get(prototype, "slice") as AnyFunction;
    defineProperty(prototype, "slice", { value: { slice(this: unknown, start: unknown, end: unknown): unknown {
      const made = native.call(this, start, end) as Uint8Array | ArrayBuffer;
      if (made.byteLength > 1024) meter.add(() => ("buffer" in made ? made.buffer : made), made.byteLength);
      return made;
    } }.slice, writable: true, configurable: true });
  };
  copies(Object.getPrototypeOf(NATIVE.Uint8Array.prototype) as object);
  copies(NATIVE.ArrayBuffer.prototype);
  /** The method, measured before and after. */
  const watch = (prototype: Dict | undefined, name: string): void => {
    const native = prototype?.[name] as AnyFunction | undefined;
    if (!native) return;
    const watched = function (this: ArrayBuffer, size: unknown): unknown {
      const before = this.byteLength;
      const result = native.call(this, size);
      grown(this, before, this.byteLength);
      return result;
    };
    defineProperty(prototype as Dict, name, { value: defineProperty(watched, "name", { value: name }) && watched, writable: true, configurable: true });
  };
  // The Buffer class has it above itself; what Buffers are made as stays the engine's, which is quick, on memory that is measured.
  Object.setPrototypeOf(Buffer, globalThis.Uint8Array);
  watch(NATIVE.ArrayBuffer.prototype as unknown as Dict, "resize");
  watch(NATIVE.SharedArrayBuffer?.prototype as unknown as Dict, "grow");

  const encoder = TextEncoder.prototype as unknown as Dict;
  const native = encoder["encode"] as AnyFunction;
  defineProperty(encoder, "encode", { value: function encode(this: TextEncoder, ...text: unknown[]) {
    const bytes = native.apply(this, text) as Uint8Array;
    meter.add(() => bytes.buffer, bytes.byteLength);
    return bytes;
  }, writable: true, configurable: true, enumerable: true });

  const clone = globalThis.structuredClone;
  defineProperty(globalThis, "structuredClone", { value: { structuredClone<T>(...args: [T, StructuredSerializeOptions?]): T {
    const made = clone(...args);
    const memory: unknown = ArrayBuffer.isView(made) ? made.buffer : made;
    if (isMemory(memory)) wholly(memory as object);
    return made;
  } }.structuredClone, writable: true, configurable: true, enumerable: true });

  // Code in WebAssembly grows its memory unseen; whoever uses the memory from outside reads its buffer anew after that.
  const memory = NATIVE.WebAssembly.Memory.prototype;
  const buffer = Reflect.getOwnPropertyDescriptor(memory, "buffer") as PropertyDescriptor & { get(): ArrayBuffer };
  const sizes = new WeakMap<object, number>();
  let uncounted: number = CONTAINER_LIMITS.processSharedStartBytes;
  /** What a shared one begins with takes no memory until it is touched, and a thread is given its process's; only what it grows by is counted. */
  const start = (found: ArrayBufferLike): number => {
    if (found instanceof NATIVE.ArrayBuffer) return 0;
    const free = Math.min(uncounted, found.byteLength);
    uncounted -= free;
    return free;
  };
  defineProperty(memory, "buffer", { ...buffer, get(this: WebAssembly.Memory): ArrayBuffer {
    const found = buffer.get.call(this);
    const before = sizes.get(this) ?? start(found);
    sizes.set(this, found.byteLength);
    grown(this, before, found.byteLength);
    return found;
  } });
  hold("Memory", global["WebAssembly"] as object, 0, (made) => void get(made, "buffer"));
}
