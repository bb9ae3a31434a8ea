// The lines of a readline.Interface one after the other.
import type { InterfaceObject } from "./interface.ts";

/** Its lines, for `for await`; those that came before it asks are kept. */
export function iterate(reader: InterfaceObject): AsyncIterator<string> {
  const lines: string[] = [];
  const waiting: ((result: IteratorResult<string>) => void)[] = [];
  const end: IteratorResult<string> = { value: undefined, done: true };
  reader.on("line", (line) => {
    const next = waiting.shift();
    if (next) next({ value: line as string, done: false });
    else lines.push(line as string);
  });
  reader.on("close", () => {
    for (const next of waiting.splice(0)) next(end);
  });
  const iterator: AsyncIterator<string> = {
    next: () => {
      const line = lines.shift();
      if (line !== undefined) return Promise.resolve({ value: line, done: false });
      return reader.closed ? Promise.resolve(end) : new Promise((resolve) => waiting.push(resolve));
    },
    return: () => {
      reader.close();
      return Promise.resolve(end);
    },
  };
  return Object.assign(iterator, { [Symbol.asyncIterator]: () => iterator });
}
