// What Node's inspect sees and script cannot: what is left in an iterator of a Map or Set, how a promise has ended, and which
// functions are generators.
import { inspect } from "node-inspect-extracted";
import { isTrackedProxy } from "../proxies.ts";
import { inspectCustom, type InspectOptions, show } from "./web-inspect.ts";

interface Ended {
  readonly rejected: boolean;
  readonly value: unknown;
}

/** Promises whose end has been seen: those of `Promise.resolve` and `Promise.reject`, and those nobody handled. */
const ended = new WeakMap<object, Ended>();

export function noteRejected(promise: object, reason: unknown): void {
  ended.set(promise, { rejected: true, value: reason });
}

/** One that prints as its values do, a pair in brackets, and is equal to no other. */
class Box {
  readonly #values: readonly unknown[];

  constructor(values: readonly unknown[]) {
    this.#values = values;
  }

  [inspectCustom](depth: number, options: InspectOptions): string {
    const texts = this.#values.map((value) => inspect(value, { ...options, depth } as never));
    return texts.length === 1 ? (texts[0] ?? "") : `[ ${texts.join(", ")} ]`;
  }
}

/** As `inspect` prints what a Set holds, after `head` instead of `Set(n)`. */
function held(head: string, boxes: ReadonlySet<Box>, depth: number, options: InspectOptions): string {
  const before = `Set(${boxes.size}) `;
  const text = inspect(boxes, { ...options, depth: options.depth === null ? null : depth, breakLength: (options.breakLength ?? 128) - (head.length + 1 - before.length) } as never);
  return `${head} ${boxes.size === 0 ? "{  }" : text.slice(before.length)}`;
}

/**
 * Looking into an iterator of the engine's takes its items out: they are put back as a `next` of its own. What comes into
 * its Map or Set after that it does not see any more.
 */
function peek(iterator: Iterator<unknown> & Iterable<unknown>): unknown[] {
  const items = [...iterator];
  const again = items[Symbol.iterator]();
  Object.defineProperty(iterator, "next", { value: () => again.next(), configurable: true, writable: true, enumerable: false });
  return items;
}

function showIterators(name: "Map" | "Set", prototype: object): void {
  show(prototype, function (this: Iterator<unknown> & Iterable<unknown>, depth, options) {
    if (depth < 0 || (this as unknown) === prototype) return this;
    const items = peek(this);
    // Whether they are entries the engine does not tell: by their looks.
    const entries = items.length > 0 && items.every((item) => Array.isArray(item) && item.length === 2 && (name === "Map" || Object.is(item[0], item[1])));
    const boxes = new Set(items.map((item) => new Box(entries ? (item as unknown[]) : [item])));
    return held(entries ? `[${name} Entries]` : `[${name} Iterator]`, boxes, depth, options);
  });
}

function notePromises(): void {
  const { resolve, reject } = Promise;
  const noting = {
    resolve(this: unknown, ...args: readonly [unknown?]): unknown {
      const made: unknown = Reflect.apply(resolve, this as PromiseConstructor, args);
      const [value] = args;
      if (this === Promise && made !== value && ((typeof value !== "object" && typeof value !== "function") || value === null || (!isTrackedProxy(value) && !("then" in value)))) ended.set(made as object, { rejected: false, value });
      return made;
    },
    reject(this: unknown, ...args: readonly [unknown?]): unknown {
      const made: unknown = Reflect.apply(reject, this as PromiseConstructor, args);
      if (this === Promise) noteRejected(made as object, args[0]);
      return made;
    },
  };
  for (const name of ["resolve", "reject"] as const) {
    Object.defineProperty(noting[name], "length", { value: 1, configurable: true });
    Object.defineProperty(Promise, name, { value: noting[name], writable: true, configurable: true, enumerable: false });
  }
  show(Promise.prototype, function (this: Promise<unknown>, depth, options) {
    const end = ended.get(this);
    if (!end || depth < 0 || Object.getPrototypeOf(this) !== Promise.prototype || Reflect.ownKeys(this).length > 0) return this;
    const value = inspect(end.value, { ...options, depth: options.depth === null ? null : depth - 1 } as never);
    const inner = end.rejected ? `${options.stylize("<rejected>", "special")} ${value}` : value;
    return inner.includes("\n") || inner.length + 20 > (options.breakLength ?? 128) ? `Promise {\n  ${inner.replaceAll("\n", "\n  ")}\n}` : `Promise { ${inner} }`;
  });
}

/** The kept `inspect` knows generators by `function*` alone: those of methods it takes for plain functions. */
function showGeneratorMethods(kind: "GeneratorFunction" | "AsyncGeneratorFunction", prototype: object): void {
  show(prototype, function (this: object, _depth, options) {
    const text = inspect(this, { ...options, customInspect: false } as never);
    return text.includes(`[${kind}`) || typeof this !== "function" ? this : text.replace(/\[(?:Async)?Function(?=[: ])/, `[${kind}`).replace(` ${kind}`, "");
  });
}

/** Changes the realm's prototypes; to be called once. */
export function showStates(): void {
  showGeneratorMethods("GeneratorFunction", Object.getPrototypeOf(function* () {}) as object);
  showGeneratorMethods("AsyncGeneratorFunction", Object.getPrototypeOf(async function* () {}) as object);
  showIterators("Map", Object.getPrototypeOf(new Map().entries()) as object);
  showIterators("Set", Object.getPrototypeOf(new Set().values()) as object);
  notePromises();
}
