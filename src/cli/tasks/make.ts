// One run of making tasks: hosts side by side, a file that grows, progress, and what it all came to.
import { availableParallelism } from "node:os";
import { throwIfAborted } from "../../base/errors.ts";
import type { Source } from "../../tasks/making/candidate.ts";
import type { TestHost } from "../../tasks/making/host.ts";
import { type Plan, produce } from "../../tasks/making/production.ts";
import { numberOption, required, type Values } from "../args.ts";
import { TaskFile } from "./task-file.ts";

const PROGRESS_MS = 5_000;

/** Hosts of a run, all closed at its end. */
export interface Hosts {
  readonly where: string;
  readonly list: readonly TestHost[];
  close(): Promise<void>;
}

export async function openHosts(where: string, count: number, make: (index: number) => Promise<TestHost>): Promise<Hosts> {
  const list = await Promise.all(Array.from({ length: count }, (_, i) => make(i)));
  return { where, list, close: async () => void (await Promise.all(list.map((host) => host.close()))) };
}

export function jobsOf(values: Values): number {
  return numberOption(values, "jobs", 1) ?? availableParallelism();
}

export function planOf(values: Values): Plan {
  const seed = numberOption(values, "seed", 0) ?? 0;
  const until = numberOption(values, "until", seed);
  return { seed, until: until ?? Number.MAX_SAFE_INTEGER, count: numberOption(values, "count", 0) ?? (until === undefined ? 100 : Number.MAX_SAFE_INTEGER) };
}

/** Goes on where the file ends. Ctrl+C ends after what is under way. Returns the exit code. */
export async function makeTasks(source: Source, hosts: Hosts, values: Values): Promise<number> {
  const file = await TaskFile.open(required(values, "out"), source, planOf(values));
  const before = file.kept;
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  const started = performance.now();
  const minutes = (): number => (performance.now() - started) / 60_000;
  let told = started;
  let tried = 0;
  const state = (): string => `${file.kept} tasks${before > 0 ? ` (${file.kept - before} new)` : ""}, ${tried} tried, ${((file.kept - before) / minutes()).toFixed(0)} tasks a minute${listed(file.dropped)}`;
  if (before > 0) process.stderr.write(`${file.path} has ${before} tasks; going on at number ${file.rest.seed}\n`);
  try {
    for await (const { task, hash, dropped } of produce(source, hosts.list, file.rest, file.known, () => tried++, stop.signal)) {
      await file.add(task, hash, dropped);
      if (performance.now() - told < PROGRESS_MS) continue;
      told = performance.now();
      process.stderr.write(`${state()}\n`);
    }
    throwIfAborted(stop.signal, "Making tasks");
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    await file.close();
    await hosts.close();
    process.stderr.write(`${state()}\n`);
  }
  process.stdout.write(`${file.kept} tasks: ${file.path}\n${file.kept - before} made here in ${minutes().toFixed(1)} min, ${((file.kept - before) / minutes()).toFixed(0)} verified tasks a minute, in ${hosts.where}\n`);
  return 0;
}

function listed(dropped: Readonly<Record<string, number>>): string {
  const parts = Object.entries(dropped).map(([reason, count]) => `${count} ${WORDS[reason] ?? reason}`);
  return parts.length === 0 ? "" : `; not kept: ${parts.join(", ")}`;
}

const WORDS: Readonly<Record<string, string>> = {
  survived: "that no test saw",
  hung: "that hung",
  duplicate: "twice",
  reference: "whose reference was red",
  start: "that broke more than a test",
  unfit: "that do not change code and tests together",
};
