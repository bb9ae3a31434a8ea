// What makes a model say something again less likely, applied to the logits before any filter. Pure.
// Order for each token: repeat, then frequency and presence. Sources: llama.cpp src/llama-sampling.cpp
// (llama_sampler_penalties_apply: the repeat penalty over the last tokens of prompt and answer); OpenAI's API reference
// (frequency and presence count only what was answered).

export interface Penalties {
  /** Divides positive logits of recent tokens and multiplies negative ones; 1 does nothing. */
  readonly repeat: number;
  /** How many of the last tokens, prompt and answer, count for `repeat`; -1 is all of them, 0 none. */
  readonly lastN: number;
  /** Taken off a token's logit for each time the answer has it. */
  readonly frequency: number;
  /** Taken off a token's logit once the answer has it. */
  readonly presence: number;
}

export const NO_PENALTIES: Penalties = { repeat: 1, lastN: 64, frequency: 0, presence: 0 };

/** Changes `logits` in place. `prompt` and `answer` are what stands before the token that comes. */
export function penalise(logits: Float32Array, { repeat, lastN, frequency, presence }: Penalties, prompt: readonly number[], answer: readonly number[]): void {
  if (repeat !== 1 && lastN !== 0) {
    for (const token of new Set(lastOf(prompt, answer, lastN))) {
      const logit = logits[token];
      if (logit !== undefined) logits[token] = logit <= 0 ? logit * repeat : logit / repeat;
    }
  }
  if (frequency === 0 && presence === 0) return;
  const counts = new Map<number, number>();
  for (const token of answer) counts.set(token, (counts.get(token) ?? 0) + 1);
  for (const [token, count] of counts) {
    const logit = logits[token];
    if (logit !== undefined) logits[token] = logit - count * frequency - presence;
  }
}

function lastOf(prompt: readonly number[], answer: readonly number[], count: number): readonly number[] {
  if (count < 0) return [...prompt, ...answer];
  if (answer.length >= count) return answer.slice(answer.length - count);
  return [...prompt.slice(Math.max(0, prompt.length - (count - answer.length))), ...answer];
}
