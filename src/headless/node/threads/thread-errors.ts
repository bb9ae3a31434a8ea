// An error that ends a thread, on its way to the parent.
import { inspect } from "node-inspect-extracted";
import type { Dict, Runtime } from "../runtime.ts";
import type { ThreadLetter } from "./relay.ts";

/** What can be read of it: a getter that throws has nothing to say. */
function readable(error: object, name: string): unknown {
  try {
    return (error as Dict)[name];
  } catch {
    return undefined;
  }
}

/** With the fields that cloning would drop. */
export function reportThreadError(runtime: Runtime, error: unknown): void {
  const fields: Dict = {};
  if (error instanceof Error) {
    for (const name of Object.keys(error)) {
      const value = readable(error, name);
      if (typeof value !== "function" && typeof value !== "symbol") fields[name] = value;
    }
  }
  const send = (shown: unknown, more: Dict): void => runtime.host.send({ kind: "error", error: shown, fields: more } satisfies ThreadLetter);
  try {
    send(error, fields);
  } catch {
    // It holds what cannot be cloned, or will not be read: what it looks like is better than nothing.
    if (!(error instanceof Error)) return send(inspect(error), {});
    const shown = new Error(String(readable(error, "message")));
    const stack = readable(error, "stack");
    Object.defineProperty(shown, "stack", { value: stack, writable: true, configurable: true, enumerable: false });
    send(shown, { ...(shown.name === error.name ? {} : { name: error.name }), ...Object.fromEntries(Object.entries(fields).filter(([, value]) => Object(value) !== value)), ...(stack === undefined ? { stack } : {}) });
  }
}
