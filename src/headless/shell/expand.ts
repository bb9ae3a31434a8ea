// Words become fields: braces, tilde, `$`, splitting at IFS, file names. While a field is built it is a pattern, in which
// what was quoted stands behind backslashes (pattern.ts).
import { compareNames, escapePattern, expandPath, hasGlob, patternRegExp, unescapePattern } from "./pattern.ts";
import { evaluate, ArithmeticError } from "./arithmetic.ts";
import { expandParameter } from "./parameters.ts";
import { ExpansionError, type ShellState } from "./state.ts";
import { parseText, type WordNode, type WordPart } from "./syntax.ts";

/** A stretch of a word: `quoted` is neither split nor a pattern, `split` is text that a `$` gave. `cut`: a new field begins. */
export interface Piece {
  readonly text: string;
  readonly quoted: boolean;
  readonly split?: boolean;
  readonly cut?: boolean;
}

export const CUT: Piece = { text: "", quoted: true, cut: true };

/** All fields of some words, file names included. */
export async function expandWords(state: ShellState, words: readonly WordNode[]): Promise<string[]> {
  const fields: string[] = [];
  for (const word of words) for (const plain of expandBraces(word)) fields.push(...(await expandWord(state, plain)));
  return fields;
}

async function expandWord(state: ShellState, word: WordNode): Promise<string[]> {
  const [only] = word.parts;
  // The commonest word by far.
  if (only?.type === "Literal" && word.parts.length === 1 && !/[*?[\\]/.test(only.value)) return [only.value];
  const patterns = splitFields(await expandPieces(state, word.parts, false), state.vars.get("IFS") ?? " \t\n");
  if (state.options.has("noglob")) return patterns.map(unescapePattern);
  return patterns.flatMap((pattern) => fileNames(state, pattern));
}

function fileNames(state: ShellState, pattern: string): string[] {
  const { shopts } = state;
  if (!hasGlob(pattern)) return [unescapePattern(pattern)];
  const found = expandPath(state.host.vfs, state.cwd, pattern, {
    extended: shopts.has("extglob"), dots: shopts.has("dotglob"), deep: shopts.has("globstar"), ignoreCase: shopts.has("nocaseglob"),
  });
  if (found.length > 0) return found;
  if (shopts.has("failglob")) throw new ExpansionError(`no match: ${unescapePattern(pattern)}`, "line");
  return shopts.has("nullglob") ? [] : [unescapePattern(pattern)];
}

/** One text, never split: an assignment's value, a redirection's target, `[[` and `case` words. */
export async function expandText(state: ShellState, word: WordNode): Promise<string> {
  const [only] = word.parts;
  if (only?.type === "Literal" && word.parts.length === 1) return only.value;
  return textOf(await expandPieces(state, word.parts, false));
}

/** A pattern: what is quoted matches itself. */
export async function expandPattern(state: ShellState, word: WordNode): Promise<string> {
  return (await expandPieces(state, word.parts, false)).map(({ text, quoted, cut }) => (cut === true ? " " : quoted ? escapePattern(text) : text)).join("");
}

/** The right side of `=~`: what is quoted means itself. */
export async function expandRegExp(state: ShellState, word: WordNode): Promise<string> {
  return (await expandPieces(state, word.parts, false)).map(({ text, quoted }) => (quoted ? text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&") : text)).join("");
}

/** A redirection's target: one field, file names counted. */
export async function expandTarget(state: ShellState, word: WordNode): Promise<string> {
  const fields = await expandWords(state, [word]);
  if (fields.length !== 1) throw new ExpansionError(`${fields.join(" ") || "''"}: ambiguous redirect`);
  return fields[0] ?? "";
}

export function textOf(pieces: readonly Piece[]): string {
  return pieces.map(({ text, cut }) => (cut === true ? " " : text)).join("");
}

export async function expandPieces(state: ShellState, parts: readonly WordPart[], quoted: boolean): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for (const part of parts) {
    switch (part.type) {
      case "Literal":
        pieces.push({ text: part.value, quoted });
        break;
      case "Glob":
        pieces.push({ text: part.pattern, quoted });
        break;
      case "SingleQuoted":
      case "Escaped":
        pieces.push({ text: part.value, quoted: true });
        break;
      case "DoubleQuoted": {
        const inner = await expandPieces(state, part.parts, true);
        // "" is a field; "$@" of nothing is none.
        if (part.parts.length === 0) pieces.push({ text: "", quoted: true });
        pieces.push(...inner);
        break;
      }
      case "TildeExpansion":
        pieces.push({ text: home(state, part.user), quoted: true });
        break;
      case "ParameterExpansion":
        pieces.push(...(await expandParameter(state, part, quoted)));
        break;
      case "CommandSubstitution": {
        const text = (await state.capture(state, part.body)).replace(/\n+$/, "");
        pieces.push({ text, quoted, split: !quoted });
        break;
      }
      case "ArithmeticExpansion":
        pieces.push({ text: String(await calculate(state, part.expression.originalText ?? "")), quoted, split: !quoted });
        break;
      case "ProcessSubstitution":
        pieces.push({ text: await state.substitute(state, part.body, part.direction), quoted: true });
        break;
      case "BraceExpansion":
        // Where braces are not expanded they stand as they were written.
        pieces.push({ text: await writtenBraces(state, part), quoted });
        break;
      default:
        part satisfies never;
    }
  }
  return pieces;
}

function home(state: ShellState, user: string | null): string {
  if (user === null || user === "") return state.vars.get("HOME") ?? "/home";
  if (user === "+") return state.cwd;
  if (user === "-") return state.vars.get("OLDPWD") ?? "~-";
  return user === "root" ? "/root" : `~${user}`;
}

/** The value of an expression. Throws ExpansionError. */
export async function calculate(state: ShellState, text: string): Promise<bigint> {
  const plain = /[$`"]/.test(text) ? textOf(await expandPieces(state, parseText(text).parts, true)).replaceAll('"', "") : text;
  return calculateNow(state, plain);
}

/** Of text whose `$` have been expanded. */
export function calculateNow(state: ShellState, text: string): bigint {
  const { vars } = state;
  const key = (name: string, index: string): string => (vars.find(name)?.kind === "map" ? index : String(calculateNow(state, index)));
  try {
    return evaluate(text, {
      get: (name, index) => {
        const value = index === undefined ? specialOf(state, name) ?? vars.get(name) : vars.getElement(name, key(name, index));
        if (value === undefined && state.options.has("nounset")) throw new ExpansionError(`${name}: unbound variable`, "shell");
        return value ?? "";
      },
      set: (name, index, value) => (index === undefined ? vars.set(name, value) : vars.setElement(name, key(name, index), value)),
    });
  } catch (error) {
    if (error instanceof ArithmeticError) throw new ExpansionError(error.message, "line");
    throw error;
  }
}

/** The key of an element as a map or a list names it. */
export async function elementKey(state: ShellState, name: string, index: string): Promise<string> {
  if (state.vars.find(name)?.kind !== "map") return String(await calculate(state, index));
  return /[$`"'\\]/.test(index) ? textOf(await expandPieces(state, parseText(index).parts, true)).replaceAll(/^(["'])(.*)\1$/gs, "$2") : index;
}

/** Variables that are made when they are read. */
export function specialOf(state: ShellState, name: string): string | undefined {
  switch (name) {
    case "RANDOM":
      state.random = (Math.imul(state.random, 1103515245) + 12345) & 0x7fffffff;
      return String((state.random >> 16) & 0x7fff);
    case "SECONDS":
      return String(Math.floor((performance.now() - state.seconds) / 1000));
    case "EPOCHSECONDS":
      return String(Math.floor(Date.now() / 1000));
    case "EPOCHREALTIME":
      return (Date.now() / 1000).toFixed(6);
    case "LINENO":
      return String(state.line);
    case "BASHPID":
      return String(state.pid);
    case "BASH_SUBSHELL":
      return String(state.depth);
    case "FUNCNAME":
      return state.calls.at(-1);
    case "PPID":
      return String(state.host.ppid);
    default:
      return undefined;
  }
}

function splitFields(pieces: readonly Piece[], ifs: string): string[] {
  const fields: string[] = [];
  let current: string | undefined;
  const close = (): void => {
    if (current !== undefined) fields.push(current);
    current = undefined;
  };
  const isSpace = (c: string): boolean => ifs.includes(c) && (c === " " || c === "\t" || c === "\n");
  for (const piece of pieces) {
    if (piece.cut === true) close();
    else if (piece.split !== true || ifs === "") {
      if (piece.quoted || piece.text !== "") current = (current ?? "") + (piece.quoted ? escapePattern(piece.text) : piece.split === true ? piece.text.replaceAll("\\", "\\\\") : piece.text.replaceAll("\\", "\\\\"));
    } else {
      const { text } = piece;
      for (let i = 0; i < text.length; ) {
        const c = text[i] ?? "";
        if (!ifs.includes(c)) {
          current = (current ?? "") + (c === "\\" ? "\\\\" : c);
          i++;
          continue;
        }
        // White space around one other separator goes with it.
        let other = !isSpace(c);
        let end = i + 1;
        while (end < text.length && (isSpace(text[end] ?? "") || (!other && ifs.includes(text[end] ?? "")))) {
          if (!isSpace(text[end] ?? "")) other = true;
          end++;
        }
        if (other && current === undefined) current = "";
        close();
        i = end;
      }
    }
  }
  close();
  return fields;
}

/** The words that braces make of one; most make none. */
export function expandBraces(word: WordNode): WordNode[] {
  const at = word.parts.findIndex(({ type }) => type === "BraceExpansion");
  const part = word.parts[at];
  if (part?.type !== "BraceExpansion") return [word];
  const before = word.parts.slice(0, at);
  const after = expandBraces({ type: "Word", parts: word.parts.slice(at + 1) });
  const made: WordNode[] = [];
  for (const item of part.items) {
    const middles: WordNode[] = item.type === "Word" ? expandBraces(item.word) : range(item).map((value) => ({ type: "Word", parts: [{ type: "Literal", value }] }));
    for (const middle of middles) for (const tail of after) made.push({ type: "Word", parts: [...before, ...middle.parts, ...tail.parts] });
  }
  return made;
}

type BracePart = Extract<WordPart, { type: "BraceExpansion" }>;
type BraceRange = Extract<BracePart["items"][number], { type: "Range" }>;

function range({ start, end, step = 1, startStr = String(start), endStr = String(end) }: BraceRange): string[] {
  const letters = typeof start === "string" && typeof end === "string";
  const from = letters ? (start.codePointAt(0) ?? 0) : Number(start);
  const to = letters ? (end.codePointAt(0) ?? 0) : Number(end);
  const by = Math.abs(step) || 1;
  const width = !letters && /^-?0\d/.test(startStr + " ") || /^-?0\d/.test(endStr) ? Math.max(startStr.length, endStr.length) : 0;
  const out: string[] = [];
  for (let n = from; from <= to ? n <= to : n >= to; n += from <= to ? by : -by) {
    const sign = n < 0 ? "-" : "";
    out.push(letters ? String.fromCodePoint(n) : sign + String(Math.abs(n)).padStart(width - sign.length, "0"));
  }
  return out;
}

async function writtenBraces(state: ShellState, { items }: BracePart): Promise<string> {
  const [first] = items;
  if (first?.type === "Range") return `{${first.startStr ?? first.start}..${first.endStr ?? first.end}}`;
  const texts: string[] = [];
  for (const item of items) if (item.type === "Word") texts.push(await expandText(state, item.word));
  return `{${texts.join(",")}}`;
}

export { compareNames, patternRegExp };
