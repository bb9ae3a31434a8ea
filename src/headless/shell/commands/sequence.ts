// seq, as GNU's: numbers as they are wanted, without end where it is asked for.
import type { ShellState } from "../state.ts";
import { formatted } from "./awk-values.ts";
import { UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";

interface Wanted {
  readonly numbers: readonly string[];
  readonly separator: string;
  readonly format: string | undefined;
  readonly equalWidth: boolean;
}

/** A negative number is no option. */
function wanted(args: readonly string[]): Wanted {
  const numbers: string[] = [];
  let [separator, format, equalWidth]: [string, string | undefined, boolean] = ["\n", undefined, false];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    const match = /^(?:-([sf])|--(separator|format)(?:=|$))([^]*)$/.exec(arg);
    if (match) {
      const [, letter = "", name = "", attached = ""] = match;
      const value = attached === "" && !arg.includes("=") ? args[++at] : attached;
      if (value === undefined) throw new UsageError(`option requires an argument -- '${letter}'`);
      if (letter === "s" || name === "separator") separator = value;
      else format = value;
    } else if (arg === "-w" || arg === "--equal-width") equalWidth = true;
    else if (arg === "--") {
      numbers.push(...args.slice(at + 1));
      break;
    } else if (/^-[^\d.]/.test(arg)) throw new UsageError(arg.startsWith("--") ? `unrecognized option '${arg}'` : `invalid option -- '${arg[1]}'`);
    else numbers.push(arg);
  }
  return { numbers, separator, format, equalWidth };
}

const decimals = (text: string): number => (/[eE]/.test(text) ? Math.max(0, (/\.(\d*)/.exec(text)?.[1]?.length ?? 0) - Number(/[eE]([-+]?\d+)/.exec(text)?.[1] ?? 0)) : (/\.(\d*)/.exec(text)?.[1]?.length ?? 0));

async function seq(state: ShellState, args: readonly string[]): Promise<number> {
  try {
    const { numbers, separator, format, equalWidth } = wanted(args);
    if (numbers.length === 0) throw new UsageError("missing operand");
    if (numbers.length > 3) throw new UsageError(`extra operand ‘${numbers[3]}’`);
    const wrong = numbers.find((text) => !/^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$|^[-+]?inf(inity)?$/i.test(text));
    if (wrong !== undefined) throw new UsageError(`invalid floating point argument: ‘${wrong}’`);
    if (format !== undefined && !/^(?:[^%]|%%)*%[-+ #0']*\d*(?:\.\d+)?[aeEfFgG](?:[^%]|%%)*$/.test(format)) {
      const [, letter] = /%[-+ #0']*\d*(?:\.\d+)?(.)/.exec(format.replaceAll("%%", "")) ?? [];
      throw new UsageError(`format ‘${format}’ has ${letter === undefined ? "no %" : `unknown %${letter}`} directive`);
    }
    const [first = "1", step = "1", last = "1"] = numbers.length === 1 ? ["1", "1", numbers[0]] : numbers.length === 2 ? [numbers[0], "1", numbers[1]] : numbers;
    const number = (text: string): number => (/inf/i.test(text) ? (text.startsWith("-") ? -Infinity : Infinity) : Number(text));
    const [from, by, to] = [number(first), number(step), number(last)];
    if (by === 0) throw new UsageError(`invalid Zero increment value: ‘${step}’`);
    const places = Math.max(decimals(first), decimals(step));
    const plain = (value: number): string => value.toFixed(places);
    const width = equalWidth ? Math.max(plain(from).length, plain(from + Math.floor((to - from) / by) * by).length) : 0;
    const shown = (value: number): string => (format !== undefined ? formatted(format, [value]) : value < 0 ? `-${plain(-value).padStart(width - 1, "0")}` : plain(value).padStart(width, "0"));
    // Counted, not summed: errors do not add up. What is a hair past the end is not.
    const count = by > 0 ? (to - from) / by : (from - to) / -by;
    let text = "";
    for (let i = 0; i <= count + 1e-9; i++) {
      text += (i > 0 ? separator : "") + shown(from + i * by);
      if (text.length < 32_768) continue;
      await state.write(1, text);
      text = "";
      if (i % 8 === 0) await new Promise((resolve) => setTimeout(resolve));
      state.signal.throwIfAborted();
    }
    if (count >= 0) await state.write(1, `${text}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await state.write(2, `seq: ${error.message}\n${error.message.startsWith("format") ? "" : "Try 'seq --help' for more information.\n"}`);
    return 1;
  }
}

export const SEQUENCE = { seq } satisfies Readonly<Record<string, OwnCommand>>;
