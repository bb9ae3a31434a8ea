// node:vm.
export { createVm } from "../builtins/vm.ts";
