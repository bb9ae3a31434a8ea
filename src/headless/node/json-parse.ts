// JSON.parse as Node 20's engine has it: later ones add the line to their messages and give a reviver the source text.

const LINE = / \(line \d+ column \d+\)$/;

/** Once, before any program code. */
export function wordJsonErrors(): void {
  const { parse } = JSON;
  const older = {
    parse(text: string, reviver?: (this: unknown, key: string, value: unknown) => unknown): unknown {
      try {
        return typeof reviver === "function"
          ? parse.call(JSON, text, function (this: unknown, key, value) {
              return reviver.call(this, key, value);
            })
          : parse.call(JSON, text); // of JSON: traces say so
      } catch (error) {
        if (error instanceof SyntaxError && LINE.test(error.message)) error.message = error.message.replace(LINE, "");
        throw error;
      }
    },
  };
  Object.defineProperty(older.parse, "length", { value: 2 });
  JSON.parse = older.parse;
}
