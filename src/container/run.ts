// One command in the container with everything that may end it: its own exit, a time-out, a stop, too much output.
import { afterAwake } from "../base/awake-timer.ts";
import { AppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Container, WebContainerProcess } from "./client.ts";
import type { RunOptions, RunResult } from "./sandbox.ts";

/** How long a killed process may take to say so before we go on without it. The local host needs 2 ms. */
const KILL_MS = 800;
const KILLED = 143;
/** Of a process that something else than the user ended. */
const SIGKILLED = 137;
const CRASHED = "\n[The container crashed while this ran, most likely because it took too much memory: of objects and strings all that runs may hold some 4 GB. It is started again with the project as it was; the command can be run again.]\n";

/** Runs `sh -c command` in the working directory. A command that could not start has `exitCode` null. */
export async function runCommand(container: Container, command: string, options: RunOptions = {}, signal?: AbortSignal): Promise<RunResult> {
  const started = performance.now();
  const given = options.timeoutMs ?? LIMITS.commandMs;
  // Without an end only where somebody has asked for that and can stop it.
  const timeoutMs = given === Number.POSITIVE_INFINITY ? undefined : Math.min(given, LIMITS.commandMsMax);
  const output = new CappedText(LIMITS.commandOutputBytes);
  const result = (exitCode: number | null, end: RunResult["end"]): RunResult => ({
    exitCode,
    output: output.text,
    end,
    durationMs: performance.now() - started,
  });
  if (signal?.aborted) return result(null, "aborted");

  let stop: (end: RunResult["end"]) => void = () => undefined;
  const stopped = new Promise<RunResult["end"]>((resolve) => {
    stop = resolve;
  });
  const onAbort = (): void => stop("aborted");
  signal?.addEventListener("abort", onAbort, { once: true });
  const stopWaiting = timeoutMs === undefined ? () => undefined : afterAwake(timeoutMs, () => stop("timeout"));
  try {
    const spawned = container.spawn("sh", ["-c", command]).catch((cause: unknown) => {
      throw new AppError("container/stopped", `The container could not run "${command}": ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
    });
    const process = await Promise.race([spawned, stopped]);
    if (typeof process === "string") {
      void spawned.then((late) => late.kill(), () => undefined);
      return result(null, process);
    }
    // There is nobody to type: a command that reads finds the end at once, as with </dev/null.
    const input = process.input.getWriter();
    void input.write("\u0004").catch(() => undefined); // it may have ended already
    const drained = drain(process, (text) => {
      const kept = output.add(text);
      if (kept !== "") options.onOutput?.(kept);
      if (output.full) stop("output-limit");
    });
    const exited = Promise.all([process.exit, drained]).then(([code]) => code);
    const first = await Promise.race([exited, stopped]);
    if (typeof first === "number") {
      if (first !== SIGKILLED || !(await container.crashed?.(process))) return result(first, "exit");
      const kept = output.add(CRASHED);
      if (kept !== "") options.onOutput?.(kept);
      return result(first, "crashed");
    }
    process.kill();
    const code = await Promise.race([process.exit, new Promise<number>((resolve) => setTimeout(() => resolve(KILLED), KILL_MS))]);
    return result(code, first);
  } finally {
    stopWaiting();
    signal?.removeEventListener("abort", onAbort);
  }
}

async function drain(process: WebContainerProcess, take: (text: string) => void): Promise<void> {
  const reader = process.output.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) take(next.value);
}

/** Text up to a number of UTF-16 units, which is near enough to bytes for a cap. */
class CappedText {
  readonly #max: number;
  #parts: string[] = [];
  #length = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get text(): string {
    return this.#parts.join("");
  }

  get full(): boolean {
    return this.#length >= this.#max;
  }

  /** Returns what was kept of it. */
  add(text: string): string {
    const kept = text.slice(0, this.#max - this.#length);
    this.#length += kept.length;
    if (kept !== "") this.#parts.push(kept);
    return kept;
  }
}
