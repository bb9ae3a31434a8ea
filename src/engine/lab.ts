// What the commands ask of the inference worker beyond the page's API: token ids in, ids and logits out.
import { transfer } from "comlink";
import type { GenerationStats, InferenceApi, Sampling } from "./api.ts";
import type { ModelStats } from "../model/qwen3-next.ts";
import { Inference } from "./inference.ts";

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

export interface LabApi extends InferenceApi {
  /** Ids of text in which the names of special tokens mean the tokens, as llama.cpp reads a prompt. */
  encodePrompt(text: string): Promise<readonly number[]>;
  /** Ids of a conversation of one user message, by the model's chat template. */
  encodeChat(message: string): Promise<readonly number[]>;
  /** Starts a new sequence; the logits after each id, `[ids, vocab]`. */
  evaluate(ids: readonly number[]): Promise<Float32Array>;
  generateIds(request: IdsRequest): Promise<IdsResult>;
  /** Counted since the model was loaded. */
  counters(): Promise<ModelStats>;
}

export class LabInference extends Inference implements LabApi {
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

  async counters(): Promise<ModelStats> {
    return this.moe().model.stats;
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
