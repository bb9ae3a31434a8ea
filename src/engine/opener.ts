// Opens a device and loads a stored model on it, as often as it takes: a device that is lost is asked for anew, up to a number
// of losses in a row. A loss stays in the count until an answer was completed.
import { AppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { defaultGpuBytes } from "../gpu/budget.ts";
import { awaitAdapter, requestAdapter } from "../gpu/adapter.ts";
import { type Gpu, openGpu } from "../gpu/device.ts";
import { type ModelProgress, Transformer } from "../model/transformer.ts";
import type { StoredModel } from "../storage/stored-model.ts";
import type { LoadOptions } from "./api.ts";
import { type ExpertUses, keepUses, loadUses, usesTogether } from "./expert-uses.ts";
import type { RunningModel } from "./hosted-model.ts";

export interface OpenerHooks {
  /** Hears of every device that is opened, before anything is put on it. */
  readonly onGpu: (gpu: Gpu) => void;
  /** A device was lost before, in this worker: the browser may hold the next one back for a while. */
  readonly wasLost: () => boolean;
}

/** One for each model that is loaded. */
export class ModelOpener {
  readonly #stored: StoredModel;
  readonly #options: LoadOptions;
  readonly #hooks: OpenerHooks;
  #losses = 0;
  /** Of the experts: in earlier visits, and the model that counts them now. */
  #usesBefore: ExpertUses | undefined;
  #model: Transformer | undefined;
  /** GPU memory with half the experts, once the plan is known; 0 where nothing smaller runs. */
  #smallerBytes: number | undefined;

  constructor(stored: StoredModel, options: LoadOptions, hooks: OpenerHooks) {
    this.#stored = stored;
    this.#options = options;
    this.#hooks = hooks;
  }

  /** An answer was completed: earlier losses no longer count. */
  completed(): void {
    this.#losses = 0;
    const model = this.#model;
    if (!model || model.holdsAll) return;
    void keepUses(this.#stored.id, usesTogether(this.#usesBefore, model.residents().map(({ uses }) => uses)));
  }

  /**
   * `after`: the loss that made it necessary. `onWait`: the browser holds the GPU back, and is waited for. Throws `gpu/lost` when it
   * is one loss too many, with a smaller plan in its data, and when no GPU comes back.
   */
  async open(onProgress: (progress: ModelProgress) => void, onWait: () => void, signal?: AbortSignal, after?: AppError): Promise<RunningModel> {
    if (after) this.#count(after);
    for (;;) {
      const gpu = await openGpu(this.#hooks.wasLost() ? awaitAdapter(onWait, signal) : requestAdapter());
      this.#hooks.onGpu(gpu);
      try {
        return { gpu, model: await this.#load(gpu, onProgress, signal) };
      } catch (thrown) {
        const error = signal?.aborted ? thrown : await gpu.health.cause(thrown);
        gpu.close();
        if (!(error instanceof AppError) || error.code !== "gpu/lost") throw error;
        this.#count(error);
      }
    }
  }

  async #load(gpu: Gpu, onProgress: (progress: ModelProgress) => void, signal?: AbortSignal): Promise<Transformer> {
    const { deviceMemory } = navigator as { readonly deviceMemory?: number };
    const { gpuMb, reservedMb = 0, expertMb, contextTokens } = this.#options;
    const reserved = reservedMb * 1e6;
    this.#usesBefore ??= await loadUses(this.#stored.id);
    const options = {
      ...(this.#usesBefore ? { expertUses: this.#usesBefore } : {}),
      defaultGpuBytes: Math.max(0, defaultGpuBytes(gpu.report, deviceMemory) - reserved),
      ...(gpuMb === undefined ? {} : { gpuBudgetBytes: Math.max(0, gpuMb * 1e6 - reserved) }),
      ...(expertMb === undefined ? {} : { expertBudgetBytes: expertMb * 1e6 }),
      ...(contextTokens === undefined ? {} : { contextTokens }),
    };
    this.#smallerBytes ??= (options.gpuBudgetBytes ?? options.defaultGpuBytes) / 2;
    const model = await Transformer.load(gpu, this.#stored, options, onProgress, signal ? AbortSignal.any([signal, gpu.health.lost]) : gpu.health.lost);
    gpu.check();
    this.#model = model;
    const { lines, totalBytes, leastBytes } = model.memory;
    const smaller = Math.max(leastBytes, totalBytes - lines.experts / 2);
    this.#smallerBytes = smaller < totalBytes ? smaller : 0;
    return model;
  }

  #count(lost: AppError): void {
    if (++this.#losses < LIMITS.gpuLosses) return;
    const smallerMb = Math.ceil((this.#smallerBytes ?? 0) / 1e6);
    throw new AppError("gpu/lost", `${lost.message.replace(/\.$/, "")}, ${this.#losses} times in a row. It may have too little memory for the model and everything else that uses it.`, {
      data: { losses: this.#losses, ...(smallerMb > 0 ? { smallerMb } : {}) },
      cause: lost,
    });
  }
}
