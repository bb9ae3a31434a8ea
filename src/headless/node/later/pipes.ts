// Pipes above stdin, stdout and stderr.
export { childPipes, openDescriptor, openPipes } from "../builtins/pipes.ts";
