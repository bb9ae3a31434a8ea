// node:zlib.
export { createZlib } from "../builtins/zlib.ts";
