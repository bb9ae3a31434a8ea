// awk's programs at work. What never waits runs without promises: only reading, closing and running commands do.
// Over 300 lines: every node of the tree is compiled by a case.
import type { ShellState } from "../state.ts";
import { type Code, type Expression, lift, chain } from "./awk-code.ts";
import { arithmetic, PlainFunctions, usesAsArray } from "./awk-functions.ts";
import { AwkInput } from "./awk-input.ts";
import { AwkIo } from "./awk-io.ts";
import { AwkRecord } from "./awk-record.ts";
import type { FunctionNode, Node, Program, Rule, Statement } from "./awk-syntax.ts";
import { unescaped } from "./awk-tokens.ts";
import { compare, formatted, Input, isTrue, lettersIn, toNumber, toText, type Value } from "./awk-values.ts";
import { UsageError } from "./getopt.ts";
import { posixRegExp } from "./posix-regexp.ts";

type Table = Map<string, Value>;
type Cell = { value: Value | Table };
const isTable = (value: Value | Table): value is Table => value instanceof Map;

type Flow = "next" | "nextfile" | "exit" | "break" | "continue" | "return" | undefined;
export class Awk {
  readonly #state: ShellState;
  readonly #program: Program;
  readonly #io: AwkIo;
  readonly #record: AwkRecord;
  readonly #input: AwkInput;
  readonly #globals = new Map<string, Cell>();
  readonly #functions = new Map<string, (args: readonly (Value | Table)[]) => Promise<Value>>();
  readonly #regexps = new Map<string, RegExp>();
  readonly #plain = new PlainFunctions((value) => this.#shown(value), () => this.#text("CONVFMT"));
  #locals: Map<string, Cell> | undefined;
  #returned: Value;
  code = 0;

  constructor(state: ShellState, program: Program, operands: readonly string[]) {
    this.#state = state;
    this.#program = program;
    this.#io = new AwkIo(state);
    this.#input = new AwkInput(state, { text: this.#text, number: this.#number, set: (name, value) => this.#set(name, value), table: (name) => this.#table(name), assign: (text) => this.assign(text), failed: () => void (this.code = 2) });
    this.#record = new AwkRecord({ text: this.#text, shown: (value) => this.#shown(value), regexp: (source) => this.#regexp(source), counted: (fields) => void this.#globals.set("NF", { value: fields }) });
    for (const [name, value] of Object.entries({ FS: " ", OFS: " ", ORS: "\n", RS: "\n", NR: 0, FNR: 0, SUBSEP: "\u001c", CONVFMT: "%.6g", OFMT: "%.6g", RSTART: 0, RLENGTH: -1, FILENAME: "", ARGC: operands.length + 1, NF: 0 })) this.#globals.set(name, { value });
    this.#globals.set("ARGV", { value: new Map([["0", "awk"], ...operands.map((word, i): [string, Value] => [String(i + 1), new Input(word)])]) });
    this.#globals.set("ENVIRON", { value: new Map(Object.entries(state.vars.exported()).map(([name, value]): [string, Value] => [name, new Input(value)])) });
  }

  /** `name=value`, of -v or among the files. */
  assign(text: string): void {
    const at = text.indexOf("=");
    this.#set(text.slice(0, at), new Input(unescaped(text.slice(at + 1))));
  }

  async run(): Promise<void> {
    for (const node of this.#program.functions.values()) this.#define(node);
    const rules = this.#program.rules.map((rule) => ({ rule, test: this.#condition(rule), body: rule.body ? this.#statement(rule.body) : this.#statement({ kind: "print", args: [], formatted: false, operator: "", target: undefined }) }));
    const of = (when: Rule["when"]) => rules.filter(({ rule }) => rule.when === when);
    let flow: Flow;
    try {
      for (const { body } of of("BEGIN")) if ((flow = await body.run()) === "exit") break;
      const lines = of("line");
      const ends = of("END");
      if (flow !== "exit" && (lines.length > 0 || ends.length > 0)) await this.#main(lines);
      // Also after an exit, once.
      for (const { body } of ends) if ((await body.run()) === "exit") break;
    } finally {
      this.#input.close();
      await this.#io.closeAll();
    }
  }

  async #main(rules: readonly { readonly rule: Rule; readonly test: Code<boolean>; readonly body: Code<Flow> }[]): Promise<Flow> {
    for (;;) {
      const record = await this.#input.next();
      if (record === undefined) return undefined;
      this.#record.set(record);
      for (const { test, body } of rules) {
        const hit = test.waits ? await test.run() : (test.run() as boolean);
        if (!hit) continue;
        const flow = body.waits ? await body.run() : (body.run() as Flow);
        if (flow === "exit") return flow;
        if (flow === "nextfile") this.#input.close();
        if (flow === "next" || flow === "nextfile") break;
      }
      if (this.#io.isFull || this.#state.fds.get(1)?.stream.own !== undefined) await this.#io.flush();
    }
  }

  // Variables.

  #cell(name: string): Cell {
    const local = this.#locals?.get(name);
    if (local) return local;
    let cell = this.#globals.get(name);
    if (!cell) this.#globals.set(name, (cell = { value: undefined }));
    return cell;
  }

  #get(name: string): Value {
    if (name === "NF") this.#record.fields();
    const { value } = this.#cell(name);
    if (isTable(value)) throw new UsageError(`attempt to use array ${name} in a scalar context`);
    return value;
  }

  #set(name: string, value: Value): void {
    this.#cell(name).value = value;
    if (name === "NF" && !this.#locals?.has("NF")) this.#record.resize(toNumber(value));
  }

  #table(name: string): Table {
    const cell = this.#cell(name);
    cell.value ??= new Map();
    if (!isTable(cell.value)) throw new UsageError(`attempt to use scalar ${name} as an array`);
    return cell.value;
  }

  readonly #number = (name: string): number => toNumber(this.#get(name));
  readonly #text = (name: string): string => this.#shown(this.#get(name));

  #shown(value: Value): string {
    if (typeof value === "string") return value;
    return toText(value, typeof value === "number" && !Number.isInteger(value) ? toText(this.#globals.get("CONVFMT")?.value as Value) : undefined);
  }

  #regexp(source: string): RegExp {
    let found = this.#regexps.get(source);
    if (!found) this.#regexps.set(source, (found = posixRegExp(source, { extended: true, escapes: true }, "g")));
    found.lastIndex = 0;
    return found;
  }

  // Statements.

  #condition({ patterns: [from, to] }: Rule): Code<boolean> {
    if (!from) return { waits: false, run: () => true };
    const start = this.#expression(from);
    if (!to) return chain(start, [], isTrue);
    const end = this.#expression(to);
    let open = false;
    return { waits: true, run: async () => {
      if (!open && !isTrue(await start.run())) return false;
      open = !isTrue(await end.run());
      return true;
    } };
  }

  #statement(node: Statement): Code<Flow> {
    switch (node.kind) {
      case "block":
        return this.#block(node.body.map((each) => this.#statement(each)));
      case "expression":
        return chain(this.#expression(node.of), [], (): Flow => undefined);
      case "print":
        return this.#print(node);
      case "if": {
        const yes = this.#statement(node.yes);
        const no = node.no && this.#statement(node.no);
        return chain(this.#expression(node.test), no ? [yes, no] : [yes], (value) => (isTrue(value) ? yes.run() : no?.run()));
      }
      case "while":
        return this.#loop(this.#expression(node.test), this.#statement(node.body), undefined, node.first);
      case "for": {
        const loop = this.#loop(node.test && this.#expression(node.test), this.#statement(node.body), node.step && this.#statement(node.step), false);
        return node.start ? chain(this.#statement(node.start), [loop], () => loop.run()) : loop;
      }
      case "each": {
        const body = this.#statement(node.body);
        return { waits: true, run: async () => {
          for (const key of Array.from(this.#table(node.array).keys())) {
            this.#set(node.variable, new Input(key));
            const flow = await body.run();
            if (flow === "break") return undefined;
            if (flow !== undefined && flow !== "continue") return flow;
          }
          return undefined;
        } };
      }
      case "delete":
        return chain(this.#key(node.keys ?? []), [], (key): Flow => {
          if (node.keys) this.#table(node.name).delete(key);
          else this.#table(node.name).clear();
          return undefined;
        });
      case "exit":
        return chain(node.value ? this.#expression(node.value) : { waits: false, run: () => undefined }, [], (value): Flow => {
          if (node.value) this.code = Math.trunc(toNumber(value)) & 255;
          return "exit";
        });
      case "return":
        return chain(node.value ? this.#expression(node.value) : { waits: false, run: () => undefined }, [], (value): Flow => {
          this.#returned = value;
          return "return";
        });
      default:
        return { waits: false, run: () => node.kind };
    }
  }

  #block(codes: readonly Code<Flow>[]): Code<Flow> {
    if (codes.some(({ waits }) => waits)) {
      return { waits: true, run: async () => {
        for (const code of codes) {
          const flow = code.waits ? await code.run() : (code.run() as Flow);
          if (flow !== undefined) return flow;
        }
        return undefined;
      } };
    }
    return { waits: false, run: () => {
      for (const code of codes) {
        const flow = code.run() as Flow;
        if (flow !== undefined) return flow;
      }
      return undefined;
    } };
  }

  #loop(test: Expression | undefined, body: Code<Flow>, step: Code<Flow> | undefined, first: boolean): Code<Flow> {
    // A turn of the loop that goes on for ever lets Ctrl+C through.
    return { waits: true, run: async () => {
      for (let turns = 1; ; turns++) {
        if (test && !(first && turns === 1) && !isTrue(test.waits ? await test.run() : (test.run() as Value))) return undefined;
        const flow = body.waits ? await body.run() : (body.run() as Flow);
        if (flow === "break") return undefined;
        if (flow !== undefined && flow !== "continue") return flow;
        if (step) await step.run();
        if (turns % 20_000 !== 0) continue;
        await new Promise((resolve) => setTimeout(resolve));
        this.#state.signal.throwIfAborted();
      }
    } };
  }

  #print({ args, formatted: isFormat, operator, target }: Extract<Statement, { kind: "print" }>): Code<Flow> {
    const codes = args.map((arg) => this.#expression(arg));
    const to = target && this.#expression(target);
    return chain(lift(to ? [...codes, to] : codes, (values) => values), [], (values): Flow => {
      const printed = to ? values.slice(0, -1) : values;
      const number = (value: Value): string => (typeof value === "number" && !Number.isInteger(value) ? toText(value, this.#text("OFMT")) : toText(value));
      const text = isFormat ? formatted(this.#shown(printed[0]), printed.slice(1), this.#text("CONVFMT")) : (args.length === 0 ? this.#record.whole() : printed.map(number).join(this.#text("OFS"))) + this.#text("ORS");
      if (to) this.#io.printTo(this.#shown(values.at(-1)), operator, text);
      else this.#io.print(text);
      return undefined;
    });
  }

  // Expressions.

  #key(keys: readonly Node[]): Code<string> {
    return lift(keys.map((key) => this.#expression(key)), (values) => values.map((value) => this.#shown(value)).join(keys.length > 1 ? this.#text("SUBSEP") : ""));
  }

  #expression(node: Node): Expression {
    switch (node.kind) {
      case "number":
      case "string":
        return { waits: false, run: () => node.value };
      case "regexp":
        return { waits: false, run: () => Number(this.#regexp(node.source).test(this.#record.whole())) };
      case "variable":
        return { waits: false, run: () => this.#get(node.name) };
      case "element":
        return chain(this.#key(node.keys), [], (key) => {
          const table = this.#table(node.name);
          if (!table.has(key)) table.set(key, undefined);
          return table.get(key);
        });
      case "field":
        return chain(this.#expression(node.of), [], (value) => this.#record.field(Math.trunc(toNumber(value))));
      case "in":
        return chain(this.#key(node.keys), [], (key) => Number(this.#table(node.name).has(key)));
      case "choice": {
        const [yes, no] = [this.#expression(node.yes), this.#expression(node.no)];
        return chain(this.#expression(node.test), [yes, no], (value) => (isTrue(value) ? yes : no).run());
      }
      case "unary":
        return chain(this.#expression(node.of), [], (value) => (node.operator === "(" ? value : node.operator === "!" ? Number(!isTrue(value)) : node.operator === "-" ? -toNumber(value) : toNumber(value)));
      case "binary":
        return this.#binary(node);
      case "assign":
        return this.#store(node.to, [this.#expression(node.value)], (old, [value]) => (node.operator === "=" ? value : arithmetic(node.operator[0] ?? "", toNumber(old), toNumber(value))), (_, value) => value);
      case "step":
        return this.#store(node.to, [], (old) => toNumber(old) + node.by, (old, value) => (node.after ? toNumber(old) : value));
      case "call":
        return node.builtin ? this.#builtin(node.name, node.args) : this.#call(node.name, node.args);
      case "getline":
        return this.#getline(node);
      default:
        return node satisfies never;
    }
  }

  /** Changes what `to` names: the value first, then the place, as awk does. */
  #store(to: Node, values: readonly Expression[], next: (old: Value, values: readonly Value[]) => Value, result: (old: Value, value: Value) => Value): Expression {
    const write = (read: () => Value, put: (value: Value) => void, given: readonly Value[]): Value => {
      const old = read();
      const value = next(old, given);
      put(value);
      return result(old, value);
    };
    if (to.kind === "variable") return lift(values, (given) => write(() => this.#get(to.name), (value) => this.#set(to.name, value), given));
    if (to.kind === "field") return lift([...values, this.#expression(to.of)], (given) => {
      const index = Math.trunc(toNumber(given.at(-1)));
      return write(() => this.#record.field(index), (value) => this.#record.setField(index, value), given);
    });
    if (to.kind !== "element") throw new UsageError("only variables, fields and elements of arrays can be assigned to");
    const key = this.#key(to.keys);
    return chain(lift(values, (given) => given), [key], (given) => {
      const put = (name: string): Value => write(() => this.#table(to.name).get(name), (value) => void this.#table(to.name).set(name, value), given);
      return key.waits ? Promise.resolve(key.run()).then(put) : put(key.run() as string);
    });
  }

  #binary({ operator, left: a, right: b }: Extract<Node, { kind: "binary" }>): Expression {
    const left = this.#expression(a);
    if (operator === "~" || operator === "!~") {
      const test = (text: Value, source: string): number => Number(this.#regexp(source).test(this.#shown(text)) === (operator === "~"));
      if (b.kind === "regexp") return chain(left, [], (value) => test(value, b.source));
      return lift([left, this.#expression(b)], ([value, pattern]) => test(value, this.#shown(pattern)));
    }
    const right = this.#expression(b);
    if (operator === "&&" || operator === "||") {
      const asNumber = (value: Value): Value => Number(isTrue(value));
      const second = chain(right, [], asNumber);
      return chain(left, [right], (value) => (isTrue(value) === (operator === "&&") ? second.run() : Number(operator === "||")));
    }
    if (operator === " ") return lift([left, right], ([x, y]) => this.#shown(x) + this.#shown(y));
    if (/^[<>=!]/.test(operator)) return lift([left, right], ([x, y]) => {
      const order = compare(x, y, this.#text("CONVFMT"));
      return Number(operator === "<" ? order < 0 : operator === "<=" ? order <= 0 : operator === "==" ? order === 0 : operator === "!=" ? order !== 0 : operator === ">" ? order > 0 : order >= 0);
    });
    return lift([left, right], ([x, y]) => arithmetic(operator, toNumber(x), toNumber(y)));
  }

  #getline({ to, from, piped }: Extract<Node, { kind: "getline" }>): Expression {
    const source = from && this.#expression(from);
    let line: Value;
    const put = to && this.#store(to, [{ waits: false, run: () => line }], (_, [value]) => value, (_, value) => value);
    return { waits: true, run: async () => {
      const name = source && this.#shown(await source.run());
      const record = name === undefined ? await this.#input.next() : await this.#io.read(name, piped, this.#text("RS"));
      if (record === null) return -1;
      if (record === undefined) return 0;
      if (name !== undefined && piped) this.#set("NR", this.#number("NR") + 1);
      line = new Input(record);
      if (put) await put.run();
      else this.#record.set(record);
      return 1;
    } };
  }

  #define({ name, parameters, body }: FunctionNode): void {
    let code: Code<Flow> | undefined;
    this.#functions.set(name, async (args) => {
      code ??= this.#statement(body);
      const before = this.#locals;
      const locals = new Map(parameters.map((parameter, i): [string, Cell] => [parameter, { value: args[i] }]));
      this.#locals = locals;
      this.#returned = undefined;
      this.#depth++;
      if (this.#depth > MOST_CALLS) throw new UsageError(`function ${name} calls itself more than ${MOST_CALLS} times deep`);
      try {
        await code.run();
        return this.#returned;
      } finally {
        this.#depth--;
        this.#returned = undefined;
        this.#locals = before;
      }
    });
  }

  #depth = 0;

  #call(name: string, args: readonly Node[]): Expression {
    const declared = this.#program.functions.get(name);
    if (!declared) throw new UsageError(`function ${name} never defined`);
    const codes = args.map((arg) => (arg.kind === "variable" ? undefined : this.#expression(arg)));
    return { waits: true, run: async () => {
      const given: (Value | Table)[] = [];
      for (const [i, arg] of args.entries()) {
        const code = codes[i];
        if (code) given.push(await code.run());
        else {
          // An array goes by reference, and so does what may become one.
          if (arg.kind === "variable" && arg.name === "NF") this.#record.fields();
          const cell = this.#cell(arg.kind === "variable" ? arg.name : "");
          if (cell.value === undefined && usesAsArray(this.#program, declared, i)) cell.value = new Map();
          given.push(cell.value);
        }
      }
      return this.#functions.get(name)?.(given);
    } };
  }

  #builtin(name: string, args: readonly Node[]): Expression {
    const [first, second, third] = args;
    const codes = (): Expression[] => args.map((arg) => this.#expression(arg));
    const pattern = (node: Node | undefined): Code<string> => (node?.kind === "regexp" ? { waits: false, run: () => node.source } : chain(node ? this.#expression(node) : { waits: false, run: () => "" as Value }, [], (value) => this.#shown(value)));
    switch (name) {
      case "length":
        return first ? this.#lengthOf(first) : { waits: false, run: () => lettersIn(this.#record.whole()) };
      case "split": {
        if (second?.kind !== "variable") throw new UsageError("the second argument of split must be an array");
        return this.#splitInto(first, second.name, third && pattern(third), third?.kind === "regexp");
      }
      case "sub":
      case "gsub":
        return this.#substitution(pattern(first), second ? this.#expression(second) : { waits: false, run: () => "" }, third ?? { kind: "field", of: { kind: "number", value: 0 } }, name === "gsub");
      case "match": {
        const source = pattern(second);
        return { waits: true, run: async () => {
          const text = this.#shown(first && (await this.#expression(first).run()));
          const match = this.#regexp(await source.run()).exec(text);
          const start = match ? lettersIn(text.slice(0, match.index)) + 1 : 0;
          this.#set("RSTART", start);
          this.#set("RLENGTH", match ? lettersIn(match[0]) : -1);
          return start;
        } };
      }
      case "close":
        return chain(this.#expression(first ?? { kind: "string", value: "" }), [WAITS], (value) => this.#io.close(this.#shown(value)));
      case "system":
        return chain(this.#expression(first ?? { kind: "string", value: "" }), [WAITS], (value) => this.#io.system(this.#shown(value)));
      case "fflush":
        return { waits: true, run: async () => {
          await this.#io.flush();
          return 0;
        } };
      default:
        return lift(codes(), (values) => this.#plain.call(name, values, args.length));
    }
  }

  #lengthOf(node: Node): Expression {
    const code = this.#expression(node);
    const isName = node.kind === "variable";
    return { waits: code.waits, run: () => {
      // A parameter may be an array, which only the call tells.
      const value = isName ? this.#cell(node.name).value : undefined;
      if (isTable(value ?? "")) return (value as Table).size;
      const found = code.run();
      return found instanceof Promise ? found.then((text) => lettersIn(this.#shown(text))) : lettersIn(this.#shown(found));
    } };
  }

  #splitInto(first: Node | undefined, name: string, separator: Code<string> | undefined, isPattern: boolean): Expression {
    const text = this.#expression(first ?? { kind: "string", value: "" });
    return { waits: true, run: async () => {
      const value = this.#shown(await text.run());
      const by = separator ? await separator.run() : this.#text("FS");
      const pieces = this.#record.pieces(value, isPattern && by === " " ? "[ ]" : by);
      const table = this.#table(name);
      table.clear();
      for (const [i, piece] of pieces.entries()) table.set(String(i + 1), new Input(piece));
      return pieces.length;
    } };
  }

  #substitution(source: Code<string>, replacement: Expression, target: Node, all: boolean): Expression {
    const read = this.#expression(target);
    let changed = "";
    const put = this.#store(target.kind === "variable" || target.kind === "field" || target.kind === "element" ? target : { kind: "variable", name: " " }, [{ waits: false, run: () => changed }], (_, [value]) => value, (_, value) => value);
    return { waits: true, run: async () => {
      const regexp = this.#regexp(await source.run());
      const parts = this.#shown(await replacement.run());
      const text = this.#shown(await read.run());
      regexp.lastIndex = 0;
      let count = 0;
      let out = "";
      let at = 0;
      for (let match = regexp.exec(text); match; match = regexp.exec(text)) {
        const isNone = match[0] === "" && match.index === at && count > 0;
        if (!isNone) {
          const [whole] = match;
          out += text.slice(at, match.index) + parts.replaceAll(/\\\\|\\&|&/g, (mark) => (mark === "&" ? whole : mark.slice(1)));
          at = match.index + whole.length;
          count++;
          if (!all) break;
        }
        if (match[0] === "") regexp.lastIndex++;
        if (regexp.lastIndex > text.length) break;
      }
      if (count === 0) return 0;
      changed = out + text.slice(at);
      await put.run();
      return count;
    } };
  }

}

const MOST_CALLS = 2000;
const WAITS: Code<unknown> = { waits: true, run: () => undefined };
