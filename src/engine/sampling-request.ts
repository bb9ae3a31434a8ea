// What a request may ask of the choice of tokens, checked, and what the model's file says where it asks for nothing.
import { AppError } from "../base/errors.ts";
import { checkSampling, PLAIN_SAMPLING, type SamplingSettings } from "../model/sampling.ts";
import type { StoredValue } from "../storage/stored-model.ts";
import type { GenerateRequest, Logprob, Sampling, TokenLogprobs } from "./api.ts";
import type { HostRequest, OpenAiLogprob } from "./webllm.ts";

/** OpenAI's penalties go this far either way, and WebLLM tells of so many tokens beside a chosen one. */
const PENALTY_MOST = 2;
const LOGPROBS_MOST = 5;

/** What the request asks for beyond the filters, as the engine's requests have it. Throws `command/usage` for what is out of its range. */
export function extrasOf({ sampling = {}, logprobs }: Pick<GenerateRequest, "sampling" | "logprobs">): Pick<HostRequest, "repeatPenalty" | "frequencyPenalty" | "presencePenalty" | "logprobs"> {
  const { repeatPenalty, repeatLastN, frequencyPenalty, presencePenalty } = sampling;
  const rule = (value: number | undefined, holds: (value: number) => boolean, setting: string, range: string): void => {
    if (value !== undefined && !holds(value)) throw new AppError("command/usage", `The sampling setting ${setting} must be ${range}. Correct it and ask again.`, { data: { setting } });
  };
  const within = (value: number): boolean => Math.abs(value) <= PENALTY_MOST;
  rule(repeatPenalty, (value) => value > 0 && value <= 10, "repeatPenalty", "above 0 and at most 10");
  rule(repeatLastN, (value) => Number.isInteger(value) && value >= -1, "repeatLastN", "a whole number, -1 for all");
  rule(frequencyPenalty, within, "frequencyPenalty", `between -${PENALTY_MOST} and ${PENALTY_MOST}`);
  rule(presencePenalty, within, "presencePenalty", `between -${PENALTY_MOST} and ${PENALTY_MOST}`);
  rule(logprobs, (value) => Number.isInteger(value) && value >= 0 && value <= LOGPROBS_MOST, "logprobs", `a whole number from 0 to ${LOGPROBS_MOST}`);
  return {
    ...(repeatPenalty === undefined ? {} : { repeatPenalty }),
    ...(frequencyPenalty === undefined ? {} : { frequencyPenalty }),
    ...(presencePenalty === undefined ? {} : { presencePenalty }),
    ...(logprobs === undefined ? {} : { logprobs }),
  };
}

/** The file's own settings (`general.sampling.*`), overridden by the request's. Throws `command/usage` for one out of its range. */
export function samplingOf(metadata: Readonly<Record<string, StoredValue>>, asked: Sampling = {}): SamplingSettings {
  const own = (key: string, fallback: number): number => {
    const value = metadata[`general.sampling.${key}`];
    return typeof value === "number" ? value : fallback;
  };
  const settings = {
    temperature: asked.temperature ?? own("temp", PLAIN_SAMPLING.temperature),
    topK: asked.topK ?? own("top_k", PLAIN_SAMPLING.topK),
    topP: asked.topP ?? own("top_p", PLAIN_SAMPLING.topP),
    minP: asked.minP ?? own("min_p", PLAIN_SAMPLING.minP),
  };
  checkSampling(settings);
  if (asked.seed !== undefined && !Number.isInteger(asked.seed)) throw new AppError("command/usage", "The sampling setting seed must be a whole number. Correct it and ask again.");
  return settings;
}

/** OpenAI's shape as ours. */
export function logprobsOf(found: readonly OpenAiLogprob[]): readonly TokenLogprobs[] {
  const named = ({ token, bytes, logprob }: { readonly token: string; readonly bytes: readonly number[] | null; readonly logprob: number }): Logprob => ({ token, bytes: bytes ?? [], logprob });
  return found.map(({ top_logprobs: top, ...chosen }) => ({ ...named(chosen), top: top.map(named) }));
}
