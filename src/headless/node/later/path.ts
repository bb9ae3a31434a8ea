// node:path.
export { createPath } from "../builtins/path.ts";
