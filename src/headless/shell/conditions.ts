// `[[ … ]]` and `test`.
import { resolvePath } from "../posix-path.ts";
import { statOf } from "../vfs-node.ts";
import { calculate, expandPattern, expandRegExp, expandText } from "./expand.ts";
import { compareNames, patternRegExp } from "./pattern.ts";
import { ExpansionError, type ShellState } from "./state.ts";
import type { Condition } from "./syntax.ts";

/** Throws ExpansionError; `code` 2 is the caller's to give. */
export async function holds(state: ShellState, condition: Condition): Promise<boolean> {
  switch (condition.type) {
    case "CondAnd":
      return (await holds(state, condition.left)) && holds(state, condition.right);
    case "CondOr":
      return (await holds(state, condition.left)) || holds(state, condition.right);
    case "CondNot":
      return !(await holds(state, condition.operand));
    case "CondGroup":
      return holds(state, condition.expression);
    case "CondWord":
      return (await expandText(state, condition.word)) !== "";
    case "CondUnary":
      return unary(state, condition.operator, await expandText(state, condition.operand));
    case "CondBinary": {
      const left = await expandText(state, condition.left);
      const options = { extended: true, ignoreCase: state.shopts.has("nocasematch") };
      switch (condition.operator) {
        case "=":
        case "==":
          return patternRegExp(await expandPattern(state, condition.right), options).test(left);
        case "!=":
          return !patternRegExp(await expandPattern(state, condition.right), options).test(left);
        case "=~":
          return matches(state, left, await expandRegExp(state, condition.right));
        default:
          return binary(state, left, condition.operator, await expandText(state, condition.right), true);
      }
    }
    default:
      return condition satisfies never;
  }
}

function matches(state: ShellState, text: string, source: string): boolean {
  const translated = source.replaceAll(/\[\[:(\w+):\]\]/g, (whole, name: string) => ({ digit: "[0-9]", alpha: "[A-Za-z]", alnum: "[A-Za-z0-9]", space: "\\s", upper: "[A-Z]", lower: "[a-z]", xdigit: "[0-9A-Fa-f]", punct: "[!-/:-@[-`{-~]" })[name] ?? whole);
  let expression: RegExp;
  try {
    expression = new RegExp(translated, state.shopts.has("nocasematch") ? "is" : "s");
  } catch {
    throw new ExpansionError(`syntax error in regular expression \`${source}'`);
  }
  const match = expression.exec(text);
  state.vars.setList("BASH_REMATCH", match ? match.map((part: string | undefined) => part ?? "") : []);
  return match !== null;
}

export function unary(state: ShellState, operator: string, operand: string): boolean {
  const { vfs } = state.host;
  const path = resolvePath(operand, state.cwd);
  const node = operand === "" ? undefined : vfs.find(path);
  const device = operand === "/dev/null" || operand === "/dev/tty";
  switch (operator) {
    case "-n": return operand !== "";
    case "-z": return operand === "";
    case "-a":
    case "-e": return node !== undefined || device;
    case "-f": return node?.kind === "file";
    case "-d": return node?.kind === "dir";
    case "-h":
    case "-L": return operand !== "" && vfs.find(path, false)?.kind === "link";
    case "-s": return node !== undefined && (node.kind !== "file" || node.data.length > 0);
    case "-r":
    case "-w": return device || (node !== undefined && (statOf(node).mode & (operator === "-r" ? 0o400 : 0o200)) !== 0);
    case "-x": return node !== undefined && (statOf(node).mode & 0o100) !== 0;
    case "-c": return device;
    case "-O":
    case "-G":
    case "-N": return node !== undefined;
    case "-t": return /^\d+$/.test(operand) && state.fds.get(Number(operand))?.stream.terminal === true;
    case "-o": return state.options.has(operand);
    case "-v": {
      const match = /^(\w+)\[(.+)\]$/.exec(operand);
      return match ? state.vars.getElement(match[1] ?? "", match[2] ?? "") !== undefined : state.vars.get(operand) !== undefined || /^\d+$/.test(operand) && state.positional.length >= Number(operand);
    }
    case "-R": return state.vars.find(operand)?.reference === true;
    default: return false; // -b -g -k -p -u -S: there are no such files
  }
}

export async function binary(state: ShellState, left: string, operator: string, right: string, expression: boolean): Promise<boolean> {
  const number = async (text: string): Promise<bigint> => {
    if (expression) return calculate(state, text);
    if (!/^\s*[-+]?\d+\s*$/.test(text)) throw new ExpansionError(`${text}: integer expression expected`);
    return BigInt(text.trim().replace(/^\+/, ""));
  };
  const time = (text: string): number => {
    const node = state.host.vfs.find(resolvePath(text, state.cwd));
    return node ? statOf(node).mtimeMs : -1;
  };
  switch (operator) {
    case "=":
    case "==": return left === right;
    case "!=": return left !== right;
    case "<": return compareNames(left, right) < 0;
    case ">": return compareNames(left, right) > 0;
    case "-eq": return (await number(left)) === (await number(right));
    case "-ne": return (await number(left)) !== (await number(right));
    case "-lt": return (await number(left)) < (await number(right));
    case "-le": return (await number(left)) <= (await number(right));
    case "-gt": return (await number(left)) > (await number(right));
    case "-ge": return (await number(left)) >= (await number(right));
    case "-nt": return time(left) > time(right);
    case "-ot": return time(left) < time(right);
    case "-ef": {
      const { vfs } = state.host;
      const [a, b] = [vfs.find(resolvePath(left, state.cwd)), vfs.find(resolvePath(right, state.cwd))];
      return a !== undefined && a === b;
    }
    default: throw new ExpansionError(`${operator}: binary operator expected`);
  }
}

const BINARY = new Set(["=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"]);
const UNARY = /^-[abcdefghknoprstuvwxzGLNORS]$/;

/** `test` and `[`: by the number of arguments first, as POSIX says. Throws ExpansionError for what is no expression. */
export async function test(state: ShellState, args: readonly string[]): Promise<boolean> {
  const [a = "", b = "", c = "", d = ""] = args;
  switch (args.length) {
    case 0: return false;
    case 1: return a !== "";
    case 2:
      if (a === "!") return b === "";
      if (UNARY.test(a)) return unary(state, a, b);
      throw new ExpansionError(`${a}: unary operator expected`);
    case 3:
      if (BINARY.has(b)) return binary(state, a, b, c, false);
      if (b === "-a") return a !== "" && c !== "";
      if (b === "-o") return a !== "" || c !== "";
      if (a === "!") return !(await test(state, [b, c]));
      if (a === "(" && c === ")") return b !== "";
      throw new ExpansionError(`${b}: binary operator expected`);
    case 4:
      if (a === "!") return !(await test(state, [b, c, d]));
      if (a === "(" && d === ")") return test(state, [b, c]);
      break;
    default:
  }
  const parser = new TestParser(state, args);
  return parser.all();
}

class TestParser {
  readonly #state: ShellState;
  readonly #args: readonly string[];
  #at = 0;

  constructor(state: ShellState, args: readonly string[]) {
    this.#state = state;
    this.#args = args;
  }

  async all(): Promise<boolean> {
    const value = await this.#or();
    if (this.#at < this.#args.length) throw new ExpansionError("too many arguments");
    return value;
  }

  async #or(): Promise<boolean> {
    let value = await this.#and();
    while (this.#args[this.#at] === "-o") {
      this.#at++;
      value = (await this.#and()) || value;
    }
    return value;
  }

  async #and(): Promise<boolean> {
    let value = await this.#one();
    while (this.#args[this.#at] === "-a") {
      this.#at++;
      value = (await this.#one()) && value;
    }
    return value;
  }

  async #one(): Promise<boolean> {
    const [a, b, c] = this.#args.slice(this.#at, this.#at + 3);
    if (a === undefined) throw new ExpansionError("argument expected");
    if (a === "!") {
      this.#at++;
      return !(await this.#one());
    }
    if (a === "(") {
      this.#at++;
      const value = await this.#or();
      if (this.#args[this.#at] !== ")") throw new ExpansionError("`)' expected");
      this.#at++;
      return value;
    }
    if (b !== undefined && c !== undefined && BINARY.has(b)) {
      this.#at += 3;
      return binary(this.#state, a, b, c, false);
    }
    if (UNARY.test(a) && b !== undefined) {
      this.#at += 2;
      return unary(this.#state, a, b);
    }
    this.#at++;
    return a !== "";
  }
}
