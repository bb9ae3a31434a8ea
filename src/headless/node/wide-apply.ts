// Functions of the engine that programs apply to long lists. A browser gives a worker half of Node's stack, and arguments
// lie on it: `String.fromCharCode.apply(String, codes)` with 65,536 codes works in Node and would be an error here. These
// take the list in pieces, up to as many as Node takes; spread (`f(...list)`) cannot be helped.

/** Arguments of one call. */
const PIECE = 8192;
/** Beyond it Node's stack ends too. */
const MOST = 120_000;

type List = ArrayLike<unknown>;
type Wide = (self: unknown, list: List, call: (self: unknown, list: List) => unknown) => unknown;

const pieces = (list: List): unknown[][] => Array.from({ length: Math.ceil(list.length / PIECE) }, (_, i) => Array.prototype.slice.call(list, i * PIECE, (i + 1) * PIECE) as unknown[]);
const joined: Wide = (self, list, call) => pieces(list).map((piece) => call(self, piece)).join("");
const folded: Wide = (self, list, call) => call(self, pieces(list).map((piece) => call(self, piece)));
const inOrder: Wide = (self, list, call) => pieces(list).map((piece) => call(self, piece)).at(-1);

/** Once, before the program: the functions keep their identity and inherit an `apply` of their own, which no listing of them shows. */
export function widenApply(): void {
  const { apply } = Function.prototype;
  const widen = (target: (...args: never[]) => unknown, wide: Wide): void => {
    const call = (self: unknown, list: List): unknown => Reflect.apply(target, self, list as never[]);
    const own = Object.create(Function.prototype) as object;
    Object.defineProperty(own, "apply", {
      configurable: true, writable: true,
      value: function (this: unknown, self: unknown, list: List | null | undefined): unknown {
        const isWide = this === target && typeof list === "object" && list !== null && list.length > PIECE && list.length <= MOST;
        return isWide ? wide(self, list, call) : apply.call(this as never, self, list as never);
      },
    });
    Object.setPrototypeOf(target, own);
  };
  widen(String.fromCharCode, joined);
  widen(String.fromCodePoint, joined);
  widen(Math.max, folded);
  widen(Math.min, folded);
  widen(Array.prototype.push, inOrder);
}
