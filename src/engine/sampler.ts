// Chooses the tokens of one answer: penalties on the logits, what a grammar allows, the filters and the draw, and how
// probable each choice was.
import { NO_PENALTIES, type Penalties, penalise } from "../model/penalties.ts";
import { tokenLogprobs } from "../model/logprobs.ts";
import { type SamplingSettings, sampleToken } from "../model/sampling.ts";
import type { ModelTokenizer } from "../tokenizer/tokenizer.ts";
import type { Fork, Logprob, TokenLogprobs } from "./api.ts";
import type { ToolCallGuide } from "./tool-call-guide.ts";

export interface SamplerSettings {
  readonly sampling: SamplingSettings;
  readonly penalties: Penalties;
  /** How many of the most probable tokens to note beside each choice; absent: none are noted, not even the choice. */
  readonly logprobs?: number;
  readonly forks?: readonly Fork[];
}

export const GREEDY: SamplerSettings = { sampling: { temperature: 0, topK: 0, topP: 1, minP: 0 }, penalties: NO_PENALTIES };

/** One for each answer. */
export class Sampler {
  readonly #tokenizer: ModelTokenizer;
  readonly #settings: SamplerSettings;
  readonly #prompt: readonly number[];
  readonly #guide: ToolCallGuide | undefined;
  readonly #logprobs: TokenLogprobs[] = [];

  /** `guide`: what holds tool calls to their form. */
  constructor(tokenizer: ModelTokenizer, settings: SamplerSettings, prompt: readonly number[], guide?: ToolCallGuide) {
    this.#guide = guide;
    this.#tokenizer = tokenizer;
    this.#settings = settings;
    this.#prompt = prompt;
  }

  /** Of every choice so far, where they are asked for. */
  get logprobs(): readonly TokenLogprobs[] {
    return this.#logprobs;
  }

  /** The token that follows `answer`. The logits are the sampler's own: it changes them. */
  async choose(logits: Float32Array, answer: readonly number[], random: () => number): Promise<number> {
    const { penalties, logprobs, forks = [] } = this.#settings;
    const asTheyCame = logprobs === undefined ? logits : logits.slice();
    penalise(logits, penalties, this.#prompt, answer);
    await this.#guide?.constrain(logits);
    let token = this.#allowed(logits, random);
    const rank = forks.find(({ at }) => at === answer.length)?.rank ?? 1;
    for (let passed = 1; passed < rank; passed++) {
      logits[token] = -Infinity;
      token = this.#allowed(logits, random);
    }
    this.#guide?.push(token);
    if (logprobs !== undefined) this.#note(asTheyCame, token, logprobs);
    return token;
  }

  /** The choice among what may come. */
  #allowed(logits: Float32Array, random: () => number): number {
    const { sampling } = this.#settings;
    let token = sampleToken(logits, sampling, random);
    for (; this.#guide?.refuses(token); token = sampleToken(logits, sampling, random)) logits[token] = -Infinity;
    return token;
  }

  #note(logits: Float32Array, chosen: number, count: number): void {
    const { token, logprob, top } = tokenLogprobs(logits, chosen, count);
    this.#logprobs.push({ ...this.#named(token, logprob), top: top.map((other) => this.#named(other.token, other.logprob)) });
  }

  #named(token: number, logprob: number): Logprob {
    const bytes = this.#tokenizer.bytesOf(token);
    return { token: new TextDecoder().decode(bytes), bytes: [...bytes], logprob };
  }
}
