// `mock.property` of node:test (from Node 22.20 on): a property whose reads and writes are remembered and can be answered.
import { checkInteger, invalidArgValue } from "../errors.ts";

export interface PropertyAccess {
  readonly type: "get" | "set";
  readonly value: unknown;
  readonly stack: Error;
}

export class MockPropertyContext {
  readonly #object: object;
  readonly #name: PropertyKey;
  readonly #descriptor: PropertyDescriptor;
  readonly #original: unknown;
  readonly #once = new Map<number, unknown>();
  #value: unknown;
  #accesses: PropertyAccess[] = [];

  /** `value`: what it reads as; none: what it is now. */
  constructor(object: object, name: PropertyKey, value: readonly [unknown] | undefined) {
    const descriptor = Object.getOwnPropertyDescriptor(object, name);
    if (!descriptor) throw invalidArgValue("propertyName", name, "is not a property of the object");
    this.#object = object;
    this.#name = name;
    this.#descriptor = descriptor;
    this.#original = (object as Record<PropertyKey, unknown>)[name];
    this.#value = value ? value[0] : this.#original;
    const { configurable = false, enumerable = false } = descriptor;
    Object.defineProperty(object, name, { configurable, enumerable, get: () => this.#access("get", this.#value), set: (next: unknown) => this.mockImplementation(next) });
  }

  get accesses(): readonly PropertyAccess[] {
    return [...this.#accesses];
  }

  accessCount(): number {
    return this.#accesses.length;
  }

  mockImplementation(value: unknown): void {
    if (!this.#descriptor.writable) throw invalidArgValue("propertyName", this.#name, "cannot be set");
    this.#value = this.#access("set", value);
  }

  mockImplementationOnce(value: unknown, onAccess?: unknown): void {
    const next = this.#accesses.length;
    const at = onAccess ?? next;
    checkInteger(at, "onAccess", next);
    this.#once.set(at, value);
  }

  resetAccesses(): void {
    this.#accesses = [];
  }

  restore(): void {
    const { configurable = false, enumerable = false, writable = true } = this.#descriptor;
    if (this.#descriptor.get || this.#descriptor.set) Object.defineProperty(this.#object, this.#name, this.#descriptor);
    else Object.defineProperty(this.#object, this.#name, { configurable, enumerable, writable, value: this.#original });
  }

  #access(type: PropertyAccess["type"], otherwise: unknown): unknown {
    const at = this.#accesses.length;
    const value = this.#once.has(at) ? this.#once.get(at) : otherwise;
    this.#once.delete(at);
    this.#accesses.push({ type, value, stack: new Error() });
    return value;
  }
}
