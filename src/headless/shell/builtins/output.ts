// echo and printf.
import { calculate } from "../expand.ts";
import { quoteWord } from "../parameters.ts";
import { ExpansionError, type ShellState } from "../state.ts";
import type { Builtin } from "./index.ts";

const SIMPLE: Readonly<Record<string, string>> = { a: "\u0007", b: "\b", e: "\u001b", E: "\u001b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v", "\\": "\\" };

/** Bytes as characters of that code: what `\x` and octal escapes give is a byte, which may be a part of a letter. */
type Bytes = string;

const encoder = new TextEncoder();
const toBytes = (text: string): Bytes => {
  // ASCII is itself.
  // oxlint-disable-next-line no-control-regex -- all of ASCII
  if (/^[\u0000-\u007f]*$/.test(text)) return text;
  return Array.from(encoder.encode(text), (byte) => String.fromCharCode(byte)).join("");
};
const fromBytes = (bytes: Bytes): Uint8Array => Uint8Array.from(bytes, (c) => c.charCodeAt(0));

interface Unescaped {
  readonly bytes: Bytes;
  /** `\c`: nothing comes after it. */
  readonly stop: boolean;
}

/** `echo -e` and `%b` have octals as `\0nnn`, a format as `\nnn`. */
function unescape(text: string, style: "echo" | "format"): Unescaped {
  let out = "";
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "\\") {
      const point = String.fromCodePoint(text.codePointAt(i) ?? 0);
      out += toBytes(point);
      i += point.length - 1;
      continue;
    }
    const rest = text.slice(i + 1);
    const octal = (style === "echo" ? /^0([0-7]{0,3})/ : /^([0-7]{1,3})/).exec(rest);
    const hex = /^x([0-9a-fA-F]{1,2})/.exec(rest);
    const unicode = /^(?:u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8}))/.exec(rest);
    const c = rest[0] ?? "";
    if (c === "c") return { bytes: out, stop: true };
    if (octal || hex) {
      out += String.fromCharCode(Number.parseInt((octal ?? hex)?.[1] || "0", octal ? 8 : 16) & 0xff);
      i += (octal ?? hex)?.[0].length ?? 0;
    } else if (unicode) {
      out += toBytes(String.fromCodePoint(Number.parseInt(unicode[1] ?? unicode[2] ?? "0", 16)));
      i += unicode[0].length;
    } else if (SIMPLE[c] !== undefined) {
      out += SIMPLE[c];
      i++;
    } else if (style === "format" && (c === '"' || c === "'" || c === "?")) {
      out += c;
      i++;
    } else out += "\\";
  }
  return { bytes: out, stop: false };
}

async function echo(state: ShellState, args: readonly string[]): Promise<number> {
  let newline = true;
  let escapes = state.shopts.has("xpg_echo");
  let at = 0;
  for (; /^-[neE]+$/.test(args[at] ?? ""); at++) {
    for (const letter of (args[at] ?? "").slice(1)) {
      if (letter === "n") newline = false;
      else escapes = letter === "e";
    }
  }
  const text = args.slice(at).join(" ");
  if (!escapes) await state.write(1, text + (newline ? "\n" : ""));
  else {
    const { bytes, stop } = unescape(text, "echo");
    await state.write(1, fromBytes(bytes + (newline && !stop ? "\n" : "")));
  }
  return 0;
}

const DIRECTIVE = /%(%|([-+ #0']*)(\*|\d+)?(?:\.(\*|-?\d*))?(?:hh|h|ll|l|L|j|z|t)?([a-zA-Z])|\(([^)]*)\)T)/y;

class Formatter {
  readonly #state: ShellState;
  readonly #args: readonly string[];
  at = 0;
  code = 0;

  constructor(state: ShellState, args: readonly string[]) {
    this.#state = state;
    this.#args = args;
  }

  /** One pass through the format; `stop` as above. */
  async pass(format: string): Promise<Unescaped> {
    let out = "";
    for (let i = 0; i < format.length; ) {
      if (format[i] !== "%") {
        const end = format.indexOf("%", i);
        const { bytes, stop } = unescape(format.slice(i, end < 0 ? undefined : end), "format");
        out += bytes;
        if (stop) return { bytes: out, stop };
        i = end < 0 ? format.length : end;
        continue;
      }
      DIRECTIVE.lastIndex = i;
      const match = DIRECTIVE.exec(format);
      if (!match) {
        await this.#state.complain(`printf: \`${format[i + 1] ?? "%"}': ${i + 1 < format.length ? "invalid format character" : "missing format character"}`);
        this.code = 1;
        return { bytes: out, stop: true };
      }
      i = DIRECTIVE.lastIndex;
      if (match[1] === "%") {
        out += "%";
        continue;
      }
      if (match[6] !== undefined) {
        out += time(match[6], this.#next());
        continue;
      }
      let flags = match[2] ?? "";
      let width = match[3] === "*" ? Number(this.#next() ?? 0) : Number(match[3] ?? 0);
      if (width < 0) {
        flags += "-";
        width = -width;
      }
      const precision = match[4] === undefined ? undefined : match[4] === "*" ? Number(this.#next() ?? 0) : Number(match[4] || 0);
      const { bytes, stop } = await this.#one(match[5] ?? "", flags, precision !== undefined && precision < 0 ? undefined : precision);
      const padding = Math.max(0, width - [...new TextDecoder().decode(fromBytes(bytes))].length);
      const zero = flags.includes("0") && !flags.includes("-") && "diouxXeEfFgG".includes(match[5] ?? "") && (precision === undefined || "eEfFgG".includes(match[5] ?? ""));
      out += flags.includes("-") ? bytes + " ".repeat(padding) : zero ? bytes.replace(/^([-+ ]?(?:0[xX])?)/, `$1${"0".repeat(padding)}`) : " ".repeat(padding) + bytes;
      if (stop) return { bytes: out, stop };
    }
    return { bytes: out, stop: false };
  }

  #next(): string | undefined {
    return this.#args[this.at++];
  }

  async #one(letter: string, flags: string, precision: number | undefined): Promise<Unescaped> {
    const plain = (bytes: string): Unescaped => ({ bytes, stop: false });
    const arg = this.#next();
    switch (letter) {
      case "s":
        return plain(toBytes(precision === undefined ? (arg ?? "") : [...(arg ?? "")].slice(0, precision).join("")));
      case "b": {
        const { bytes, stop } = unescape(arg ?? "", "echo");
        return { bytes: precision === undefined ? bytes : bytes.slice(0, precision), stop };
      }
      case "q":
        return plain(toBytes(backslashed(arg ?? "")));
      case "Q":
        return plain(toBytes(quoteWord(arg ?? "")));
      case "c":
        return plain(toBytes([...(arg ?? "")].slice(0, 1).join("")));
      case "d":
      case "i":
      case "u":
      case "o":
      case "x":
      case "X": {
        const value = await this.#integer(arg);
        const whole = value < 0n && !"di".includes(letter) ? BigInt.asUintN(64, value) : value;
        const base = letter === "o" ? 8 : letter === "x" || letter === "X" ? 16 : 10;
        const negative = whole < 0n;
        let digits = (negative ? -whole : whole).toString(base);
        if (letter === "X") digits = digits.toUpperCase();
        if (precision !== undefined) digits = digits.padStart(precision, "0");
        if (flags.includes("'")) digits = digits.replaceAll(/\B(?=(\d{3})+$)/g, "");
        const prefix = flags.includes("#") && whole !== 0n ? (letter === "o" ? "0" : base === 16 ? `0${letter}` : "") : "";
        return plain((negative ? "-" : "di".includes(letter) && flags.includes("+") ? "+" : "di".includes(letter) && flags.includes(" ") ? " " : "") + prefix + digits);
      }
      case "e":
      case "E":
      case "f":
      case "F":
      case "g":
      case "G":
      case "a":
      case "A":
        return plain(await this.#float(arg, letter, flags, precision));
      default:
        await this.#state.complain(`printf: \`${letter}': invalid format character`);
        this.code = 1;
        return { bytes: "", stop: true };
    }
  }

  async #integer(arg: string | undefined): Promise<bigint> {
    const text = (arg ?? "0").trim();
    if (text.startsWith('"') || text.startsWith("'")) return BigInt(text.codePointAt(1) ?? 0);
    if (/^[-+]?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/.test(text)) return calculate(this.#state, text);
    await this.#state.complain(`printf: ${arg}: invalid number`);
    this.code = 1;
    return BigInt(/^[-+]?\d+/.exec(text)?.[0].replace(/^\+/, "") ?? 0);
  }

  async #float(arg: string | undefined, letter: string, flags: string, precision = 6): Promise<string> {
    const value = Number(arg ?? 0);
    if (Number.isNaN(value) && !/^[-+]?nan$/i.test(arg ?? "")) {
      await this.#state.complain(`printf: ${arg}: invalid number`);
      this.code = 1;
    }
    const number = Number.isNaN(value) ? (/^[-+]?nan$/i.test(arg ?? "") ? Number.NaN : Number.parseFloat(arg ?? "") || 0) : value;
    let text: string;
    if (!Number.isFinite(number)) text = Number.isNaN(number) ? "nan" : number < 0 ? "-inf" : "inf";
    else if (/f/i.test(letter)) text = number.toFixed(Math.min(precision, 100));
    else if (/e/i.test(letter)) text = exponent(number.toExponential(Math.min(precision, 100)));
    else {
      const digits = precision === 0 ? 1 : Math.min(precision, 100);
      const size = number === 0 ? 0 : Number(number.toExponential(digits - 1).split("e")[1]);
      text = size < -4 || size >= digits ? exponent(number.toExponential(digits - 1)) : number.toFixed(digits - 1 - size);
      if (!flags.includes("#") && text.includes(".")) text = text.replace(/\.?0+(?=e|$)/, "");
    }
    if (flags.includes("+") && !text.startsWith("-")) text = `+${text}`;
    return /[A-Z]/.test(letter) ? text.toUpperCase() : text;
  }
}

/** At least two digits, as C has them. */
function exponent(text: string): string {
  return text.replace(/e([-+])(\d)$/, "e$10$2");
}

function backslashed(text: string): string {
  if (text === "") return "''";
  // oxlint-disable-next-line no-control-regex -- these are what is written as escapes
  if (/[\u0000-\u001f\u007f]/.test(text)) return quoteWord(text);
  return text.replaceAll(/[^\w@%+=:,./\u0080-\u{10ffff}-]/gu, "\\$&");
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/** `%(%Y-%m-%d)T`, in UTC: the container has no other zone. */
function time(format: string, arg: string | undefined): string {
  const date = arg === undefined || arg === "-1" || arg === "-2" ? new Date() : new Date(Number(arg) * 1000);
  const two = (n: number): string => String(n).padStart(2, "0");
  const parts: Readonly<Record<string, string>> = {
    Y: String(date.getUTCFullYear()), m: two(date.getUTCMonth() + 1), d: two(date.getUTCDate()), H: two(date.getUTCHours()), M: two(date.getUTCMinutes()), S: two(date.getUTCSeconds()), s: String(Math.floor(date.getTime() / 1000)),
    y: two(date.getUTCFullYear() % 100), A: DAYS[date.getUTCDay()] ?? "", a: (DAYS[date.getUTCDay()] ?? "").slice(0, 3), B: MONTHS[date.getUTCMonth()] ?? "", b: (MONTHS[date.getUTCMonth()] ?? "").slice(0, 3), Z: "UTC", z: "+0000", "%": "%", n: "\n",
    e: String(date.getUTCDate()).padStart(2), F: date.toISOString().slice(0, 10), T: date.toISOString().slice(11, 19), I: two(date.getUTCHours() % 12 || 12), p: date.getUTCHours() < 12 ? "AM" : "PM",
  };
  return (format === "" ? "%T" : format).replaceAll(/%(.)/g, (whole, c: string) => parts[c] ?? whole);
}

async function printf(state: ShellState, given: readonly string[]): Promise<number> {
  let args = given;
  let target: string | undefined;
  if (args[0] === "-v") {
    target = args[1];
    args = args.slice(2);
  }
  if (args[0] === "--") args = args.slice(1);
  const [format, ...values] = args;
  if (format === undefined) {
    await state.write(2, "printf: usage: printf [-v var] format [arguments]\n");
    return 2;
  }
  const formatter = new Formatter(state, values);
  let out = "";
  do {
    const before = formatter.at;
    const { bytes, stop } = await formatter.pass(format);
    out += bytes;
    if (stop || formatter.at === before) break;
  } while (formatter.at < values.length);
  if (target !== undefined) {
    const match = /^(\w+)\[([^]*)\]$/.exec(target);
    const text = new TextDecoder().decode(fromBytes(out));
    if (!/^[A-Za-z_]\w*(\[.*\])?$/s.test(target)) throw new ExpansionError(`printf: \`${target}': not a valid identifier`);
    if (match) state.vars.setElement(match[1] ?? "", match[2] ?? "", text);
    else state.vars.set(target, text);
  } else await state.write(1, fromBytes(out));
  return formatter.code;
}

export const OUTPUT = { echo, printf } satisfies Readonly<Record<string, Builtin>>;
