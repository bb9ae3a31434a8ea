// node:tty: which descriptors are the terminal. The classes come with the library of terminals.
import type { Dict, NodeHost, Runtime } from "../runtime.ts";
import { terminalLibrary } from "./terminal.ts";

export function isTerminal({ terminal }: NodeHost, fd: unknown): boolean {
  return terminal !== null && (fd === 0 || fd === 1 || fd === 2) && ((terminal.fds ?? 7) & (1 << fd)) !== 0;
}

export function createTty(runtime: Runtime): Dict {
  return { isatty: (fd: unknown) => isTerminal(runtime.host, fd), ...terminalLibrary(runtime).tty };
}
