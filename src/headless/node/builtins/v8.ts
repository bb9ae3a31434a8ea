// node:v8, as far as script can do it.
import type { Dict } from "../runtime.ts";
import { deserialize, serialize } from "./v8-serializer.ts";

export function createV8(): Dict {
  const heap = { total_heap_size: 3e7, used_heap_size: 2e7, heap_size_limit: 2e9, total_available_size: 2e9, total_physical_size: 3e7, malloced_memory: 0, number_of_native_contexts: 1 };
  return { getHeapStatistics: () => ({ ...heap }), getHeapSpaceStatistics: () => [], setFlagsFromString: () => undefined, cachedDataVersionTag: () => 0, serialize, deserialize };
}
