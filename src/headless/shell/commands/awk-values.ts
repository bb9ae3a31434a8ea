// awk's values: numbers, strings, and what came in and looks like a number. How they compare and print.

/** Text from outside: compares as a number where it looks like one. */
export class Input {
  readonly text: string;
  readonly isNumber: boolean;

  constructor(text: string) {
    this.text = text;
    this.isNumber = /^\s*[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|inf(?:inity)?|nan)\s*$/i.test(text);
  }
}

/** Undefined: nothing was put there yet, which is 0 and "". */
export type Value = number | string | Input | undefined;

export function toNumber(value: Value): number {
  if (typeof value === "number") return value;
  if (value === undefined) return 0;
  const text = typeof value === "string" ? value : value.text;
  const found = /^\s*([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?))/.exec(text)?.[1];
  return found === undefined ? (/^\s*[-+]?inf/i.test(text) ? (text.trim().startsWith("-") ? -Infinity : Infinity) : 0) : Number(found);
}

export function toText(value: Value, format = "%.6g"): string {
  if (typeof value === "string") return value;
  if (value === undefined) return "";
  if (typeof value !== "number") return value.text;
  if (Number.isInteger(value)) return Math.abs(value) < 1e16 ? String(value === 0 ? 0 : value) : Number.isSafeInteger(value) ? String(value) : BigInt(value).toString();
  return Number.isFinite(value) ? formatted(format, [value]) : shownInfinite(value);
}

const shownInfinite = (value: number): string => (Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf");

export function isTrue(value: Value): boolean {
  if (typeof value === "number") return value !== 0;
  if (typeof value === "string") return value !== "";
  return value !== undefined && (value.isNumber ? toNumber(value) !== 0 : value.text !== "");
}

/** Not bytes, and not halves of pairs. */
export const lettersIn = (text: string): number => Array.from(text).length;

const isNumeric = (value: Value): boolean => typeof value === "number" || value === undefined || (typeof value === "object" && value.isNumber);

/** Below 0, 0 or above: as numbers where both are, else as texts. */
export function compare(a: Value, b: Value, format: string): number {
  if (isNumeric(a) && isNumeric(b)) return toNumber(a) - toNumber(b);
  const [x, y] = [toText(a, format), toText(b, format)];
  return x < y ? -1 : x > y ? 1 : 0;
}

const exponent = (text: string): string => text.replace(/e([-+])(\d)$/, "e$10$2");

function general(value: number, precision: number, alternate: boolean): string {
  const digits = precision === 0 ? 1 : precision;
  if (value === 0) return "0";
  const at = Number(value.toExponential(digits - 1).split("e")[1]);
  const text = at < -4 || at >= digits ? exponent(value.toExponential(digits - 1)) : value.toFixed(Math.max(0, digits - 1 - at));
  return alternate || !text.includes(".") ? text : text.replace(/\.?0+(?=e|$)/, "");
}

function integer(value: number, letter: string, precision: number): string {
  if (!Number.isFinite(value)) return shownInfinite(value);
  const whole = BigInt(Math.trunc(value));
  const positive = letter === "d" || letter === "i" ? (whole < 0n ? -whole : whole) : BigInt.asUintN(64, whole);
  const digits = positive.toString(letter === "o" ? 8 : /x/i.test(letter) ? 16 : 10).padStart(Math.max(0, precision), "0");
  return (whole < 0n && (letter === "d" || letter === "i") ? "-" : "") + digits;
}

/** printf's; arguments that are not there are empty. */
export function formatted(format: string, args: readonly Value[], convert = "%.6g"): string {
  let at = 0;
  const next = (): Value => args[at++];
  return format.replaceAll(/%(?:%|([-+ #0]*)(\*|\d+)?(?:\.(\*|\d*))?[hlLqjzt]*([a-zA-Z]))/g, (whole, flags: string | undefined, width: string | undefined, places: string | undefined, letter: string | undefined) => {
    if (letter === undefined) return "%";
    const given = width === "*" ? toNumber(next()) : Number(width ?? 0);
    const precision = places === undefined ? -1 : places === "*" ? toNumber(next()) : Number(places || 0);
    const left = (flags ?? "").includes("-") || given < 0;
    const signed = (text: string): string => (text.startsWith("-") ? text : (flags ?? "").includes("+") ? `+${text}` : (flags ?? "").includes(" ") ? ` ${text}` : text);
    let text: string;
    let numeric = true;
    const finite = (value: number, shown: (value: number) => string): string => signed(Number.isFinite(value) ? shown(value) : shownInfinite(value));
    switch (letter) {
      case "d":
      case "i":
        text = signed(integer(toNumber(next()), letter, precision));
        break;
      case "o":
      case "x":
      case "X":
      case "u": {
        const digits = integer(toNumber(next()), letter, precision);
        text = (flags ?? "").includes("#") && digits !== "0" && letter !== "u" ? (letter === "o" ? "0" : "0x") + digits : digits;
        if (letter === "X") text = text.toUpperCase();
        break;
      }
      case "e":
      case "E":
        text = finite(toNumber(next()), (value) => exponent(value.toExponential(precision < 0 ? 6 : precision)));
        break;
      case "f":
      case "F":
        text = finite(toNumber(next()), (value) => value.toFixed(Math.min(100, precision < 0 ? 6 : precision)));
        break;
      case "g":
      case "G":
        text = finite(toNumber(next()), (value) => general(value, precision < 0 ? 6 : precision, (flags ?? "").includes("#")));
        break;
      case "c": {
        const value = next();
        numeric = false;
        text = typeof value === "number" ? String.fromCodePoint(Math.trunc(value) & 0x1fffff) : ([...toText(value, convert)][0] ?? "");
        break;
      }
      case "s":
        numeric = false;
        text = toText(next(), convert);
        if (precision >= 0) text = [...text].slice(0, precision).join("");
        break;
      default:
        return whole;
    }
    if (/[EG]/.test(letter)) text = text.toUpperCase();
    const missing = Math.abs(given) - lettersIn(text);
    if (missing <= 0) return text;
    if (left) return text + " ".repeat(missing);
    if (numeric && (flags ?? "").includes("0") && !(precision >= 0 && /[dioxXu]/.test(letter))) return text.replace(/^([-+ ]?(?:0[xX])?)/, `$1${"0".repeat(missing)}`);
    return " ".repeat(missing) + text;
  });
}
