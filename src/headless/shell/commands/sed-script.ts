// sed's scripts as trees, with GNU's additions and its words for what is wrong.
// Over 300 lines: one grammar, a case for each command.
import { UsageError } from "./getopt.ts";
import { posixRegExp } from "./posix-regexp.ts";

/** Of a regular expression: undefined is the one used last. */
export type Match = { readonly kind: "regexp"; readonly regexp: RegExp | undefined };
export type Address = { readonly kind: "line"; readonly line: number } | { readonly kind: "last" } | { readonly kind: "step"; readonly first: number; readonly step: number } | Match;
/** Where a range ends, beside an address: some lines on, or at a multiple. */
export type End = Address | { readonly kind: "more"; readonly lines: number } | { readonly kind: "multiple"; readonly of: number };

export interface Command {
  readonly name: string;
  readonly from?: Address;
  readonly to?: End;
  readonly negated: boolean;
  /** Text of a, i, c and y; a label; a file. */
  readonly text: string;
  /** What `y` puts for each. */
  readonly map?: ReadonlyMap<string, string>;
  /** q, Q, l. */
  readonly number?: number;
  readonly substitute?: Substitute;
  /** `{`: where its `}` is; b, t, T: where the label is. */
  target: number;
  /** Whether its range is open, and the line it ends on if that is known. */
  open: boolean;
  until: number;
}

export interface Substitute {
  readonly regexp: RegExp | undefined;
  readonly parts: readonly Part[];
  readonly global: boolean;
  readonly print: boolean;
  readonly nth: number;
  readonly file: string | undefined;
}

/** Text, a group, or a change of case: for what follows (`ULE`) or for one letter (`ul`). */
export type Part = string | number | { readonly to: string };

export interface Source {
  readonly text: string;
  /** As errors name it: `-e expression #1` or `file f`. */
  readonly name: string;
}

class Parser {
  readonly #text: string;
  readonly #name: string;
  readonly #extended: boolean;
  readonly commands: Command[] = [];
  readonly #blocks: number[] = [];
  readonly #labels = new Map<string, number>();
  #at = 0;

  constructor(source: Source, extended: boolean) {
    this.#text = source.text;
    this.#name = source.name;
    this.#extended = extended;
  }

  fail(why: string, at = this.#at): never {
    if (this.#name.startsWith("file ")) throw new UsageError(`${this.#name} line ${this.#text.slice(0, Math.max(0, at - 1)).split("\n").length}: ${why}`);
    throw new UsageError(`${this.#name}, char ${Math.min(at, this.#text.length)}: ${why}`);
  }

  get #next(): string {
    return this.#text[this.#at] ?? "";
  }

  #skip(pattern: RegExp): string {
    const sticky = new RegExp(pattern.source, "y");
    sticky.lastIndex = this.#at;
    const [found = ""] = sticky.exec(this.#text) ?? [];
    this.#at += found.length;
    return found;
  }

  parse(): Command[] {
    for (;;) {
      this.#skip(/[\s;]*/);
      if (this.#next === "") break;
      this.#command();
    }
    if (this.#blocks.length > 0) throw new UsageError(`${this.#name}, char 0: unmatched \`{'`);
    for (const command of this.commands) {
      if (!"btT".includes(command.name)) continue;
      const target = command.text === "" ? this.commands.length : this.#labels.get(command.text);
      if (target === undefined) throw new UsageError(`can't find label for jump to \`${command.text}'`);
      command.target = target;
    }
    return this.commands;
  }

  #address(): Address | undefined {
    const digits = this.#skip(/\d+/);
    if (digits !== "") {
      if (this.#next !== "~") return { kind: "line", line: Number(digits) };
      this.#at++;
      return { kind: "step", first: Number(digits), step: Number(this.#skip(/\d*/)) };
    }
    if (this.#next === "$") {
      this.#at++;
      return { kind: "last" };
    }
    if (this.#next === "\\") this.#at++;
    else if (this.#next !== "/") return undefined;
    const source = this.#delimited(true) ?? this.fail("unterminated address regex");
    const flags = this.#skip(/[IM]*/);
    return { kind: "regexp", regexp: this.#regexp(source, flags.includes("I"), flags.includes("M")) };
  }

  #regexp(source: string, ignoreCase: boolean, multiline: boolean): RegExp | undefined {
    if (source === "") return undefined;
    try {
      return posixRegExp(source, { extended: this.#extended, escapes: true, ignoreCase, multiline }, "g");
    } catch (error) {
      if (error instanceof UsageError) this.fail(error.message);
      throw error;
    }
  }

  /** From the delimiter that is next to its twin; an escaped one is itself. */
  #delimited(isPattern: boolean): string | undefined {
    const delimiter = this.#next;
    let out = "";
    let inBrackets = false;
    for (this.#at++; ; this.#at++) {
      const c = this.#next;
      if (c === "") return undefined;
      if (c === "\n" && isPattern) return undefined;
      if (inBrackets && c === "[" && /^\[[:.=]/.test(this.#text.slice(this.#at))) {
        const named = /^\[([:.=])[^]*?\1\]/.exec(this.#text.slice(this.#at))?.[0] ?? c;
        out += named;
        this.#at += named.length - 1;
      } else if (inBrackets) {
        out += c;
        if (c === "]") inBrackets = false;
      } else if (c === "\\") {
        const next = this.#text[++this.#at] ?? "";
        out += next === delimiter && !(isPattern && "|+?(){}".includes(next)) ? (isPattern && /[.*[\]^$]/.test(next) ? `\\${next}` : next) : next === "n" && isPattern ? "\\n" : `\\${next}`;
      } else if (c === delimiter) {
        this.#at++;
        return out;
      } else {
        out += c;
        if (c === "[" && isPattern) {
          inBrackets = true;
          const start = /^\^?\]?/.exec(this.#text.slice(this.#at + 1))?.[0] ?? "";
          out += start;
          this.#at += start.length;
        }
      }
    }
  }

  #command(): void {
    const from = this.#address();
    let to: End | undefined;
    this.#skip(/[ \t]*/);
    if (from && this.#next === ",") {
      this.#at++;
      this.#skip(/[ \t]*/);
      to = this.#end() ?? this.fail("unexpected `,'", this.#at + 1);
      this.#skip(/[ \t]*/);
    }
    if (from?.kind === "line" && from.line === 0 && to?.kind !== "regexp") this.fail("invalid usage of line address 0");
    const negated = this.#skip(/![! \t]*/) !== "";
    const name = this.#next;
    if (name === "" || name === "\n" || name === ";") this.fail("missing command", this.#at + (name === "" ? 0 : 1));
    this.#at++;
    if (from && (name === ":" || name === "}" || name === "#")) this.fail(name === ":" ? ": doesn't want any addresses" : name === "#" ? "comments don't accept any addresses" : "} doesn't want any addresses");
    const base = { name, negated, target: 0, open: false, until: 0, ...(from ? { from } : {}), ...(to ? { to } : {}) };
    const add = (more: Partial<Command>): void => void this.commands.push({ ...base, text: "", ...more });
    switch (name) {
      case "#":
        this.#skip(/[^\n]*/);
        return;
      case "{":
        this.#blocks.push(this.commands.length);
        return add({});
      case "}": {
        const open = this.commands[this.#blocks.pop() ?? this.fail("unexpected `}'")];
        if (open) open.target = this.commands.length;
        return this.#done();
      }
      case ":": {
        const label = this.#skip(/[ \t]*[^\n;]*/).trim();
        if (label === "") this.fail("\":\" lacks a label");
        this.#labels.set(label, this.commands.length);
        return;
      }
      case "b":
      case "t":
      case "T":
        this.#skip(/[ \t]*/);
        add({ text: this.#skip(/[^\n;}]*/).trim() });
        return this.#done();
      case "a":
      case "i":
      case "c":
        return add({ text: this.#lines() });
      case "r":
      case "R":
      case "w":
      case "W":
        this.#skip(/[ \t]*/);
        return add({ text: this.#skip(/[^\n]*/) || this.fail("missing filename in r/R/w/W commands") });
      case "s":
        add({ substitute: this.#substitute() });
        return this.#done();
      case "y":
        add({ map: this.#map() });
        return this.#done();
      case "q":
      case "Q":
      case "l":
      case "L": {
        this.#skip(/[ \t]*/);
        const digits = this.#skip(/\d*/);
        add(digits === "" ? {} : { number: Number(digits) });
        return this.#done();
      }
      default:
        if (!"=dDgGhHnNpPxzF".includes(name)) this.fail(`unknown command: \`${name}'`);
        add({});
        return this.#done();
    }
  }

  #end(): End | undefined {
    const sign = this.#skip(/[+~](?=\d)/);
    if (sign === "") return this.#address();
    const n = Number(this.#skip(/\d+/));
    return sign === "+" ? { kind: "more", lines: n } : { kind: "multiple", of: n };
  }

  #done(): void {
    this.#skip(/[ \t]*/);
    if (this.#next !== "" && !"\n;}#".includes(this.#next)) this.fail("extra characters after command", this.#at + 1);
  }

  /** The text of a, i and c: on the same line, or on those after a backslash. */
  #lines(): string {
    this.#skip(/[ \t]*/);
    if (this.#next === "") this.fail("expected \\ after `a', `c' or `i'");
    const [start = ""] = /^\\(?:[ \t]*\n)?/.exec(this.#text.slice(this.#at)) ?? [];
    if (start === "\\" && this.#at + 1 >= this.#text.length) this.fail("incomplete command");
    this.#at += start.length;
    let out = "";
    for (; this.#next !== "" && this.#next !== "\n"; this.#at++) {
      const escaped = this.#text.startsWith("\\", this.#at);
      if (escaped) this.#at++;
      out += escaped && this.#text[this.#at] === "t" ? "\t" : (this.#text[this.#at] ?? "");
    }
    return `${out}\n`;
  }

  #substitute(): Substitute {
    const unterminated = "unterminated `s' command";
    if (this.#next === "" || this.#next === "\n" || this.#next === "\\") this.fail(unterminated);
    const source = this.#delimited(true) ?? this.fail(unterminated);
    this.#at--;
    const replacement = this.#delimited(false) ?? this.fail(unterminated);
    let flags = "";
    let nth = "";
    let file: string | undefined;
    for (;;) {
      const digits = this.#skip(/\d+/);
      if (digits !== "") {
        if (nth !== "") this.fail("multiple number options to `s' command");
        if (Number(digits) === 0) this.fail("number option to `s' command may not be zero");
        nth = digits;
        continue;
      }
      const flag = this.#skip(/[gpiImMew]/);
      if (flag === "") break;
      if (flag === "e") this.fail("the flag e of the `s' command is not available in the container");
      if (flag === "w") {
        this.#skip(/[ \t]*/);
        file = this.#skip(/[^\n]*/);
        break;
      }
      if (flags.includes(flag) && "gp".includes(flag)) this.fail(`multiple \`${flag}' options to \`s' command`);
      flags += flag;
    }
    if (this.#next !== "" && !" \t\n;}#".includes(this.#next)) this.fail("unknown option to `s'", this.#at + 1);
    const regexp = this.#regexp(source, /i/i.test(flags), /m/i.test(flags));
    const groups = regexp ? (new RegExp(`${regexp.source}|`, regexp.flags).exec("")?.length ?? 10) - 1 : 9;
    const parts = replacementParts(replacement);
    for (const part of parts) if (typeof part === "number" && part > groups) this.fail(`invalid reference \\${part} on \`s' command's RHS`);
    return { regexp, parts, global: flags.includes("g"), print: flags.includes("p"), nth: nth === "" ? 1 : Number(nth), file };
  }

  #map(): Map<string, string> {
    const unterminated = "unterminated `y' command";
    const from = this.#delimited(false) ?? this.fail(unterminated);
    this.#at--;
    const to = this.#delimited(false) ?? this.fail(unterminated);
    const letters = (text: string): string[] => [...text.replaceAll(/\\([^])/g, (whole, c: string) => ({ n: "\n", t: "\t", "\\": "\\" })[c] ?? whole)];
    const [a, b] = [letters(from), letters(to)];
    if (a.length !== b.length) this.fail("strings for `y' command are different lengths");
    return new Map(a.map((letter, i) => [letter, b[i] ?? ""]));
  }
}

function replacementParts(text: string): Part[] {
  const parts: Part[] = [];
  const add = (piece: string): void => {
    const last = parts.at(-1);
    if (typeof last === "string") parts[parts.length - 1] = last + piece;
    else parts.push(piece);
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? "";
    if (c === "&") parts.push(0);
    else if (c !== "\\") add(c);
    else {
      const next = text[++i] ?? "\\";
      if (/\d/.test(next)) parts.push(Number(next));
      else if ("LUElu".includes(next)) parts.push({ to: next });
      else add(({ n: "\n", t: "\t", r: "\r", f: "\f", v: "\v", a: "\u0007" })[next] ?? next);
    }
  }
  return parts;
}

/** Throws UsageError, its message without `sed: `. */
export function parseSed(sources: readonly Source[], extended: boolean): Command[] {
  // Expressions are lines of one script; what is wrong is told of the first.
  const [first] = sources;
  return new Parser({ name: first?.name ?? "-e expression #1", text: sources.map(({ text }) => text).join("\n") }, extended).parse();
}
