// util.parseArgs: words into tokens, tokens into values.
import { invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";

interface OptionConfig {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  readonly default?: unknown;
}
type Options = Readonly<Record<string, OptionConfig>>;

interface OptionToken {
  readonly kind: "option";
  name: string;
  readonly rawName: string;
  readonly index: number;
  readonly value: string | undefined;
  /** Whether the value came in the same word; undefined when there is none. */
  readonly inlineValue: boolean | undefined;
}
type Token = OptionToken | { readonly kind: "positional"; readonly index: number; readonly value: string } | { readonly kind: "option-terminator"; readonly index: number };

const own = (options: Options, name: string): OptionConfig | undefined => (Object.hasOwn(options, name) ? options[name] : undefined);

function checkArray(value: unknown, name: string, each?: (item: unknown, name: string) => void): void {
  if (!Array.isArray(value)) throw invalidArgType(name, "Array", value);
  for (const [k, item] of value.entries()) each?.(item, `${name}[${k}]`);
}

const checkType = (type: "string" | "boolean" | "object") => (value: unknown, name: string): void => {
  // oxlint-disable-next-line valid-typeof -- one of three
  if (typeof value !== type || value === null || Array.isArray(value)) throw invalidArgType(name, type, value);
};

function checkOptions(options: Options): void {
  checkType("object")(options, "options");
  for (const [option, config] of Object.entries(options)) {
    const name = `options.${option}`;
    checkType("object")(config, name);
    if (!["string", "boolean"].includes(config.type)) throw invalidArgType(`${name}.type`, "('string|boolean')", config.type);
    if (Object.hasOwn(config, "short")) {
      checkType("string")(config.short, `${name}.short`);
      if (config.short?.length !== 1) throw invalidArgValue(`${name}.short`, config.short, "must be a single character");
    }
    if (Object.hasOwn(config, "multiple")) checkType("boolean")(config.multiple, `${name}.multiple`);
    if (config.default === undefined) continue;
    if (config.multiple) checkArray(config.default, `${name}.default`, checkType(config.type));
    else checkType(config.type)(config.default, `${name}.default`);
  }
}

function tokenize(args: readonly unknown[], options: Options): Token[] {
  const tokens: Token[] = [];
  const words = args.map((word, index) => ({ word: String(word), index }));
  const nameOf = (short: string): string => Object.keys(options).find((name) => own(options, name)?.short === short) ?? short;
  const takesValue = (name: string): boolean => own(options, name)?.type === "string";
  /** An option whose value, if it takes one, is the next word. */
  const open = (name: string, rawName: string, index: number): void => {
    const value = takesValue(name) ? words.shift()?.word : undefined;
    tokens.push({ kind: "option", name, rawName, index, value, inlineValue: value === undefined ? undefined : false });
  };
  const closed = (name: string, rawName: string, index: number, value: string): void => void tokens.push({ kind: "option", name, rawName, index, value, inlineValue: true });
  for (let next = words.shift(); next; next = words.shift()) {
    const { word, index } = next;
    const [, long, value] = /^--([^=][^=]*|=[^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (word === "--") {
      tokens.push({ kind: "option-terminator", index });
      for (const rest of words.splice(0)) tokens.push({ kind: "positional", index: rest.index, value: rest.word });
    } else if (long !== undefined) {
      if (value === undefined) open(long, word, index);
      else closed(long, `--${long}`, index, value);
    } else if (/^-[^-]/.test(word)) {
      // A group: its letters one by one, until one takes a value.
      for (let k = 1; k < word.length; k++) {
        const name = nameOf(word.charAt(k));
        const rawName = `-${word.charAt(k)}`;
        if (takesValue(name) && k + 1 < word.length) {
          closed(name, rawName, index, word.slice(k + 1));
          break;
        }
        open(name, rawName, index);
      }
    } else tokens.push({ kind: "positional", index, value: word });
  }
  return tokens;
}

interface Rules {
  readonly options: Options;
  readonly allowPositionals: boolean;
  readonly allowNegative: boolean;
}

/** What strict parsing does not take. */
function checkToken({ name, rawName, value, inlineValue }: OptionToken, { options, allowPositionals, allowNegative }: Rules): void {
  const positive = allowNegative && name.startsWith("no-") && own(options, name) === undefined ? name.slice(3) : name;
  const option = own(options, positive);
  if (!option || (positive !== name && option.type !== "boolean")) {
    const hint = allowPositionals ? `. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- ${JSON.stringify(rawName)}` : "";
    throw nodeError(TypeError, "ERR_PARSE_ARGS_UNKNOWN_OPTION", `Unknown option '${rawName}'${hint}`);
  }
  const invalid = (text: string): Error => nodeError(TypeError, "ERR_PARSE_ARGS_INVALID_OPTION_VALUE", text);
  const shown = option.short ? `-${option.short}, --${positive}` : `--${positive}`;
  if (option.type === "string" && value === undefined) throw invalid(`Option '${shown} <value>' argument missing`);
  if (option.type === "boolean" && value !== undefined) throw invalid(`Option '${shown}' does not take an argument`);
  if (inlineValue !== true && value !== undefined && /^-./s.test(value)) {
    const example = rawName.startsWith("--") ? `'${rawName}=-XYZ'` : `'--${name}=-XYZ' or '${rawName}-XYZ'`;
    throw invalid(`Option '${rawName}' argument is ambiguous.\nDid you forget to specify the option argument for '${rawName}'?\nTo specify an option argument starting with a dash use ${example}.`);
  }
}

/** Without `args`: those of the process. */
export function parseArgs(runtime: Runtime, config: Dict = {}): Dict {
  const { options = {}, strict = true, allowPositionals = !strict, allowNegative = false, tokens: wantsTokens = false } = config;
  const { argv, execArgv } = runtime.process;
  // Code on the command line leaves no file among the words.
  const args = config["args"] ?? argv.slice(["-e", "--eval", "-p", "--print"].some((flag) => execArgv.includes(flag)) ? 1 : 2);
  checkArray(args, "args");
  for (const [name, value] of Object.entries({ strict, allowPositionals, tokens: wantsTokens, allowNegative })) checkType("boolean")(value, name);
  checkOptions(options as Options);
  const rules = { options, allowPositionals, allowNegative } as Rules;
  const values = Object.create(null) as Dict;
  const positionals: string[] = [];
  const tokens = tokenize(args as readonly unknown[], rules.options);
  for (const token of tokens) {
    if (token.kind === "option") {
      if (strict) checkToken(token, rules);
      store(values, token, rules);
    } else if (token.kind === "positional") {
      if (!allowPositionals) throw nodeError(TypeError, "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL", `Unexpected argument '${token.value}'. This command does not take positional arguments`);
      positionals.push(token.value);
    }
  }
  for (const [name, option] of Object.entries(rules.options)) if (name !== "__proto__" && option.default !== undefined && values[name] === undefined) values[name] = option.default;
  return wantsTokens ? { values, positionals, tokens } : { values, positionals };
}

/** A negated option's token gets the name of what it negates. */
function store(values: Dict, token: OptionToken, { options, allowNegative }: Rules): void {
  const { name, value } = token;
  if (name === "__proto__") return;
  const negated = allowNegative && value === undefined && name.startsWith("no-");
  const key = negated ? name.slice(3) : name;
  const kept = value ?? !negated;
  token.name = key;
  if (own(options, key)?.multiple) values[key] = [...((values[key] as unknown[] | undefined) ?? []), kept];
  else values[key] = kept;
}
