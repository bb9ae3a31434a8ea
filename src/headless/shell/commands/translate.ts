// tr, as GNU's: bytes are translated, squeezed and deleted as they come.
import { fromLatin1, latin1 } from "../../kernel/text-encoding.ts";
import type { ShellState } from "../state.ts";
import { type Parsed, parseOptions, UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const of = (text: string): number[] => [...text].map((c) => c.charCodeAt(0));
const [LOWER, UPPER, DIGITS] = [range(97, 122), range(65, 90), range(48, 57)];
const CLASSES: Readonly<Record<string, readonly number[]>> = {
  lower: LOWER, upper: UPPER, digit: DIGITS, alpha: [...UPPER, ...LOWER], alnum: [...DIGITS, ...UPPER, ...LOWER], space: of("\t\n\v\f\r "), blank: of("\t "), cntrl: [...range(0, 31), 127], xdigit: [...DIGITS, ...range(65, 70), ...range(97, 102)],
  graph: range(33, 126), print: range(32, 126), punct: range(33, 126).filter((code) => !/[A-Za-z0-9]/.test(String.fromCharCode(code))),
};
const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7, b: 8, "\\": 92 };

/** The bytes of a set in order; `filled`: what stands for as many as are needed, and where. */
interface Set1 {
  readonly codes: readonly number[];
  readonly filled?: { readonly at: number; readonly code: number };
}

function setOf(given: string): Set1 {
  const text = latin1(new TextEncoder().encode(given));
  const codes: number[] = [];
  let filled: { at: number; code: number } | undefined;
  const one = (at: number): readonly [code: number, next: number] => {
    if (text[at] !== "\\") return [text.charCodeAt(at), at + 1];
    const octal = /^[0-7]{1,3}/.exec(text.slice(at + 1))?.[0];
    if (octal !== undefined) return [Number.parseInt(octal, 8) & 255, at + 1 + octal.length];
    const next = text[at + 1];
    return next === undefined ? [92, at + 1] : [ESCAPES[next] ?? next.charCodeAt(0), at + 2];
  };
  for (let at = 0; at < text.length; ) {
    const named = /^\[:(\w+):\]/.exec(text.slice(at));
    const repeat = /^\[(\\?[^])\*(\d*)\]/.exec(text.slice(at));
    const same = /^\[=([^])=\]/.exec(text.slice(at));
    if (named) {
      const found = CLASSES[named[1] ?? ""];
      if (!found) throw new UsageError(`invalid character class ‘${named[1]}’`);
      codes.push(...found);
      at += named[0].length;
    } else if (same) {
      codes.push(same[1]?.charCodeAt(0) ?? 0);
      at += same[0].length;
    } else if (repeat) {
      const [code] = one(at + 1);
      const count = (repeat[2] ?? "").startsWith("0") ? Number.parseInt(repeat[2] ?? "", 8) : Number(repeat[2] ?? 0);
      if (count === 0) filled = { at: codes.length, code };
      else codes.push(...Array.from({ length: count }, () => code));
      at += repeat[0].length;
    } else {
      const [from, next] = one(at);
      if (text[next] === "-" && next + 1 < text.length) {
        const [to, end] = one(next + 1);
        if (to < from) throw new UsageError(`range-endpoints of '${text.slice(at, end)}' are in reverse collating sequence order`);
        codes.push(...range(from, to));
        at = end;
      } else {
        codes.push(from);
        at = next;
      }
    }
  }
  return { codes, ...(filled ? { filled } : {}) };
}

function translation(options: Parsed): (bytes: Uint8Array) => Uint8Array {
  const [first, second, extra] = options.operands;
  const [complement, deletes, squeezes] = [options.has("c") || options.has("C"), options.has("d"), options.has("s")];
  if (first === undefined) throw new UsageError("missing operand");
  if (second === undefined && !deletes && !squeezes) throw new UsageError(`missing operand after ‘${first}’\nTwo strings must be given when translating.`);
  if (second === undefined && deletes && squeezes) throw new UsageError(`missing operand after ‘${first}’\nTwo strings must be given when both deleting and squeezing repeats.`);
  if (extra !== undefined) throw new UsageError(`extra operand ‘${extra}’`);
  if (second !== undefined && deletes && !squeezes) throw new UsageError(`extra operand ‘${second}’\nOnly one string may be given when deleting without squeezing repeats.`);
  const plain = setOf(first).codes;
  const inFirst = new Set(plain);
  const from = complement ? range(0, 255).filter((code) => !inFirst.has(code)) : plain;
  const map = Uint8Array.from({ length: 256 }, (_, code) => code);
  const gone = new Set<number>(deletes ? from : []);
  let squeezed = new Set<number>(squeezes ? from : []);
  if (second !== undefined) {
    const { codes: given, filled } = setOf(second);
    if (!deletes && given.length === 0 && !filled) throw new UsageError("when not truncating set1, string2 must be non-empty");
    const missing = Math.max(0, from.length - given.length);
    const to = filled ? [...given.slice(0, filled.at), ...Array.from({ length: missing }, () => filled.code), ...given.slice(filled.at)] : given;
    if (squeezes) squeezed = new Set(to);
    const most = options.has("t") ? Math.min(from.length, to.length) : from.length;
    // Of a byte that is named twice the last holds, as with GNU's.
    if (!deletes) for (let i = 0; i < most; i++) map[from[i] ?? 0] = to[Math.min(i, to.length - 1)] ?? 0;
  }
  let last = -1;
  return (bytes) => {
    const out = new Uint8Array(bytes.length);
    let length = 0;
    for (const byte of bytes) {
      if (gone.has(byte)) continue;
      const code = map[byte] ?? byte;
      if (code === last && squeezed.has(code)) continue;
      last = code;
      out[length++] = code;
    }
    return out.slice(0, length);
  };
}

async function tr(state: ShellState, args: readonly string[]): Promise<number> {
  try {
    const run = translation(parseOptions(args, "cCdst", { complement: "c", delete: "d", "squeeze-repeats": "s", "truncate-set1": "t" }));
    const input = state.stream(0);
    for (let piece = await input.read(state.signal); piece; piece = await input.read(state.signal)) {
      const out = run(piece);
      if (out.length > 0) await state.write(1, out);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const isUsage = /operand|option/.test(error.message);
    await state.write(2, fromLatin1Words(`tr: ${error.message}\n${isUsage ? "Try 'tr --help' for more information.\n" : ""}`));
    return 1;
  }
}

/** Quotes of errors are beyond Latin-1, sets within: both go out as they are. */
function fromLatin1Words(text: string): Uint8Array {
  return /[^\u0000-\u00ff]/.test(text) ? new TextEncoder().encode(text) : fromLatin1(text); // oxlint-disable-line no-control-regex -- all of Latin-1
}

export const TRANSLATE = { tr } satisfies Readonly<Record<string, OwnCommand>>;
