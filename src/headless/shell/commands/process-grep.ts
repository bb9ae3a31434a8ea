// pgrep, pkill and killall, as procps' and psmisc's: processes found by name or command line.
import { SIGNAL_EXIT_CODES } from "../../protocol.ts";
import { send, signalOf } from "../builtins/jobs.ts";
import type { ShellState } from "../state.ts";
import { type Parsed, parseOptions, UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";
import { posixRegExp } from "./posix-regexp.ts";
import { nameOf, type Row, rows } from "./ps.ts";

const LONG: Readonly<Record<string, string>> = { full: "f", "list-name": "l", "list-full": "a", exact: "x", newest: "n", oldest: "o", count: "c", "ignore-case": "i", inverse: "v", parent: "P", delimiter: "d", signal: "signal:", echo: "e", euid: "u", uid: "U", quiet: "q" };

/** All but this shell, whose command line has the pattern in it. */
async function others(state: ShellState): Promise<Row[]> {
  return (await rows(state, [])).filter(({ pid, stat }) => pid !== state.host.pid && pid !== state.pid && !stat.startsWith("R"));
}

async function found(state: ShellState, options: Parsed, wide: boolean): Promise<Row[]> {
  const [pattern, extra] = options.operands;
  if (extra !== undefined) throw new UsageError("only one pattern can be provided");
  if (pattern === undefined && !options.has("P")) throw new UsageError("no matching criteria specified");
  const source = options.has("x") ? `^(${pattern ?? ""})$` : (pattern ?? "");
  const regexp = posixRegExp(source, { extended: true, ignoreCase: options.has("i") });
  const parents = new Set(options.values("P").flatMap((list) => list.split(",")));
  const hits = (await others(state)).filter((row) => (regexp.test(wide ? row.words.join(" ") : nameOf(row)) && (parents.size === 0 || parents.has(String(row.ppid)))) !== options.has("v"));
  const sorted = [...hits].sort((a, b) => a.startedMs - b.startedMs || a.pid - b.pid);
  return options.has("n") ? sorted.slice(-1) : options.has("o") ? sorted.slice(0, 1) : hits;
}

const told = (name: string, run: OwnCommand): OwnCommand => async (state, args) => {
  try {
    return await run(state, args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await state.write(2, `${name}: ${error.message}\nTry \`${name} --help' for more information.\n`);
    return 2;
  }
};

/** `-9`, `-TERM`, `-SIGINT` among the words, and the words without it. */
function withSignal(name: string, args: readonly string[]): readonly [signal: string | undefined, rest: string[]] {
  const at = args.findIndex((arg) => /^-(\d+|(SIG)?[A-Z][A-Z0-9]+)$/.test(arg) && signalOf(arg.slice(1)) !== undefined);
  const bad = args.find((arg) => /^-\d+$/.test(arg) && signalOf(arg.slice(1)) === undefined);
  if (bad !== undefined) throw new UsageError(`invalid signal ${bad.slice(1)}`.replace("pkill", name));
  return at < 0 ? [undefined, [...args]] : [(args[at] ?? "").slice(1), args.filter((_, i) => i !== at)];
}

async function pgrep(state: ShellState, args: readonly string[]): Promise<number> {
  const options = parseOptions(args, "flaxnocivP:d:u:U:q", LONG);
  const hits = await found(state, options, options.has("f"));
  if (options.has("c")) await state.write(1, `${hits.length}\n`);
  else if (hits.length > 0 && !options.has("q")) {
    const delimiter = options.value("d") ?? "\n";
    await state.write(1, `${hits.map((row) => (options.has("a") ? `${row.pid} ${row.words.join(" ")}` : options.has("l") ? `${row.pid} ${nameOf(row)}` : String(row.pid))).join(delimiter)}\n`);
  }
  return hits.length > 0 ? 0 : 1;
}

async function pkill(state: ShellState, args: readonly string[]): Promise<number> {
  const [given, rest] = withSignal("pkill", args);
  const options = parseOptions(rest, "fxnociveP:u:U:", LONG);
  const signal = signalOf(options.value("signal") ?? given ?? "TERM");
  if (signal === undefined) throw new UsageError(`invalid signal ${options.value("signal")}`);
  const hits = await found(state, options, options.has("f"));
  for (const row of hits) {
    await send(state, String(row.pid), signal);
    if (options.has("e")) await state.write(1, `${nameOf(row)} killed (pid ${row.pid})\n`);
  }
  if (options.has("c")) await state.write(1, `${hits.length}\n`);
  return hits.length > 0 ? 0 : 1;
}

async function killall(state: ShellState, args: readonly string[]): Promise<number> {
  const [given, rest] = withSignal("killall", args);
  const options = parseOptions(rest, "qs:vweIirl", { quiet: "q", signal: "s", verbose: "v", wait: "w", exact: "e", "ignore-case": "I", list: "l", regexp: "r" });
  if (options.has("l")) {
    await state.write(1, `${Object.keys(SIGNAL_EXIT_CODES).map((name) => name.slice(3)).join(" ")}\n`);
    return 0;
  }
  const signal = signalOf(options.value("s") ?? given ?? "TERM");
  if (signal === undefined) throw new UsageError(`${options.value("s")}: unknown signal`);
  if (options.operands.length === 0) throw new UsageError("which name? killall [-SIGNAL] NAME...");
  let code = 0;
  for (const name of options.operands) {
    const hits = (await others(state)).filter((row) => (options.has("r") ? posixRegExp(name, { extended: true }).test(nameOf(row)) : options.has("I") ? nameOf(row).toLowerCase() === name.toLowerCase() : nameOf(row) === name));
    if (hits.length === 0) {
      if (!options.has("q")) await state.write(2, `${name}: no process found\n`);
      code = 1;
    }
    for (const row of hits) await send(state, String(row.pid), signal);
  }
  return code;
}

export const PROCESS_GREP = { pgrep: told("pgrep", pgrep), pkill: told("pkill", pkill), killall: told("killall", killall) } satisfies Readonly<Record<string, OwnCommand>>;
