// node:fs.
export { createFs } from "../builtins/fs.ts";
