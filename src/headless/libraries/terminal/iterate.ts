// The lines of a readline.Interface one after the other.
import type { InterfaceObject } from "./interface.ts";

/** Its lines, for `for await`; those that came before it asks are kept. */
/** So many lines that nobody has taken make the reader wait. */
const HIGH_WATER_LINES = 1024;

interface Waiting {
  readonly resolve: (result: IteratorResult<string>) => void;
  readonly reject: (error: unknown) => void;
}

export function iterate(reader: InterfaceObject): AsyncIterator<string> {
  const lines: string[] = [];
  const waiting: Waiting[] = [];
  const failures: unknown[] = [];
  let ended = false;
  let paused = false;
  const end: IteratorResult<string> = { value: undefined, done: true };
  reader.on("line", (line) => {
    const next = waiting.shift();
    if (next) next.resolve({ value: line as string, done: false });
    else if (lines.push(line as string) > HIGH_WATER_LINES && !paused && !reader.closed) {
      paused = true;
      reader.pause();
    }
  });
  const finish = (): void => {
    ended = true;
    for (const next of waiting.splice(0)) next.resolve(end);
  };
  reader.on("close", finish);
  // The input cannot be read: whoever waits learns it, or who asks next.
  reader.on("error", (error) => {
    const next = waiting.shift();
    if (next) next.reject(error);
    else failures.push(error);
    finish();
  });
  const iterator: AsyncIterator<string> = {
    next: () => {
      const line = lines.shift();
      if (paused && lines.length === 0 && !reader.closed) {
        paused = false;
        reader.resume();
      }
      if (line !== undefined) return Promise.resolve({ value: line, done: false });
      if (failures.length > 0) return Promise.reject(failures.shift() as Error);
      return ended || reader.closed ? Promise.resolve(end) : new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    return: () => {
      reader.close();
      return Promise.resolve(end);
    },
  };
  return Object.assign(iterator, { [Symbol.asyncIterator]: () => iterator });
}
