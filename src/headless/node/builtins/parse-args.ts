// util.parseArgs.
import { nodeError } from "../errors.ts";
import type { Dict } from "../runtime.ts";

interface OptionConfig {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  readonly default?: unknown;
}
interface ParseArgsConfig {
  readonly args?: readonly string[];
  readonly options?: Readonly<Record<string, OptionConfig>>;
  readonly strict?: boolean;
  readonly allowPositionals?: boolean;
  readonly allowNegative?: boolean;
  readonly tokens?: boolean;
}

export function parseArgs(config: ParseArgsConfig = {}): Dict {
  const { options = {}, strict = true, allowPositionals = !strict, allowNegative = false } = config;
  const host = (globalThis as { process?: { argv: string[] } }).process;
  const args = config.args ?? host?.argv.slice(2) ?? [];
  const values: Dict = Object.create(null) as Dict;
  const positionals: string[] = [];
  const tokens: Dict[] = [];

  const store = (name: string, rawName: string, given: string | undefined, index: number, inlineValue: boolean | undefined): void => {
    const negated = allowNegative && name.startsWith("no-") && options[name.slice(3)]?.type === "boolean";
    const key = negated ? name.slice(3) : name;
    const option = options[key];
    if (strict) {
      if (!option) {
        const hint = allowPositionals ? `. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- ${JSON.stringify(rawName)}` : "";
        throw nodeError(TypeError, "ERR_PARSE_ARGS_UNKNOWN_OPTION", `Unknown option '${rawName}'${hint}`);
      }
      const shown = option.short ? `-${option.short}, --${key}` : `--${key}`;
      if (option.type === "string" && given === undefined) throw nodeError(TypeError, "ERR_PARSE_ARGS_INVALID_OPTION_VALUE", `Option '${shown} <value>' argument missing`);
      if (option.type === "boolean" && given !== undefined) throw nodeError(TypeError, "ERR_PARSE_ARGS_INVALID_OPTION_VALUE", `Option '${shown}' does not take an argument`);
    }
    tokens.push({ kind: "option", name: key, rawName, index, value: given, inlineValue });
    const value = given ?? !negated;
    if (option?.multiple) values[key] = [...((values[key] as unknown[] | undefined) ?? []), value];
    else values[key] = value;
  };
  const takesValue = (name: string): boolean => options[name]?.type === "string";

  for (let k = 0; k < args.length; k++) {
    const word = args[k] as string;
    if (word === "--") {
      tokens.push({ kind: "option-terminator", index: k });
      for (const [j, rest] of args.slice(k + 1).entries()) addPositional(rest, k + 1 + j);
      break;
    }
    const long = /^--([^=]+)(?:=(.*))?$/s.exec(word);
    if (long) {
      const [, name = "", inline] = long;
      const next = inline ?? (takesValue(name) ? args[k + 1] : undefined);
      store(name, `--${name}`, next, k, next === undefined ? undefined : inline !== undefined);
      if (inline === undefined && next !== undefined) k++;
    } else if (/^-[^-]/.test(word)) {
      for (let j = 1; j < word.length; j++) {
        const short = word[j] as string;
        const name = Object.keys(options).find((key) => options[key]?.short === short) ?? short;
        const inline = takesValue(name) && j + 1 < word.length ? word.slice(j + 1) : undefined;
        const next = inline ?? (takesValue(name) ? args[++k] : undefined);
        store(name, `-${short}`, next, k, next === undefined ? undefined : inline !== undefined);
        if (takesValue(name)) break;
      }
    } else addPositional(word, k);
  }
  function addPositional(word: string, index: number): void {
    if (!allowPositionals) throw nodeError(TypeError, "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL", `Unexpected argument '${word}'. This command does not take positional arguments`);
    positionals.push(word);
    tokens.push({ kind: "positional", index, value: word });
  }
  for (const [name, option] of Object.entries(options)) if (option.default !== undefined && !(name in values)) values[name] = option.default;
  return config.tokens ? { values, positionals, tokens } : { values, positionals };
}
