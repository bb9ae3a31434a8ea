// Commands that run others: xargs, env, timeout, nohup, nice, time.
import { NullStream, readAll } from "../streams.ts";
import { runWords } from "../simple-command.ts";
import { subshell } from "../interpreter.ts";
import { Killed, type ShellState } from "../state.ts";
import { sleep, Task } from "../task.ts";
import type { OwnCommand } from "./index.ts";
import { input } from "./streams.ts";
import { SIGNAL_EXIT_CODES, type Signal } from "../../protocol.ts";

/** In a shell of its own, so that a builtin changes nothing here. */
async function apart(state: ShellState, words: readonly string[], prepare: (part: ShellState) => void = () => undefined): Promise<number> {
  const part = state.fork(new Task(state.task), state.jobs);
  part.functions.clear();
  prepare(part);
  const code = await subshell(part, () => runWords(part, words));
  state.signal.throwIfAborted();
  return code;
}

async function env(state: ShellState, args: readonly string[]): Promise<number> {
  let at = 0;
  let clear = false;
  let cwd: string | undefined;
  const removed: string[] = [];
  const set: [string, string][] = [];
  for (; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "-i" || arg === "-" || arg === "--ignore-environment") clear = true;
    else if (arg === "-u") removed.push(args[++at] ?? "");
    else if (arg.startsWith("--unset=")) removed.push(arg.slice(8));
    else if (arg === "-C") cwd = args[++at];
    else if (arg === "-0" || arg === "-S" || arg === "--") continue;
    else if (/^[^=]+=/.test(arg)) set.push([arg.slice(0, arg.indexOf("=")), arg.slice(arg.indexOf("=") + 1)]);
    else break;
  }
  const prepare = (part: ShellState): void => {
    if (clear) for (const name of part.vars.names()) part.vars.declared(name).exported = false;
    for (const name of removed) part.vars.declared(name).exported = false;
    for (const [name, value] of set) {
      part.vars.set(name, value);
      part.vars.declared(name).exported = true;
    }
    if (cwd !== undefined) part.cwd = cwd;
  };
  const words = args.slice(at);
  if (words.length > 0) return apart(state, words, prepare);
  const part = state.fork(new Task(state.task), state.jobs);
  return subshell(part, async () => {
    prepare(part);
    await part.write(1, Object.entries(part.vars.exported()).map(([name, value]) => `${name}=${value}\n`).join(""));
    return 0;
  });
}

const DURATION = /^(\d*\.?\d+)([smhd]?)$/;

/** Milliseconds of `1.5s`, `2m`. */
export function duration(text: string): number | undefined {
  const match = DURATION.exec(text);
  return match ? Number(match[1]) * 1000 * ({ m: 60, h: 3600, d: 86_400 }[match[2] ?? ""] ?? 1) : undefined;
}

async function timeout(state: ShellState, args: readonly string[]): Promise<number> {
  let at = 0;
  let signal: Signal = "SIGTERM";
  let keeps = false;
  let killAfter: number | undefined;
  for (; /^-./.test(args[at] ?? ""); at++) {
    const arg = args[at] ?? "";
    const value = (long: string): string => (arg.startsWith(`--${long}=`) ? arg.slice(long.length + 3) : arg.length > 2 && !arg.startsWith("--") ? arg.slice(2) : (args[++at] ?? ""));
    if (/^(-s|--signal)/.test(arg)) {
      const name = `SIG${value("signal").toUpperCase().replace(/^SIG/, "")}`;
      if (name in SIGNAL_EXIT_CODES) signal = name as Signal;
    } else if (/^(-k|--kill-after)/.test(arg)) killAfter = duration(value("kill-after"));
    else if (arg === "--preserve-status") keeps = true;
  }
  const ms = duration(args[at] ?? "");
  const words = args.slice(at + 1);
  if (ms === undefined || words.length === 0) {
    await state.write(2, ms === undefined && args[at] !== undefined ? `timeout: invalid time interval '${args[at]}'\n` : "timeout: missing operand\n");
    return 125;
  }
  const task = new Task(state.task);
  const part = state.fork(task, state.jobs);
  part.functions.clear();
  const over = new AbortController();
  let late = false;
  if (ms > 0) {
    void sleep(ms, over.signal).then(async () => {
      late = true;
      task.send(signal);
      if (killAfter !== undefined) await sleep(killAfter, over.signal).then(() => task.kill("SIGKILL"));
    }).catch(() => undefined); // it ended in time
  }
  const code = await subshell(part, () => runWords(part, words));
  over.abort(new Killed("SIGTERM"));
  state.signal.throwIfAborted();
  return late && !keeps ? (signal === "SIGKILL" ? 137 : 124) : code;
}

interface XargsOptions {
  /** Words to a command; 0: as many as there are. */
  count: number;
  lines: number;
  parallel: number;
  replace: string | undefined;
  delimiter: string | undefined;
  skipEmpty: boolean;
  trace: boolean;
  /** Where the words come from; else from the input. */
  file: string;
  words: readonly string[];
}

function xargsOptions(args: readonly string[]): XargsOptions {
  const options: XargsOptions = { count: 0, lines: 0, parallel: 1, replace: undefined, delimiter: undefined, skipEmpty: false, trace: false, file: "-", words: ["echo"] };
  let at = 0;
  for (; /^-./.test(args[at] ?? ""); at++) {
    const arg = args[at] ?? "";
    if (arg === "--") {
      at++;
      break;
    }
    const value = (): string => (arg.length > 2 ? arg.slice(2) : (args[++at] ?? ""));
    if (arg === "-0" || arg === "--null") options.delimiter = "\0";
    else if (arg === "-r" || arg === "--no-run-if-empty") options.skipEmpty = true;
    else if (arg === "-t" || arg === "--verbose") options.trace = true;
    else if (arg.startsWith("-n")) options.count = Number(value());
    else if (arg.startsWith("-L")) options.lines = Number(value());
    else if (arg.startsWith("-P")) options.parallel = Number(value()) || Number.POSITIVE_INFINITY;
    else if (arg.startsWith("-I")) options.replace = value();
    else if (arg === "-a" || arg.startsWith("--arg-file")) options.file = arg.startsWith("--arg-file=") ? arg.slice(11) : value();
    else if (arg.startsWith("-d")) options.delimiter = value().replace("\\n", "\n").replace("\\t", "\t").replace("\\0", "\0");
  }
  if (at < args.length) options.words = args.slice(at);
  return options;
}

/** As xargs splits: at white space, with quotes and backslashes. */
function xargsWords(line: string): string[] {
  return (line.match(/(?:'[^']*'|"[^"]*"|\\[^]|[^\s'"\\])+/g) ?? []).map((word) => word.replaceAll(/'([^']*)'|"([^"]*)"|\\([^])/g, (_, a?: string, b?: string, c?: string) => a ?? b ?? c ?? ""));
}

function xargsCommands(text: string, options: XargsOptions): string[][] {
  const { delimiter, replace } = options;
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const items = delimiter !== undefined ? text.split(delimiter).filter((item, i, all) => item !== "" || i < all.length - 1) : replace !== undefined ? lines.map((line) => line.trim()) : xargsWords(text);
  if (replace !== undefined) return items.map((item) => options.words.map((word) => word.replaceAll(replace, item)));
  const size = options.lines > 0 ? options.lines : options.count > 0 ? options.count : 5000;
  const units = options.lines > 0 && delimiter === undefined ? lines.map(xargsWords) : items.map((item) => [item]);
  const commands: string[][] = [];
  for (let i = 0; i < units.length; i += size) commands.push([...options.words, ...units.slice(i, i + size).flat()]);
  return commands.length === 0 && !options.skipEmpty ? [[...options.words]] : commands;
}

async function xargs(state: ShellState, args: readonly string[]): Promise<number> {
  const options = xargsOptions(args);
  const file = await input(state, "xargs", options.file, (why) => `xargs: Cannot open input file ‘${options.file}’: ${why}`);
  if (!file) return 1;
  const commands = xargsCommands(new TextDecoder().decode(await readAll(file.stream, state.signal)), options);
  file.release();
  let code = 0;
  let stopped = false;
  const next = commands.values();
  const work = async (): Promise<void> => {
    for (const words of next) {
      if (stopped) return;
      if (options.trace) await state.write(2, `${words.join(" ")}\n`);
      const status = await apart(state, words, (part) => part.open(0, new NullStream()));
      if (status === 255) {
        stopped = true;
        code = 124;
      } else if (status === 126 || status === 127) {
        stopped = true;
        code = status;
      } else if (status > 128) {
        stopped = true;
        code = 125;
      } else if (status !== 0 && code === 0) code = 123;
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(options.parallel, commands.length)) }, work));
  return code;
}

export const RUNNERS = {
  env,
  timeout,
  xargs,
  nohup: (state, args) => apart(state, args),
  nice: (state, args) => apart(state, args[0] === "-n" ? args.slice(2) : args.filter((arg, i) => i > 0 || !/^-\d+$/.test(arg))),
  async time(state, args) {
    const started = performance.now();
    const code = await apart(state, args.filter((arg, i) => i > 0 || arg !== "-p"));
    await state.write(2, `real ${((performance.now() - started) / 1000).toFixed(2)}\nuser 0.00\nsys 0.00\n`);
    return code;
  },
} satisfies Readonly<Record<string, OwnCommand>>;

