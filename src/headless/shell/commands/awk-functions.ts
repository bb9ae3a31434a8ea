// awk's functions and operators over values alone, and what a program's functions do with their parameters.
import type { FunctionNode, Node, Program } from "./awk-syntax.ts";
import { formatted, lettersIn, toNumber, type Value } from "./awk-values.ts";
import { UsageError } from "./getopt.ts";

const MATHS: Readonly<Record<string, (value: number) => number>> = { sin: Math.sin, cos: Math.cos, exp: Math.exp, log: Math.log, sqrt: Math.sqrt };

export class PlainFunctions {
  readonly #shown: (value: Value) => string;
  readonly #convert: () => string;
  #seed = 0;
  #random = 0;

  /** `shown`: a value as text; `convert`: CONVFMT. */
  constructor(shown: (value: Value) => string, convert: () => string) {
    this.#shown = shown;
    this.#convert = convert;
  }

  call(name: string, values: readonly Value[], count: number): Value {
    const [a, b, c] = values;
    switch (name) {
      case "substr": {
        const letters = [...this.#shown(a)];
        const from = Math.round(toNumber(b));
        const to = count > 2 ? from + Math.round(toNumber(c)) : Number.POSITIVE_INFINITY;
        return letters.slice(Math.max(0, from - 1), Math.max(0, to - 1)).join("");
      }
      case "index": {
        const text = this.#shown(a);
        const at = text.indexOf(this.#shown(b));
        return at < 0 ? 0 : lettersIn(text.slice(0, at)) + 1;
      }
      case "sprintf":
        return formatted(this.#shown(a), values.slice(1), this.#convert());
      case "tolower":
        return this.#shown(a).toLowerCase();
      case "toupper":
        return this.#shown(a).toUpperCase();
      case "int":
        return Math.trunc(toNumber(a));
      case "atan2":
        return Math.atan2(toNumber(a), toNumber(b));
      case "rand":
        this.#random = (this.#random * 1_103_515_245 + 12_345) % 2_147_483_648;
        return this.#random / 2_147_483_648;
      case "srand": {
        const before = this.#seed;
        this.#seed = count > 0 ? toNumber(a) : Math.floor(Date.now() / 1000);
        this.#random = Math.abs(Math.trunc(this.#seed)) % 2_147_483_648;
        return before;
      }
      default:
        return MATHS[name]?.(toNumber(a));
    }
  }
}

export function arithmetic(operator: string, a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      if (b === 0) throw new UsageError("division by zero");
      return a / b;
    case "%":
      if (b === 0) throw new UsageError("division by zero in %");
      return a % b;
    default:
      return a ** b;
  }
}

/** Whether a function takes this parameter for an array, itself or by what it calls. */
export function usesAsArray(program: Program, { name, parameters, body }: FunctionNode, index: number, asked = new Set<string>()): boolean {
  const parameter = parameters[index];
  if (parameter === undefined || asked.has(`${name} ${index}`)) return false;
  asked.add(`${name} ${index}`);
  const visit = (node: unknown): boolean => {
    if (typeof node !== "object" || node === null) return false;
    if (Array.isArray(node)) return node.some(visit);
    const each = node as { kind?: string; name?: string; array?: string; args?: Node[]; builtin?: boolean };
    if ((each.kind === "element" || each.kind === "in" || each.kind === "delete") && each.name === parameter) return true;
    if (each.kind === "each" && each.array === parameter) return true;
    if (each.kind === "call" && each.builtin && each.name === "split" && each.args?.[1]?.kind === "variable" && each.args[1].name === parameter) return true;
    const inner = each.kind === "call" && !each.builtin ? program.functions.get(each.name ?? "") : undefined;
    if (inner && each.args?.some((arg, i) => arg.kind === "variable" && arg.name === parameter && usesAsArray(program, inner, i, asked))) return true;
    return Object.values(each).some(visit);
  };
  return visit(body);
}
