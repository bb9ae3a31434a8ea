// ES modules.
export { createEsmLoader } from "../loader/esm.ts";
export { parseModule } from "../loader/esm-transform.ts";
export { readModule } from "../loader/references.ts";
