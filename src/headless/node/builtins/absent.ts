// Modules that exist in Node and not here. Requiring one is harmless (many packages do so and never use it); using one
// throws an error that names the module and the function.
import { HTTP2_CONSTANTS } from "../http/http2-constants.ts";
import { unsupported } from "../errors.ts";
import { EventEmitter } from "./events.ts";
import type { Dict } from "../runtime.ts";

/** More than "not here", where there is more to say. */
export const WHY: Readonly<Record<string, string>> = {
  http2: "http/2 needs encryption, which a page cannot offer; http works between programs of the container",
};
/** Classes that programs extend at load time. */
const CLASSES: Readonly<Record<string, readonly string[]>> = {
  http2: ["Http2ServerRequest", "Http2ServerResponse"], repl: ["REPLServer"], inspector: ["Session"],
};
const FUNCTIONS: Readonly<Record<string, readonly string[]>> = {
  http2: ["connect", "createServer", "createSecureServer", "getDefaultSettings"],
  repl: ["start"], cluster: ["fork"], inspector: ["open"],
};

export function absentModule(name: string, builtinNames: readonly string[]): Dict {
  const exported: Dict = {};
  for (const fn of FUNCTIONS[name] ?? []) {
    exported[fn] = () => {
      throw unsupported(`${name}.${fn}`, WHY[name]);
    };
  }
  for (const type of CLASSES[name] ?? []) {
    exported[type] = class {
      constructor() {
        throw unsupported(`new ${name}.${type}`, WHY[name]);
      }
    };
  }
  if (name === "http2") exported["constants"] = { ...HTTP2_CONSTANTS };
  // What programs ask of these to find out that nothing is going on.
  if (name === "inspector" || name === "inspector/promises") Object.assign(exported, { url: () => undefined, close: () => undefined });
  if (name === "repl") {
    const names = builtinNames.filter((each) => !each.startsWith("_"));
    exported["builtinModules"] = names;
    Object.defineProperty(exported, "_builtinLibs", { value: names, writable: true, configurable: true });
  }
  if (name === "trace_events") exported["getEnabledCategories"] = () => undefined;
  if (name === "cluster") {
    const settings = {};
    const setupPrimary = (given: object = {}): void => void Object.assign(settings, given);
    return Object.assign(new EventEmitter() as unknown as Dict, exported, { isMaster: true, isPrimary: true, isWorker: false, workers: {}, settings, SCHED_NONE: 1, SCHED_RR: 2, schedulingPolicy: 2, setupPrimary, setupMaster: setupPrimary });
  }
  return exported;
}
