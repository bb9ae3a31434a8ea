// The seam between the page and the inference worker: types only. Nothing else crosses.
// The agent depends on `TextModel` alone; src/engine/client.ts implements it over the worker.
import type { ErrorCode } from "../base/errors.ts";
import type { RemoteFile } from "../download/range-request.ts";
import type { GpuReport } from "../gpu/adapter.ts";
import type { MemoryByKind } from "../gpu/memory.ts";
import type { MemoryLines } from "../model/memory-plan.ts";
import type { TokenProfile } from "../model/profile.ts";
import type { ExpertStore } from "../storage/expert-store.ts";
import type { StoreChoice } from "../storage/store-choice.ts";

export type { StoreChoice } from "../storage/store-choice.ts";
export type { LayerTime, TokenProfile } from "../model/profile.ts";

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

/** Absent fields take the model's own defaults (GGUF `general.sampling.*`), else temperature 1, topP 1, no topK, no minP, no penalties. */
export interface Sampling {
  /** 0 is greedy. */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  /** llama.cpp's: above 1 makes the last `repeatLastN` tokens of prompt and answer less likely (default 64; -1 is all). */
  readonly repeatPenalty?: number;
  readonly repeatLastN?: number;
  /** OpenAI's, between -2 and 2: per time the answer has a token, and once it has. */
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly seed?: number;
}

export interface GenerateRequest {
  /** Which of two loaded models answers; absent: the one that `load` loaded. */
  readonly by?: "helper";
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ToolSpec[];
  readonly sampling?: Sampling;
  readonly maxTokens: number;
  /** Generation ends before any of these strings; the string itself is not part of the text. */
  readonly stop?: readonly string[];
  /** Name of the chat: what the model holds of it is kept in storage, so that a reload need not compute it again. */
  readonly keep?: string;
  /** Holds tool calls to their form: names of tools and parameters that exist, required ones present. Default true, where there are tools. */
  readonly constrainCalls?: boolean;
  /** Where the answer leaves the one that would come without it. WebLLM's models cannot be told: they are drawn more freely instead. */
  readonly forks?: readonly Fork[];
  /** Tells how probable each token was, and so many of the most probable beside it (0 to 5, as WebLLM allows). */
  readonly logprobs?: number;
}

/** At this token of the answer, counted from 0, not what would be chosen but the choice of this rank: 2 is the next best that may come. */
export interface Fork {
  readonly at: number;
  readonly rank: number;
}

/** Natural logarithm of a probability, as the model has it before any sampling setting. */
export interface Logprob {
  /** What the token adds to the text; U+FFFD where it is a part of a character. Empty for control tokens. */
  readonly token: string;
  readonly bytes: readonly number[];
  readonly logprob: number;
}

export interface TokenLogprobs extends Logprob {
  /** The most probable tokens, best first. */
  readonly top: readonly Logprob[];
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

/**
 * What delays an answer: the GPU takes very long for one step (`gpu-slow`), or was lost, and the model is loaded again before
 * the answer goes on where it stopped (`gpu-lost`), which takes long where the browser holds the GPU back (`gpu-blocked`). Or what it does without: the grammar of tool calls (`no-grammar`).
 */
export type EngineNotice = "gpu-slow" | "gpu-lost" | "gpu-blocked" | "no-grammar";

export type GenerateEvent =
  /** Nothing to act on; what follows is as if it had not been. */
  | { readonly type: "notice"; readonly notice: EngineNotice }
  | { readonly type: "prefill"; readonly doneTokens: number; readonly totalTokens: number }
  /** Decoded text since the last event; never ends inside a UTF-8 character. */
  | { readonly type: "text"; readonly text: string; readonly stats: GenerationStats }
  /** `logprobs`: of every generated token in order, the one that ended the turn included; only where they were asked for. */
  | { readonly type: "done"; readonly reason: "stop" | "length" | "aborted"; readonly text: string; readonly stats: GenerationStats; readonly logprobs?: readonly TokenLogprobs[] };

/** What the agent needs of a model. Aborting the signal ends the stream with `done: aborted`, partial text kept. */
export interface TextModel {
  complete(request: GenerateRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent>;
  /** Tokens the rendered request would take, for budgets. */
  countTokens(request: Pick<GenerateRequest, "messages" | "tools">): Promise<number>;
  readonly contextLimit: number;
}

/** A model that can be chosen. */
export interface ModelInfo {
  readonly id: string;
  readonly name: string;
  /** `moe`: our streaming pipeline. `webllm`: one of WebLLM's prebuilt models. */
  readonly kind: "moe" | "webllm";
  /** Bytes to store; undefined where the publisher does not say. */
  readonly bytes?: number;
  /**
   * Where it is: part of this site, stored in this browser, or fetched by WebLLM. An `offer` can be downloaded, and its
   * numbers are estimates (src/engine/offers.ts).
   */
  readonly source: "bundled" | "file" | "remote" | "offer";
  readonly note: string;
  /** Of an offer: main memory from which it is recommended. */
  readonly memoryGb?: number;
  /** What it takes of the device. Absent where that is known only after its file was read. */
  readonly needs?: ModelNeeds;
}

export interface ModelNeeds {
  /** GPU memory with everything in it: the most it can use. */
  readonly gpuBytes: number;
  /** GPU memory below which it does not run: all but the experts, and those of one layer of one token. */
  readonly leastGpuBytes: number;
  /** The largest buffer that a kernel must see as a whole; 0 where it is not told. */
  readonly bindingBytes: number;
  /** Weights that a token reads: always the same ones, and those of its experts, which may come from storage. */
  readonly perToken?: { readonly denseBytes: number; readonly expertBytes: number };
}

export interface LoadProgress {
  readonly phase: "download" | "read" | "import" | "verify" | "upload" | "compile" | "ready";
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly text: string;
}

export interface LoadOptions {
  /** GPU memory in all, in MB (1e6 bytes), at most. Absent: what is guessed of the device, or what the model needs at least. */
  readonly gpuMb?: number;
  /** Of it, what another model has, in MB. */
  readonly reservedMb?: number;
  /** Of it for expert slots, in MB, at most. Absent: what is left. */
  readonly expertMb?: number;
  /** Longest context in tokens. Absent: what the model says, capped by memory. */
  readonly contextTokens?: number;
  /** Where its weights are put, if they must be put anywhere; absent: as is set for this browser. Another than a stored file's own moves it. */
  readonly store?: StoreChoice;
}

/** One budget of GPU memory, divided; bytes. The snapshots and the prompt's part are taken when they are needed. */
export interface MemoryPlanned {
  readonly lines: MemoryLines;
  readonly totalBytes: number;
  /** The smallest total with this context. */
  readonly leastBytes: number;
}

export interface LoadedModel {
  readonly id: string;
  readonly contextLimit: number;
  readonly expertSlots: number;
  readonly expertCount: number;
  readonly gpuBytes: number;
  /** How it was planned. Absent for a model that does not tell. */
  readonly plan?: MemoryPlanned;
  /** The same by what it is spent on, at the end of loading; all 0 for a model that does not tell. */
  readonly memory: MemoryByKind;
  /** Where its weights are; absent for a model that is not ours. */
  readonly store?: ExpertStore["kind"];
}

/** The small model, where one was asked for, and the large one where it was loaded again for it. */
export interface LoadedPair {
  readonly helper?: LoadedModel;
  readonly model?: LoadedModel;
}

/** The device as the engine finds it. */
export interface DeviceReport extends GpuReport {
  readonly webgpu: boolean;
  /** 16-bit numbers in shaders: half the traffic where kernels use them. */
  readonly f16: boolean;
  readonly subgroups: boolean;
  /** The GPU's own clock can be read. */
  readonly timestamps: boolean;
  /** Main memory as the browser tells it: rounded, and capped (Chrome: 32). Absent where it does not tell. */
  readonly memoryGb?: number;
  readonly cores: number;
  readonly storageUsedBytes: number;
  /** What the browser says it allows. Chrome says usage + 10 GiB at most, whatever the disk has: never refuse a model by it. */
  readonly storageQuotaBytes: number;
  /** The browser has promised not to clear this site's data by itself. */
  readonly persisted: boolean;
  /** Why the engine cannot run here; absent when it can. */
  readonly problem?: string;
}

/** One layer's experts, as LayerResidents of src/experts/cache.ts. */
export interface CacheLayer {
  /** 1 where the expert lies in GPU memory: `[experts]`. */
  readonly resident: Uint8Array;
  /** How often each was used since the model was loaded: `[experts]`. */
  readonly uses: Uint32Array;
  readonly hits: number;
  readonly misses: number;
}

/** A model on the user's disk: its file, or all parts of a split one. */
export type ModelFiles = File | readonly File[];

/** A model that can be had from a server: one file, or all parts of a split one. */
export interface RemoteModel {
  /** What it is called in the catalogue once it is here. */
  readonly id: string;
  readonly name: string;
  /** As in the file's name: "Q4_K_M"; empty where it says none. */
  readonly quantisation: string;
  /** In order. Where each has a sha256, the whole is checked against them. */
  readonly files: readonly RemoteFile[];
  readonly bytes: number;
}

/** What is at an address. */
export interface RemoteListing {
  /** The server's host. */
  readonly place: string;
  readonly title: string;
  /** Of a repository: the files are those of this commit. */
  readonly commit?: string;
  /** Smallest first. */
  readonly models: readonly RemoteModel[];
  /** The one that the address names. */
  readonly chosen?: string;
}

/** A download: one that runs, waits, or has just ended. */
export interface DownloadState {
  readonly model: Pick<RemoteModel, "id" | "name" | "bytes">;
  /** `checking`: it was not what was published, and is compared again. `retrying`: the connection or the server fails just now. `full`: the storage is; `neededBytes` says what is missing. */
  readonly phase: "running" | "checking" | "retrying" | "offline" | "paused" | "full" | "failed" | "done";
  /** Of the model's bytes, what is stored or about to be. */
  readonly doneBytes: number;
  /** Came over the network since the engine was started: what a speed is made of. */
  readonly receivedBytes: number;
  readonly neededBytes?: number;
  /** Why it has `failed`. */
  readonly problem?: { readonly code: ErrorCode; readonly message: string };
}

/** What can be done to a download. `keep` and `delete` end it; `dismiss` forgets one that is done. */
export type DownloadOrder = "pause" | "resume" | "keep" | "delete" | "dismiss";

/** What the engine is made of at this moment. Nothing of the conversation or the project is in it. */
export interface EngineDetails {
  readonly modelId: string;
  /** `none`: no model is loaded. A `webllm` model streams nothing and tells nothing of its memory. */
  readonly kind: ModelInfo["kind"] | "none";
  /** GPU bytes by what they are spent on. */
  readonly memory: MemoryByKind;
  readonly contextTokens: number;
  readonly contextLimit: number;
  /** Since the model was loaded. */
  readonly tokens: number;
  readonly expertSlots: number;
  readonly cache: readonly CacheLayer[];
  /** The last failures, newest last. */
  readonly errors: readonly EngineFault[];
}

/** A failure as the details panel lists it. */
export interface EngineFault {
  readonly code: ErrorCode;
  readonly message: string;
  /** ms since 1970. */
  readonly at: number;
}

/** What this device was seen to do; bytes a second. */
export interface DeviceSpeed {
  /** Records of the size of a large model's experts from the browser's storage, in random order. */
  readonly readPerSecond: number;
  /** From JavaScript into GPU memory. */
  readonly uploadPerSecond: number;
  /** Read and written by the GPU in its own memory. */
  readonly gpuPerSecond: number;
  /** ms since 1970. */
  readonly measuredAt: number;
}

export interface InferenceApi {
  device(): Promise<DeviceReport>;
  models(): Promise<readonly ModelInfo[]>;
  /** Imports first if needed. `ModelFiles` are the user's own, a string is the id of a model in `models()`. */
  load(model: string | ModelFiles, options: LoadOptions, onProgress: (progress: LoadProgress) => void): Promise<LoadedModel>;
  /**
   * Events arrive on `port` as `GenerateEvent`s, or `{ type: "error", error: WireError }`; the port is then closed.
   * Any message sent to the port stops this generation and no other, also while it waits.
   */
  generate(request: GenerateRequest, port: MessagePort): Promise<void>;
  countTokens(request: Pick<GenerateRequest, "messages" | "tools" | "by">): Promise<number>;
  /**
   * Loads a second, small model beside the first, in the same budget of GPU memory (`gpuMb` of the options is that of both); the
   * first is loaded again with less where it must be. Undefined unloads it. It answers requests that say `by: "helper"`.
   */
  help(modelId: string | undefined, options: LoadOptions): Promise<LoadedPair>;
  /** Ends what runs and what waits, or with `loads` only loading; returns when the engine is idle. */
  stop(only?: "loads"): Promise<void>;
  details(): Promise<EngineDetails>;
  /** Times one token layer by layer; waits for what runs. Throws `model/unsupported` for a model that is not ours. */
  profile(): Promise<TokenProfile>;
  /** Takes about two seconds and 64 MB of storage for as long; waits for what runs. */
  measure(): Promise<DeviceSpeed>;
  /** What is at an address; asks its server. Throws `download/address` or `download/failed`. */
  findModels(address: string): Promise<RemoteListing>;
  /** What a model takes of the device, from its header alone. Throws `model/…` where it cannot run at all, `download/…`. */
  inspect(model: RemoteModel): Promise<ModelNeeds>;
  /** Begins or continues, and returns at once; the status tells how far it is (src/engine/downloads.ts). */
  download(model: RemoteModel): Promise<void>;
  /** Nothing where there is no such download. */
  steerDownload(id: string, order: DownloadOrder): Promise<void>;
  /** Deletes a stored model; returns the bytes freed. */
  remove(modelId: string): Promise<number>;
  unload(): Promise<void>;
}
