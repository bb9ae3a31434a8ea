// How much one request may use, in steps, time and tokens, and the words for each when it is used up.
import { LIMITS } from "../base/limits.ts";
import { formatMs } from "../base/units.ts";

export interface AgentLimits {
  /** Turns of the model. */
  readonly steps: number;
  readonly wallMs: number;
  /** Tokens the model writes, all turns together. */
  readonly tokens: number;
  /** Tokens in one turn. */
  readonly turnTokens: number;
}

export const DEFAULT_LIMITS: AgentLimits = {
  steps: LIMITS.agentSteps,
  wallMs: LIMITS.agentMs,
  tokens: LIMITS.agentSteps * LIMITS.turnTokens,
  turnTokens: LIMITS.turnTokens,
};

/** Fewer tokens than this left in the context hold no useful turn. */
export const LEAST_TURN_TOKENS = 64;

/** Time, so that tests need not wait for it. */
export interface Clock {
  /** Milliseconds from any origin. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
};

export interface Used {
  readonly steps: number;
  readonly wallMs: number;
  readonly tokens: number;
}

/** The sentence for the first limit that is reached, or undefined. */
export function usedUp(used: Used, limits: AgentLimits): string | undefined {
  if (used.steps >= limits.steps) return `Stopped after ${limits.steps} steps. Ask again to go on from here.`;
  if (used.wallMs >= limits.wallMs) return `Stopped after ${formatMs(limits.wallMs)}. Ask again to go on from here.`;
  if (used.tokens >= limits.tokens) return `Stopped after ${used.tokens} written tokens. Ask again to go on from here.`;
  return undefined;
}
