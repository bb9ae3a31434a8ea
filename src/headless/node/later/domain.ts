// node:domain.
export { createDomain } from "../builtins/domain.ts";
