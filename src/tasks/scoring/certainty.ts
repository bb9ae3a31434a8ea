// How well a number told beforehand tells right answers from wrong ones: what a threshold is read from. Pure.
import { wilson, type Estimate } from "./statistics.ts";

export interface Judged {
  /** Mean log-probability: higher is surer. */
  readonly certainty: number;
  readonly isRight: boolean;
}

/** What comes of trusting answers of at least this certainty. */
export interface Cut {
  readonly threshold: number;
  /** Of all answers, those that are trusted. */
  readonly trusted: number;
  /** Of those, the right ones. */
  readonly precision: Estimate;
  /** Of the right ones, those that are trusted; and of the wrong ones. */
  readonly truePositives: number;
  readonly falsePositives: number;
}

/** One cut at every certainty that was seen, the surest first. */
export function cuts(answers: readonly Judged[]): readonly Cut[] {
  const right = answers.filter(({ isRight }) => isRight).length;
  const thresholds = [...new Set(answers.map(({ certainty }) => certainty))].toSorted((a, b) => b - a);
  return thresholds.map((threshold) => {
    const trusted = answers.filter(({ certainty }) => certainty >= threshold);
    const hits = trusted.filter(({ isRight }) => isRight).length;
    return {
      threshold,
      trusted: trusted.length / answers.length,
      precision: wilson(hits, trusted.length),
      truePositives: right === 0 ? 0 : hits / right,
      falsePositives: right === answers.length ? 0 : (trusted.length - hits) / (answers.length - right),
    };
  });
}

/** Probability that a right answer is surer than a wrong one, ties counted half: the area under the ROC curve. Undefined where all are alike. */
export function rankedRight(answers: readonly Judged[]): number | undefined {
  const right = answers.filter(({ isRight }) => isRight);
  const wrong = answers.filter(({ isRight }) => !isRight);
  if (right.length === 0 || wrong.length === 0) return undefined;
  let sum = 0;
  for (const a of right) for (const b of wrong) sum += a.certainty > b.certainty ? 1 : a.certainty === b.certainty ? 0.5 : 0;
  return sum / (right.length * wrong.length);
}

/** The cut where the most right ones beyond wrong ones are trusted, of equals the lower. Source: Youden, Cancer 3, 1950 (J = TPR - FPR). */
export function bestCut(answers: readonly Judged[]): Cut | undefined {
  return cuts(answers).reduce<Cut | undefined>((best, cut) => (best && best.truePositives - best.falsePositives > cut.truePositives - cut.falsePositives ? best : cut), undefined);
}
