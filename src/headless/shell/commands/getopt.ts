// Options as GNU's getopt_long reads them: letters together, values attached or next, long names cut short, operands in between.

/** What is wrong with a command line, as getopt words it, without the command's name. */
export class UsageError extends Error {}

export interface Parsed {
  /** In the order given: what `long` or a letter stands for, and its value, "" where it has none. */
  readonly options: readonly (readonly [key: string, value: string])[];
  readonly operands: readonly string[];
  has(key: string): boolean;
  /** The value given last. */
  value(key: string): string | undefined;
  values(key: string): string[];
}

/**
 * `letters` as getopt's: a colon after those with a value, two after those whose value is attached or none. `long`: from names
 * to letters or to keys of their own, with the same colons. Throws UsageError.
 */
export function parseOptions(args: readonly string[], letters: string, long: Readonly<Record<string, string>> = {}): Parsed {
  const short = new Map([...letters.matchAll(/([^:])(:{0,2})/g)].map(([, letter = "", colons = ""]) => [letter, colons.length]));
  const options: (readonly [string, string])[] = [];
  const operands: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (arg.startsWith("--")) {
      const [given = "", attached] = arg.slice(2).split(/=([^]*)/, 2);
      const [name, key, wants] = longOption(long, short, given, arg);
      if (wants === 0 && attached !== undefined) throw new UsageError(`option '--${name}' doesn't allow an argument`);
      const value = attached ?? (wants === 1 ? args[++i] : "");
      if (value === undefined) throw new UsageError(`option '--${name}' requires an argument`);
      options.push([key, value]);
    } else if (arg.length > 1 && arg.startsWith("-")) {
      for (let at = 1; at < arg.length; at++) {
        const letter = arg[at] ?? "";
        const wants = short.get(letter);
        if (wants === undefined) throw new UsageError(`invalid option -- '${letter}'`);
        if (wants === 0) {
          options.push([letter, ""]);
          continue;
        }
        const value = at + 1 < arg.length || wants === 2 ? arg.slice(at + 1) : args[++i];
        if (value === undefined) throw new UsageError(`option requires an argument -- '${letter}'`);
        options.push([letter, value]);
        break;
      }
    } else operands.push(arg);
  }
  const values = (key: string): string[] => options.filter(([given]) => given === key).map(([, value]) => value);
  return { options, operands, values, has: (key) => options.some(([given]) => given === key), value: (key) => values(key).at(-1) };
}

function longOption(long: Readonly<Record<string, string>>, short: ReadonlyMap<string, number>, given: string, arg: string): readonly [name: string, key: string, wants: number] {
  const names = Object.hasOwn(long, given) ? [given] : Object.keys(long).filter((name) => name.startsWith(given));
  const [name] = names;
  if (name === undefined) throw new UsageError(`unrecognized option '${arg}'`);
  if (new Set(names.map((each) => long[each])).size > 1) throw new UsageError(`option '--${given}' is ambiguous; possibilities: ${names.map((each) => `'--${each}'`).join(" ")}`);
  const spec = long[name] ?? "";
  const key = spec.replace(/:+$/, "");
  return [name, key, key.length === 1 && spec === key ? (short.get(key) ?? 0) : spec.length - key.length];
}
