// Penalties against llama.cpp's definition, written out as it stands there, and log-probabilities against a plain softmax.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logSumExp, tokenLogprobs } from "../../src/model/logprobs.ts";
import { NO_PENALTIES, type Penalties, penalise } from "../../src/model/penalties.ts";

function penalised(logits: readonly number[], penalties: Partial<Penalties>, prompt: readonly number[], answer: readonly number[]): number[] {
  const row = Float32Array.from(logits);
  penalise(row, { ...NO_PENALTIES, ...penalties }, prompt, answer);
  return [...row];
}

/** llama.cpp src/llama-sampling.cpp, llama_sampler_penalties_apply: one window for all three, counted per token. */
function llamaCpp(logits: readonly number[], { repeat, frequency, presence }: Penalties, window: readonly number[]): number[] {
  return logits.map((logit, token) => {
    const count = window.filter((id) => id === token).length;
    if (count === 0) return logit;
    const repeated = logit <= 0 ? logit * repeat : logit / repeat;
    return repeated - (count * frequency + (count > 0 ? 1 : 0) * presence);
  });
}

describe("penalties", () => {
  it("do nothing unless they are asked for", () => {
    expect(penalised([1, -2, 3], {}, [0, 1], [2, 2])).toEqual([1, -2, 3]);
  });
  it("for repetition make what was said less likely, whatever the sign of its logit", () => {
    expect(penalised([4, -4, 4], { repeat: 2 }, [0], [1])).toEqual([2, -8, 4]);
  });
  it("for repetition count the last tokens of answer and prompt, and all with -1", () => {
    expect(penalised([8, 8, 8, 8], { repeat: 2, lastN: 2 }, [0, 1], [2])).toEqual([8, 4, 4, 8]);
    expect(penalised([8, 8, 8, 8], { repeat: 2, lastN: 1 }, [0, 1], [2, 3])).toEqual([8, 8, 8, 4]);
    expect(penalised([8, 8, 8, 8], { repeat: 2, lastN: -1 }, [0, 1], [2])).toEqual([4, 4, 4, 8]);
    expect(penalised([8, 8, 8, 8], { repeat: 2, lastN: 0 }, [0, 1], [2])).toEqual([8, 8, 8, 8]);
  });
  it("for frequency count each time in the answer, for presence once, and the prompt not at all", () => {
    expect(penalised([1, 1, 1], { frequency: 0.5 }, [2, 2], [0, 0, 1])).toEqual([0, 0.5, 1]);
    expect(penalised([1, 1, 1], { presence: 0.5 }, [2, 2], [0, 0, 1])).toEqual([0.5, 0.5, 1]);
    expect(penalised([1, 1, 1], { presence: -0.5 }, [], [0])).toEqual([1.5, 1, 1]);
  });
  it("of all three kinds are llama.cpp's where its window is the answer", () => {
    const ids = fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 30 });
    const penalties = fc.record({ repeat: fc.float({ min: 0.5, max: 2, noNaN: true }), frequency: fc.float({ min: -2, max: 2, noNaN: true }), presence: fc.float({ min: -2, max: 2, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 8, maxLength: 8 }), penalties, ids, (logits, some, answer) => {
        const all = { ...some, lastN: answer.length };
        penalised(logits, all, [1, 2, 3], answer).forEach((logit, token) => expect(logit).toBeCloseTo(llamaCpp(logits, all, answer)[token]!, 4));
      }),
    );
  });
  it("ignore ids that the model has no logit for", () => {
    expect(penalised([1], { repeat: 2, frequency: 1 }, [9], [9])).toEqual([1]);
  });
});

describe("log-probabilities", () => {
  it("are the logarithm of the softmax, for the choice and for the best", () => {
    const found = tokenLogprobs(Float32Array.from([0.1, 0.6, 0.3], Math.log), 0, 2);
    expect(found.logprob).toBeCloseTo(Math.log(0.1), 5);
    expect(found.top.map(({ token }) => token)).toEqual([1, 2]);
    expect(found.top[0]!.logprob).toBeCloseTo(Math.log(0.6), 5);
  });
  it("add up to one, however large the logits are", () => {
    fc.assert(
      fc.property(fc.array(fc.float({ min: -1000, max: 1000, noNaN: true }), { minLength: 1, maxLength: 50 }), (values) => {
        const logits = Float32Array.from(values);
        const sum = values.reduce((total, _, token) => total + Math.exp(tokenLogprobs(logits, token, 0).logprob), 0);
        expect(sum).toBeCloseTo(1, 6);
      }),
    );
    expect(logSumExp(Float32Array.of(-Infinity, -Infinity))).toBe(-Infinity);
  });
});
