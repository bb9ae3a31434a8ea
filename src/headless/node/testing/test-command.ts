// `node --test`.
import { unsupported } from "../errors.ts";
import type { Runtime } from "../runtime.ts";

export function runTestFiles(_runtime: Runtime): Promise<unknown> {
  throw unsupported("node --test");
}
