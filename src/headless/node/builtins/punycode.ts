// node:punycode: the Bootstring coding of RFC 3492 and what Node exports around it.
import type { Dict } from "../runtime.ts";

const [BASE, T_MIN, T_MAX, SKEW, DAMP, BIAS, FIRST] = [36, 1, 26, 38, 700, 72, 128];
const MAX_INT = 2 ** 31 - 1;
const DOTS = /[\u002E\u3002\uFF0E\uFF61]/g;

const overflow = (): RangeError => new RangeError("Overflow: input needs wider integers to process");

function adapt(given: number, points: number, first: boolean): number {
  let delta = first ? Math.floor(given / DAMP) : given >> 1;
  delta += Math.floor(delta / points);
  let k = 0;
  for (; delta > ((BASE - T_MIN) * T_MAX) >> 1; k += BASE) delta = Math.floor(delta / (BASE - T_MIN));
  return Math.floor(k + ((BASE - T_MIN + 1) * delta) / (delta + SKEW));
}

const threshold = (k: number, bias: number): number => (k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias);
const digitOf = (code: number): number => (code >= 48 && code < 58 ? code - 22 : code >= 65 && code < 91 ? code - 65 : code >= 97 && code < 123 ? code - 97 : BASE);
const codeOf = (digit: number): string => String.fromCharCode(digit + 22 + 75 * Number(digit < 26));

export function decode(input: string): string {
  const output: number[] = [];
  const basic = Math.max(0, input.lastIndexOf("-"));
  for (let k = 0; k < basic; k++) {
    if (input.charCodeAt(k) >= FIRST) throw new RangeError("Illegal input >= 0x80 (not a basic code point)");
    output.push(input.charCodeAt(k));
  }
  let [i, n, bias] = [0, FIRST, BIAS];
  for (let at = basic > 0 ? basic + 1 : 0; at < input.length; ) {
    const before = i;
    for (let weight = 1, k = BASE; ; k += BASE) {
      if (at >= input.length) throw new RangeError("Invalid input");
      const digit = digitOf(input.charCodeAt(at++));
      if (digit >= BASE) throw new RangeError("Invalid input");
      if (digit > Math.floor((MAX_INT - i) / weight)) throw overflow();
      i += digit * weight;
      const t = threshold(k, bias);
      if (digit < t) break;
      if (weight > Math.floor(MAX_INT / (BASE - t))) throw overflow();
      weight *= BASE - t;
    }
    const size = output.length + 1;
    bias = adapt(i - before, size, before === 0);
    if (Math.floor(i / size) > MAX_INT - n) throw overflow();
    n += Math.floor(i / size);
    i %= size;
    output.splice(i++, 0, n);
  }
  return String.fromCodePoint(...output);
}

export function encode(text: string): string {
  const input = Array.from(text, (character) => character.codePointAt(0) as number);
  const basic = input.filter((code) => code < FIRST);
  let output = String.fromCodePoint(...basic);
  let handled = basic.length;
  if (handled > 0) output += "-";
  let [n, delta, bias] = [FIRST, 0, BIAS];
  while (handled < input.length) {
    const next = Math.min(...input.filter((code) => code >= n));
    if (next - n > Math.floor((MAX_INT - delta) / (handled + 1))) throw overflow();
    delta += (next - n) * (handled + 1);
    n = next;
    for (const code of input) {
      if (code < n) delta++;
      if (code !== n) continue;
      let q = delta;
      for (let k = BASE; ; k += BASE) {
        const t = threshold(k, bias);
        if (q < t) break;
        output += codeOf(t + ((q - t) % (BASE - t)));
        q = Math.floor((q - t) / (BASE - t));
      }
      output += codeOf(q);
      bias = adapt(delta, handled + 1, handled === basic.length);
      delta = 0;
      handled++;
    }
    delta++;
    n++;
  }
  return output;
}

function eachLabel(domain: string, change: (label: string) => string): string {
  const at = domain.split("@");
  const mail = at.length > 1 ? `${at[0]}@` : "";
  return mail + (at.at(-1) as string).replace(DOTS, ".").split(".").map(change).join(".");
}

export const toUnicode = (domain: string): string => eachLabel(domain, (label) => (label.startsWith("xn--") ? decode(label.slice(4).toLowerCase()) : label));
export const toASCII = (domain: string): string => eachLabel(domain, (label) => (/[^\0-\x7F]/.test(label) ? `xn--${encode(label)}` : label));

export function createPunycode(): Dict {
  return { version: "2.1.0", ucs2: { decode: (text: string) => Array.from(text, (character) => character.codePointAt(0)), encode: (points: number[]) => String.fromCodePoint(...points) }, decode, encode, toASCII, toUnicode };
}
