// The kept streams' errors as Node makes them: `code` an own property, the code in the printed name. Imported before the
// streams, which take the classes when they load. Gone when readable-stream sets `code` itself (4.8.0 has it on the prototype).
import errors from "readable-stream/lib/ours/errors.js";
import { invalidArgType, nodeError } from "../errors.ts";

type Made = Error & { code: string };
type ErrorClass = new (...args: unknown[]) => Made;

const BASES: readonly (new (message: string) => Error)[] = [TypeError, RangeError, Error];

/** 4.8.0 gets the words of this one wrong. */
const missingArgs = (names: readonly unknown[]): string => {
  const quoted = names.map((name) => `"${String(name)}"`);
  const list = quoted.length > 2 ? `${quoted.slice(0, -1).join(", ")}, and ${quoted.at(-1)}` : quoted.join(" and ");
  return `The ${list} argument${quoted.length > 1 ? "s" : ""} must be specified`;
};

for (const [code, given] of Object.entries(errors.codes)) {
  const Original = given as ErrorClass;
  errors.codes[code] = function (...args: unknown[]): Error {
    // Node 20's take any view of bytes (stream-newer.ts), and say so.
    if (code === "ERR_INVALID_ARG_TYPE" && args[0] === "chunk") return invalidArgType("chunk", ["string", "Buffer", "TypedArray", "DataView"], args[2]);
    const made = new Original(...args);
    const base = BASES.find((each) => made instanceof each) ?? Error;
    const message = code === "ERR_MISSING_ARGS" ? missingArgs(args) : made.message;
    // An unknown encoding is a mistake of type in Node.
    return nodeError(code === "ERR_UNKNOWN_ENCODING" ? TypeError : base, code, message);
  };
}
