// The seam between the page and the inference worker: types only. Nothing else crosses.
// The agent depends on `TextModel` alone; src/engine/client.ts implements it over the worker.

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  /** For `assistant`: the raw text as the model wrote it, tool call included, so that the prompt stays append-only. */
  readonly content: string;
}

/** A tool as the chat template sees it: JSON-schema parameters, OpenAI shape without the wrapper. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly parameters: {
    readonly type: "object";
    readonly properties: Readonly<Record<string, { readonly type: string; readonly description: string }>>;
    readonly required: readonly string[];
  };
}

/** Absent fields take the model's own defaults (GGUF `general.sampling.*`), else temperature 1, topP 1, no topK, no minP. */
export interface Sampling {
  /** 0 is greedy. */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly seed?: number;
}

export interface GenerateRequest {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ToolSpec[];
  readonly sampling?: Sampling;
  readonly maxTokens: number;
  /** Generation ends before any of these strings; the string itself is not part of the text. */
  readonly stop?: readonly string[];
}

export interface GenerationStats {
  readonly promptTokens: number;
  /** Prompt tokens whose KV cache and recurrent state were kept from the turn before. */
  readonly reusedTokens: number;
  readonly completionTokens: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  /** From the request to the first token. */
  readonly firstTokenMs: number;
  /** Expert uses found in a slot, and all expert uses; 0 of 0 for a model that streams nothing. */
  readonly expertHits: number;
  readonly expertUses: number;
  /** Bytes read from the store for experts. */
  readonly streamedBytes: number;
  readonly contextTokens: number;
  readonly contextLimit: number;
}

export type GenerateEvent =
  | { readonly type: "prefill"; readonly doneTokens: number; readonly totalTokens: number }
  /** Decoded text since the last event; never ends inside a UTF-8 character. */
  | { readonly type: "text"; readonly text: string; readonly stats: GenerationStats }
  | { readonly type: "done"; readonly reason: "stop" | "length" | "aborted"; readonly text: string; readonly stats: GenerationStats };

/** What the agent needs of a model. Aborting the signal ends the stream with `done: aborted`, partial text kept. */
export interface TextModel {
  complete(request: GenerateRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent>;
  /** Tokens the rendered request would take, for budgets. */
  countTokens(request: Pick<GenerateRequest, "messages" | "tools">): Promise<number>;
  readonly contextLimit: number;
}

export interface ModelInfo {
  readonly id: string;
  readonly name: string;
  /** `moe`: our streaming pipeline. `webllm`: one of WebLLM's prebuilt models. */
  readonly kind: "moe" | "webllm";
  /** Bytes to store; undefined where the publisher does not say. */
  readonly bytes?: number;
  /** Where the file comes from; `bundled` ones are part of this site. */
  readonly source: "bundled" | "file" | "remote";
  readonly note: string;
}

export interface LoadProgress {
  readonly phase: "download" | "read" | "import" | "verify" | "upload" | "compile" | "ready";
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly text: string;
}

export interface LoadOptions {
  /** GPU memory for expert slots, in MB (1e6 bytes). Absent: as many as the device allows. */
  readonly expertMb?: number;
  /** Longest context in tokens. Absent: what the model says, capped by memory. */
  readonly contextTokens?: number;
}

export interface LoadedModel {
  readonly id: string;
  readonly contextLimit: number;
  readonly expertSlots: number;
  readonly expertCount: number;
  readonly gpuBytes: number;
}

export interface DeviceReport {
  readonly webgpu: boolean;
  readonly adapter: string;
  readonly features: readonly string[];
  readonly maxBufferBytes: number;
  readonly maxBindingBytes: number;
  readonly storageUsedBytes: number;
  readonly storageQuotaBytes: number;
  /** Why the engine cannot run here; absent when it can. */
  readonly problem?: string;
}

export interface InferenceApi {
  device(): Promise<DeviceReport>;
  models(): Promise<readonly ModelInfo[]>;
  /** Imports first if needed. A `File` is the user's own GGUF, a string the id of a model in `models()`. */
  load(model: string | File, options: LoadOptions, onProgress: (progress: LoadProgress) => void): Promise<LoadedModel>;
  /** Events arrive on `port` as `GenerateEvent`s, or `{ type: "error", error: WireError }`; the port is then closed. */
  generate(request: GenerateRequest, port: MessagePort): Promise<void>;
  countTokens(request: Pick<GenerateRequest, "messages" | "tools">): Promise<number>;
  /** Ends a running load or generation; returns when the engine is idle. */
  stop(): Promise<void>;
  /** Deletes a stored model; returns the bytes freed. */
  remove(modelId: string): Promise<number>;
  unload(): Promise<void>;
}
