// node:test.
import { unsupported } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";

export function createTest(_runtime: Runtime): Dict {
  throw unsupported("node:test");
}
