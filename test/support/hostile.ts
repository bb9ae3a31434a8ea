// Values that a hostile sender may put where a protocol expects something else, as they arrive: cloned by the platform.
import fc from "fast-check";

const HUGE = "x".repeat(2 * 1024 * 1024);

function cyclic(): object {
  const value: Record<string, unknown> = { type: "exit" };
  value["self"] = value;
  return value;
}

function detached(): Uint8Array {
  const view = new Uint8Array(8);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

/** Own properties of these names, as JSON.parse and structured cloning make them: assigning them would change a prototype. */
function polluting(value: unknown): object {
  return JSON.parse(`{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"value":${JSON.stringify(value)}}`) as object;
}

/** Anything but what was asked for. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null, undefined, true, false, Number.NaN, -0, -1, 0.5, Infinity, -Infinity, 2 ** 31, 2 ** 53, Number.MAX_SAFE_INTEGER, Number.MIN_VALUE, 10n ** 30n, "", "__proto__", "constructor", "prototype", "toString",
    "\0", "/", "..", "/..", "/a/../b", "//", "a/b", "/\ud800", "node", "SIGSTOP", "ready",
  ),
  fc.constantFrom<() => unknown>(
    () => HUGE, () => `/${HUGE}`, () => Array.from({ length: 20_000 }, () => "a"), () => new Date(Number.NaN), () => /(a+)+$/, () => new Map([["type", "exit"]]), () => new Set(["exit"]), () => new Error("exit"), cyclic, detached,
    () => new Uint8Array(new ArrayBuffer(1024 * 1024), 0, 1), () => new Uint8Array(new SharedArrayBuffer(16)), () => new Uint8Array(70_000), () => new Float64Array(4), () => new DataView(new ArrayBuffer(4)), () => new ArrayBuffer(4),
    () => Object(1) as unknown, () => Object("exit") as unknown, () => [[]], () => ({ valueOf: 1, toString: 1 }), () => Object.create(null) as unknown, () => polluting("x"), () => [polluting(1)],
    () => new Uint8Array(new (ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer)(4, { maxByteLength: 64 })),
  ).map((make) => make()),
  fc.integer({ min: -3, max: 12 }),
  fc.string({ maxLength: 12 }),
  fc.object({ maxDepth: 3, maxKeys: 5 }),
);

/** A message that is right but for some of its fields, at any depth; or no message at all. */
export function hostileMessage(valid: readonly object[]): fc.Arbitrary<unknown> {
  const damaged = fc.record({ message: fc.constantFrom(...valid), spoils: fc.array(fc.tuple(fc.nat(20), hostileValue), { maxLength: 2 }), extra: fc.boolean() }).map(({ message, spoils, extra }) => {
    const copy = structuredClone(message) as Record<string, unknown>;
    for (const [place, value] of spoils) spoil(copy, place, value);
    return extra ? { ...copy, extra: polluting("more"), pid: 1, __type: "exit" } : copy;
  });
  return fc.oneof({ weight: 5, arbitrary: damaged }, { weight: 1, arbitrary: hostileValue });
}

function spoil(target: Record<string, unknown>, place: number, value: unknown): void {
  const keys = Object.keys(target);
  const key = keys[place % keys.length];
  if (key === undefined) return;
  const old = target[key];
  const isRecord = typeof old === "object" && old !== null && Object.getPrototypeOf(old) === Object.prototype;
  if (isRecord && place % 3 !== 0) spoil(old as Record<string, unknown>, Math.floor(place / 2), value);
  else target[key] = value;
}

/** As it arrives on the other side; undefined in `sent` where the sender itself gets the error. */
export function across(value: unknown): { readonly sent: boolean; readonly value: unknown } {
  try {
    return { sent: true, value: structuredClone(value) };
  } catch {
    return { sent: false, value: undefined };
  }
}

/** The names of what every object inherits: nothing that arrives may add to them. */
export function inheritedNames(): string {
  return [Object, Array, Function, String, Number, Promise, Map, Uint8Array, Error].flatMap(({ name, prototype }) => Reflect.ownKeys(prototype as object).map((key) => `${name}.${String(key)}`)).join();
}
