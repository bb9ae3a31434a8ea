// node:module.
export { createModule } from "../builtins/module.ts";
