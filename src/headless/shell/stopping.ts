// Ctrl+Z at the prompt: what is waited for becomes a stopped job, and the prompt comes back; `fg` waits for it again, `bg` lets it
// run beside. A program's process is really stopped: see ProcessLink for when. Where the page shares no memory with its
// programs none can be: the command then goes on in the background, and that is said.
import { deferred } from "./deferred.ts";
import type { Job } from "./jobs.ts";
import { Break, type ShellState } from "./state.ts";
import type { Task } from "./task.ts";

/** What a shell says of a process that was stopped: 128 + SIGTSTP. */
const STOPPED = 148;
const NOT_ISOLATED = "jsh: this page shares no memory with its programs, so none can be stopped: it goes on in the background (reload the page to be able to)";

/** The status of what runs in `task`, which the terminal may stop. */
export async function stoppable(state: ShellState, task: Task, done: Promise<number>): Promise<number> {
  if (!state.host.interactive || state.depth > 0) return done;
  if (!(await stopsFirst(state, task, done))) return done;
  const { typed } = state.host;
  const stops = state.host.stopsProcesses || !task.hasChildren;
  task.moveTo(state.jobs.root);
  if (stops) task.hold();
  typed?.turn.pause();
  const job = state.jobs.add(typed?.line ?? "", state.host.nextPid(), task, done, stops, typed?.turn);
  await state.write(2, `${stops ? "" : `\n${NOT_ISOLATED}`}\n${state.jobs.line(job)}\n`);
  // As in bash, the loops it is in are left, and what follows them runs.
  if (state.loops > 0) {
    state.status = STOPPED;
    throw new Break(state.loops, false);
  }
  return STOPPED;
}

/** Whether it was stopped before it has ended. */
async function stopsFirst(state: ShellState, task: Task, done: Promise<unknown>): Promise<boolean> {
  const { host } = state;
  const before = host.foreground;
  const stopped = deferred<boolean>();
  host.foreground = { task, stop: () => stopped.resolve(true) };
  if (host.stopsNext) {
    host.stopsNext = false;
    task.stop("SIGTSTP");
    stopped.resolve(true);
  }
  try {
    return await Promise.race([done.then(() => false), stopped.promise]);
  } finally {
    host.foreground = before;
  }
}

/** `fg`: the job gets the terminal's keys and signals. */
export async function inForeground(state: ShellState, job: Job): Promise<number> {
  state.task.adopt(job.task);
  job.turn?.resume();
  goOn(job);
  if (!(await stopsFirst(state, job.task, job.done))) {
    state.jobs.forget(job);
    return job.done;
  }
  job.turn?.pause();
  job.stopped = state.host.stopsProcesses || !job.task.hasChildren;
  job.task.moveTo(state.jobs.root);
  if (job.stopped) job.task.hold();
  await state.write(2, `\n${state.jobs.line(job)}\n`);
  return STOPPED;
}

export function goOn(job: Job): void {
  if (!job.stopped) return;
  job.stopped = false;
  job.task.goOn();
}
