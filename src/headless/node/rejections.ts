// What becomes of a rejection that nobody handles, by `--unhandled-rejections`; and of one that is handled too late.
import { noteRejected } from "./builtins/shown-states.ts";
import { nodeError } from "./errors.ts";
import type { Runtime } from "./runtime.ts";

const ADVICE = "This error originated either by throwing inside of an async function without a catch block, or by rejecting a promise which was not handled with .catch().";
const STRICT = "To terminate the node process on unhandled promise rejection, use the CLI flag `--unhandled-rejections=strict` (see https://nodejs.org/api/cli.html#cli_unhandled_rejections_mode).";
const WARNING = "UnhandledPromiseRejectionWarning";

const isErrorLike = (reason: unknown): reason is Error => typeof reason === "object" && reason !== null && Object.hasOwn(reason, "stack");
const named = (text: string, name: string): Error => Object.defineProperty(new Error(text), "name", { value: name, configurable: true, writable: true });

/** Without calling anything of the program's. */
function shown(reason: unknown): string {
  if (typeof reason !== "object" || reason === null) return String(reason);
  return `#<${(reason as { constructor?: { name?: string } }).constructor?.name || "Object"}>`;
}

/** The error that ends the process. */
function fatalError(reason: unknown): unknown {
  if (reason instanceof Error || isErrorLike(reason)) return reason;
  const error = nodeError(Error, "ERR_UNHANDLED_REJECTION", `${ADVICE} The promise rejected with the reason "${shown(reason)}".`);
  Object.defineProperty(error, "name", { value: "UnhandledPromiseRejection", configurable: true, writable: true, enumerable: false });
  Reflect.deleteProperty(error, "toString");
  error.stack = `UnhandledPromiseRejection: ${error.message}`;
  return error;
}

export class Rejections {
  readonly #runtime: Runtime;
  /** Those that were told of, by their number. */
  readonly #told = new WeakMap<object, number>();
  #ids = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  unhandled(reason: unknown, promise: object): void {
    const mode = this.#runtime.options.unhandledRejections;
    const id = ++this.#ids;
    const tell = (): boolean => this.#runtime.process.emit("unhandledRejection", reason, promise);
    this.#told.set(promise, id);
    noteRejected(promise, reason);
    switch (mode) {
      case "none":
        tell();
        return;
      case "warn":
        tell();
        break;
      case "warn-with-error-code":
        if (tell()) return;
        this.#runtime.process.exitCode = 1;
        break;
      case "strict":
        this.#raise(reason);
        if (this.#runtime.ended || tell()) return;
        break;
      default:
        if (!tell()) this.#raise(reason);
        return;
    }
    this.#warn(reason, id);
  }

  handled(promise: object): void {
    const id = this.#told.get(promise);
    if (id === undefined) return;
    this.#told.delete(promise);
    const { process } = this.#runtime;
    if (!process.emit("rejectionHandled", promise)) process.emitWarning(named(`Promise rejection was handled asynchronously (rejection id: ${id})`, "PromiseRejectionHandledWarning"));
  }

  #raise(reason: unknown): void {
    const error = fatalError(reason);
    this.#runtime.sources.setRejected(error);
    this.#runtime.fatal(error, "unhandledRejection");
  }

  #warn(reason: unknown, id: number): void {
    const { process } = this.#runtime;
    const advice = named(`Unhandled promise rejection. ${ADVICE} ${STRICT} (rejection id: ${id})`, WARNING);
    if (isErrorLike(reason)) advice.stack = String(reason.stack);
    process.emitWarning(isErrorLike(reason) ? String(reason.stack) : shown(reason), WARNING);
    process.emitWarning(advice);
  }
}
