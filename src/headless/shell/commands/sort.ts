// sort and uniq, as GNU's in the C locale: bytes are compared.
import { joined } from "../../../base/bytes.ts";
import { FsError } from "../../fs-error.ts";
import { fromLatin1, latin1 } from "../../kernel/text-encoding.ts";
import { open } from "../redirect.ts";
import { ExpansionError, type ShellState } from "../state.ts";
import { readAll } from "../streams.ts";
import { type Parsed, parseOptions, UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";
import { input } from "./streams.ts";

const LONG: Readonly<Record<string, string>> = {
  key: "k", "field-separator": "t", unique: "u", stable: "s", reverse: "r", "numeric-sort": "n", "general-numeric-sort": "g", "human-numeric-sort": "h", "version-sort": "V", "month-sort": "M", "random-sort": "R", "ignore-case": "f", "ignore-leading-blanks": "b", "dictionary-order": "d",
  "ignore-nonprinting": "i", check: "check::", output: "o", "zero-terminated": "z", merge: "m", parallel: "parallel:", "buffer-size": "S", "temporary-directory": "T", "batch-size": "batch:", sort: "sort:", "files0-from": "files0:", debug: "debug",
};
const ORDERS: Readonly<Record<string, string>> = { numeric: "n", "general-numeric": "g", "human-numeric": "h", version: "V", month: "M", random: "R" };

interface Key {
  readonly from: readonly [field: number, char: number];
  readonly to: readonly [field: number, char: number] | undefined;
  /** Letters of its own; those of the whole line where it has none. */
  readonly flags: string;
  /** Blanks before the start and before the end do not count. */
  readonly skipFrom: boolean;
  readonly skipTo: boolean;
}

function keyOf(text: string, usual: string): Key {
  const match = /^(\d+)(?:\.(\d+))?([bdfgiMhnRrV]*)(?:,(\d+)(?:\.(\d+))?([bdfgiMhnRrV]*))?$/.exec(text);
  if (!match) throw new UsageError(/^\d/.test(text) ? `stray character in field spec: invalid field specification ‘${text}’` : `invalid number at field start: invalid count at start of ‘${text}’`);
  const [, f1 = "", c1 = "1", o1 = "", f2, c2 = "0", o2 = ""] = match;
  if (Number(f1) === 0) throw new UsageError(`-: invalid field specification ‘${text}’`.replace("-: ", "field number is zero: "));
  if (Number(c1) === 0) throw new UsageError(`character offset is zero: invalid field specification ‘${text}’`);
  const own = o1 + o2;
  const flags = own === "" ? usual : own;
  return { from: [Number(f1), Number(c1)], to: f2 === undefined ? undefined : [Number(f2), Number(c2)], flags, skipFrom: (own === "" ? usual : o1).includes("b"), skipTo: (own === "" ? usual : o2).includes("b") };
}

const isBlank = (c: string | undefined): boolean => c === " " || c === "\t";

/** Where the fields of a line begin and end: blanks belong to the field after them, a separator to none. */
function fieldsOf(line: string, separator: string | undefined): readonly (readonly [number, number])[] {
  const fields: (readonly [number, number])[] = [];
  let at = 0;
  if (separator !== undefined) {
    for (;;) {
      const end = line.indexOf(separator, at);
      fields.push([at, end < 0 ? line.length : end]);
      if (end < 0) return fields;
      at = end + 1;
    }
  }
  while (at < line.length) {
    const from = at;
    while (isBlank(line[at])) at++;
    while (at < line.length && !isBlank(line[at])) at++;
    fields.push([from, at]);
  }
  return fields;
}

function keyText(line: string, key: Key, separator: string | undefined): string {
  const fields = fieldsOf(line, separator);
  const start = ([field, char]: readonly [number, number], skip: boolean): number => {
    const found = fields[field - 1];
    if (!found) return line.length;
    let [at] = found;
    if (skip) while (at < found[1] && isBlank(line[at])) at++;
    return Math.min(line.length, at + char - 1);
  };
  const from = start(key.from, key.skipFrom);
  let to = line.length;
  if (key.to) {
    const [field, char] = key.to;
    const found = fields[field - 1];
    to = !found ? line.length : char === 0 ? found[1] : Math.min(line.length, start([field, char], key.skipTo) + 1);
  }
  return line.slice(from, Math.max(from, to));
}

const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const numberOf = (text: string): number => Number(/^[ \t]*(-?\d*(?:\.\d*)?)/.exec(text)?.[1]?.replace(/^(-?)\.?$/, "0") ?? 0);

const UNITS = " KMGTPEZY";

function humanRank(text: string): readonly [number, number] {
  const [, sign = "", digits = "", unit = ""] = /^[ \t]*(-?)(\d*(?:\.\d*)?)([KkMGTPEZY]?)/.exec(text) ?? [];
  const value = Number(digits === "" || digits === "." ? 0 : digits);
  const order = value === 0 ? 0 : Math.max(0, UNITS.indexOf(unit.toUpperCase()));
  return sign === "" ? [order, value] : [-order, -value];
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A name without what is after its first suffix of letters, as version numbers are compared: runs of digits as numbers. */
function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const order = (c: string | undefined): number => (c === undefined || /\d/.test(c) ? 0 : c === "~" ? -1 : /[A-Za-z]/.test(c) ? c.charCodeAt(0) : c.charCodeAt(0) + 256);
  const cut = (text: string): string => text.replace(/(\.[A-Za-z~][A-Za-z0-9~]*)*$/, "");
  const compare = (x: string, y: string): number => {
    let i = 0;
    let j = 0;
    while (i < x.length || j < y.length) {
      while ((i < x.length && !/\d/.test(x[i] ?? "")) || (j < y.length && !/\d/.test(y[j] ?? ""))) {
        const difference = order(x[i]) - order(y[j]);
        if (difference !== 0) return difference;
        i++;
        j++;
      }
      const [left = ""] = /^\d*/.exec(x.slice(i)) ?? [];
      const [right = ""] = /^\d*/.exec(y.slice(j)) ?? [];
      const [m, n] = [left.replace(/^0+/, ""), right.replace(/^0+/, "")];
      if (m.length !== n.length) return m.length - n.length;
      if (m !== n) return compareText(m, n);
      i += left.length;
      j += right.length;
    }
    return 0;
  };
  return compare(cut(a), cut(b)) || compare(a, b);
}

function compareKeys(a: string, b: string, flags: string): number {
  if (flags.includes("n")) return numberOf(a) - numberOf(b);
  if (flags.includes("g")) {
    const [x, y] = [a, b].map((text) => Number.parseFloat(text.trim().replace(/^([+-]?)inf(inity)?.*/i, "$1Infinity")));
    const [p, q] = [x, y].map((value) => value ?? Number.NaN) as [number, number];
    return Number.isNaN(p) || Number.isNaN(q) ? Number(Number.isNaN(q)) - Number(Number.isNaN(p)) : p < q ? -1 : p > q ? 1 : 0;
  }
  if (flags.includes("h")) {
    const [[m, x], [n, y]] = [humanRank(a), humanRank(b)];
    return m - n || x - y;
  }
  if (flags.includes("M")) return MONTHS.indexOf(a.trimStart().slice(0, 3).toUpperCase()) - MONTHS.indexOf(b.trimStart().slice(0, 3).toUpperCase());
  const shown = (text: string): string => {
    let out = flags.includes("d") ? text.replaceAll(/[^A-Za-z0-9 \t]/g, "") : flags.includes("i") ? text.replaceAll(/[^ -~]/g, "") : text;
    if (flags.includes("f")) out = out.replaceAll(/[a-z]/g, (c) => c.toUpperCase());
    return out;
  };
  return flags.includes("V") ? compareVersions(shown(a), shown(b)) : compareText(shown(a), shown(b));
}

class Order {
  readonly #keys: readonly Key[];
  readonly #separator: string | undefined;
  readonly #flags: string;
  readonly #lastResort: boolean;

  constructor(options: Parsed) {
    const sortAs = options.value("sort");
    if (sortAs !== undefined && !ORDERS[sortAs]) throw new UsageError(`invalid argument ‘${sortAs}’ for ‘--sort’`);
    const usual = options.options.map(([key]) => key).filter((key) => key.length === 1 && "bdfgiMhnRrV".includes(key)).join("") + (ORDERS[sortAs ?? ""] ?? "");
    const separator = options.value("t");
    if (separator !== undefined && separator !== "\\0" && [...separator].length !== 1) throw new UsageError(separator === "" ? "empty tab" : `multi-character tab ‘${separator}’`);
    this.#separator = separator === "\\0" ? "\0" : separator === undefined ? undefined : latin1(new TextEncoder().encode(separator));
    this.#keys = options.values("k").map((key) => keyOf(key, usual));
    this.#flags = usual;
    this.#lastResort = !options.has("s") && !options.has("u");
  }

  /** Without the last resort: what -u takes for the same. */
  same(a: string, b: string): boolean {
    return this.#byKeys(a, b) === 0;
  }

  compare(a: string, b: string): number {
    return this.#byKeys(a, b) || (this.#lastResort ? compareText(a, b) * (this.#flags.includes("r") ? -1 : 1) : 0);
  }

  #byKeys(a: string, b: string): number {
    if (this.#keys.length === 0) return compareKeys(this.#flags.includes("b") ? a.trimStart() : a, this.#flags.includes("b") ? b.trimStart() : b, this.#flags) * (this.#flags.includes("r") ? -1 : 1);
    for (const key of this.#keys) {
      const found = compareKeys(keyText(a, key, this.#separator), keyText(b, key, this.#separator), key.flags) * (key.flags.includes("r") ? -1 : 1);
      if (found !== 0) return found;
    }
    return 0;
  }
}

async function linesOf(state: ShellState, path: string, end: string): Promise<string[] | undefined> {
  const file = await input(state, "sort", path, (why) => (why === "Is a directory" ? `sort: read failed: ${path}: ${why}` : `sort: cannot read: ${path}: ${why}`));
  if (!file) return undefined;
  const lines = latin1(await readAll(file.stream, state.signal)).split(end);
  file.release();
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

async function usage(state: ShellState, name: string, error: unknown, code: number): Promise<number> {
  if (!(error instanceof UsageError)) throw error;
  await state.write(2, `${name}: ${error.message}\n${/option/.test(error.message) ? `Try '${name} --help' for more information.\n` : ""}`);
  return code;
}

async function sort(state: ShellState, args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args, "k:t:usrnghVMRfbdicCo:zmS:T:", LONG);
    const order = new Order(options);
    const end = options.has("z") ? "\0" : "\n";
    const paths = options.operands.length > 0 ? options.operands : ["-"];
    const checks = options.has("c") || options.has("C") || options.has("check");
    const all: string[] = [];
    for (const path of paths) {
      const lines = await linesOf(state, path, end);
      if (!lines) return 2;
      for (const line of lines) all.push(line);
    }
    if (checks) {
      const at = all.findIndex((line, i) => i > 0 && (options.has("u") ? order.compare(all[i - 1] ?? "", line) >= 0 : order.compare(all[i - 1] ?? "", line) > 0));
      if (at < 0) return 0;
      if (!options.has("C") && !/^(quiet|silent)$/.test(options.value("check") ?? "")) await state.write(2, `sort: ${paths[0]}:${at + 1}: disorder: ${new TextDecoder().decode(fromLatin1(all[at] ?? ""))}\n`);
      return 1;
    }
    if (options.has("R")) all.sort(() => Math.random() - 0.5);
    else all.sort((a, b) => order.compare(a, b));
    const kept = options.has("u") ? all.filter((line, i) => i === 0 || !order.same(all[i - 1] ?? "", line)) : all;
    const bytes = fromLatin1(kept.map((line) => line + end).join(""));
    const output = options.value("o");
    if (output === undefined) await state.write(1, bytes);
    else {
      const file = open(state, output, ">");
      await file.stream.write(bytes, state.signal);
      file.release();
    }
    return 0;
  } catch (error) {
    if (!(error instanceof ExpansionError) && !(error instanceof FsError)) return usage(state, "sort", error, 2);
    await state.write(2, `sort: open failed: ${error.message}\n`);
    return 2;
  }
}

const UNIQ_LONG: Readonly<Record<string, string>> = { count: "c", repeated: "d", "all-repeated": "D::", unique: "u", "ignore-case": "i", "skip-fields": "f", "skip-chars": "s", "check-chars": "w", "zero-terminated": "z", group: "group::" };

async function uniq(state: ShellState, args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args, "cdDuif:s:w:z", UNIQ_LONG);
    const number = (key: string, what: string): number => {
      const text = options.value(key);
      if (text !== undefined && !/^\d+$/.test(text)) throw new UsageError(`${text}: invalid number of ${what}`);
      return text === undefined ? (key === "w" ? Number.POSITIVE_INFINITY : 0) : Number(text);
    };
    const [fields, chars, width] = [number("f", "fields to skip"), number("s", "bytes to skip"), number("w", "bytes to compare")];
    const end = options.has("z") ? "\0" : "\n";
    const [from = "-", to] = options.operands;
    if (options.operands.length > 2) throw new UsageError(`extra operand ‘${options.operands[2]}’`);
    const file = await input(state, "uniq", from, (why) => (why === "Is a directory" ? `uniq: error reading '${from}'` : `uniq: ${from}: ${why}`));
    if (!file) return 1;
    const keyed = (line: string): string => {
      const key = line.replace(new RegExp(`^(?:[ \\t]*[^ \\t]+){0,${fields}}`), "").slice(chars, chars + width);
      return options.has("i") ? key.toLowerCase() : key;
    };
    const lines = latin1(await readAll(file.stream, state.signal)).split(end);
    file.release();
    if (lines.at(-1) === "") lines.pop();
    const groups: { readonly key: string; readonly lines: string[] }[] = [];
    for (const line of lines) {
      const key = fields + chars > 0 || width !== Number.POSITIVE_INFINITY || options.has("i") ? keyed(line) : line;
      const last = groups.at(-1);
      if (last?.key === key) last.lines.push(line);
      else groups.push({ key, lines: [line] });
    }
    const separated = options.has("group") || ["prepend", "separate"].includes(options.value("D") ?? "");
    const wanted = groups.filter(({ lines: { length } }) => (options.has("d") || options.has("D") ? length > 1 : true) && (options.has("u") ? length === 1 : true));
    const shown = wanted.map(({ lines: same }, i) => {
      const every = options.has("D") || options.has("group") ? same : same.slice(0, 1);
      return (separated && (i > 0 || options.value("D") === "prepend") ? end : "") + every.map((line) => `${options.has("c") ? `${String(same.length).padStart(7)} ` : ""}${line}${end}`).join("");
    });
    const bytes = joined([fromLatin1(shown.join(""))]);
    if (to === undefined || to === "-") await state.write(1, bytes);
    else {
      const target = open(state, to, ">");
      await target.stream.write(bytes, state.signal);
      target.release();
    }
    return 0;
  } catch (error) {
    return usage(state, "uniq", error, 1);
  }
}

export const SORT = { sort, uniq } satisfies Readonly<Record<string, OwnCommand>>;
