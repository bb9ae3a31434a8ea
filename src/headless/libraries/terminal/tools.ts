// What the library takes from the runtime instead of having it twice.
import type { inspect as Inspect } from "node-inspect-extracted";
import type { isTerminal as IsTerminal } from "../../node/builtins/tty.ts";
import type * as Errors from "../../node/errors.ts";
import type { AnyFunction, Runtime } from "../../node/runtime.ts";

export interface TerminalTools {
  readonly runtime: Runtime;
  readonly EventEmitter: AnyFunction;
  readonly Readable: AnyFunction;
  readonly Writable: AnyFunction;
  readonly StringDecoder: new (encoding: string) => { write(bytes: Uint8Array): string };
  readonly isTerminal: typeof IsTerminal;
  readonly errors: typeof Errors;
  readonly inspect: typeof Inspect;
}
