// grep, egrep and fgrep, as GNU's 3.8: lines go out as they come in. Of -P's Perl, what JavaScript has too.
// Over 300 lines: options, the walk through folders and what is printed are one command.
import { joinPath, resolvePath } from "../../posix-path.ts";
import type { VfsNode } from "../../vfs-node.ts";
import { compareNames, patternRegExp } from "../pattern.ts";
import type { ShellState } from "../state.ts";
import { type Parsed, parseOptions, UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";
import { literal, posixRegExp, posixSource } from "./posix-regexp.ts";
import { input } from "./streams.ts";
import { bytesOf, type Line, LineReader } from "./text-input.ts";

const LONG: Readonly<Record<string, string>> = {
  "basic-regexp": "G", "extended-regexp": "E", "fixed-strings": "F", "perl-regexp": "P", regexp: "e", file: "f", "ignore-case": "i", "no-ignore-case": "1", "invert-match": "v", "word-regexp": "w", "line-regexp": "x", count: "c",
  color: "color::", colour: "color::", "files-without-match": "L", "files-with-matches": "l", "max-count": "m", "only-matching": "o", quiet: "q", silent: "q", "no-messages": "s", "byte-offset": "b", "with-filename": "H", "no-filename": "h", label: "label:",
  "line-number": "n", "initial-tab": "T", null: "Z", "after-context": "A", "before-context": "B", context: "C", text: "a", "binary-files": "binary:", binary: "U", exclude: "exclude:", "exclude-from": "exclude-from:", "exclude-dir": "exclude-dir:", include: "include:",
  recursive: "r", "dereference-recursive": "R", "null-data": "z", "line-buffered": "2", directories: "d", devices: "D",
};

interface Query {
  readonly state: ShellState;
  readonly options: Parsed;
  /** None of them is global: every one is asked at a place of its own. */
  readonly patterns: readonly RegExp[];
  readonly before: number;
  readonly after: number;
  readonly most: number;
  readonly color: boolean;
  readonly end: string;
  found: boolean;
  wrong: boolean;
  named: boolean;
}

class Reported extends Error {}

const PERL_CLASSES = /\[:(\^?)(\w+):\]/g;

function perlRegExp(pattern: string, flags: string): RegExp {
  const [, inline = ""] = /^\(\?([a-z]+)\)/.exec(pattern) ?? [];
  const source = pattern.slice(inline === "" ? 0 : inline.length + 3).replaceAll(PERL_CLASSES, (_, not: string, name: string) => (not === "" ? posixSource(`[[:${name}:]]`, { extended: true }).slice(1, -1) : "")).replaceAll(/\\h/g, "[ \\t]").replaceAll(/\\Q([^]*?)(\\E|$)/g, (_, text: string) => literal(text));
  if (/\\K|\(\?>|\(\?R\)|[*+?}]\+/.test(source)) throw new UsageError("of -P there is in the container what JavaScript's regular expressions have: no \\K, no possessive or recursive groups");
  for (const unicode of ["u", ""]) {
    try {
      return new RegExp(source, `${unicode}y${flags}${[...inline].filter((c) => "ims".includes(c) && !flags.includes(c)).join("")}`);
    } catch (error) {
      if (unicode === "") throw new UsageError(error instanceof Error ? error.message.replace(/^Invalid regular expression: /, "") : String(error));
    }
  }
  throw new UsageError("unreachable");
}

function compile(kind: string, pattern: string, options: Parsed): RegExp {
  const flags = options.has("i") || options.has("y") ? "i" : "";
  const whole = (source: string): string => (options.has("x") ? `^(?:${source})$` : options.has("w") ? `(?<![\\w])(?:${source})(?![\\w])` : source);
  if (kind === "P") return perlRegExp(whole(pattern), flags);
  return new RegExp(whole(kind === "F" ? literal(pattern) : posixRegExp(pattern, { extended: kind === "E" }, "g").source), `uy${flags}`);
}

/** The first match at or after `from`, of all patterns; the longest of those that begin there. */
function matchOf(patterns: readonly RegExp[], text: string, from: number): readonly [start: number, end: number] | undefined {
  let best: readonly [number, number] | undefined;
  for (const pattern of patterns) {
    const found = search(pattern, text, from);
    if (found && (!best || found[0] < best[0] || (found[0] === best[0] && found[1] > best[1]))) best = found;
  }
  return best;
}

const searching = new WeakMap<RegExp, RegExp>();

function search(pattern: RegExp, text: string, from: number): readonly [number, number] | undefined {
  const global = searching.get(pattern) ?? new RegExp(pattern.source, pattern.flags.replace("y", "g"));
  searching.set(pattern, global);
  global.lastIndex = from;
  const match = global.exec(text);
  return match ? [match.index, match.index + match[0].length] : undefined;
}

const sgr = (code: string, text: string, color: boolean): string => (color && text !== "" ? `\u001b[${code}m\u001b[K${text}\u001b[m\u001b[K` : text);

/** One file or the input, to its end or to where no more is wanted. */
async function searchFile(query: Query, path: string, shown: string): Promise<void> {
  const { state, options, patterns } = query;
  const file = await input(state, "grep", path, options.has("s") ? () => "" : undefined);
  if (!file) {
    query.wrong = true;
    return;
  }
  const lines = new LineReader(file.stream, state.signal, query.end);
  const asText = options.has("a") || options.value("binary") === "text" || query.end === "\0";
  const listing = options.has("l") || options.has("L");
  const silent = options.has("q") || listing || options.has("c");
  const print = new Printer(query, shown);
  let count = 0;
  let number = 0;
  let offset = 0;
  try {
    search: for (let batch = await lines.batch(); batch; batch = await lines.batch()) {
      if (lines.binary && !asText && (options.has("I") || options.value("binary") === "without-match")) break;
      for (const line of batch) {
        number++;
        const hit = count < query.most && (matchOf(patterns, line.text, 0) !== undefined) !== options.has("v");
        if (hit) {
          count++;
          query.found = true;
          if (options.has("q") || listing) break search;
          if (!silent && lines.binary && !asText) {
            await print.flush();
            await state.write(1, "");
            await state.write(2, `grep: ${shown}: binary file matches\n`);
            break search;
          }
        }
        if (!silent) print.line(line, number, offset, hit);
        offset += options.has("b") ? bytesOf(line.text, line.raw).length + 1 : 0;
        if (count >= query.most && (silent || print.left === 0)) break search;
      }
      await print.flush();
    }
    await print.flush();
  } finally {
    file.release();
  }
  const name = sgr("35", shown, query.color);
  if (options.has("l") ? count > 0 : options.has("L") ? count === 0 : false) await state.write(1, `${name}${options.has("Z") ? "\0" : "\n"}`);
  else if (options.has("c") && !listing && !options.has("q")) await state.write(1, `${query.named ? name + (options.has("Z") ? "\0" : sgr("36", ":", query.color)) : ""}${count}\n`);
}

/** Lines with what goes before them, and those around them. */
class Printer {
  readonly #query: Query;
  readonly #shown: string;
  #before: (readonly [line: Line, number: number, offset: number])[] = [];
  #parts: Uint8Array[] = [];
  #last = 0;
  /** How many lines after a match are still to come. */
  left = 0;

  constructor(query: Query, shown: string) {
    this.#query = query;
    this.#shown = shown;
  }

  line(line: Line, number: number, offset: number, hit: boolean): void {
    const { before, after, options } = this.#query;
    if (hit) {
      const around = (before > 0 || after > 0) && !options.has("o");
      if (around && separated.has(this.#query) && this.#last < number - this.#before.length - 1) this.#text(`${sgr("36", "--", this.#query.color)}\n`, false);
      separated.add(this.#query);
      for (const [other, at, start] of this.#before) this.#print(other, at, start, false);
      this.#before = [];
      this.#print(line, number, offset, true);
      this.left = after;
    } else if (this.left > 0) {
      this.left--;
      this.#print(line, number, offset, false);
    } else if (before > 0) {
      this.#before.push([line, number, offset]);
      if (this.#before.length > before) this.#before.shift();
    }
  }

  async flush(): Promise<void> {
    for (const part of this.#parts.splice(0)) await this.#query.state.write(1, part);
  }

  #text(text: string, raw: boolean): void {
    const bytes = bytesOf(text, raw);
    const last = this.#parts.at(-1);
    if (last && last.length + bytes.length < 65_536) this.#parts[this.#parts.length - 1] = joinTwo(last, bytes);
    else this.#parts.push(bytes);
  }

  #prefix(number: number, offset: number, mark: string): string {
    const { options, named, color } = this.#query;
    const sign = sgr("36", mark, color);
    const parts = [named ? sgr("35", this.#shown, color) + (options.has("Z") ? "\0" : sign) : "", options.has("n") ? sgr("32", String(number), color) + sign : "", options.has("b") ? sgr("32", String(offset), color) + sign : ""].join("");
    return options.has("T") && parts !== "" ? `${parts}\t` : parts;
  }

  #print(line: Line, number: number, offset: number, hit: boolean): void {
    const { options, patterns, color, end } = this.#query;
    this.#last = number;
    if (!options.has("o")) {
      return this.#text(`${this.#prefix(number, offset, hit ? ":" : "-")}${color && hit !== options.has("v") ? this.#colored(line.text) : line.text}${end}`, line.raw);
    }
    if (!hit || options.has("v")) return;
    for (let at = 0, match = matchOf(patterns, line.text, at); match; match = matchOf(patterns, line.text, at)) {
      const [from, to] = match;
      const start = options.has("b") ? offset + bytesOf(line.text.slice(0, from), line.raw).length : 0;
      if (to > from) this.#text(`${this.#prefix(number, start, ":")}${sgr("01;31", line.text.slice(from, to), color)}${end}`, line.raw);
      at = to > from ? to : to + 1;
      if (at > line.text.length) return;
    }
  }

  #colored(text: string): string {
    let out = "";
    let at = 0;
    for (let match = matchOf(this.#query.patterns, text, at); match; match = at <= text.length ? matchOf(this.#query.patterns, text, at) : undefined) {
      const [from, to] = match;
      out += text.slice(at, from) + sgr("01;31", text.slice(from, to), true);
      if (to === from) out += text.slice(to, to + 1);
      at = to > from ? to : to + 1;
    }
    return out + text.slice(at);
  }
}

/** Those that have printed something: what comes next is set apart. */
const separated = new WeakSet<Query>();

function joinTwo(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}

interface Wanted {
  file(name: string): boolean;
  folder(name: string): boolean;
}

function wantedNames(options: Parsed): Wanted {
  const globs = (key: string): RegExp[] => options.values(key).map((glob) => patternRegExp(glob.replace(/\/+$/, "")));
  const some = (patterns: readonly RegExp[], name: string): boolean => patterns.some((pattern) => pattern.test(name));
  const [include, exclude, folders] = [globs("include"), globs("exclude"), globs("exclude-dir")];
  return { file: (name) => (include.length === 0 || some(include, name)) && !some(exclude, name), folder: (name) => !some(folders, name) };
}

async function walk(query: Query, wanted: Wanted, path: string, node: VfsNode, follow: boolean): Promise<void> {
  if (node.kind === "link" && follow) {
    const target = query.state.host.vfs.find(resolvePath(path, query.state.cwd));
    if (target) await walk(query, wanted, path, target, follow);
    return;
  }
  if (node.kind === "file") await searchFile(query, path, path);
  if (node.kind !== "dir") return;
  for (const [name, child] of [...node.entries].sort(([a], [b]) => compareNames(a, b))) {
    if (query.options.has("q") && query.found) return;
    const leaf = child.kind !== "dir";
    if (leaf ? wanted.file(name) : wanted.folder(name)) await walk(query, wanted, path === "" ? name : joinPathAsGiven(path, name), child, follow);
  }
}

const joinPathAsGiven = (folder: string, name: string): string => (folder.endsWith("/") ? folder + name : folder === "." ? `./${name}` : folder.startsWith("/") ? joinPath(folder, name) : `${folder}/${name}`);

function contextOf(options: Parsed, keys: readonly string[]): number {
  const given = options.options.filter(([key]) => keys.includes(key)).map(([, value]) => value);
  const own = options.value(keys[0] ?? "") ?? given.at(-1);
  if (own === undefined) return 0;
  if (!/^\d+$/.test(own)) throw new UsageError(`${own}: invalid context length argument`);
  return Number(own);
}

async function patternsOf(state: ShellState, kind: string, options: Parsed, operands: string[]): Promise<RegExp[]> {
  const texts = options.values("e");
  for (const path of options.values("f")) {
    const file = await input(state, "grep", path);
    if (!file) throw new Reported();
    const reader = new LineReader(file.stream, state.signal);
    for (let line = await reader.next(); line; line = await reader.next()) texts.push(line.text);
    file.release();
  }
  if (!options.has("e") && !options.has("f")) {
    const first = operands.shift();
    if (first === undefined) {
      await state.write(2, "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n");
      throw new Reported();
    }
    texts.push(first);
  }
  return texts.flatMap((text) => text.split("\n")).map((pattern) => compile(kind, pattern, options));
}

async function run(state: ShellState, args: readonly string[], usual: string): Promise<number> {
  // -NUM: lines around.
  const options = parseOptions(args.flatMap((arg) => (/^-\d+$/.test(arg) ? [`-C${arg.slice(1)}`] : [arg])), "EFGPe:f:iyvwxcLlm:oqsbHhnTZA:B:C:aIUrRzd:D:V", LONG);
  const operands = [...options.operands];
  const kind = options.options.findLast(([key]) => "EFGP".includes(key))?.[0] ?? usual;
  const patterns = await patternsOf(state, kind, options, operands);
  const most = options.value("m") ?? "";
  if (options.has("m") && !/^-?\d+$/.test(most)) throw new UsageError("invalid max count");
  const recursive = options.has("r") || options.has("R") || options.value("d") === "recurse";
  const color = options.has("color") && (options.value("color") === "always" || (["", "auto", "tty", "if-tty"].includes(options.value("color") ?? "") && state.fds.get(1)?.stream.terminal === true));
  const query: Query = {
    state, options, patterns, color, before: contextOf(options, ["B", "C"]), after: contextOf(options, ["A", "C"]), most: options.has("m") && Number(most) >= 0 ? Number(most) : Number.POSITIVE_INFINITY,
    end: options.has("z") ? "\0" : "\n", found: false, wrong: false, named: false,
  };
  const naming = options.options.findLast(([key]) => key === "H" || key === "h")?.[0];
  const wanted = wantedNames(options);
  for (const path of operands.length > 0 ? operands : recursive ? [""] : ["-"]) {
    if (options.has("q") && query.found) break;
    const node = path === "-" ? undefined : state.host.vfs.find(resolvePath(path, state.cwd));
    query.named = naming === "H" || (naming === undefined && (operands.length > 1 || (recursive && node?.kind === "dir")));
    if (node?.kind === "dir" && recursive) await walk(query, wanted, path, node, options.has("R"));
    else if (node?.kind === "dir" && options.value("d") === "skip") continue;
    else if (!node || wanted.file(path.slice(path.lastIndexOf("/") + 1))) await searchFile(query, path, path === "-" ? (options.value("label") ?? "(standard input)") : path);
  }
  return query.found && (!query.wrong || options.has("q")) ? 0 : query.wrong ? 2 : 1;
}

function command(usual: string): OwnCommand {
  return async (state, args) => {
    if (args.includes("-V") || args.includes("--version")) {
      await state.write(1, "grep (GNU grep) 3.8 (of this container)\n");
      return 0;
    }
    try {
      return await run(state, args, usual);
    } catch (error) {
      if (error instanceof Reported) return 2;
      if (!(error instanceof UsageError)) throw error;
      const isUsage = /option/.test(error.message) && !/-P/.test(error.message);
      await state.write(2, `grep: ${error.message}\n${isUsage ? "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n" : ""}`);
      return 2;
    }
  };
}

export const GREP = { grep: command("G"), egrep: command("E"), fgrep: command("F") } satisfies Readonly<Record<string, OwnCommand>>;
