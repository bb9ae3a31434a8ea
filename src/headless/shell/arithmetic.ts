// `$(( ))`: 64-bit integers, C's operators and precedences. `$` in an expression has been expanded before it comes here.

/** Names are read and written through this; an index is an expression of its own, or a key. */
export interface ArithmeticNames {
  get(name: string, index: string | undefined): string;
  set(name: string, index: string | undefined, value: string): void;
}

export class ArithmeticError extends Error {}

const TOKEN = /\s*(?:(0[xX][\da-fA-F]+|\d+#[\w@]+|\d+\w*)|([A-Za-z_]\w*)|(\*\*|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--|[-+*/%&|^]=|[-+*/%<>=!~&|^?:(),[\]]))/y;
const PRECEDENCE: Readonly<Record<string, number>> = {
  "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, "<=": 7, ">": 7, ">=": 7, "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10, "**": 11,
};
/** Variables whose value is an expression that names variables. */
const MAX_DEPTH = 64;

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value);

/** Throws ArithmeticError. An empty expression is 0. */
export function evaluate(text: string, names: ArithmeticNames, depth = 0): bigint {
  if (/^\s*$/.test(text)) return 0n;
  if (/^\s*[1-9]\d{0,17}\s*$/.test(text)) return BigInt(text.trim());
  if (depth > MAX_DEPTH) throw new ArithmeticError(`${text}: expression recursion level exceeded`);
  return new Parser(text, names, depth).all();
}

interface Place {
  readonly name: string;
  readonly index: string | undefined;
}

class Parser {
  readonly #text: string;
  readonly #names: ArithmeticNames;
  readonly #depth: number;
  #at = 0;
  #kind: "number" | "name" | "operator" | "end" = "end";
  #token = "";
  #start = 0;
  #before = 0;
  /** Zero or below: what is read here is not done (`0 && x++`). */
  #live = 1;

  constructor(text: string, names: ArithmeticNames, depth: number) {
    this.#text = text;
    this.#names = names;
    this.#depth = depth;
    this.#next();
  }

  all(): bigint {
    const value = this.#comma();
    if (this.#kind !== "end") this.#fail(this.#kind === "operator" ? "syntax error: invalid arithmetic operator" : "syntax error in expression");
    return value;
  }

  /** `from`: where what is wrong begins; at the end of the text, it is what came last. */
  #fail(what: string, from = this.#kind === "end" ? this.#before : this.#start): never {
    throw new ArithmeticError(`${this.#text.trim()}: ${what} (error token is "${this.#text.slice(from).trimStart()}")`);
  }

  #next(): void {
    this.#before = this.#start;
    this.#start = this.#at;
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text);
    if (!match) {
      if (this.#text.slice(this.#at).trim() !== "") this.#fail("syntax error: invalid arithmetic operator");
      this.#kind = "end";
      this.#token = "";
      return;
    }
    this.#at = TOKEN.lastIndex;
    this.#kind = match[1] !== undefined ? "number" : match[2] !== undefined ? "name" : "operator";
    this.#token = match[1] ?? match[2] ?? match[3] ?? "";
  }

  #take(operator: string): boolean {
    if (this.#kind !== "operator" || this.#token !== operator) return false;
    this.#next();
    return true;
  }

  #comma(): bigint {
    let value = this.#ternary();
    while (this.#take(",")) value = this.#ternary();
    return value;
  }

  #ternary(): bigint {
    const condition = this.#binary(1);
    if (!this.#take("?")) return condition;
    const yes = this.#when(condition !== 0n, () => this.#comma());
    if (!this.#take(":")) this.#fail("`:' expected for conditional expression");
    const no = this.#when(condition === 0n, () => this.#ternary());
    return condition === 0n ? no : yes;
  }

  #when(live: boolean, read: () => bigint): bigint {
    if (!live) this.#live--;
    const value = read();
    if (!live) this.#live++;
    return value;
  }

  #binary(least: number): bigint {
    let left = this.#unary();
    for (;;) {
      const operator = this.#token;
      const precedence = this.#kind === "operator" ? PRECEDENCE[operator] : undefined;
      if (precedence === undefined || precedence < least) return left;
      this.#next();
      if (operator === "&&" || operator === "||") {
        const held = left;
        const right = this.#when(operator === "&&" ? held !== 0n : held === 0n, () => this.#binary(precedence + 1));
        left = (operator === "&&" ? held !== 0n && right !== 0n : held !== 0n || right !== 0n) ? 1n : 0n;
        continue;
      }
      const from = this.#start;
      const right = this.#binary(operator === "**" ? precedence : precedence + 1);
      left = this.#apply(operator, left, right, from);
    }
  }

  #apply(operator: string, a: bigint, b: bigint, from = this.#before): bigint {
    switch (operator) {
      case "+": return wrap(a + b);
      case "-": return wrap(a - b);
      case "*": return wrap(a * b);
      case "/":
      case "%":
        if (b === 0n) {
          if (this.#live > 0) this.#fail("division by 0", from);
          return 0n;
        }
        return wrap(operator === "/" ? a / b : a % b);
      case "**":
        if (b < 0n) this.#fail("exponent less than 0");
        return power(a, b);
      case "<<": return wrap(a << (b & 63n));
      case ">>": return a >> (b & 63n);
      case "<": return a < b ? 1n : 0n;
      case "<=": return a <= b ? 1n : 0n;
      case ">": return a > b ? 1n : 0n;
      case ">=": return a >= b ? 1n : 0n;
      case "==": return a === b ? 1n : 0n;
      case "!=": return a === b ? 0n : 1n;
      case "&": return a & b;
      case "|": return a | b;
      case "^": return a ^ b;
      default: return this.#fail("syntax error in expression");
    }
  }

  #unary(): bigint {
    if (this.#kind === "operator") {
      const operator = this.#token;
      switch (operator) {
        case "!": this.#next(); return this.#unary() === 0n ? 1n : 0n;
        case "~": this.#next(); return ~this.#unary();
        case "-": this.#next(); return wrap(-this.#unary());
        case "+": this.#next(); return this.#unary();
        case "++":
        case "--": {
          this.#next();
          const place = this.#place();
          if (!place) {
            // `--5` is minus minus five.
            return this.#unary();
          }
          const value = wrap(this.#read(place) + (operator === "++" ? 1n : -1n));
          this.#write(place, value);
          return value;
        }
        case "(": {
          this.#next();
          const value = this.#comma();
          if (!this.#take(")")) this.#fail("missing `)'");
          return value;
        }
        default: this.#fail("syntax error: operand expected");
      }
    }
    if (this.#kind === "number") {
      const value = number(this.#token, () => this.#fail("value too great for base"));
      this.#next();
      return value;
    }
    const place = this.#place();
    if (!place) this.#fail("syntax error: operand expected");
    return this.#afterName(place);
  }

  #afterName(place: Place): bigint {
    const operator = this.#kind === "operator" ? this.#token : "";
    if (operator === "++" || operator === "--") {
      this.#next();
      const value = this.#read(place);
      this.#write(place, wrap(value + (operator === "++" ? 1n : -1n)));
      return value;
    }
    if (operator === "=" || /^(\*\*|<<|>>|[-+*/%&|^])=$/.test(operator)) {
      this.#next();
      const right = this.#ternary();
      const value = operator === "=" ? right : this.#apply(operator.slice(0, -1), this.#read(place), right);
      this.#write(place, value);
      return value;
    }
    return this.#read(place);
  }

  #place(): Place | undefined {
    if (this.#kind !== "name") return undefined;
    const name = this.#token;
    let index: string | undefined;
    if (this.#text[this.#at] === "[") {
      const from = this.#at + 1;
      let open = 1;
      let at = from;
      for (; at < this.#text.length && open > 0; at++) open += this.#text[at] === "[" ? 1 : this.#text[at] === "]" ? -1 : 0;
      index = this.#text.slice(from, at - 1);
      this.#at = at;
    }
    this.#next();
    return { name, index };
  }

  #read({ name, index }: Place): bigint {
    if (this.#live <= 0) return 0n;
    return evaluate(this.#names.get(name, index), this.#names, this.#depth + 1);
  }

  #write({ name, index }: Place, value: bigint): void {
    if (this.#live > 0) this.#names.set(name, index, String(value));
  }
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = wrap(result * square);
    square = wrap(square * square);
  }
  return result;
}

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_";

function number(text: string, fail: () => never): bigint {
  if (/^0[xX]/.test(text)) return wrap(BigInt(text));
  const hash = text.indexOf("#");
  const base = hash > 0 ? Number(text.slice(0, hash)) : text.startsWith("0") ? 8 : 10;
  let value = 0n;
  for (const digit of hash > 0 ? text.slice(hash + 1) : text) {
    const n = DIGITS.indexOf(base <= 36 ? digit.toLowerCase() : digit);
    if (n < 0 || n >= base) fail();
    value = wrap(value * BigInt(base) + BigInt(n));
  }
  return value;
}
