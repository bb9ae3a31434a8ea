// node:tty.
import { unsupported } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";

export function createTty(runtime: Runtime): Dict {
  const refuse = (name: string) => () => {
    throw unsupported(`tty.${name}`, "only the process's own stdin, stdout and stderr can be terminals");
  };
  return { isatty: (fd: unknown) => runtime.host.terminal !== null && typeof fd === "number" && fd >= 0 && fd <= 2, ReadStream: refuse("ReadStream"), WriteStream: refuse("WriteStream") };
}
