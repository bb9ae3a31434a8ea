// node:readline, node:readline/promises and the classes of node:tty: a library, loaded when one of them is first required and by
// each program at a terminal.
import { inspect } from "node-inspect-extracted";
import * as errors from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { EventEmitter } from "./events.ts";
import { createStream } from "./stream.ts";
import { StringDecoder } from "./string-decoder.ts";
import { isTerminal } from "./tty.ts";

const WHY = "a process gets it when a file of the project, or its command, names it as it starts: run it again";

interface TerminalModules {
  readonly readline: Dict;
  readonly promises: Dict;
  readonly tty: Dict;
  /** `process.binding("tty_wrap")` */
  readonly binding?: Dict;
}

const made = new WeakMap<Runtime, TerminalModules>();

/** What it offers, by module; where it is not, what says so. */
export function terminalLibrary(runtime: Runtime): TerminalModules {
  const known = made.get(runtime);
  if (known) return known;
  const refusals = (module: string, names: string): Dict => Object.fromEntries(names.split(" ").map((name) => [name, function () {
    throw errors.unsupported(`${module}.${name}`, WHY);
  }]));
  const modules = runtime.host.library("terminal")?.({ ...createStream(), EventEmitter, StringDecoder, isTerminal, errors, inspect, runtime } as never) ?? {
    readline: refusals("readline", "Interface createInterface emitKeypressEvents clearLine clearScreenDown cursorTo moveCursor"),
    promises: refusals("readline/promises", "Interface createInterface Readline"), tty: refusals("tty", "ReadStream WriteStream"),
  };
  made.set(runtime, modules);
  return modules;
}

export function createReadline(runtime: Runtime): Dict {
  const { readline, promises } = terminalLibrary(runtime);
  return { ...readline, promises };
}
