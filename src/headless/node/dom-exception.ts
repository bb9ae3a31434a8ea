// Node's DOMException takes options where the web's takes a name: `{ name, cause }`. Only in a Worker that is the process.
import type { Dict } from "./runtime.ts";

export function addExceptionOptions(global: object): void {
  const Real = DOMException;
  const Made: typeof DOMException = new Proxy(Real, {
    construct: (target, [message, given]: [unknown?, unknown?], newTarget) => {
      const real = (newTarget as unknown) === Made ? target : newTarget;
      if (typeof given !== "object" || given === null) return Reflect.construct(target, given === undefined ? [message ?? ""] : [message ?? "", given], real) as object;
      const { name } = given as { name?: unknown };
      const made = Reflect.construct(target, [message ?? "", String(name)], real) as object;
      if ("cause" in given) Object.defineProperty(made, "cause", { value: given.cause, writable: true, configurable: true, enumerable: false });
      return made;
    },
  });
  Object.defineProperty(Real.prototype, "constructor", { value: Made, writable: true, configurable: true, enumerable: false });
  (global as Dict)["DOMException"] = Made;
}
