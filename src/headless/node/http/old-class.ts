// Node's HTTP classes are older than `class`: they may be called without `new`, and packages inherit from them with
// `util.inherits` and `http.ServerResponse.call(this, req)`. Such a class is a function that sets an object up, and methods.

/** What code that uses the class sees of it. */
export interface OldClass<T> {
  new (...args: never[]): T;
  (this: unknown, ...args: unknown[]): void;
  readonly prototype: T;
}

/** `methods` may hold getters and setters; they are taken over as such. */
export function oldClass<T extends object>(name: string, parent: { readonly prototype: object }, init: (self: T, args: readonly unknown[]) => void, methods: object & ThisType<T>): OldClass<T> {
  const made = function (this: unknown, ...args: unknown[]): object | undefined {
    if (!(this instanceof made)) {
      const self = Object.create(made.prototype as object) as T;
      init(self, args);
      return self;
    }
    init(this as T, args);
    return undefined;
  } as unknown as OldClass<T>;
  Object.defineProperty(made, "name", { value: name, configurable: true });
  Object.setPrototypeOf(made, parent);
  const prototype = Object.create(parent.prototype) as object;
  Object.defineProperty(prototype, "constructor", { value: made, writable: true, configurable: true });
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(methods))) Object.defineProperty(prototype, key, { ...descriptor, enumerable: false });
  Object.defineProperty(made, "prototype", { value: prototype, writable: false });
  return made;
}
