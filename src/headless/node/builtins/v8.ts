// node:v8, as far as script can do it.
import { invalidArgType, unsupported } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { v8Classes } from "./v8-classes.ts";
import { deserialize, serialize } from "./v8-serializer.ts";

/** Functions that say they are not there when they are called. */
const absent = (group: string, names: readonly string[]): Dict => Object.fromEntries(names.map((name) => [name, () => {
  throw unsupported(`v8.${group}.${name}`);
}]));

export function createV8(runtime: Runtime): Dict {
  const heap = { total_heap_size: 3e7, used_heap_size: 2e7, heap_size_limit: 2e9, total_available_size: 2e9, total_physical_size: 3e7, malloced_memory: 0, number_of_native_contexts: 1 };
  /** As in Node it does nothing where nobody asked for coverage. */
  const coverage = (name: string) => (): void => {
    if (runtime.process.env["NODE_V8_COVERAGE"]) throw unsupported(`v8.${name}`, "a page cannot measure which code has run: unset NODE_V8_COVERAGE");
  };
  /** One of the engine's flags can be had, for contexts made from then on. */
  const setFlagsFromString = (flags: unknown): void => {
    if (typeof flags !== "string") throw invalidArgType("flags", "string", flags);
    for (const flag of flags.split(/\s+/)) if (/^--(no-?)?expose[-_]gc$/.test(flag)) runtime.options.exposeGc = !flag.startsWith("--no");
  };
  return {
    getHeapStatistics: () => ({ ...heap }), getHeapSpaceStatistics: () => [], setFlagsFromString, cachedDataVersionTag: () => 0, serialize, deserialize, ...v8Classes,
    takeCoverage: coverage("takeCoverage"), stopCoverage: coverage("stopCoverage"), startupSnapshot: { isBuildingSnapshot: () => false, ...absent("startupSnapshot", ["addSerializeCallback", "addDeserializeCallback", "setDeserializeMainFunction"]) },
    promiseHooks: absent("promiseHooks", ["createHook", "onInit", "onBefore", "onAfter", "onSettled"]),
  };
}
