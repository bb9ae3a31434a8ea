// An edit that would change nothing, or make again what an earlier one of the request made, is drawn again before it is made.
// Once such an edit stands in the conversation, a small model says little else: what it reads there is what it repeats.
// The next draw follows the vain one up to the token where another choice costs least (forks.ts), as tries do.
import { decide } from "./permission.ts";
import type { Workshop } from "./act.ts";
import type { AgentEvent } from "./events.ts";
import type { Fork } from "../engine/api.ts";
import { decodeText } from "../project/text.ts";
import { ForkSearch } from "./forks.ts";
import { stopWatch } from "./streams.ts";
import { resolveCall } from "./tool-specs.ts";
import { planEdit } from "./tools.ts";
import { type Turn, unheard } from "./turn.ts";

/** What the edits of one request came to: texts of files, and refusals. */
export class EditMemory {
  readonly #known = new Set<string>();

  /** What a call's edit would come to; undefined where it edits nothing or may not. */
  async foresee(call: Turn["call"], { sandbox, created, unlockTests, mode, rules }: Pick<Workshop, "sandbox" | "created" | "unlockTests" | "mode" | "rules">): Promise<Foreseen | undefined> {
    const resolved = call && resolveCall(call.name, call.arguments);
    if (!resolved?.ok || (resolved.name !== "edit" && resolved.name !== "write_file")) return undefined;
    if (decide(resolved, mode, rules) === "deny") return undefined;
    const { wrote, noop = false, result } = await planEdit(resolved.name, resolved.arguments, { sandbox, created, unlockTests });
    const key = JSON.stringify(wrote ? [wrote.path, decodeText(wrote.bytes)] : [resolved.name, resolved.arguments, result]);
    return { key, isVain: noop || this.#known.has(key), isMade: wrote !== undefined };
  }

  /** The edit is made, or refused: from now on it is vain. */
  keep({ key }: Foreseen): void {
    this.#known.add(key);
  }
}

export interface Foreseen {
  readonly key: string;
  readonly isVain: boolean;
  /** It would write a file. */
  readonly isMade: boolean;
}

export interface RedrawPlan {
  readonly memory: EditMemory;
  readonly shop: Workshop;
  /** Draws at most, the first included. */
  readonly most: number;
  /** Draw 2 is the first again, which tells how probable its tokens are. Later ones without forks, where that is not known, are simply freer. */
  readonly draw: (number: number, forks: readonly Fork[]) => AsyncGenerator<AgentEvent, Turn, void>;
  /** May another draw be made, after so many tokens written here? */
  readonly mayGoOn: (tokens: number) => boolean;
}

export interface Redrawn {
  /** The turn to go on with: the first, unless its edit is vain and another draw's is not. */
  readonly turn: Turn;
  /** Which draw it is, from 1. */
  readonly number: number;
  /** Written by the draws after the first. */
  readonly tokens: number;
}

/** Draws again while the edit is vain. The kept one is remembered; it is for the caller to make. */
export async function* redraw(first: Turn, { memory, shop, most, draw, mayGoOn }: RedrawPlan, signal: AbortSignal): AsyncGenerator<AgentEvent, Redrawn, void> {
  const foresee = async ({ call }: Turn): Promise<Foreseen | undefined> => {
    const watch = stopWatch(signal, shop.clock);
    const foreseen = await Promise.race([memory.foresee(call, shop), watch.late]).finally(watch.close);
    return foreseen === "late" ? undefined : foreseen;
  };
  let kept = { turn: first, number: 1, foreseen: await foresee(first) };
  let forks: readonly Fork[] = [];
  let tokens = 0;
  const search = new ForkSearch();
  for (let number = 2; kept.foreseen?.isVain && number <= most && mayGoOn(tokens); number++) {
    const turn = yield* unheard(draw(number, forks));
    tokens += turn.tokens;
    if (turn.stopped) return { turn: { ...turn, words: first.words, text: first.words }, number, tokens };
    const next = await foresee(turn);
    // What the user has read of the first stays.
    if (next?.isMade && !next.isVain) kept = { turn: { ...turn, words: first.words, text: first.words + turn.text.slice(turn.words.length) }, number, foreseen: next };
    search.add(forks, turn.logprobs);
    forks = search.next() ?? [];
  }
  if (kept.foreseen) memory.keep(kept.foreseen);
  return { turn: kept.turn, number: kept.number, tokens };
}
