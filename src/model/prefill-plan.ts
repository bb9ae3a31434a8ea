// How long a prompt's chunks are, and how a chunk's experts are taken: pure functions of bytes and counts.
// A chunk goes through a layer as a whole, so that each expert is read once for all its tokens; what it needs besides is kept
// small by taking the layer's other work in segments and its experts in batches of (token, expert) pairs.
import { DELTA_MATS } from "../kernels/index.ts";
import { type ModelPlan, mixerInputs } from "./weights.ts";

export interface PrefillSizes {
  /** Tokens that go through a layer together at most. */
  readonly tokens: number;
  /** Tokens of one submission of mixer and shared expert at most. */
  readonly segment: number;
  /** Pairs of one submission of routed experts at most; 0 in a dense model. */
  readonly pairs: number;
  /** Bytes of all buffers. */
  readonly bytes: number;
}

/** Numbers that one token or pair takes of each kind of buffer. */
export interface PrefillFloats {
  readonly chunk: number;
  readonly segment: number;
  readonly pair: number;
  /** Of the widest buffer that is as long as a chunk. */
  readonly widest: number;
}

/** Long enough that an 80 B model's experts are read in a few seconds' worth of computing them. */
const MOST_TOKENS = 8192;
const SEGMENTS = [512, 256, 128, 64] as const;
const PAIRS_PER_TOKEN = 8;
/** Tokens are counted by as many: a chunk of the delta rule. */
const STEP = 64;

export function prefillFloats({ config, layers }: ModelPlan): PrefillFloats {
  const { hidden, moe, attention, gdn } = config;
  const largest = (count: (layer: (typeof layers)[number]) => number): number => Math.max(...layers.map(count));
  const proj = largest(({ mixer }) => mixerInputs(mixer).reduce((sum, { rows }) => sum + rows, 0));
  const mixed = largest(({ mixer }) => mixer.out.columns);
  const delta = gdn ? (2 * gdn.keyHeads + gdn.valueHeads) * gdn.headDim + 2 * gdn.valueHeads + (DELTA_MATS / STEP) * gdn.valueHeads : 0;
  const routed = moe.experts > 0 ? moe.experts + 1 + 4 * (moe.topK + 1) : 0;
  return {
    chunk: 2 * hidden + routed + 1,
    segment: proj + mixed + delta + attention.rotaryDim + 2 * moe.sharedWidth,
    pair: moe.experts > 0 ? 2 * moe.width + hidden + 2 + 1 + 4 + 4 : 0,
    widest: Math.max(hidden, moe.experts + 1),
  };
}

export interface PrefillRoom {
  readonly budgetBytes: number;
  readonly maxBindingBytes: number;
  readonly contextTokens: number;
  /** Absent: as many as there is room for. */
  readonly mostTokens?: number;
}

/** The longest chunk that the budget allows, with the longest segments that leave it at least as long as one. */
export function planPrefill(floats: PrefillFloats, room: PrefillRoom): PrefillSizes {
  const most = Math.min(room.mostTokens ?? MOST_TOKENS, room.contextTokens, Math.floor(room.maxBindingBytes / (4 * floats.widest)));
  const sizes = SEGMENTS.map((asked): PrefillSizes => {
    const segment = Math.min(asked, most);
    const pairs = floats.pair > 0 ? segment * PAIRS_PER_TOKEN : 0;
    // A chunk of the delta rule takes its matrices whole.
    const fixed = 4 * (Math.max(STEP, segment) * floats.segment + pairs * floats.pair);
    const tokens = Math.floor((room.budgetBytes - fixed) / (4 * floats.chunk) / STEP) * STEP;
    const fitting = Math.min(most, Math.max(segment, tokens));
    return { tokens: fitting, segment, pairs, bytes: fixed + 4 * fitting * floats.chunk };
  });
  return sizes.find(({ bytes }) => bytes <= room.budgetBytes) ?? sizes.at(-1)!;
}

/** Tokens to take next. A rest too short to be worth a chunk of its own goes with the last one, if that has room. */
export function nextChunk(left: number, asked: number, sizes: PrefillSizes): number {
  if (left <= asked) return left;
  const chunk = asked > STEP ? Math.floor(asked / STEP) * STEP : asked;
  return left - chunk < STEP / 4 && left <= sizes.tokens ? left : chunk;
}
