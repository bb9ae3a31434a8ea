// Builtins of control: exit, return, break, eval, source, trap, command, test, getopts, and the like.
import { resolvePath } from "../../posix-path.ts";
import { SIGNAL_EXIT_CODES, type Signal } from "../../protocol.ts";
import { COMMANDS } from "../commands/index.ts";
import { test } from "../conditions.ts";
import { calculate } from "../expand.ts";
import { runText } from "../interpreter.ts";
import { quoteWord } from "../parameters.ts";
import { isProgram, pathOf, runWords } from "../simple-command.ts";
import { Break, Exit, ExpansionError, Return, type ShellState } from "../state.ts";
import { type Builtin, BUILTINS } from "./index.ts";

const KEYWORDS = new Set("if then else elif fi for while until do done case esac in function time { } [[ ]] !".split(" "));

async function condition(state: ShellState, name: string, args: readonly string[]): Promise<number> {
  try {
    return (await test(state, args)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    await state.complain(`${name}: ${error.message}`);
    return 2;
  }
}

/** The number given, else the last status; what is no number is told. */
async function statusOf(state: ShellState, name: string, [given]: readonly string[]): Promise<number> {
  if (given === undefined) return state.status;
  if (/^[-+]?\d+$/.test(given)) return Number(given) & 0xff;
  await state.complain(`${name}: ${given}: numeric argument required`);
  return 2;
}

async function leave(state: ShellState, name: string, args: readonly string[], continues: boolean): Promise<number> {
  const levels = args[0] === undefined ? 1 : Number(args[0]);
  if (state.loops === 0) {
    await state.complain(`${name}: only meaningful in a \`for', \`while', or \`until' loop`);
    return 0;
  }
  if (!(levels >= 1)) {
    await state.complain(`${name}: ${args[0]}: loop count out of range`);
    throw new Break(state.loops, false);
  }
  throw new Break(levels, continues);
}

async function source(state: ShellState, args: readonly string[]): Promise<number> {
  const [file, ...rest] = args;
  if (file === undefined) {
    await state.complain("source: filename argument required");
    return 2;
  }
  const node = state.host.vfs.find(resolvePath(file.includes("/") ? file : pathOf(state, file) ?? file, state.cwd));
  if (node?.kind !== "file") {
    await state.complain(`${file}: ${node ? "Is a directory" : "No such file or directory"}`);
    return 1;
  }
  const { positional } = state;
  if (rest.length > 0) state.positional = rest;
  state.calls.push("source");
  try {
    return await runText(state, new TextDecoder().decode(node.data));
  } catch (error) {
    if (error instanceof Return) return error.code;
    throw error;
  } finally {
    state.calls.pop();
    if (rest.length > 0) state.positional = positional;
  }
}

function signalName(given: string): string | undefined {
  const name = given.toUpperCase().replace(/^SIG/, "");
  if (name === "0" || name === "EXIT") return "EXIT";
  if (["ERR", "DEBUG", "RETURN"].includes(name)) return name;
  if (/^\d+$/.test(name)) return Object.entries(SIGNAL_EXIT_CODES).find(([, code]) => code === 128 + Number(name))?.[0].slice(3);
  return `SIG${name}` in SIGNAL_EXIT_CODES ? name : undefined;
}

async function trap(state: ShellState, given: readonly string[]): Promise<number> {
  const args = given[0] === "--" ? given.slice(1) : given;
  if (args.length === 0 || args[0] === "-p") {
    for (const [name, action] of state.traps) await state.write(1, `trap -- ${quoteWord(action)} ${name in SIGNAL_EXIT_CODES || ["EXIT", "ERR", "DEBUG", "RETURN"].includes(name) ? name : `SIG${name}`}\n`);
    return 0;
  }
  const removes = args.length === 1 || args[0] === "-";
  const action = args[0] ?? "";
  let code = 0;
  for (const spec of args.length === 1 ? args : args.slice(1)) {
    const name = signalName(spec);
    if (name === undefined) {
      await state.complain(`trap: ${spec}: invalid signal specification`);
      code = 1;
      continue;
    }
    if (removes) state.traps.delete(name);
    else state.traps.set(name, action);
    const signal = `SIG${name}`;
    if (signal in SIGNAL_EXIT_CODES) {
      if (state.depth === 0) state.host.handleSignal(signal as Signal, !removes);
      state.task.onSignal = (sent) => state.traps.has(sent.slice(3));
    }
  }
  return code;
}

/** What a name stands for, as `type` and `command -v` say it. */
async function describe(state: ShellState, name: string, form: "long" | "word" | "kind"): Promise<boolean> {
  const say = async (long: string, word: string, kind: string): Promise<boolean> => {
    await state.write(1, `${form === "long" ? long : form === "word" ? word : kind}\n`);
    return true;
  };
  const alias = state.aliases.get(name);
  if (alias !== undefined) return say(`${name} is aliased to \`${alias}'`, `alias ${name}=${quoteWord(alias)}`, "alias");
  if (KEYWORDS.has(name)) return say(`${name} is a shell keyword`, name, "keyword");
  if (state.functions.has(name)) return say(`${name} is a function`, name, "function");
  if (BUILTINS[name]) return say(`${name} is a shell builtin`, name, "builtin");
  const path = name.includes("/") ? (isProgram(state, name) ? name : undefined) : (pathOf(state, name) ?? (COMMANDS[name] || isProgram(state, name) || state.host.leaves.names.has(name) ? `/usr/bin/${name}` : undefined));
  return path === undefined ? false : say(`${name} is ${path}`, path, "file");
}

async function type(state: ShellState, args: readonly string[]): Promise<number> {
  const form = args[0] === "-t" ? "kind" : args[0] === "-p" || args[0] === "-P" ? "word" : "long";
  let code = 0;
  for (const name of args.filter((arg) => !/^-[tpPaf]$/.test(arg))) {
    if (await describe(state, name, form)) continue;
    code = 1;
    if (form === "long") await state.complain(`type: ${name}: not found`);
  }
  return code;
}

async function command(state: ShellState, args: readonly string[]): Promise<number> {
  const rest = args.filter((arg, i) => !(i === 0 && arg === "-p"));
  if (rest[0] === "-v" || rest[0] === "-V") {
    let code = 0;
    for (const name of rest.slice(1)) if (!(await describe(state, name, rest[0] === "-v" ? "word" : "long"))) code = 1;
    return code;
  }
  return rest.length === 0 ? 0 : runWords(state, rest[0] === "--" ? rest.slice(1) : rest);
}

async function getopts(state: ShellState, [options = "", name = "", ...given]: readonly string[]): Promise<number> {
  const { vars } = state;
  const args = given.length > 0 ? given : state.positional;
  const silent = options.startsWith(":");
  let index = Number(vars.get("OPTIND") ?? 1);
  // Where in a bundle of letters it is.
  let place = index === state.optionIndex ? state.optionPlace : 1;
  const arg = args[index - 1];
  const end = (next: number): number => {
    vars.set(name, "?");
    vars.set("OPTIND", String(next));
    vars.unset("OPTARG");
    return 1;
  };
  if (arg === undefined || !arg.startsWith("-") || arg === "-") return end(index);
  if (arg === "--") return end(index + 1);
  const letter = arg[place] ?? "";
  place++;
  const at = letter === ":" ? -1 : options.indexOf(letter, silent ? 1 : 0);
  const takes = at >= 0 && options[at + 1] === ":";
  vars.unset("OPTARG");
  let found = letter;
  if (at < 0) {
    found = "?";
    if (silent) vars.set("OPTARG", letter);
    else await state.write(2, `${state.name}: illegal option -- ${letter}\n`);
  } else if (takes) {
    const value = place < arg.length ? arg.slice(place) : args[index];
    if (place >= arg.length) index++;
    place = arg.length;
    if (value === undefined) {
      found = silent ? ":" : "?";
      if (silent) vars.set("OPTARG", letter);
      else await state.write(2, `${state.name}: option requires an argument -- ${letter}\n`);
    } else vars.set("OPTARG", value);
  }
  if (place >= arg.length) {
    index++;
    place = 1;
  }
  vars.set(name, found);
  vars.set("OPTIND", String(index));
  state.optionIndex = index;
  state.optionPlace = place;
  return 0;
}

async function let_(state: ShellState, args: readonly string[]): Promise<number> {
  let value = 0n;
  for (const arg of args) value = await calculate(state, arg);
  return value === 0n ? 1 : 0;
}

export const CONTROL = {
  ":": () => 0,
  true: () => 0,
  false: () => 1,
  test: (state, args) => condition(state, "test", args),
  async "["(state, args) {
    if (args.at(-1) === "]") return condition(state, "[", args.slice(0, -1));
    await state.complain("[: missing `]'");
    return 2;
  },
  async exit(state, args) {
    throw new Exit(await statusOf(state, "exit", args));
  },
  async return(state, args) {
    if (state.calls.length === 0) {
      await state.complain("return: can only `return' from a function or sourced script");
      return 2;
    }
    throw new Return(await statusOf(state, "return", args));
  },
  break: (state, args) => leave(state, "break", args, false),
  continue: (state, args) => leave(state, "continue", args, true),
  eval(state, args) {
    const text = args.join(" ");
    return text.trim() === "" ? 0 : runText(state, text, "eval: ");
  },
  ".": source,
  source,
  trap,
  type,
  command,
  builtin: async (state, [name = "", ...args]) => {
    const builtin = BUILTINS[name];
    if (builtin) return builtin(state, args, []);
    await state.complain(`builtin: ${name}: not a shell builtin`);
    return 1;
  },
  let: let_,
  getopts,
  hash: () => 0,
  umask: async (state, args) => {
    if (args.length === 0) await state.write(1, "0022\n");
    return 0;
  },
  ulimit: async (state) => {
    await state.write(1, "unlimited\n");
    return 0;
  },
  times: async (state) => {
    await state.write(1, "0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n");
    return 0;
  },
  async alias(state, args) {
    let code = 0;
    for (const arg of args.length === 0 ? [...state.aliases.keys()].sort() : args) {
      const at = arg.indexOf("=");
      if (at > 0) {
        state.aliases.set(arg.slice(0, at), arg.slice(at + 1));
        continue;
      }
      const text = state.aliases.get(arg);
      if (text !== undefined) await state.write(1, `alias ${arg}=${quoteWord(text)}\n`);
      else {
        code = 1;
        await state.complain(`alias: ${arg}: not found`);
      }
    }
    return code;
  },
  unalias(state, args) {
    if (args[0] === "-a") state.aliases.clear();
    return args.filter((arg) => arg !== "-a").every((name) => state.aliases.delete(name)) ? 0 : 1;
  },
} satisfies Readonly<Record<string, Builtin>>;
