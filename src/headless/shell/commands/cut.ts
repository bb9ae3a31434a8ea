// cut, as GNU's, but that a character of -c is one and not a byte. Lines go out as they come in.
import { joined } from "../../../base/bytes.ts";
import { fromLatin1, latin1 } from "../../kernel/text-encoding.ts";
import type { ShellState } from "../state.ts";
import type { OwnCommand } from "./index.ts";
import { input } from "./streams.ts";

type Range = readonly [from: number, to: number];

interface Options {
  /** Bytes, characters or fields. */
  readonly unit: "b" | "c" | "f";
  /** Sorted, apart from one another. */
  readonly ranges: readonly Range[];
  readonly delimiter: string;
  readonly between: string | undefined;
  /** Only lines with the delimiter in them. */
  readonly only: boolean;
  readonly end: string;
  readonly paths: readonly string[];
}

class UsageError extends Error {}

const LONG: Readonly<Record<string, string>> = { bytes: "b", characters: "c", fields: "f", delimiter: "d", "only-delimited": "s", "zero-terminated": "z", "output-delimiter": "o", complement: "!" };

/** The parts that are wanted; with `complement`, the others. */
function rangesOf(list: string, unit: string, complement: boolean): Range[] {
  const from1 = unit === "f" ? "fields are numbered from 1" : "byte/character positions are numbered from 1";
  const found = list.split(/[,\s]/).map((part): Range => {
    const match = /^(\d*)(-?)(\d*)$/.exec(part);
    if (!match) throw new UsageError(unit === "f" ? `invalid field value ‘${part.replace(/^[\d-]+/, "")}’` : `invalid byte/character position ‘${part.replace(/^[\d-]+/, "")}’`);
    const [, first = "", dash = "", last = ""] = match;
    if (first === "" && last === "") throw new UsageError(dash === "" ? from1 : "invalid range with no endpoint: -");
    const from = first === "" ? 1 : Number(first);
    const to = dash === "" ? from : last === "" ? Number.POSITIVE_INFINITY : Number(last);
    if (from === 0 || to === 0) throw new UsageError(from1);
    if (to < from) throw new UsageError("invalid decreasing range");
    return [from, to];
  }).sort(([a], [b]) => a - b);
  const merged: [number, number][] = [];
  for (const [from, to] of found) {
    const last = merged.at(-1);
    // What only touches stays apart: a delimiter of one's own goes between.
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  if (!complement) return merged;
  const ends = [0, ...merged.map(([, to]) => to)];
  return ends.map((end, i): Range => [end + 1, (merged[i]?.[0] ?? Number.POSITIVE_INFINITY) - 1]).filter(([from, to]) => from <= to && from < Number.POSITIVE_INFINITY);
}

function optionsOf(args: readonly string[]): Options {
  const given = new Map<string, string>();
  const lists: [unit: string, list: string][] = [];
  const paths: string[] = [];
  const take = (letter: string, value: () => string): void => {
    if ("bcf".includes(letter)) lists.push([letter, value()]);
    else given.set(letter, "do".includes(letter) ? value() : "");
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    const next = (letter: string): string => {
      const value = args[++i];
      if (value === undefined) throw new UsageError(`option requires an argument -- '${letter}'`);
      return value;
    };
    if (arg === "--") {
      paths.push(...args.slice(i + 1));
      break;
    }
    if (arg.startsWith("--")) {
      const [name = "", value] = arg.slice(2).split(/=([^]*)/, 2);
      const letter = LONG[name];
      if (letter === undefined) throw new UsageError(`unrecognized option '${arg}'`);
      take(letter, () => value ?? next(name));
    } else if (/^-./.test(arg)) {
      const letters = arg.slice(1);
      for (let at = 0; at < letters.length; at++) {
        const letter = letters[at] ?? "";
        if (!"bcfdszn".includes(letter)) throw new UsageError(`invalid option -- '${letter}'`);
        const rest = letters.slice(at + 1);
        take(letter, () => {
          at = letters.length;
          return rest === "" ? next(letter) : rest;
        });
      }
    } else paths.push(arg);
  }
  const [first, second] = lists;
  if (second) throw new UsageError("only one list may be specified");
  if (!first) throw new UsageError("you must specify a list of bytes, characters, or fields");
  const [unit, list] = first;
  const delimiter = given.get("d") ?? "\t";
  if ([...delimiter].length > 1) throw new UsageError("the delimiter must be a single character");
  if (unit !== "f" && given.has("d")) throw new UsageError("an input delimiter may be specified only when operating on fields");
  if (unit !== "f" && given.has("s")) throw new UsageError("suppressing non-delimited lines makes sense\n\tonly when operating on fields");
  return { unit: unit as Options["unit"], ranges: rangesOf(list, unit, given.has("!")), delimiter: delimiter || "\0", between: given.get("o"), only: given.has("s"), end: given.has("z") ? "\0" : "\n", paths: paths.length > 0 ? paths : ["-"] };
}

/** What is left of a line; undefined: no line. */
function cutLine(line: string, { unit, ranges, delimiter, between, only }: Options): string | undefined {
  if (unit !== "f") {
    const letters = unit === "c" ? [...line] : line;
    const parts = ranges.filter(([from]) => from <= letters.length).map(([from, to]) => letters.slice(from - 1, to)).map((part) => (typeof part === "string" ? part : part.join("")));
    return parts.join(between ?? "");
  }
  const fields = line.split(delimiter);
  if (fields.length === 1) return only ? undefined : line;
  return ranges.flatMap(([from, to]) => fields.slice(from - 1, to)).join(between ?? delimiter);
}

async function cut(state: ShellState, args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = optionsOf(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await state.write(2, `cut: ${error.message}\nTry 'cut --help' for more information.\n`);
    return 1;
  }
  // Bytes as one letter each, but where letters are counted.
  const text = options.unit === "c" ? { decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes), encode: (value: string) => new TextEncoder().encode(value) } : { decode: latin1, encode: fromLatin1 };
  const asText = (value: string): string => text.decode(new TextEncoder().encode(value));
  const shown: Options = { ...options, delimiter: asText(options.delimiter), between: options.between === undefined ? undefined : asText(options.between) };
  const pass = async (bytes: Uint8Array): Promise<void> => {
    const lines = text.decode(bytes).split(options.end);
    if (lines.at(-1) === "") lines.pop();
    await state.write(1, text.encode(lines.flatMap((line) => cutLine(line, shown) ?? []).map((line) => line + options.end).join("")));
  };
  let code = 0;
  for (const path of options.paths) {
    const file = await input(state, "cut", path);
    if (!file) {
      code = 1;
      continue;
    }
    try {
      let rest: Uint8Array = new Uint8Array();
      for (let piece = await file.stream.read(state.signal); piece; piece = await file.stream.read(state.signal)) {
        const end = piece.lastIndexOf(options.end.charCodeAt(0)) + 1;
        if (end > 0) await pass(joined([rest, piece.subarray(0, end)]));
        rest = end > 0 ? piece.slice(end) : joined([rest, piece]);
      }
      if (rest.length > 0) await pass(rest);
    } finally {
      file.release();
    }
  }
  return code;
}

export const CUT = { cut } satisfies Readonly<Record<string, OwnCommand>>;
