// Everything that Node has and this runtime does not is in missing.json, made by comparing the two (test/support/
// builtin-surface.ts). Each missing function and class is there all the same and throws an error that says what it is.
import { unsupported } from "../errors.ts";
import type { Dict } from "../runtime.ts";
import { WHY } from "./absent.ts";
import table from "./missing.json" with { type: "json" };

/** Written `name()`, `new Name`, `Class.static()`, `Class#method()`; anything else is a value, and stays undefined. */
const ENTRY = /^(new )?(?:(\w+)([.#]))?(\w+)(\(\))?$/;

const refusal = (name: string, why: string | undefined): (() => never) => Object.defineProperty(() => {
  throw unsupported(name, why);
}, "name", { value: name.slice(name.lastIndexOf(".") + 1) });

/** A function, not a class: it can be called, and made with `new`, and extended. */
const refusedClass = (name: string, why: string | undefined): unknown => Object.defineProperty(function (): void {
  throw unsupported(`new ${name}`, why);
}, "name", { value: name.slice(name.lastIndexOf(".") + 1) });

const isHolder = (value: unknown): value is Dict => (typeof value === "object" && value !== null) || typeof value === "function";

/** Adds what is missing to a module just made. What is there is left alone. */
export function fillMissing(module: string, exported: Dict): Dict {
  for (const entry of (table as Readonly<Record<string, readonly string[]>>)[module] ?? []) {
    const [, isClass, owner, mark, name = "", call] = ENTRY.exec(entry) ?? [];
    if (isClass === undefined && call === undefined) continue;
    const outer = owner === undefined ? exported : exported[owner];
    const holder = mark === "#" ? (outer as { prototype?: unknown } | undefined)?.prototype : outer;
    if (!isHolder(holder) || name in holder || !Object.isExtensible(holder)) continue;
    const full = `${module}.${owner === undefined ? "" : `${owner}.`}${name}`;
    const value = isClass === undefined ? refusal(full, WHY[module]) : refusedClass(full, WHY[module]);
    Object.defineProperty(holder, name, { value, writable: true, configurable: true, enumerable: mark !== "#" });
  }
  return exported;
}
