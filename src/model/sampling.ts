// The next token out of logits. Pure: the same logits, settings and random numbers give the same token, everywhere.
// Order, as in Hugging Face's generate(): penalties (penalties.ts) and what a grammar forbids on the logits, then temperature,
// top-k, top-p, min-p; each on what the one before left.
import { AppError } from "../base/errors.ts";

export interface SamplingSettings {
  /** 0 is greedy: the most probable token, the lowest id among equals; the other settings then have no say. */
  readonly temperature: number;
  /** Keep the k most probable; 0 keeps all. */
  readonly topK: number;
  /** Keep the fewest most probable tokens that together reach this share; 1 keeps all. */
  readonly topP: number;
  /** Drop what is less probable than this share of the most probable; 0 drops nothing. */
  readonly minP: number;
}

export const PLAIN_SAMPLING: SamplingSettings = { temperature: 1, topK: 0, topP: 1, minP: 0 };

export interface Candidate {
  readonly token: number;
  readonly probability: number;
}

/** Throws `command/usage` naming the setting that is out of its range. */
export function checkSampling(settings: SamplingSettings): void {
  const rule = (holds: boolean, name: string, range: string): void => {
    if (!holds) throw new AppError("command/usage", `The sampling setting ${name} must be ${range}. Correct it and ask again.`, { data: { setting: name } });
  };
  rule(settings.temperature >= 0 && settings.temperature <= 100, "temperature", "between 0 and 100");
  rule(Number.isInteger(settings.topK) && settings.topK >= 0, "topK", "a whole number, 0 for all");
  rule(settings.topP > 0 && settings.topP <= 1, "topP", "above 0 and at most 1");
  rule(settings.minP >= 0 && settings.minP <= 1, "minP", "between 0 and 1");
}

/** The most probable token; the lowest id among equals. */
export function greedyToken(logits: Float32Array): number {
  let best = -1;
  let top = -Infinity;
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token]!;
    if (logit > top) {
      top = logit;
      best = token;
    }
  }
  if (best < 0 || !Number.isFinite(top)) {
    throw new AppError("bug", "The model's answer holds no finite number, so no token can be chosen. Load the model again; if it happens again, the file or the graphics driver is broken.");
  }
  return best;
}

/** Most probable first, the lower id first among equals. */
function byLogit(logits: Float32Array): (a: number, b: number) => number {
  return (a, b) => logits[b]! - logits[a]! || a - b;
}

/** The `count` most probable tokens in order, without sorting a whole vocabulary. */
export function topTokens(logits: Float32Array, count: number): number[] {
  const order = byLogit(logits);
  if (count === 0 || count >= logits.length) return Array.from(logits.keys()).filter((token) => logits[token]! > -Infinity).sort(order);
  let kept: number[] = [];
  let floor = -Infinity;
  for (let token = 0; token < logits.length; token++) {
    if (!(logits[token]! > floor)) continue;
    kept.push(token);
    if (kept.length < 4 * count) continue;
    kept = kept.sort(order).slice(0, count);
    floor = logits[kept[count - 1]!]!;
  }
  return kept.sort(order).slice(0, count);
}

/** e^-40 of the largest weight: a whole vocabulary of such changes a sum in its twelfth digit. */
const NEGLIGIBLE = 40;

/** All tokens, most probable first, put in order as far as they are asked for. */
function* mostProbable(logits: Float32Array): Generator<number> {
  let given = 0;
  for (let some = 64; given < logits.length; some *= 16) {
    const tokens = topTokens(logits, some);
    yield* tokens.slice(given);
    if (tokens.length < some) return;
    given = tokens.length;
  }
}

/**
 * What remains after the filters, most probable first; the probabilities add up to 1. Whoever takes the first few pays for no more:
 * sorting a vocabulary of 152,000 for every token took 50 ms.
 */
export function* candidates(logits: Float32Array, settings: SamplingSettings): Generator<Candidate> {
  checkSampling(settings);
  const { temperature, topK, topP, minP } = settings;
  const best = greedyToken(logits);
  if (temperature === 0) return yield { token: best, probability: 1 };
  const top = logits[best]!;
  const weight = (token: number): number => Math.exp((logits[token]! - top) / temperature);
  const sumOfAll = (): number => {
    const least = top - NEGLIGIBLE * temperature;
    let total = 0;
    for (let token = 0; token < logits.length; token++) if (logits[token]! > least) total += weight(token);
    return total;
  };
  if (topK === 0 && topP === 1 && minP === 0) {
    const mass = sumOfAll();
    for (const token of mostProbable(logits)) yield { token, probability: weight(token) / mass };
    return;
  }
  const few = topK === 0 ? undefined : topTokens(logits, topK);
  const share = topP === 1 ? Infinity : topP * (few ? few.reduce((total, token) => total + weight(token), 0) : sumOfAll());
  const kept: number[] = [];
  let mass = 0;
  for (const token of few ?? mostProbable(logits)) {
    const more = weight(token);
    if (kept.length > 0 && (mass >= share || more < minP)) break;
    kept.push(token);
    mass += more;
  }
  for (const token of kept) yield { token, probability: weight(token) / mass };
}

/** One token. `random` gives numbers in [0, 1); it is not asked where there is no choice. */
export function sampleToken(logits: Float32Array, settings: SamplingSettings, random: () => number): number {
  let rest: number | undefined;
  let last = 0;
  for (const { token, probability } of candidates(logits, settings)) {
    rest ??= probability === 1 ? 0 : random();
    rest -= probability;
    if (rest < 0) return token;
    last = token;
  }
  return last; // the probabilities came to a little less than 1
}

/** Numbers in [0, 1) that a seed fixes. xoshiro128** (Blackman, Vigna; public domain), its state filled by splitmix32. */
export function seededRandom(seed: number): () => number {
  let filler = seed >>> 0;
  const fill = (): number => {
    filler = (filler + 0x9e3779b9) >>> 0;
    let z = filler;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let [a, b, c, d] = [fill(), fill(), fill(), fill()];
  const rotate = (value: number, by: number): number => ((value << by) | (value >>> (32 - by))) >>> 0;
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5) >>> 0, 7), 9) >>> 0;
    const shifted = (b << 9) >>> 0;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d >>> 0, 11);
    return result / 4294967296;
  };
}
