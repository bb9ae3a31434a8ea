// node:util.
export { createUtil } from "../builtins/util.ts";
