// How probable the model itself found a token: the logarithm of its softmax over the logits as they came, before penalties,
// masks and filters. Sums in f64.
import { topTokens } from "./sampling.ts";

/** Natural logarithm of a token's probability. */
export interface TokenLogprob {
  readonly token: number;
  readonly logprob: number;
}

export interface ChosenLogprob extends TokenLogprob {
  /** The most probable ones in order, whatever was chosen. */
  readonly top: readonly TokenLogprob[];
}

/** Of the chosen token and the `top` most probable. */
export function tokenLogprobs(logits: Float32Array, chosen: number, top: number): ChosenLogprob {
  const total = logSumExp(logits);
  const of = (token: number): TokenLogprob => ({ token, logprob: (logits[token] ?? -Infinity) - total });
  return { ...of(chosen), top: top === 0 ? [] : topTokens(logits, top).map(of) };
}

/** Logarithm of the sum of the exponentials; exact where a plain sum would overflow. */
export function logSumExp(logits: Float32Array): number {
  let most = -Infinity;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > most) most = logits[i]!;
  if (!Number.isFinite(most)) return most;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - most);
  return most + Math.log(sum);
}
