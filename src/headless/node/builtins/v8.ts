// node:v8, as far as script can do it.
import { unsupported } from "../errors.ts";
import type { Dict } from "../runtime.ts";

export function createV8(): Dict {
  const heap = { total_heap_size: 3e7, used_heap_size: 2e7, heap_size_limit: 2e9, total_available_size: 2e9, total_physical_size: 3e7, malloced_memory: 0, number_of_native_contexts: 1 };
  const refuse = (name: string) => () => {
    throw unsupported(`v8.${name}`, "the browser does not offer V8's serialiser; use structuredClone or JSON");
  };
  return { getHeapStatistics: () => ({ ...heap }), getHeapSpaceStatistics: () => [], setFlagsFromString: () => undefined, cachedDataVersionTag: () => 0, serialize: refuse("serialize"), deserialize: refuse("deserialize"), Serializer: Object, Deserializer: Object, DefaultSerializer: Object, DefaultDeserializer: Object };
}
