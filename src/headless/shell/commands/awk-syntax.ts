// awk's programs as trees: POSIX awk's grammar, with gawk's `**`, `func`, `delete array`, `nextfile` and `length array`.
// Over 300 lines: one grammar.
import { type Token, tokens } from "./awk-tokens.ts";
import { UsageError } from "./getopt.ts";

export type Node =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "regexp"; readonly source: string }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "element"; readonly name: string; readonly keys: readonly Node[] }
  | { readonly kind: "field"; readonly of: Node }
  | { readonly kind: "assign"; readonly operator: string; readonly to: Node; readonly value: Node }
  | { readonly kind: "step"; readonly by: 1 | -1; readonly after: boolean; readonly to: Node }
  | { readonly kind: "binary"; readonly operator: string; readonly left: Node; readonly right: Node }
  | { readonly kind: "unary"; readonly operator: string; readonly of: Node }
  | { readonly kind: "choice"; readonly test: Node; readonly yes: Node; readonly no: Node }
  | { readonly kind: "in"; readonly keys: readonly Node[]; readonly name: string }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Node[]; readonly builtin: boolean }
  | { readonly kind: "getline"; readonly to: Node | undefined; readonly from: Node | undefined; readonly piped: boolean };

export type Statement =
  | { readonly kind: "block"; readonly body: readonly Statement[] }
  | { readonly kind: "expression"; readonly of: Node }
  | { readonly kind: "print"; readonly args: readonly Node[]; readonly formatted: boolean; readonly operator: string; readonly target: Node | undefined }
  | { readonly kind: "if"; readonly test: Node; readonly yes: Statement; readonly no: Statement | undefined }
  | { readonly kind: "while"; readonly test: Node; readonly body: Statement; readonly first: boolean }
  | { readonly kind: "for"; readonly start: Statement | undefined; readonly test: Node | undefined; readonly step: Statement | undefined; readonly body: Statement }
  | { readonly kind: "each"; readonly variable: string; readonly array: string; readonly body: Statement }
  | { readonly kind: "delete"; readonly name: string; readonly keys: readonly Node[] | undefined }
  | { readonly kind: "exit" | "return"; readonly value: Node | undefined }
  | { readonly kind: "next" | "nextfile" | "break" | "continue" };

export interface Rule {
  /** BEGIN, END, or lines: all, those that match, those from one to another. */
  readonly when: "BEGIN" | "END" | "line";
  readonly patterns: readonly Node[];
  readonly body: Statement | undefined;
}
export interface FunctionNode {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly body: Statement;
}
export interface Program {
  readonly rules: readonly Rule[];
  readonly functions: ReadonlyMap<string, FunctionNode>;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #noGreater = 0;

  constructor(source: string) {
    this.#tokens = tokens(source);
  }

  get #next(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "end of file", line: 0 };
  }

  #fail(): never {
    const { text, line } = this.#next;
    throw new UsageError(`line ${line}: syntax error at or near ${text === "\n" ? "end of line" : text}`);
  }

  get #atEnd(): boolean {
    return this.#next.kind === "end";
  }

  #is(...texts: readonly string[]): boolean {
    const { kind, text } = this.#next;
    return (kind === "operator" || kind === "word" || kind === "newline") && texts.includes(text);
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #need(text: string): void {
    if (!this.#take(text)) this.#fail();
  }

  #lines(): void {
    while (this.#is("\n")) this.#at++;
  }

  #name(...kinds: readonly string[]): string {
    const { kind, text } = this.#next;
    if (!kinds.includes(kind)) this.#fail();
    this.#at++;
    return text;
  }

  program(): Program {
    const rules: Rule[] = [];
    const functions = new Map<string, FunctionNode>();
    for (;;) {
      while (this.#is("\n", ";")) this.#at++;
      if (this.#atEnd) return { rules, functions };
      if (this.#take("function")) {
        const name = this.#name("name", "call");
        const parameters: string[] = [];
        this.#need("(");
        while (!this.#take(")")) {
          parameters.push(this.#name("name"));
          this.#take(",");
          this.#lines();
        }
        this.#lines();
        functions.set(name, { name, parameters, body: this.#block() });
        continue;
      }
      const when = this.#take("BEGIN") ? "BEGIN" : this.#take("END") ? "END" : "line";
      const patterns: Node[] = [];
      if (when === "line" && !this.#is("{")) {
        patterns.push(this.#expression());
        if (this.#take(",")) {
          this.#lines();
          patterns.push(this.#expression());
        }
      }
      if (!this.#is("{") && when !== "line") this.#fail();
      rules.push({ when, patterns, body: this.#is("{") ? this.#block() : undefined });
    }
  }

  #block(): Statement {
    this.#need("{");
    const body: Statement[] = [];
    for (;;) {
      while (this.#is("\n", ";")) this.#at++;
      if (this.#take("}")) return { kind: "block", body };
      body.push(this.#statement());
    }
  }

  #ended(): void {
    if (this.#is(";", "\n")) this.#at++;
    else if (!this.#is("}") && this.#next.kind !== "end") this.#fail();
  }

  /** The statement after `if (…)` and the like: it may stand on the next line, and may be empty. */
  #body(): Statement {
    this.#lines();
    if (this.#take(";")) return { kind: "block", body: [] };
    return this.#statement();
  }

  #statement(): Statement {
    if (this.#is("{")) return this.#block();
    const { kind, text } = this.#next;
    if (kind !== "word" || text === "getline") return this.#simpleEnded();
    switch (text) {
      case "if": {
        this.#at++;
        const test = this.#inParens();
        const yes = this.#body();
        const before = this.#at;
        while (this.#is("\n", ";")) this.#at++;
        if (this.#take("else")) return { kind: "if", test, yes, no: this.#body() };
        this.#at = before;
        return { kind: "if", test, yes, no: undefined };
      }
      case "while": {
        this.#at++;
        const test = this.#inParens();
        return { kind: "while", test, body: this.#body(), first: false };
      }
      case "do": {
        this.#at++;
        const body = this.#body();
        while (this.#is("\n", ";")) this.#at++;
        this.#need("while");
        const test = this.#inParens();
        this.#ended();
        return { kind: "while", test, body, first: true };
      }
      case "for":
        return this.#for();
      default:
        return this.#simpleEnded();
    }
  }

  #inParens(): Node {
    this.#need("(");
    const test = this.#whole();
    this.#need(")");
    return test;
  }

  #for(): Statement {
    this.#need("for");
    this.#need("(");
    const [a, b, c, d] = this.#tokens.slice(this.#at, this.#at + 4);
    if (a?.kind === "name" && b?.text === "in" && c?.kind === "name" && d?.text === ")") {
      this.#at += 4;
      return { kind: "each", variable: a.text, array: c.text, body: this.#body() };
    }
    const start = this.#is(";") ? undefined : this.#simple();
    this.#need(";");
    this.#lines();
    const test = this.#is(";") ? undefined : this.#whole();
    this.#need(";");
    this.#lines();
    const step = this.#is(")") ? undefined : this.#simple();
    this.#need(")");
    return { kind: "for", start, test, step, body: this.#body() };
  }

  #simpleEnded(): Statement {
    const found = this.#simple();
    this.#ended();
    return found;
  }

  #simple(): Statement {
    const { kind, text } = this.#next;
    if (kind !== "word" || text === "getline") return { kind: "expression", of: this.#whole() };
    this.#at++;
    switch (text) {
      case "next":
      case "nextfile":
      case "break":
      case "continue":
        return { kind: text };
      case "exit":
      case "return":
        return { kind: text, value: this.#is(";", "\n", "}") || this.#atEnd ? undefined : this.#whole() };
      case "delete": {
        const name = this.#name("name");
        return { kind: "delete", name, keys: this.#take("[") ? this.#list("]") : undefined };
      }
      case "print":
      case "printf":
        return this.#print(text === "printf");
      default:
        this.#at--;
        return this.#fail();
    }
  }

  #print(formatted: boolean): Statement {
    let args: Node[] = [];
    this.#noGreater++;
    if (!this.#is(";", "\n", "}", ">", ">>", "|") && this.#next.kind !== "end") {
      const before = this.#at;
      const isList = this.#take("(");
      if (isList) {
        const greater = this.#noGreater;
        this.#noGreater = 0;
        args = this.#list(")");
        this.#noGreater = greater;
      }
      // What began with a parenthesis may go on after it: then it was no list.
      if (!isList || !(this.#is(";", "\n", "}", ">", ">>", "|") || this.#atEnd)) {
        this.#at = before;
        args = [this.#expression()];
        while (this.#take(",")) {
          this.#lines();
          args.push(this.#expression());
        }
      }
    }
    this.#noGreater--;
    const operator = this.#is(">", ">>", "|") ? this.#next.text : "";
    if (operator === "") return { kind: "print", args, formatted, operator, target: undefined };
    this.#at++;
    return { kind: "print", args, formatted, operator, target: this.#concatenation() };
  }

  #list(end: string): Node[] {
    const found: Node[] = [];
    this.#lines();
    while (!this.#take(end)) {
      found.push(this.#whole());
      this.#lines();
      if (!this.#is(end)) this.#need(",");
      this.#lines();
    }
    return found;
  }

  /** In parentheses or brackets of its own. */
  #whole(): Node {
    const before = this.#noGreater;
    this.#noGreater = 0;
    const found = this.#expression();
    this.#noGreater = before;
    return found;
  }

  #expression(): Node {
    const left = this.#choice();
    const operator = this.#is("=", "+=", "-=", "*=", "/=", "%=", "^=") ? this.#next.text : undefined;
    if (operator === undefined) return left;
    if (left.kind !== "variable" && left.kind !== "element" && left.kind !== "field") this.#fail();
    this.#at++;
    this.#lines();
    return { kind: "assign", operator, to: left, value: this.#expression() };
  }

  #choice(): Node {
    const test = this.#or();
    if (!this.#take("?")) return test;
    this.#lines();
    const yes = this.#expression();
    this.#lines();
    this.#need(":");
    this.#lines();
    return { kind: "choice", test, yes, no: this.#expression() };
  }

  #or(): Node {
    let left = this.#and();
    while (this.#take("||")) {
      this.#lines();
      left = { kind: "binary", operator: "||", left, right: this.#and() };
    }
    return left;
  }

  #and(): Node {
    let left = this.#in();
    while (this.#take("&&")) {
      this.#lines();
      left = { kind: "binary", operator: "&&", left, right: this.#in() };
    }
    return left;
  }

  #in(): Node {
    let left = this.#match();
    while (this.#take("in")) left = { kind: "in", keys: [left], name: this.#name("name") };
    return left;
  }

  #match(): Node {
    return this.#fromTheLeft(() => this.#comparison(), "~", "!~");
  }

  #comparison(): Node {
    let left = this.#concatenation();
    for (;;) {
      if (this.#is("<", "<=", "==", "!=", ">=") || (this.#noGreater === 0 && this.#is(">"))) {
        const operator = this.#next.text;
        this.#at++;
        left = { kind: "binary", operator, left, right: this.#concatenation() };
      } else if (this.#is("|") && this.#tokens[this.#at + 1]?.text === "getline") {
        this.#at += 2;
        left = { kind: "getline", to: this.#target(), from: left, piped: true };
      } else return left;
    }
  }

  #concatenation(): Node {
    let left = this.#additive();
    for (;;) {
      const { kind, text } = this.#next;
      const begins = ["number", "string", "name", "call", "builtin"].includes(kind) || (kind === "operator" && ["$", "!", "(", "-", "+", "++", "--"].includes(text));
      // A regular expression does not begin a word of its own here: a slash was a division to the lexer.
      if (!begins || (kind === "word" && text === "in")) return left;
      left = { kind: "binary", operator: " ", left, right: this.#additive() };
    }
  }

  #additive(): Node {
    return this.#fromTheLeft(() => this.#product(), "+", "-");
  }

  #product(): Node {
    return this.#fromTheLeft(() => this.#unary(), "*", "/", "%");
  }

  /** Operands with these operators between them. */
  #fromTheLeft(operand: () => Node, ...operators: readonly string[]): Node {
    let left = operand();
    while (this.#is(...operators)) {
      const operator = this.#next.text;
      this.#at++;
      left = { kind: "binary", operator, left, right: operand() };
    }
    return left;
  }

  #unary(): Node {
    const operator = this.#is("!", "-", "+") ? this.#next.text : undefined;
    if (operator === undefined) return this.#power();
    this.#at++;
    return { kind: "unary", operator, of: this.#unary() };
  }

  #power(): Node {
    const left = this.#stepped();
    if (!this.#take("^")) return left;
    // -2^-2: its right side may have a sign, and binds to the right.
    return { kind: "binary", operator: "^", left, right: this.#is("-", "+", "!") ? this.#unary() : this.#power() };
  }

  #stepped(): Node {
    if (this.#is("++", "--")) {
      const by = this.#next.text === "++" ? 1 : -1;
      this.#at++;
      return { kind: "step", by, after: false, to: this.#primary() };
    }
    const found = this.#primary();
    if (!(found.kind === "variable" || found.kind === "element" || found.kind === "field") || !this.#is("++", "--")) return found;
    const by = this.#next.text === "++" ? 1 : -1;
    this.#at++;
    return { kind: "step", by, after: true, to: found };
  }

  /** What `getline` reads into, if that is named. */
  #target(): Node | undefined {
    return this.#next.kind === "name" || this.#is("$") ? this.#primary() : undefined;
  }

  #primary(): Node {
    const { kind, text } = this.#next;
    this.#at++;
    switch (kind) {
      case "number":
        return { kind: "number", value: Number(text) };
      case "string":
        return { kind: "string", value: text };
      case "regexp":
        return { kind: "regexp", source: text };
      case "name":
        return this.#take("[") ? { kind: "element", name: text, keys: this.#list("]") } : { kind: "variable", name: text };
      case "call":
        this.#need("(");
        return { kind: "call", name: text, args: this.#list(")"), builtin: false };
      case "builtin":
        if (this.#take("(")) return { kind: "call", name: text, args: this.#list(")"), builtin: true };
        if (text !== "length") this.#fail();
        return { kind: "call", name: text, args: [], builtin: true };
      default:
        break;
    }
    if (text === "$" && kind === "operator") return { kind: "field", of: this.#is("++", "--") ? this.#stepped() : this.#is("-", "+", "!") ? this.#unary() : this.#primary() };
    if (text === "getline") {
      const to = this.#target();
      return { kind: "getline", to, from: this.#take("<") ? this.#primary() : undefined, piped: false };
    }
    if (text === "(" && kind === "operator") {
      const list = this.#list(")");
      const [only] = list;
      if (list.length > 1) {
        if (!this.#take("in")) this.#fail();
        return { kind: "in", keys: list, name: this.#name("name") };
      }
      // In parentheses it is nothing that could be assigned to.
      if (only) return { kind: "unary", operator: "(", of: only };
    }
    this.#at--;
    return this.#fail();
  }
}

/** Throws UsageError, its message without `awk: `. */
export const parseAwk = (source: string): Program => new Parser(source).program();
