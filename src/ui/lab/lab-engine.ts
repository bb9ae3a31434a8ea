// The engine's part of the lab: a worker of its own, token ids in, ids and logits out. `npm run infer` drives it.
import { toWireError, type WireError } from "../../base/wire-error.ts";
import { AppError } from "../../base/errors.ts";
import type { GenerationStats, LoadedModel, LoadOptions, LoadProgress, Sampling } from "../../engine/api.ts";
import { type ConnectedEngine, connectEngine } from "../../engine/client.ts";

export interface InferRequest {
  /** Exactly one of the three: ids; text in which special tokens count; one user message for the chat template. */
  readonly tokens?: readonly number[];
  readonly prompt?: string;
  readonly chat?: string;
  readonly generate: number;
  readonly sampling: Sampling;
  readonly stop: readonly string[];
  readonly options: LoadOptions;
  /** Compute the logits after every prompt token and keep them for `logitRows`. */
  readonly logits: boolean;
}

export interface InferResult {
  readonly model: LoadedModel;
  readonly loadMs: number;
  readonly promptTokens: readonly number[];
  /** Generated; the one that ended the text included. */
  readonly tokens: readonly number[];
  readonly text: string;
  readonly reason: "stop" | "length" | "aborted" | "none";
  readonly stats: GenerationStats | undefined;
  /** Of the logits, when asked for. */
  readonly vocab: number;
  readonly logitsMs: number;
}

export interface EngineLab {
  /** The model file of the hidden `<input id="tabwright-lab-file">`; commands put it there. */
  modelFile(): File;
  /** A worker of the lab's own; the session's stays untouched. */
  connect(): ConnectedEngine;
  /** Loads the model file and runs. Never rejects: an error comes back as data, its code kept. */
  infer(request: InferRequest, onProgress: (progress: LoadProgress) => void): Promise<InferResult | { readonly error: WireError }>;
  /** Float32 rows of the last `infer`'s logits, as base64. */
  logitRows(from: number, to: number): string;
}

const FILE_INPUT = "tabwright-lab-file";
let engine: ConnectedEngine | undefined;
let logits = new Float32Array();
let vocab = 0;

function fileInput(): HTMLInputElement {
  const known = document.getElementById(FILE_INPUT);
  if (known instanceof HTMLInputElement) return known;
  const input = document.createElement("input");
  input.type = "file";
  input.id = FILE_INPUT;
  input.hidden = true;
  document.body.append(input);
  return input;
}

function modelFile(): File {
  const file = fileInput().files?.[0];
  if (file) return file;
  throw new AppError("command/usage", `No model file was put into #${FILE_INPUT}.`);
}

function connect(): ConnectedEngine {
  engine ??= connectEngine();
  return engine;
}

async function run(request: InferRequest, onProgress: (progress: LoadProgress) => void): Promise<InferResult> {
  const { lab } = connect();
  const started = performance.now();
  const model = await lab.load(modelFile(), request.options, onProgress);
  const loadMs = performance.now() - started;
  const { tokens, prompt, chat } = request;
  const ids = tokens ?? (prompt === undefined ? await lab.encodeChat(chat ?? "") : await lab.encodePrompt(prompt));
  let logitsMs = 0;
  if (request.logits) {
    const before = performance.now();
    logits = new Float32Array(await lab.evaluate(ids));
    vocab = logits.length / ids.length;
    logitsMs = performance.now() - before;
  }
  const base = { model, loadMs, promptTokens: ids, vocab, logitsMs };
  if (request.generate === 0) return { ...base, tokens: [], text: "", reason: "none", stats: undefined };
  const { ids: generated, ...rest } = await lab.generateIds({ ids, maxTokens: request.generate, sampling: request.sampling, stop: request.stop });
  return { ...base, ...rest, tokens: generated };
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** Makes the file input, so that a command finds it. */
export function engineLab(): EngineLab {
  fileInput();
  return {
    modelFile,
    connect,
    infer: (request, onProgress) => run(request, onProgress).catch((error: unknown) => ({ error: toWireError(error) })),
    logitRows: (from, to) => toBase64(new Uint8Array(logits.buffer, from * vocab * 4, (to - from) * vocab * 4)),
  };
}
