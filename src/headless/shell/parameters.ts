// `$x`, `${x:-y}`, `${x%.*}`, `"$@"`, `${a[@]}` and the rest.
import { calculate, CUT, elementKey, expandPattern, expandPieces, type Piece, specialOf, textOf } from "./expand.ts";
import { patternRegExp, patternSource } from "./pattern.ts";
import { ExpansionError, type ShellState } from "./state.ts";
import { type ParameterOperation, type ParameterPart, parseText, type WordNode } from "./syntax.ts";

/** What a parameter is before anything is done to it. `joined`: `*`, whose values are one text between quotes. */
interface Values {
  readonly list: readonly string[];
  readonly many: boolean;
  readonly joined: boolean;
  readonly set: boolean;
}

export async function expandParameter(state: ShellState, part: ParameterPart, quoted: boolean): Promise<Piece[]> {
  const { parameter, operation } = part;
  switch (operation?.type) {
    case "BadSubstitution":
      throw new ExpansionError(`${operation.text.startsWith("${") ? operation.text : `\${${operation.text}}`}: bad substitution`, "line");
    case "LengthSliceError":
      throw new ExpansionError(`\${#${parameter}}: bad substitution`, "line");
    case "ArrayKeys":
      return pieces(state, { list: state.vars.entries(operation.array).map(([key]) => key), many: true, joined: operation.star, set: true }, quoted);
    case "VarNamePrefix":
      return pieces(state, { list: state.vars.names().filter((name) => name.startsWith(operation.prefix)), many: true, joined: operation.star, set: true }, quoted);
    case "Indirection": {
      // `${!:-x}` is of `$!`.
      if (parameter === "") return expandParameter(state, { type: "ParameterExpansion", parameter: "!", operation: operation.innerOp ?? null }, quoted);
      const target = (await valuesOf(state, parameter)).list[0];
      if (target === undefined || !/^([A-Za-z_]\w*(\[.*\])?|\d+|[@*#?$!-])$/s.test(target)) throw new ExpansionError(`${target === undefined ? `${parameter}: invalid indirect expansion` : `${target}: invalid variable name`}`, "shell");
      return expandParameter(state, { type: "ParameterExpansion", parameter: target, operation: operation.innerOp ?? null }, quoted);
    }
    default:
      return operate(state, parameter, operation ?? undefined, quoted);
  }
}

type SimpleOperation = Exclude<ParameterOperation, { type: "BadSubstitution" | "LengthSliceError" | "ArrayKeys" | "VarNamePrefix" | "Indirection" }>;

async function operate(state: ShellState, parameter: string, operation: SimpleOperation | undefined, quoted: boolean): Promise<Piece[]> {
  const values = await valuesOf(state, parameter);
  const isEmpty = values.list.every((text) => text === "");
  const word = async (node: WordNode): Promise<Piece[]> => (await expandPieces(state, node.parts, quoted)).map((piece) => (piece.quoted || piece.split !== undefined ? piece : { ...piece, split: true }));
  if (!operation) {
    if (!values.set && !values.many) unset(state, parameter);
    return pieces(state, values, quoted);
  }
  switch (operation.type) {
    case "DefaultValue":
      return values.set && !(operation.checkEmpty && isEmpty) ? pieces(state, values, quoted) : word(operation.word);
    case "UseAlternative":
      return values.set && !(operation.checkEmpty && isEmpty) ? word(operation.word) : pieces(state, { ...values, list: values.many ? [] : [""] }, quoted);
    case "AssignDefault": {
      if (values.set && !(operation.checkEmpty && isEmpty)) return pieces(state, values, quoted);
      const text = textOf(await word(operation.word));
      if (!/^[A-Za-z_]/.test(parameter)) throw new ExpansionError(`$${parameter}: cannot assign in this way`, "shell");
      await assign(state, parameter, text);
      return [{ text, quoted, split: !quoted }];
    }
    case "ErrorIfUnset": {
      if (values.set && !(operation.checkEmpty && isEmpty)) return pieces(state, values, quoted);
      const text = operation.word && operation.word.parts.length > 0 ? textOf(await word(operation.word)) : operation.checkEmpty ? "parameter null or not set" : "parameter not set";
      throw new ExpansionError(`${parameter}: ${text}`, "shell");
    }
    case "Length":
      if (!values.set && !values.many) unset(state, parameter);
      return [{ text: String(values.many ? values.list.length : [...(values.list[0] ?? "")].length), quoted, split: !quoted }];
    case "Substring":
      return pieces(state, await substring(state, parameter, values, operation.offset.originalText ?? "", operation.length?.originalText), quoted);
    default:
      if (!values.set && !values.many) unset(state, parameter);
      return pieces(state, await mapped(state, parameter, values, operation), quoted);
  }
}

function unset(state: ShellState, parameter: string): void {
  if (state.options.has("nounset") && !/^[@*]$/.test(parameter)) throw new ExpansionError(`${parameter}: unbound variable`, "shell");
}

async function assign(state: ShellState, parameter: string, text: string): Promise<void> {
  const match = /^(\w+)\[(.*)\]$/s.exec(parameter);
  if (match) state.vars.setElement(match[1] ?? "", await elementKey(state, match[1] ?? "", match[2] ?? ""), text);
  else state.vars.set(parameter, text);
}

async function valuesOf(state: ShellState, parameter: string): Promise<Values> {
  const one = (text: string | undefined): Values => ({ list: [text ?? ""], many: false, joined: false, set: text !== undefined });
  const { vars } = state;
  switch (parameter) {
    case "@":
    case "*":
      return { list: state.positional, many: true, joined: parameter === "*", set: state.positional.length > 0 };
    case "#": return one(String(state.positional.length));
    case "?": return one(String(state.status));
    case "$": return one(String(state.host.pid));
    case "!": return one(state.lastJobPid === undefined ? undefined : String(state.lastJobPid));
    case "-": return one(flagsOf(state));
    case "0": return one(state.name);
    case "PIPESTATUS": return one(state.pipeStatus[0]);
    default:
  }
  if (/^\d+$/.test(parameter)) return one(state.positional[Number(parameter) - 1]);
  const match = /^(\w+)\[(.*)\]$/s.exec(parameter);
  if (!match) return one(specialOf(state, parameter) ?? vars.get(parameter));
  const [, name = "", index = ""] = match;
  if (name === "PIPESTATUS" || name === "FUNCNAME") {
    const list = name === "PIPESTATUS" ? state.pipeStatus : [...state.calls].reverse();
    return index === "@" || index === "*" ? { list, many: true, joined: index === "*", set: true } : one(list[Number(await calculate(state, index))]);
  }
  if (index === "@" || index === "*") {
    const entries = vars.entries(name);
    return { list: entries.map(([, value]) => value), many: true, joined: index === "*", set: entries.length > 0 };
  }
  return one(vars.getElement(name, await elementKey(state, name, index)));
}

/** `$-` */
const FLAGS: Readonly<Record<string, string>> = { errexit: "e", noglob: "f", nounset: "u", xtrace: "x", noclobber: "C", verbose: "v", allexport: "a", noexec: "n" };

function flagsOf(state: ShellState): string {
  return `h${[...state.options].map((name) => FLAGS[name] ?? "").join("")}${state.host.interactive ? "i" : ""}B`;
}

function pieces(state: ShellState, { list, many, joined }: Values, quoted: boolean): Piece[] {
  if (!many) return [{ text: list[0] ?? "", quoted, split: !quoted }];
  if (joined && quoted) {
    const ifs = state.vars.get("IFS");
    return [{ text: list.join(ifs === undefined ? " " : ifs.slice(0, 1)), quoted }];
  }
  return list.flatMap((text, i) => [...(i > 0 ? [CUT] : []), { text, quoted, split: !quoted }]);
}

async function substring(state: ShellState, parameter: string, values: Values, offsetText: string, lengthText: string | undefined): Promise<Values> {
  let offset = Number(await calculate(state, offsetText));
  const length = lengthText === undefined ? undefined : Number(await calculate(state, lengthText));
  if (values.many) {
    // The parameters are counted from 1, and `$0` stands before them.
    const list = parameter === "@" || parameter === "*" ? [state.name, ...values.list] : [...values.list];
    if (offset < 0) offset += list.length;
    if (length !== undefined && length < 0) throw new ExpansionError(`${lengthText}: substring expression < 0`, "line");
    return { ...values, list: offset < 0 ? [] : list.slice(offset, length === undefined ? undefined : offset + length) };
  }
  const text = [...(values.list[0] ?? "")];
  if (offset < 0) offset += text.length;
  if (offset < 0 || offset > text.length) return { ...values, list: [""] };
  const end = length === undefined ? text.length : length < 0 ? text.length + length : offset + length;
  if (end < offset) throw new ExpansionError(`${lengthText}: substring expression < 0`, "line");
  return { ...values, list: [text.slice(offset, end).join("")] };
}

async function mapped(state: ShellState, parameter: string, values: Values, operation: Extract<SimpleOperation, { type: "PatternRemoval" | "PatternReplacement" | "CaseModification" | "Transform" }>): Promise<Values> {
  const options = { extended: state.shopts.has("extglob"), ignoreCase: state.shopts.has("nocasematch") };
  const each = (change: (text: string) => string): Values => ({ ...values, list: values.list.map(change) });
  switch (operation.type) {
    case "PatternRemoval": {
      const pattern = patternRegExp(await expandPattern(state, operation.pattern), options);
      return each((text) => removed(text, pattern, operation.side, operation.greedy));
    }
    case "PatternReplacement": {
      const pattern = await expandPattern(state, operation.pattern);
      const replacement = operation.replacement ? await expandPieces(state, operation.replacement.parts, false) : [];
      if (pattern === "" && !operation.anchor) return values;
      const source = patternSource(pattern, options);
      const [start, end] = operation.anchor === "start" ? ["^", ""] : operation.anchor === "end" ? ["", "$"] : ["", ""];
      const expression = new RegExp(`${start}(?:${source})${end}`, `su${operation.all ? "g" : ""}${options.ignoreCase ? "i" : ""}`);
      return each((text) => text.replace(expression, (found) => (found === "" && operation.all ? "" : replaced(replacement, found))));
    }
    case "CaseModification": {
      const pattern = patternRegExp(operation.pattern ? await expandPattern(state, operation.pattern) : "?", options);
      const change = (c: string): string => (!pattern.test(c) ? c : operation.direction === "upper" ? c.toUpperCase() : c.toLowerCase());
      return each((text) => {
        const letters = [...text];
        return letters.map((c, i) => (operation.all || i === 0 ? change(c) : c)).join("");
      });
    }
    case "Transform": {
      const list: string[] = [];
      for (const text of values.list) list.push(await transformed(state, parameter, text, operation.operator, values.set));
      return { ...values, list };
    }
    default:
      return operation satisfies never;
  }
}

/** An unquoted `&` is what was found. */
function replaced(replacement: readonly Piece[], found: string): string {
  return replacement.map(({ text, quoted }) => (quoted ? text : text.replaceAll(/\\(.)|&/gs, (whole, after?: string) => (after === undefined ? found : after === "&" || after === "\\" ? after : whole)))).join("");
}

function removed(text: string, pattern: RegExp, side: "prefix" | "suffix", greedy: boolean): string {
  const cuts = Array.from({ length: text.length + 1 }, (_, i) => i);
  const order = greedy === (side === "prefix") ? cuts.reverse() : cuts;
  for (const at of order) {
    if (pattern.test(side === "prefix" ? text.slice(0, at) : text.slice(at))) return side === "prefix" ? text.slice(at) : text.slice(0, at);
  }
  return text;
}

async function transformed(state: ShellState, parameter: string, text: string, operator: Extract<SimpleOperation, { type: "Transform" }>["operator"], set: boolean): Promise<string> {
  switch (operator) {
    case "Q": return set ? quoteWord(text) : "";
    case "U": return text.toUpperCase();
    case "L": return text.toLowerCase();
    case "u": return text.slice(0, 1).toUpperCase() + text.slice(1);
    case "P": return textOf(await expandPieces(state, parseText(promptEscapes(state, text)).parts, true)).replace(/\n$/, "");
    case "A": return set ? `${parameter}=${quoteWord(text)}` : "";
    case "a": {
      const held = state.vars.find(parameter);
      return `${held?.kind === "list" ? "a" : held?.kind === "map" ? "A" : ""}${held?.integer === true ? "i" : ""}${held?.readonly === true ? "r" : ""}${held?.exported === true ? "x" : ""}`;
    }
    default: return text;
  }
}

/** As `${x@Q}` and `declare -p` write it. */
export function quoteWord(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is written as escapes
  if (/[\u0000-\u001f\u007f]/.test(text)) return `$'${text.replaceAll(/[\\']/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t").replaceAll("\r", "\\r").replaceAll("\u001b", "\\E")}'`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** `\w`, `\u` and the like of PS1. */
export function promptEscapes(state: ShellState, text: string): string {
  const home = state.vars.get("HOME") ?? "";
  const shown = home !== "" && (state.cwd === home || state.cwd.startsWith(`${home}/`)) ? `~${state.cwd.slice(home.length)}` : state.cwd;
  return text.replaceAll(/\\(.)/gs, (whole, c: string) => {
    switch (c) {
      case "w": return shown;
      case "W": return shown === "~" ? "~" : state.cwd.slice(state.cwd.lastIndexOf("/") + 1) || "/";
      case "u": return state.vars.get("USER") ?? "user";
      case "h": return "container";
      case "$": return "$";
      case "n": return "\n";
      case "e": return "\u001b";
      case "s": return "jsh";
      case "[":
      case "]": return "";
      case "\\": return "\\";
      default: return whole;
    }
  });
}
