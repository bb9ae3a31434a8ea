// node:test and `node --test`.
export { createTest } from "../testing/test-module.ts";
export { runTestFiles } from "../testing/test-command.ts";
