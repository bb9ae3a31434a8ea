// Opens what long prompts need when the first one comes: compiling many kernels and allocating their buffers is not for those
// who never send one. Where there is no room even for the shortest chunks, prompts go token by token.
import { AppError } from "../base/errors.ts";
import type { Dispatch } from "../gpu/dispatch.ts";
import { ATTENTION_TILES_MOST_DIM, takesDeltaHeads } from "../kernels/index.ts";
import type { Parts } from "./layers.ts";
import { Prefill, type PrefillStats } from "./prefill.ts";
import { planPrefill, prefillFloats } from "./prefill-plan.ts";

const NOTHING: PrefillStats = { tokens: 0, dispatches: 0, readbacks: 0, chunks: 0, touchedBytes: 0 };

export interface LongPromptOptions {
  readonly budgetBytes: number;
  /** Of a chunk. */
  readonly mostTokens?: number | undefined;
  readonly least?: number | undefined;
}

/** Fewer tokens than these go one after the other: a chunk would be mostly empty. */
const LEAST = 16;
/**
 * The same where the adapter computes on the CPU. Compiling these kernels took a page 2.6 s of processor time, once; after it a token of
 * the bundled model took 7.5 ms of it, and 17 one after the other (SwiftShader in Chromium 143, a busy machine, 2026-11-27): a
 * conversation's first prompt, 440 tokens, earns it back. Not by whether experts are streamed or the kernels are there already, so
 * that the answer does not depend on it.
 */
const LEAST_SOFTWARE = 32;

export class LongPrompts {
  /** Prompts of fewer tokens are not for these kernels. */
  readonly least: number;
  readonly #parts: Parts;
  readonly #head: readonly Dispatch[];
  #budgetBytes: number;
  readonly #mostTokens: number | undefined;
  #opened: Prefill | undefined;

  constructor(parts: Parts, head: readonly Dispatch[], { budgetBytes, mostTokens, least }: LongPromptOptions) {
    this.least = least ?? (parts.gpu.report.software ? LEAST_SOFTWARE : LEAST);
    this.#parts = parts;
    this.#head = head;
    this.#budgetBytes = budgetBytes;
    this.#mostTokens = mostTokens;
  }

  get stats(): PrefillStats {
    return this.#opened?.stats ?? NOTHING;
  }

  /** Undefined where these kernels cannot run the model, or there is no memory for them. */
  async open(): Promise<Prefill | undefined> {
    const { gpu, plan, state } = this.#parts;
    const { attention, gdn } = plan.config;
    if (attention.headDim > ATTENTION_TILES_MOST_DIM || (gdn && !takesDeltaHeads(gdn.headDim, gdn.headDim))) return undefined;
    const { report } = gpu;
    for (; !this.#opened; this.#budgetBytes /= 2) {
      const room = { budgetBytes: this.#budgetBytes, maxBindingBytes: report.maxBindingBytes, contextTokens: state.contextTokens };
      const sizes = planPrefill(prefillFloats(plan), this.#mostTokens === undefined ? room : { ...room, mostTokens: this.#mostTokens });
      if (sizes.bytes > this.#budgetBytes) return undefined;
      try {
        this.#opened = await Prefill.open(this.#parts, this.#head, sizes);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== "gpu/memory") throw error;
      }
    }
    return this.#opened;
  }

  close(): void {
    this.#opened?.close();
  }
}
