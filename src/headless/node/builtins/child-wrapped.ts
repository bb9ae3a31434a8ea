// Tools that follow a program into its children (coverage, tracing) wrap the two functions under node:child_process that
// start one: `ChildProcess.prototype.spawn`, and `spawn` of process.binding("spawn_sync"). Both take the options below,
// which the wrapper may change: most often the environment.
import { unsupported } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";
import type { Command } from "./child-options.ts";

export interface NativeOptions extends Dict {
  file: string;
  /** The first is the program's own name. */
  args: string[];
  /** Each as NAME=value. */
  envPairs: string[];
}

export interface SpawnSyncBinding {
  spawn(options: NativeOptions): unknown;
}

export const nativeOptions = ({ file, shown, env, options }: Command): NativeOptions => ({ ...options, file, args: [...shown], envPairs: Object.entries(env).map(([name, value]) => `${name}=${value}`) });

/** Of a name that comes twice the first counts, as it does for the system. */
export function fromPairs(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.toReversed().map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}

interface Place {
  readonly binding: SpawnSyncBinding;
  readonly own: SpawnSyncBinding["spawn"];
  start: ((options: NativeOptions) => unknown) | undefined;
}

const places = new WeakMap<Runtime, Place>();

function placeOf(runtime: Runtime): Place {
  const known = places.get(runtime);
  if (known) return known;
  const own = (options: NativeOptions): unknown => {
    if (!place.start) throw unsupported('process.binding("spawn_sync").spawn', "it is there to be wrapped; call child_process.spawnSync");
    return place.start(options);
  };
  const place: Place = { binding: { spawn: own }, own, start: undefined };
  places.set(runtime, place);
  return place;
}

export const spawnSyncBinding = (runtime: Runtime): SpawnSyncBinding => placeOf(runtime).binding;

/** Starts a command through what has been put in the binding's place. `start` is called with what is left of it. */
export function startWrapped<T>(runtime: Runtime, command: Command, start: (command: Command) => T): T {
  const place = placeOf(runtime);
  if (place.binding.spawn === place.own) return start(command);
  const results: T[] = [];
  place.start = ({ file, args, envPairs }) => {
    const result = start({ ...command, file, args: args.slice(1), shown: args, env: fromPairs(envPairs) });
    results.push(result);
    return result;
  };
  try {
    place.binding.spawn(nativeOptions(command));
  } finally {
    place.start = undefined;
  }
  return results[0] ?? start(command);
}
