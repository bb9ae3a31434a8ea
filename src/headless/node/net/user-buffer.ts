// The option `onread` of net.connect: what comes is put into a buffer of the program's and told by a call; no "data" is emitted.
import type { AnyFunction, Dict } from "../runtime.ts";

export class UserBuffer {
  readonly #make: AnyFunction | undefined;
  readonly #told: AnyFunction;
  readonly #socket: object;
  #buffer: Uint8Array;

  private constructor(buffer: Uint8Array, make: AnyFunction | undefined, told: AnyFunction, socket: object) {
    this.#buffer = buffer;
    this.#make = make;
    this.#told = told;
    this.#socket = socket;
  }

  /** Undefined for what is no such option: Node says nothing of it either. */
  static of(onread: unknown, socket: object): UserBuffer | undefined {
    const { buffer, callback } = (typeof onread === "object" && onread !== null ? onread : {}) as Dict;
    if (typeof callback !== "function") return undefined;
    const make = typeof buffer === "function" ? (buffer as AnyFunction) : undefined;
    const first: unknown = make ? make() : buffer;
    return first instanceof Uint8Array ? new UserBuffer(first, make, callback as AnyFunction, socket) : undefined;
  }

  /** How many bytes the buffer holds. */
  get size(): number {
    return this.#buffer.length;
  }

  /** Not more than there is room for. False when the program wants no more for now. */
  take(bytes: Uint8Array): boolean {
    this.#buffer.set(bytes);
    const goesOn: boolean = this.#told.call(this.#socket, bytes.length, this.#buffer) !== false;
    const next: unknown = this.#make?.();
    if (next instanceof Uint8Array) this.#buffer = next;
    return goesOn;
  }
}
