// node:child_process.
export { createChildProcess } from "../builtins/child-process.ts";
