// ps, as procps prints it: the kernel's processes and this shell's jobs. What no one measures here (memory, time on a processor)
// is 0. Read by people, and by ps-list, pidtree, tree-kill, pidusage, nodemon and zx.
import { baseName } from "../../posix-path.ts";
import type { ProcessInfo } from "../../protocol.ts";
import type { ShellState } from "../state.ts";
import type { OwnCommand } from "./index.ts";

const UID = "1000";

/** A process as it is shown. */
export interface Row extends ProcessInfo {
  readonly tty: string;
  /** R, S or T, and what follows it. */
  readonly stat: string;
}

interface Column {
  readonly head: string;
  /** At the left, with its width; else at the right. */
  readonly left?: number;
  readonly width?: number;
  readonly text: (row: Row, now: number) => string;
}

const two = (n: number): string => String(n).padStart(2, "0");
const clock = (seconds: number): string => `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
const zero = (head: string, width: number, text = "0"): Column => ({ head, width, text: () => text });
const word = (head: string, left: number, text: Column["text"]): Column => ({ head, left, text });
const since = ({ startedMs }: Row, now: number): number => Math.max(0, Math.floor((now - startedMs) / 1000));
const started = (row: Row): Date => new Date(row.startedMs);
const hour = (row: Row): string => started(row).toISOString().slice(11, 16);
export const nameOf = ({ words }: Row): string => baseName(words[0] ?? "") || "?";

/** [[d-]hh:]mm:ss */
function elapsed(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  return (days > 0 ? `${days}-` : "") + clock(seconds % 86_400).slice(seconds < 3600 ? 3 : 0);
}

const PID: Column = { head: "PID", width: 5, text: ({ pid }) => String(pid) };
const ARGS = word("COMMAND", 27, ({ words }) => words.join(" "));
const COMM = word("COMMAND", 15, nameOf);
const TTY = word("TTY", 8, ({ tty }) => tty);
const STAT = word("STAT", 4, ({ stat }) => stat);
const USER = word("USER", 8, () => "user");
const CPU = zero("%CPU", 4, "0.0");
const MEMORY = zero("%MEM", 4, "0.0");
const VSZ = zero("VSZ", 6);
const RSS = zero("RSS", 5);
const TIME: Column = { head: "TIME", width: 8, text: () => "00:00:00" };
const SHORT_TIME: Column = { head: "TIME", width: 6, text: () => "0:00" };
const START = word("START", 5, hour);
const STIME = word("STIME", 5, hour);

const COLUMNS: Readonly<Record<string, Column>> = Object.assign(Object.create(null), {
  pid: PID, tgid: { ...PID, head: "TGID" }, pgid: { ...PID, head: "PGID" }, pgrp: { ...PID, head: "PGRP" }, sid: { ...PID, head: "SID" }, sess: { ...PID, head: "SESS" }, lwp: { ...PID, head: "LWP" },
  ppid: { head: "PPID", width: 5, text: ({ ppid }) => String(ppid) },
  uid: zero("UID", 5, UID), euid: zero("EUID", 5, UID), ruid: zero("RUID", 5, UID), gid: zero("GID", 5, UID), egid: zero("EGID", 5, UID),
  user: USER, euser: { ...USER, head: "EUSER" }, ruser: { ...USER, head: "RUSER" }, uname: USER, group: { ...USER, head: "GROUP" },
  "%cpu": CPU, pcpu: CPU, cp: zero("CP", 3), c: zero("C", 2), "%mem": MEMORY, pmem: MEMORY, vsz: VSZ, vsize: VSZ, rss: RSS, rssize: RSS, rsz: { ...RSS, head: "RSZ" }, sz: zero("SZ", 5), size: zero("SIZE", 5),
  tty: { ...TTY, head: "TT" }, tt: { ...TTY, head: "TT" }, tname: TTY,
  stat: STAT, state: word("S", 1, ({ stat }) => stat.slice(0, 1)), s: word("S", 1, ({ stat }) => stat.slice(0, 1)),
  time: TIME, cputime: TIME, bsdtime: SHORT_TIME, times: zero("TIME", 8), etime: { head: "ELAPSED", width: 11, text: (row, now) => elapsed(since(row, now)) }, etimes: { head: "ELAPSED", width: 7, text: (row, now) => String(since(row, now)) },
  start: { head: "STARTED", width: 8, text: (row) => started(row).toISOString().slice(11, 19) }, start_time: START, stime: STIME, bsdstart: { head: "START", width: 6, text: hour },
  lstart: { head: "STARTED", width: 24, text: (row) => started(row).toUTCString().replace(/^(\w+), 0?(\d+) (\w+) (\d+) (\S+).*/, (_, day: string, date: string, month: string, year: string, at: string) => `${day} ${month} ${date.padStart(2)} ${at} ${year}`) },
  comm: COMM, ucmd: { ...COMM, head: "CMD" }, ucomm: COMM, args: ARGS, command: ARGS, cmd: { ...ARGS, head: "CMD" },
  ni: zero("NI", 3), nice: zero("NI", 3), pri: zero("PRI", 3, "20"), nlwp: zero("NLWP", 4, "1"), thcount: zero("THCNT", 5, "1"), psr: zero("PSR", 3), f: word("F", 1, () => "0"), flags: word("F", 1, () => "0"), wchan: word("WCHAN", 6, () => "-"), addr: word("ADDR", 4, () => "-"), cls: word("CLS", 3, () => "TS"),
} satisfies Record<string, Column>) as Record<string, Column>;

const columns = (names: string): Column[] => names.split(" ").flatMap((name) => COLUMNS[name] ?? []);
const PLAIN = [PID, TTY, TIME, { ...COMM, head: "CMD" }];
const BSD = [PID, TTY, STAT, SHORT_TIME, ARGS];
const FULL = [{ ...USER, head: "UID" }, ...columns("pid ppid c stime"), TTY, TIME, { ...ARGS, head: "CMD" }];
const LONG = [...columns("f s uid pid ppid c pri ni addr sz wchan"), TTY, TIME, { ...COMM, head: "CMD" }];
const BSD_USER = [USER, PID, CPU, MEMORY, VSZ, RSS, TTY, STAT, START, SHORT_TIME, ARGS];
const BSD_LONG = [...columns("f uid pid ppid pri ni vsz rss wchan stat"), TTY, SHORT_TIME, ARGS];

class UsageError extends Error {}

class Options {
  /** Undefined: those of the own terminal. */
  wanted: ((row: Row) => boolean)[] = [];
  all = false;
  shown: Column[] | undefined;
  custom: Column[] = [];
  heads = true;
  #rest: string[];

  constructor(args: readonly string[]) {
    this.#rest = [...args];
    for (let arg = this.#rest.shift(); arg !== undefined; arg = this.#rest.shift()) {
      if (arg.startsWith("--")) this.#long(arg);
      else if (/^\d/.test(arg)) this.#pids(arg);
      else this.#letters(arg);
    }
  }

  #long(arg: string): void {
    const [name = "", given] = arg.slice(2).split("=", 2);
    const value = (): string => given ?? this.#rest.shift() ?? "";
    if (/^no-?head(ers?|ings?)$/.test(name)) this.heads = false;
    else if (name === "format") this.#format(value());
    else if (name === "pid") this.#pids(value());
    else if (name === "ppid") this.#parents(value());
    else if (/^(sort|cols|columns|width|rows|lines)$/.test(name)) value();
    else if (!/^(forest|headers?|cumulative|deselect)$/.test(name)) throw new UsageError("unknown gnu long option");
  }

  #letters(arg: string): void {
    // As procps: `-aux` and `-lx` are meant as without the dash.
    const isBsd = !arg.startsWith("-") || /^-[alux]*x/.test(arg);
    const letters = arg.replace(/^-/, "");
    for (const [i, letter] of [...letters].entries()) {
      const value = (): string => letters.slice(i + 1) || (this.#rest.shift() ?? "");
      if (letter === "o" || letter === "O") return this.#format(value());
      if (letter === "p" || letter === "q") return this.#pids(value());
      if (letter === "C") return this.#named(value());
      if (!isBsd && /[uUgGt]/.test(letter)) {
        // All are of one user.
        const user = value();
        if (/[uU]/.test(letter)) this.wanted.push(() => user === "user" || user === UID);
        return;
      }
      if (/[aAedx]/.test(letter) && !(isBsd && letter === "e")) this.all = true;
      else if (letter === "f" && !isBsd) this.shown = FULL;
      else if (letter === "u") this.shown = BSD_USER;
      else if (letter === "l") this.shown = isBsd ? BSD_LONG : LONG;
      else if (letter === "h" && isBsd) this.heads = false;
      else if (!/[wfeHFjTLyMcnrSsv]/.test(letter)) throw new UsageError("error: unsupported option");
      if (isBsd) this.shown ??= BSD;
    }
  }

  #format(list: string): void {
    // After `=` everything is the heading.
    const end = list.indexOf("=");
    const last = end < 0 ? undefined : list.slice(end + 1);
    const names = (end < 0 ? list : list.slice(0, end)).split(/[\s,]+/).filter((name) => name !== "");
    for (const [i, name] of names.entries()) {
      const column = COLUMNS[name.toLowerCase()];
      if (!column) throw new UsageError(`error: unknown user-defined format specifier "${name}"`);
      // `pid=,comm=`: as everybody means it.
      this.custom.push(i === names.length - 1 && last !== undefined ? { ...column, head: last.replace(/,.*/, "") } : column);
    }
    const more = last?.indexOf(",") ?? -1;
    if (last !== undefined && more >= 0) this.#format(last.slice(more + 1));
  }

  #pids(list: string): void {
    const pids = new Set(list.split(/[\s,]+/).map(Number));
    if ([...pids].some(Number.isNaN)) throw new UsageError("error: process ID list syntax error");
    this.wanted.push(({ pid }) => pids.has(pid));
  }

  #parents(list: string): void {
    const pids = new Set(list.split(/[\s,]+/).map(Number));
    this.wanted.push(({ ppid }) => pids.has(ppid));
  }

  #named(list: string): void {
    const names = new Set(list.split(","));
    this.wanted.push((row) => names.has(nameOf(row)));
  }
}

/** The kernel's, and what this shell runs by itself: its jobs, and this command. */
export async function rows(state: ShellState, args: readonly string[]): Promise<Row[]> {
  const { host } = state;
  const list = [...(await host.processes())];
  const self = list.find(({ pid }) => pid === host.pid);
  let own = host.pid;
  const add = (pid: number, words: readonly string[], stopped: boolean): void => void list.push({ pid, ppid: host.pid, words, terminal: self?.terminal ?? false, stopped, startedMs: Date.now() });
  for (const { pid, status, stopped, text, task } of state.jobs.all) if (status === undefined) add(pid, task.hasChildren ? ["jsh", "-c", text] : text.trim().split(/\s+/), stopped);
  if (baseName(self?.words[0] ?? "") !== "ps") add((own = state.pid === host.pid ? host.nextPid() : state.pid), ["ps", ...args], false);
  const byPid = new Map(list.map((info) => [info.pid, info]));
  const top = (info: ProcessInfo): ProcessInfo => {
    const parent = byPid.get(info.ppid);
    return parent ? top(parent) : info;
  };
  const terminals = [...new Set(list.filter(({ terminal }) => terminal).map((info) => top(info).pid))].sort((a, b) => a - b);
  return list.sort((a, b) => a.pid - b.pid).map((info) => ({
    ...info,
    tty: info.terminal ? `pts/${terminals.indexOf(top(info).pid)}` : "?",
    stat: (info.pid === own ? "R" : info.stopped ? "T" : "S") + (byPid.has(info.ppid) ? "" : "s"),
  }));
}

function table(shown: readonly Column[], found: readonly Row[], heads: boolean): string {
  const now = Date.now();
  const cells = found.map((row) => shown.map(({ text }) => text(row, now)));
  const headed = heads && shown.some(({ head }) => head !== "");
  const lines = headed ? [shown.map(({ head }) => head), ...cells] : cells;
  // A width that was meant for a heading is one for values of usual length; longer ones push.
  const widths = shown.map(({ head, left, width }, i) => Math.max(left ?? width ?? 0, head.length, ...(left === undefined ? cells.map((row) => row[i]?.length ?? 0) : [])));
  return lines.map((line) => `${line.map((cell, i) => (shown[i]?.left === undefined ? cell.padStart(widths[i] ?? 0) : i === shown.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join(" ").trimEnd()}\n`).join("");
}

async function ps(state: ShellState, args: readonly string[]): Promise<number> {
  if (args.includes("--version") || args.includes("-V")) {
    await state.write(1, "ps from procps-ng 4.0.2\n");
    return 0;
  }
  let options: Options;
  try {
    options = new Options(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await state.write(2, `${error.message}\n\nUsage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n  or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\nFor more details see ps(1).\n`);
    return 1;
  }
  const { all, wanted, custom, shown = PLAIN, heads } = options;
  const list = await rows(state, args);
  const own = list.find(({ stat }) => stat.startsWith("R"))?.tty;
  const found = list.filter((row) => (wanted.length > 0 ? wanted.some((wants) => wants(row)) : all || row.tty === own));
  await state.write(1, table(custom.length > 0 ? custom : shown, found, heads));
  return found.length > 0 ? 0 : 1;
}

export const PS = { ps } satisfies Readonly<Record<string, OwnCommand>>;
