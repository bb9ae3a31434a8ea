// Node's older classes may be called without `new`: for a new object, or by a class that was made with `util.inherits` and
// calls its parent on `this`. A class with private fields can be neither by itself.

type Class = new (...args: never[]) => object;

let adopted: object | undefined;

/** The parent for a class that is to be `callable`. What a parent's constructor returns becomes `this`: an existing object, if one is to be set up. */
export function adopting<C extends Class>(parent: C): C {
  const construct = (target: C, args: unknown[], made: new () => object): object => {
    const object = Reflect.construct(target, args as never[], made) as object;
    const self = adopted;
    adopted = undefined;
    return self ? Object.defineProperties(self, Object.getOwnPropertyDescriptors(object)) : object;
  };
  return new Proxy(parent, { construct: construct as never });
}

export function callable<C extends Class>(type: C): C {
  // A Proxy's `apply` needs a target that can be called; a class is one, it merely refuses by itself.
  const made: C = new Proxy(type, {
    apply: (target, self: unknown, args) => {
      adopted = self instanceof type ? self : undefined;
      return Reflect.construct(target, args) as object;
    },
  });
  Object.defineProperty(type.prototype, "constructor", { value: made, writable: true, configurable: true });
  return made;
}
