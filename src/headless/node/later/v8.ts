// node:v8.
export { createV8 } from "../builtins/v8.ts";
