// What a readline.Interface is made with: an object, or streams in their order.
import type { AnyFunction, StreamLike } from "../../node/runtime.ts";
import type { TerminalTools } from "./tools.ts";

export type Completions = readonly [candidates: readonly string[], completeOn: string];
export type Completer = (line: string, done: (error: unknown, found?: Completions) => void) => void;

export interface Options {
  readonly input?: StreamLike & { pause?(): void; resume?(): void; setRawMode?(on: boolean): void; listenerCount(event: string): number };
  readonly output?: StreamLike;
  readonly completer?: AnyFunction;
  readonly terminal?: boolean;
  readonly history: readonly string[];
  readonly historySize: number;
  readonly removeHistoryDuplicates?: boolean;
  readonly prompt: string;
  readonly crlfDelay?: number;
  readonly escapeCodeTimeout: number;
  readonly tabSize: number;
  readonly signal?: AbortSignal;
}

const DEFAULTS = { history: [], historySize: 30, prompt: "> ", escapeCodeTimeout: 500, tabSize: 8 };

/** Throws as Node does. */
export function readOptions({ errors }: TerminalTools, first: Partial<Options> | Options["input"], others: { readonly output: StreamLike | undefined; readonly completer: AnyFunction | undefined; readonly terminal: boolean | undefined }): Options {
  const bare = first === undefined || typeof (first as StreamLike).on === "function";
  const given = (bare ? { input: first, ...others } : first) as Partial<Options>;
  const options = { ...DEFAULTS, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) } as Options;
  const { completer, history, historySize } = options;
  if (completer !== undefined && typeof completer !== "function") throw errors.invalidArgValue("completer", completer);
  if (!Number.isFinite(options.escapeCodeTimeout)) throw errors.invalidArgValue("input.escapeCodeTimeout", options.escapeCodeTimeout);
  if (!Array.isArray(history)) throw errors.invalidArgType("history", "Array", history);
  if (typeof historySize !== "number") throw errors.invalidArgType("historySize", "number", historySize);
  if (Number.isNaN(historySize) || historySize < 0) throw errors.outOfRange("historySize", ">= 0", historySize);
  return options;
}

/** One that calls back, whether it was given as one or returns what it finds. */
export function completerOf(given: AnyFunction | undefined): Completer | undefined {
  if (!given) return undefined;
  return given.length === 2 ? (given as Completer) : (line, done) => void Promise.resolve(line).then(given).then((found) => done(null, found as Completions), done);
}
