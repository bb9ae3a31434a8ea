// The loop that makes tasks: candidates in the order of their numbers, proven side by side, handed out in order. What
// comes out depends on the source and the numbers alone: not on how many hosts there are, nor on where a run was cut.
import { throwIfAborted } from "../../base/errors.ts";
import type { Task } from "../task.ts";
import { type Dropped, type DropReason, taskHash } from "../task-line.ts";
import type { Source } from "./candidate.ts";
import type { TestHost } from "./host.ts";
import { verify } from "./verify.ts";

export interface Plan {
  /** The first number, and the first that is not tried any more. */
  readonly seed: number;
  readonly until: number;
  /** Ends after so many tasks. */
  readonly count: number;
}

export interface Made {
  readonly task: Task;
  readonly hash: string;
  /** What was tried since the task before and not kept. */
  readonly dropped: Dropped;
}

export interface Tried {
  readonly seed: number;
  readonly outcome: "kept" | DropReason;
}

/** Candidates under way for every host: one is proven, others wait, so that no host waits for the order. */
const AHEAD = 6;

/**
 * Tasks as they are proven, in order. `known` holds the hashes of tasks that there are already, and learns the new ones.
 * `onTried` hears of every candidate in order. Throws `aborted`, and whatever a host throws.
 */
export async function* produce(source: Source, hosts: readonly TestHost[], plan: Plan, known: Set<string>, onTried: (tried: Tried) => void, signal?: AbortSignal): AsyncGenerator<Made> {
  const idle = [...hosts];
  const waiting: ((host: TestHost) => void)[] = [];
  let stopped = false;
  const prove = async (seed: number): Promise<{ readonly task: Task; readonly hash: string } | DropReason> => {
    const candidate = await source.candidate(seed);
    if (typeof candidate === "string") return candidate;
    const hash = await taskHash({ ...candidate.task, instruction: "" });
    if (known.has(hash)) return "duplicate";
    const host = idle.pop() ?? (await new Promise<TestHost>((resolve) => waiting.push(resolve)));
    try {
      if (stopped || signal?.aborted) return "duplicate"; // nobody hears of it
      const task = await verify(candidate, source, host);
      return typeof task === "string" ? task : { task, hash };
    } finally {
      const next = waiting.shift();
      if (next) next(host);
      else idle.push(host);
    }
  };

  const end = Math.min(plan.until, source.size);
  const underWay: Promise<Awaited<ReturnType<typeof prove>>>[] = [];
  let [next, kept] = [plan.seed, 0];
  let dropped: Partial<Record<DropReason, number>> = {};
  try {
    for (let seed = plan.seed; seed < end && kept < plan.count; seed++) {
      for (; next < end && underWay.length < hosts.length * AHEAD; next++) {
        const work = prove(next);
        work.catch(() => undefined); // awaited below, in order
        underWay.push(work);
      }
      let outcome = await underWay.shift()!;
      throwIfAborted(signal, "Making tasks");
      // Two that are the same may have been under way together.
      if (typeof outcome !== "string" && known.has(outcome.hash)) outcome = "duplicate";
      if (typeof outcome === "string") {
        dropped[outcome] = (dropped[outcome] ?? 0) + 1;
        onTried({ seed, outcome });
        continue;
      }
      known.add(outcome.hash);
      kept++;
      onTried({ seed, outcome: "kept" });
      yield { ...outcome, dropped };
      dropped = {};
    }
  } finally {
    stopped = true;
    await Promise.allSettled(underWay);
  }
}
