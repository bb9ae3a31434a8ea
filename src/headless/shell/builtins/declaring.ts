// declare, local, export, readonly.
import { assign } from "../assign.ts";
import { quoteWord } from "../parameters.ts";
import type { ShellState } from "../state.ts";
import type { Assignment } from "../syntax.ts";
import { makeList, ReadonlyError, type Variable } from "../variables.ts";
import type { Builtin } from "./index.ts";

/** `declare -x A="1"` */
function written(name: string, held: Variable): string {
  const flags = `${held.kind === "list" ? "a" : held.kind === "map" ? "A" : ""}${held.integer ? "i" : ""}${held.letters === "lower" ? "l" : ""}${held.reference ? "n" : ""}${held.readonly ? "r" : ""}${held.letters === "upper" ? "u" : ""}${held.exported ? "x" : ""}`;
  // oxlint-disable-next-line no-control-regex -- these are what is written as escapes
  const quoted = (text: string): string => (/[\n\t\u001b]/.test(text) ? quoteWord(text) : `"${text.replaceAll(/[\\"$`]/g, "\\$&")}"`);
  let value = held.text === undefined ? "" : `=${quoted(held.text)}`;
  if (held.items) {
    const entries = [...held.items].map(([key, text]) => [String(key), text] as const);
    if (held.kind === "list") entries.sort(([a], [b]) => Number(a) - Number(b));
    value = `=(${entries.map(([key, text]) => `[${/^\w+$/.test(key) ? key : quoted(key)}]=${quoted(text)}`).join(" ")}${held.kind === "map" && entries.length > 0 ? " " : ""})`;
  }
  return `declare -${flags === "" ? "-" : flags} ${name}${value}\n`;
}

type Flags = ReadonlySet<string>;

/** Letters of `-x`; `+x` as itself. */
function split(args: readonly string[]): { readonly flags: Flags; readonly names: readonly string[] } {
  const flags = new Set<string>();
  const names: string[] = [];
  for (const arg of args) {
    if (/^[-+][A-Za-z]+$/.test(arg) && names.length === 0) for (const letter of arg.slice(1)) flags.add(arg.startsWith("+") ? `+${letter}` : letter);
    else if (arg !== "--") names.push(arg);
  }
  return { flags, names };
}

async function apply(state: ShellState, name: string, assignment: Assignment | undefined, flags: Flags, local: boolean): Promise<void> {
  const base = /^\w+/.exec(name)?.[0] ?? name;
  const held = local ? state.vars.makeLocal(base) : state.vars.declared(base, !flags.has("n"));
  if (held.readonly && assignment) throw new ReadonlyError(`${base}: readonly variable`);
  if (flags.has("A")) makeList(held, "map");
  else if (flags.has("a")) makeList(held, "list");
  if (flags.has("i")) held.integer = true;
  if (flags.has("+i")) held.integer = false;
  if (flags.has("l")) held.letters = "lower";
  if (flags.has("u")) held.letters = "upper";
  if (flags.has("n")) {
    held.reference = true;
    if (assignment?.value) {
      held.reference = false;
      await assign(state, assignment);
      held.reference = true;
    }
  } else if (assignment) await assign(state, assignment);
  if (flags.has("x")) held.exported = true;
  if (flags.has("+x")) held.exported = false;
  if (flags.has("r")) held.readonly = true;
}

/** Words that were no assignments when they were written: `export "$pair"`. */
function assignmentIn(text: string): Assignment | undefined {
  const match = /^([A-Za-z_]\w*(?:\[[^\]]*\])?)(\+?)=([^]*)$/.exec(text);
  return match ? { type: "Assignment", name: match[1] ?? "", append: match[2] === "+", value: { type: "Word", parts: [{ type: "SingleQuoted", value: match[3] ?? "" }] }, array: null } : undefined;
}

async function declareAll(state: ShellState, command: string, args: readonly string[], declarations: readonly Assignment[], extra: string, local: boolean): Promise<number> {
  const { flags: given, names } = split(args);
  const flags = new Set([...given, ...extra]);
  let code = 0;
  const one = async (name: string, assignment: Assignment | undefined): Promise<void> => {
    if (!/^[A-Za-z_]\w*(\[.*\])?$/s.test(name)) {
      await state.complain(`${command}: \`${assignment ? `${name}=` : name}': not a valid identifier`);
      code = 1;
      return;
    }
    try {
      await apply(state, name, assignment, flags, local && !flags.has("g"));
    } catch (error) {
      if (!(error instanceof ReadonlyError)) throw error;
      await state.complain(`${command}: ${error.message}`.replace(/^(export|readonly): /, ""));
      code = 1;
    }
  };
  for (const assignment of declarations) await one(assignment.name, assignment);
  for (const name of names) {
    const assignment = assignmentIn(name);
    await one(assignment?.name ?? name, assignment);
  }
  return code;
}

async function print(state: ShellState, command: string, names: readonly string[], wanted: (held: Variable) => boolean): Promise<number> {
  let code = 0;
  for (const name of names.length > 0 ? names : state.vars.names()) {
    const held = state.vars.find(name);
    if (!held) {
      await state.complain(`${command}: ${name}: not found`);
      code = 1;
    } else if (wanted(held)) await state.write(1, written(name, held));
  }
  return code;
}

const declare: Builtin = async (state, args, declarations) => {
  const { flags, names } = split(args);
  if (flags.has("F") || flags.has("f")) {
    let code = 0;
    for (const name of names.length > 0 ? names : [...state.functions.keys()].sort()) {
      if (state.functions.has(name)) await state.write(1, names.length > 0 ? `${name}\n` : `declare -f ${name}\n`);
      else code = 1;
    }
    return code;
  }
  if (flags.has("p") || (names.length === 0 && declarations.length === 0)) return print(state, "declare", names, (held) => (!flags.has("x") || held.exported) && (!flags.has("r") || held.readonly) && (!flags.has("a") || held.kind === "list") && (!flags.has("A") || held.kind === "map") && (!flags.has("i") || held.integer));
  return declareAll(state, "declare", args, declarations, "", state.vars.inFunction && state.calls.length > 0);
};

export const DECLARING = {
  declare,
  typeset: declare,
  async local(state, args, declarations) {
    if (state.calls.length === 0) {
      await state.complain("local: can only be used in a function");
      return 1;
    }
    return declareAll(state, "local", args, declarations, "", true);
  },
  async export(state, args, declarations) {
    const { flags, names } = split(args);
    if (flags.has("p") || (names.length === 0 && declarations.length === 0)) return print(state, "export", [], (held) => held.exported);
    if (flags.has("f")) return 0;
    return declareAll(state, "export", args.map((arg) => (arg === "-n" ? "+x" : arg)), declarations, flags.has("n") ? "" : "x", false);
  },
  async readonly(state, args, declarations) {
    const { flags, names } = split(args);
    if (flags.has("p") || (names.length === 0 && declarations.length === 0)) return print(state, "readonly", [], (held) => held.readonly);
    return declareAll(state, "readonly", args, declarations, "r", false);
  },
} satisfies Readonly<Record<string, Builtin>>;

