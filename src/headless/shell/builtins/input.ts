// read and mapfile.
import { calculate, elementKey } from "../expand.ts";
import { ExpansionError, Killed, type ShellState } from "../state.ts";
import { readLine, type Stream } from "../streams.ts";
import type { Builtin } from "./index.ts";

interface ReadOptions {
  raw: boolean;
  array: string | undefined;
  delimiter: number;
  prompt: string;
  fd: number;
  /** Characters; `exact` does not end at the delimiter. */
  count: number | undefined;
  exact: boolean;
  timeoutSeconds: number | undefined;
  names: string[];
}

async function optionsOf(state: ShellState, args: readonly string[]): Promise<ReadOptions | undefined> {
  const options: ReadOptions = { raw: false, array: undefined, delimiter: 10, prompt: "", fd: 0, count: undefined, exact: false, timeoutSeconds: undefined, names: [] };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (!/^-./.test(arg)) {
      options.names = args.slice(i);
      break;
    }
    if (arg === "--") {
      options.names = args.slice(i + 1);
      break;
    }
    for (let k = 1; k < arg.length; k++) {
      const letter = arg[k] ?? "";
      if (letter === "r") options.raw = true;
      else if (letter === "s" || letter === "e") continue;
      else if ("adpunNti".includes(letter)) {
        const value = k + 1 < arg.length ? arg.slice(k + 1) : (args[++i] ?? "");
        if (letter === "a") options.array = value;
        else if (letter === "d") options.delimiter = value === "" ? 0 : (new TextEncoder().encode(value)[0] ?? 10);
        else if (letter === "p") options.prompt = value;
        else if (letter === "u") options.fd = Number(value);
        else if (letter === "t") options.timeoutSeconds = Number(value);
        else if (letter !== "i") {
          options.count = Number(await calculate(state, value));
          options.exact = letter === "N";
        }
        break;
      } else {
        await state.complain(`read: -${letter}: invalid option`);
        return undefined;
      }
    }
  }
  return options;
}

async function read(state: ShellState, args: readonly string[]): Promise<number> {
  const options = await optionsOf(state, args);
  if (!options) return 2;
  const wrong = options.names.find((name) => !/^[A-Za-z_]\w*(\[.*\])?$/s.test(name));
  if (wrong !== undefined) {
    await state.complain(`read: \`${wrong}': not a valid identifier`);
    return 1;
  }
  const file = state.fds.get(options.fd);
  if (!file) {
    await state.complain(`read: ${options.fd}: invalid file descriptor: Bad file descriptor`);
    return 1;
  }
  if (options.prompt !== "" && file.stream.terminal) await state.write(2, options.prompt);
  const timer = options.timeoutSeconds === undefined ? undefined : AbortSignal.timeout(options.timeoutSeconds * 1000);
  const signal = timer ? AbortSignal.any([state.signal, timer]) : state.signal;
  let line: { text: string; found: boolean };
  try {
    line = options.count === undefined ? await joinedLine(file.stream, options, signal) : await characters(file.stream, options, signal);
  } catch (error) {
    if (error instanceof Killed || !timer?.aborted) throw error;
    return 142;
  }
  await store(state, options, line.text);
  return line.found ? 0 : 1;
}

/** With lines joined that end in a backslash, unless `-r`. What a backslash protects is marked with one still. */
async function joinedLine(stream: Stream, options: ReadOptions, signal: AbortSignal): Promise<{ text: string; found: boolean }> {
  let text = "";
  for (;;) {
    const { bytes, found } = await readLine(stream, options.delimiter, signal);
    const part = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replaceAll("\0", "");
    text += part;
    if (options.raw || !found || !/(^|[^\\])(\\\\)*\\$/.test(text)) return { text, found };
    text = text.slice(0, -1);
  }
}

async function characters(stream: Stream, options: ReadOptions, signal: AbortSignal): Promise<{ text: string; found: boolean }> {
  const count = options.count ?? 0;
  let bytes: number[] = [];
  let text = "";
  while ([...text].length < count) {
    const piece = await stream.read(signal);
    if (!piece) return { text, found: false };
    for (const [i, byte] of piece.entries()) {
      if (!options.exact && byte === options.delimiter) {
        stream.unread(piece.subarray(i + 1));
        return { text, found: true };
      }
      bytes.push(byte);
      const decoded = new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
      if (decoded === "\ufffd" && bytes.length < 4) continue;
      text += decoded;
      bytes = [];
      if ([...text].length === count) {
        stream.unread(piece.subarray(i + 1));
        return { text, found: true };
      }
    }
  }
  return { text, found: true };
}

async function store(state: ShellState, { names, array, raw, exact }: ReadOptions, line: string): Promise<void> {
  const { vars } = state;
  const ifs = vars.get("IFS") ?? " \t\n";
  const plain = (text: string): string => (raw ? text : text.replaceAll(/\\([^])/g, "$1"));
  if (array !== undefined) return vars.setList(array, splitLine(line, ifs, Number.POSITIVE_INFINITY, raw).map(plain));
  if (names.length === 0) return vars.set("REPLY", exact ? line : plain(line));
  if (exact) return vars.set(names[0] ?? "", line);
  const fields = splitLine(line, ifs, names.length, raw);
  for (const [i, name] of names.entries()) {
    const match = /^(\w+)\[([^]*)\]$/.exec(name);
    const text = plain(fields[i] ?? "");
    if (match) vars.setElement(match[1] ?? "", await elementKey(state, match[1] ?? "", match[2] ?? ""), text);
    else vars.set(name, text);
  }
}

/** At most so many fields; the last has all that is left, but for white space around it. */
function splitLine(line: string, ifs: string, most: number, raw: boolean): string[] {
  const spaces = [...ifs].filter((c) => c === " " || c === "\t" || c === "\n").join("");
  const isSpace = (c: string | undefined): boolean => c !== undefined && spaces.includes(c);
  const isOther = (c: string | undefined): boolean => c !== undefined && c !== "" && ifs.includes(c) && !isSpace(c);
  let at = 0;
  while (at < line.length && isSpace(line[at])) at++;
  const fields: string[] = [];
  while (at < line.length) {
    if (fields.length === most - 1) {
      fields.push(lastField(line.slice(at), isSpace, isOther, raw));
      return fields;
    }
    let text = "";
    for (; at < line.length && !isSpace(line[at]) && !isOther(line[at]); at++) {
      if (line[at] === "\\" && !raw) text += line[at++];
      text += line[at] ?? "";
    }
    fields.push(text);
    while (at < line.length && isSpace(line[at])) at++;
    if (isOther(line[at])) {
      at++;
      while (at < line.length && isSpace(line[at])) at++;
    }
  }
  return fields;
}

/** One separator at its end goes, if it is the only one in it. */
function lastField(text: string, isSpace: (c: string | undefined) => boolean, isOther: (c: string | undefined) => boolean, raw: boolean): string {
  let end = text.length;
  const escaped = (at: number): boolean => !raw && text[at - 1] === "\\";
  while (end > 0 && isSpace(text[end - 1]) && !escaped(end - 1)) end--;
  if (end > 0 && isOther(text[end - 1]) && !escaped(end - 1) && !Array.from(text.slice(0, end - 1)).some((c) => isOther(c))) {
    end--;
    while (end > 0 && isSpace(text[end - 1]) && !escaped(end - 1)) end--;
  }
  return text.slice(0, end);
}

async function mapfile(state: ShellState, args: readonly string[]): Promise<number> {
  let strip = false;
  let delimiter = 10;
  let most = 0;
  let skip = 0;
  let origin = 0;
  let fd = 0;
  let name = "MAPFILE";
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "-t") strip = true;
    else if (arg === "-d") delimiter = new TextEncoder().encode(args[++i] ?? "")[0] ?? 0;
    else if (arg === "-n") most = Number(args[++i]);
    else if (arg === "-s") skip = Number(args[++i]);
    else if (arg === "-O") origin = Number(args[++i]);
    else if (arg === "-u") fd = Number(args[++i]);
    else if (arg.startsWith("-")) throw new ExpansionError(`mapfile: ${arg}: invalid option`);
    else name = arg;
  }
  const lines: string[] = [];
  for (;;) {
    if (most > 0 && lines.length >= most) break;
    const { bytes, found } = await readLine(state.stream(fd), delimiter, state.signal);
    if (!found && bytes.length === 0) break;
    if (skip-- > 0) continue;
    lines.push(new TextDecoder().decode(bytes) + (found && !strip ? String.fromCharCode(delimiter) : ""));
    if (!found) break;
  }
  if (origin === 0) state.vars.setList(name, lines);
  else for (const [i, line] of lines.entries()) state.vars.setElement(name, String(origin + i), line);
  return 0;
}

export const INPUT = { read, mapfile, readarray: mapfile } satisfies Readonly<Record<string, Builtin>>;
