// structuredClone as Node has it: an environment is cloned as the strings in it, and errors do not name the browser's scope.
import { isEnvironment } from "./builtins/process-env.ts";
import { nodeError } from "./errors.ts";

/** The program's own takes its place on the global object. */
const nativeClone = globalThis.structuredClone.bind(globalThis);

export function structuredClone(...args: [value?: unknown, options?: StructuredSerializeOptions]): unknown {
  const [value, options] = args;
  if (args.length === 0) throw nodeError(TypeError, "ERR_MISSING_ARGS", "The value argument must be specified");
  try {
    return nativeClone(isEnvironment(value) ? { ...value } : value, options);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    throw new DOMException(error.message.replace(/^Failed to execute 'structuredClone' on '\w+': /, ""), error.name);
  }
}
