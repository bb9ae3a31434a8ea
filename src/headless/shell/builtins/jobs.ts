// jobs, wait, fg, bg, kill, disown.
import { SIGNAL_EXIT_CODES, type Signal } from "../../protocol.ts";
import type { Job } from "../jobs.ts";
import type { ShellState } from "../state.ts";
import { goOn, inForeground } from "../stopping.ts";
import { orKilled } from "../task.ts";
import type { Builtin } from "./index.ts";

/** Its end, unless a signal that has a trap comes first: undefined. */
async function ended(state: ShellState, job: Job): Promise<number | undefined> {
  const came = state.task.nextSignal();
  try {
    return await orKilled(Promise.race([job.done, came.promise.then(() => undefined)]), state.signal);
  } finally {
    came.forget();
  }
}

function interruptedStatus(state: ShellState): number {
  const [signal] = state.task.pending;
  return signal === undefined ? 0 : SIGNAL_EXIT_CODES[signal];
}

async function wait(state: ShellState, args: readonly string[]): Promise<number> {
  const { jobs } = state;
  if (args[0] === "-n") {
    const { running } = jobs;
    const finished = jobs.all.find(({ status }) => status !== undefined);
    if (finished) {
      jobs.forget(finished);
      return finished.status ?? 0;
    }
    if (running.length === 0) return 127;
    const first = await orKilled(Promise.race(running.map((job) => job.done.then(() => job))), state.signal);
    jobs.forget(first);
    return first.status ?? 0;
  }
  const specs = args.filter((arg) => !arg.startsWith("-"));
  if (specs.length === 0) {
    for (const job of jobs.all) {
      if ((await ended(state, job)) === undefined) return interruptedStatus(state);
      jobs.forget(job);
    }
    return 0;
  }
  let code = 0;
  for (const spec of specs) {
    const job = jobs.find(spec);
    if (job) {
      const status = await ended(state, job);
      if (status === undefined) return interruptedStatus(state);
      jobs.forget(job);
      code = status;
      continue;
    }
    const past = jobs.past(Number(spec));
    code = past ?? 127;
    if (past !== undefined) continue;
    if (spec.startsWith("%")) await state.complain(`wait: ${spec}: no such job`);
    else await state.complain(/^\d+$/.test(spec) ? `wait: pid ${spec} is not a child of this shell` : `wait: \`${spec}': not a pid or valid job spec`);
    if (!spec.startsWith("%") && !/^\d+$/.test(spec)) code = 1;
  }
  return code;
}

async function list(state: ShellState, args: readonly string[]): Promise<number> {
  const { jobs } = state;
  for (const job of jobs.all) {
    if ((args.includes("-r") && (job.status !== undefined || job.stopped)) || (args.includes("-s") && !job.stopped)) continue;
    await state.write(1, args.includes("-p") ? `${job.pid}\n` : `${args.includes("-l") ? jobs.line(job).replace(/^(\[\d+\].)  /, `$1  ${job.pid} `) : jobs.line(job)}\n`);
    if (job.status !== undefined) jobs.forget(job);
  }
  return 0;
}

async function jobFor(state: ShellState, name: string, spec: string | undefined): Promise<Job | undefined> {
  const job = state.jobs.find(spec === undefined ? "%%" : spec.startsWith("%") ? spec : `%${spec}`);
  if (!job) await state.complain(`${name}: ${spec ?? "current"}: no such job`);
  return job;
}

/** A job that `&` has started reads nothing: it was started without input. */
async function foreground(state: ShellState, [spec]: readonly string[]): Promise<number> {
  const job = await jobFor(state, "fg", spec);
  if (!job) return 1;
  await state.write(1, `${job.text}\n`);
  return inForeground(state, job);
}

const NUMBERS = Object.fromEntries(Object.entries(SIGNAL_EXIT_CODES).map(([name, code]) => [String(code - 128), name as Signal]));

/** By name or number, SIG before it or not; 0 asks whether there is such a process. */
export function signalOf(given: string): Signal | "0" | undefined {
  if (given === "0") return "0";
  if (/^\d+$/.test(given)) return NUMBERS[given];
  const name = `SIG${given.toUpperCase().replace(/^SIG/, "")}`;
  return name in SIGNAL_EXIT_CODES ? (name as Signal) : undefined;
}

async function kill(state: ShellState, given: readonly string[]): Promise<number> {
  const args = [...given];
  let signal: Signal | "0" | undefined = "SIGTERM";
  if (args[0] === "-l" || args[0] === "-L") {
    const [, code] = args;
    await state.write(1, code === undefined ? `${Object.keys(SIGNAL_EXIT_CODES).map((name) => name.slice(3)).join(" ")}\n` : `${/^\d+$/.test(code) ? (NUMBERS[String(Number(code) > 128 ? Number(code) - 128 : code)] ?? "").slice(3) : (Object.keys(NUMBERS).find((number) => NUMBERS[number] === signalOf(code)) ?? "")}\n`);
    return 0;
  }
  if (args[0] === "-s" || args[0] === "-n") {
    signal = signalOf(args[1] ?? "");
    args.splice(0, 2);
  } else if (/^-./.test(args[0] ?? "") && args[0] !== "--") signal = signalOf((args.shift() ?? "").slice(1));
  if (args[0] === "--") args.shift();
  if (signal === undefined) {
    await state.complain(`kill: ${(given[0] ?? "").replace(/^-/, "") === "s" ? given[1] : (given[0] ?? "").replace(/^-/, "")}: invalid signal specification`);
    return 1;
  }
  if (args.length === 0) {
    await state.write(2, "kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n");
    return 2;
  }
  let code = 0;
  for (const spec of args) if (!(await send(state, spec, signal))) code = 1;
  return code;
}

/** A signal to a job or a process; 0 only asks. Whether there is one: told if not. */
export async function send(state: ShellState, spec: string, signal: Signal | "0"): Promise<boolean> {
  const job = state.jobs.find(spec);
  if (job) {
    if (job.status === undefined) {
      if (signal === "0") return true;
      job.task.send(signal);
      // What is stopped hears a signal when it goes on.
      if (/^SIG(STOP|TSTP|TTIN|TTOU)$/.test(signal)) job.stopped = true;
      else if (job.stopped) goOn(job);
      return true;
    }
  } else if (spec.startsWith("%")) {
    await state.complain(`kill: ${spec}: no such job`);
    return false;
  } else if (!/^-?\d+$/.test(spec)) {
    await state.complain(`kill: ${spec}: arguments must be process or job IDs`);
    return false;
  }
  const pid = Math.abs(Number(spec));
  if (pid === state.host.pid || pid === 0) {
    if (signal !== "0") state.host.signalSelf(signal);
    return true;
  }
  const task = state.host.tasks.get(pid);
  if (task) {
    if (signal !== "0") task.send(signal);
    return true;
  }
  if (signal === "0" ? state.host.children.has(pid) : state.host.children.kill(pid, signal)) return true;
  // Of another shell, or of a program.
  if (spec === String(pid) && (await state.host.processes()).some((each) => each.pid === pid)) {
    if (signal !== "0") state.host.signalProcess(pid, signal);
    return true;
  }
  await state.complain(`kill: (${spec}) - No such process`);
  return false;
}

export const JOBS = {
  jobs: list,
  wait,
  fg: foreground,
  async bg(state, [spec]) {
    const job = await jobFor(state, "bg", spec);
    if (!job) return 1;
    if (!job.stopped) await state.complain(`bg: job ${job.id} already in background`);
    else await state.write(1, `[${job.id}]${state.jobs.mark(job)} ${job.text} &\n`);
    goOn(job);
    return 0;
  },
  kill,
  disown(state, [spec]) {
    const job = state.jobs.find(spec ?? "%%");
    if (job) state.jobs.forget(job);
    return job ? 0 : 1;
  },
} satisfies Readonly<Record<string, Builtin>>;
