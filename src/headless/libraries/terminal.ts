// node:readline, node:readline/promises and the classes of node:tty. What it takes from the runtime is in terminal/tools.ts.
import { offerLibrary } from "../libraries.ts";
import type { Dict, StreamLike } from "../node/runtime.ts";
import { makeInterface } from "./terminal/interface.ts";
import { emitKeypressEvents, type KeyReader } from "./terminal/keypress.ts";
import { makePromiseInterface, makeReadline } from "./terminal/promises.ts";
import type { TerminalTools } from "./terminal/tools.ts";
import { cursorFunctions, makeTty } from "./terminal/tty.ts";

/** Exports, by module. */
export type TerminalLibrary = (tools: TerminalTools) => { readonly readline: Dict; readonly promises: Dict; readonly tty: Dict; readonly binding: Dict };

export const terminal: TerminalLibrary = (tools) => {
  const Class = makeInterface(tools);
  const PromiseClass = makePromiseInterface(Class);
  type Given = ConstructorParameters<typeof Class>;
  Object.defineProperty(Class.prototype.question, Symbol.for("nodejs.util.promisify.custom"), {
    value(this: InstanceType<typeof Class>, query: string, options?: object) {
      return PromiseClass.prototype.question.call(this as InstanceType<typeof PromiseClass>, query, options);
    },
  });
  // Made without `new` too.
  const Interface = Object.assign(function (this: unknown, ...args: Given): unknown {
    return Reflect.construct(Class, args, new.target ?? Class);
  }, { prototype: Class.prototype });
  Object.defineProperty(Class.prototype, "constructor", { value: Interface, writable: true, configurable: true });
  Object.setPrototypeOf(Interface, tools.EventEmitter);
  return {
    ...makeTty(tools),
    readline: {
      ...cursorFunctions,
      Interface, createInterface: (...args: Given) => new Class(...args),
      emitKeypressEvents: (stream: StreamLike, reader?: KeyReader) => emitKeypressEvents(tools, stream, reader),
    },
    promises: { Interface: PromiseClass, createInterface: (...args: Given) => new PromiseClass(...args), Readline: makeReadline(tools) },
  };
};

offerLibrary<"terminal">(terminal);
