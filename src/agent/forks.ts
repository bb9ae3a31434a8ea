// Which other answers are worth drawing. A trained model is often so sure that sampling gives the same words again; so the
// next draw is not left to chance: it follows an earlier one up to the token where another choice costs least in probability,
// takes that choice, and goes on as the model likes. Best first over all such places: the n likeliest answers, nearly.
import type { Fork, TokenLogprobs } from "../engine/api.ts";

interface Branch {
  readonly forks: readonly Fork[];
  /** Nats that its forks gave away. */
  readonly cost: number;
}

/** Draws of one turn: tell of each with `add`, ask for the next with `next`. */
export class ForkSearch {
  readonly #open: Branch[] = [];
  readonly #cost = new Map<string, number>([["[]", 0]]);

  /** `tokens` are those of the draw that was made with `forks`; without any probabilities beside them nothing is learnt. */
  add(forks: readonly Fork[], tokens: readonly TokenLogprobs[]): void {
    const given = this.#cost.get(JSON.stringify(forks)) ?? 0;
    const from = Math.max(callStart(tokens), (forks.at(-1)?.at ?? -1) + 1);
    for (let at = from; at < tokens.length; at++) {
      const { logprob, top } = tokens[at]!;
      const best = top[0]?.logprob ?? -Infinity;
      // Where the choice was not the model's own, the form of the call had its say.
      if (logprob !== best) continue;
      for (const [index, other] of top.entries()) {
        if (index > 0 && other.bytes.length > 0) this.#open.push({ forks: [...forks, { at, rank: index + 1 }], cost: given + best - other.logprob });
      }
    }
  }

  /** The forks of the next draw; undefined where no place is known. */
  next(): readonly Fork[] | undefined {
    const best = this.#open.reduce<Branch | undefined>((found, branch) => (found && found.cost <= branch.cost ? found : branch), undefined);
    if (!best) return undefined;
    this.#open.splice(this.#open.indexOf(best), 1);
    this.#cost.set(JSON.stringify(best.forks), best.cost);
    return best.forks;
  }
}

/** The first token of what the call says, behind the function's name: what stands before it decides whether there is a call at all. */
function callStart(tokens: readonly TokenLogprobs[]): number {
  let text = "";
  for (const [index, { token }] of tokens.entries()) {
    text += token;
    if (/<function=[^<>\n]*>/.test(text)) return index + 1;
  }
  return tokens.length;
}
