// What the commands ask of the inference worker beyond the page's API: token ids in, ids and logits out.
import { transfer } from "comlink";
import type { DownloadState, GenerationStats, InferenceApi, Sampling } from "./api.ts";
import { type Gpu, openGpu } from "../gpu/device.ts";
import type { ModelStats } from "../model/transformer.ts";
import { type BenchStore, StoreBench } from "./store-bench.ts";
import { Inference } from "./inference.ts";
import { measureStreaming, type StreamPhase, type StreamSpeed } from "./stream-speed.ts";

export interface IdsRequest {
  readonly ids: readonly number[];
  readonly maxTokens: number;
  readonly sampling: Sampling;
  readonly stop: readonly string[];
}

export interface IdsResult {
  /** The id that ended the turn included. */
  readonly ids: readonly number[];
  readonly text: string;
  readonly reason: "stop" | "length" | "aborted";
  readonly stats: GenerationStats;
}

export interface Routing {
  readonly experts: number;
  readonly topK: number;
  /** The experts that token after token took, layer by layer. */
  readonly layers: readonly (readonly (readonly number[])[])[];
}

export type StoreBenchStep =
  | { readonly step: "write"; readonly store: BenchStore; readonly records: number }
  | { readonly step: "read"; readonly store: BenchStore; readonly inFlight: number }
  | { readonly step: "end" };

export interface LabApi extends InferenceApi {
  /** Ids of text in which the names of special tokens mean the tokens, as llama.cpp reads a prompt. */
  encodePrompt(text: string): Promise<readonly number[]>;
  /** Ids of a conversation of one user message, by the model's chat template. */
  encodeChat(message: string): Promise<readonly number[]>;
  /** Starts a new sequence; the logits after each id, `[ids, vocab]`. */
  evaluate(ids: readonly number[]): Promise<Float32Array>;
  generateIds(request: IdsRequest): Promise<IdsResult>;
  /** The experts that each of these ids takes, as a new sequence. */
  routing(ids: readonly number[]): Promise<Routing>;
  /** As `generateIds`, with the GPU's time for each pass of it. */
  timedIds(request: IdsRequest): Promise<IdsResult & { readonly passMs: readonly number[] }>;
  /** Counted since the model was loaded. */
  counters(): Promise<ModelStats>;
  /** Takes up the downloads that were agreed to and tells of all from now on. */
  watchDownloads(onChange: (downloads: readonly DownloadState[]) => void): Promise<void>;
  /** Ends the device that the model is on, or is being loaded on, as a driver's reset would; and so many of the next, once their loading began. */
  loseGpu(next?: number): Promise<void>;
  /** One step of src/engine/store-bench.ts: bytes a second of a write or a read. */
  benchStores(step: StoreBenchStep): Promise<number>;
  /** Experts of the loaded model from its store into slots, or half the way alone; on a GPU device of its own. */
  streamSpeed(tokens: number, phase: StreamPhase): Promise<StreamSpeed>;
  /** Returns when the worker holds this Web Lock, which it keeps for as long as it lives. */
  hold(lock: string): Promise<void>;
}

export class LabInference extends Inference implements LabApi {
  #stores: StoreBench | undefined;

  async benchStores(step: StoreBenchStep): Promise<number> {
    if (step.step === "write") return (this.#stores ??= await StoreBench.open(step.records)).write(step.store);
    if (step.step === "read") return this.#stores?.read(step.store, step.inFlight) ?? 0;
    await this.#stores?.close();
    this.#stores = undefined;
    return 0;
  }

  #gpu: Gpu | undefined;
  #toLose = 0;

  async loseGpu(next = 0): Promise<void> {
    this.#toLose = next;
    this.#gpu?.device.destroy();
  }

  protected override opened(gpu: Gpu): void {
    this.#gpu = gpu;
    if (this.#toLose-- > 0) setTimeout(() => gpu.device.destroy());
  }

  async encodePrompt(text: string): Promise<readonly number[]> {
    return this.moe().tokenizer.encodePrompt(text);
  }

  async encodeChat(message: string): Promise<readonly number[]> {
    return this.moe().promptIds({ messages: [{ role: "user", content: message }] });
  }

  async evaluate(ids: readonly number[]): Promise<Float32Array> {
    const logits = await this.alone((signal) => this.moe().evaluate(ids, signal));
    return transfer(logits, [logits.buffer]);
  }

  routing(ids: readonly number[]): Promise<Routing> {
    return this.alone(async (signal) => {
      const { model } = this.moe();
      const { experts, topK } = model.config.moe;
      const recorded = model.recordRouting();
      try {
        await this.moe().evaluate(ids, signal);
      } finally {
        recorded();
      }
      return { experts, topK, layers: recorded() };
    });
  }

  async timedIds(request: IdsRequest): Promise<IdsResult & { readonly passMs: readonly number[] }> {
    const { model } = this.moe();
    model.startClock(request.maxTokens + 1);
    const result = await this.generateIds(request);
    return { ...result, passMs: await model.stopClock() };
  }

  async counters(): Promise<ModelStats> {
    return this.moe().model.stats;
  }

  streamSpeed(tokens: number, phase: StreamPhase): Promise<StreamSpeed> {
    return this.alone(async () => {
      const { experts } = this.storedModel();
      const gpu = await openGpu();
      try {
        return await measureStreaming(gpu, experts, this.moe().model.config.moe.topK, tokens, phase);
      } finally {
        gpu.close();
      }
    });
  }

  hold(lock: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const forLife = new Promise<never>(() => undefined);
      navigator.locks.request(lock, () => {
        resolve();
        return forLife;
      }).catch(reject);
    });
  }

  generateIds({ ids, ...request }: IdsRequest): Promise<IdsResult> {
    return this.alone(async (signal) => {
      let end: Omit<IdsResult, "ids"> | undefined;
      const generated = await this.moe().generateFrom(
        ids,
        request,
        (event) => {
          if (event.type === "done") end = { text: event.text, reason: event.reason, stats: event.stats };
        },
        signal,
      );
      return { ids: generated, ...end! };
    });
  }
}
