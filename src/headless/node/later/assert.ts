// node:assert.
export { createAssert } from "../builtins/assert.ts";
