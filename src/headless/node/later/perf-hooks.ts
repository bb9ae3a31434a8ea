// node:perf_hooks.
export { createPerfHooks } from "../builtins/perf-hooks.ts";
