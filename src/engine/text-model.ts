// One TextModel for the agent over any InferenceApi: a worker's, or another tab's. Whatever happens on the other side, the
// stream ends: with `done`, or with a typed error.
import { AppError } from "../base/errors.ts";
import { fromWireError, toWireError, type WireError } from "../base/wire-error.ts";
import type { GenerateEvent, GenerateRequest, InferenceApi, TextModel } from "./api.ts";

/** What comes over a generation's port. */
export type PortMessage = GenerateEvent | { readonly type: "error"; readonly error: WireError };

/** Whether `data` is what may come over a generation's port. */
export function isPortMessage(data: unknown): data is PortMessage {
  if (typeof data !== "object" || data === null || !("type" in data)) return false;
  const message = data as Readonly<Record<string, unknown>>;
  const has = (key: string, type: string): boolean => typeof message[key] === type && message[key] !== null;
  if (message["type"] === "prefill") return has("doneTokens", "number") && has("totalTokens", "number");
  if (message["type"] === "notice") return has("notice", "string");
  if (message["type"] === "text") return has("text", "string") && has("stats", "object");
  if (message["type"] === "done") return has("text", "string") && has("reason", "string") && has("stats", "object");
  return message["type"] === "error" && has("error", "object");
}

export function senselessMessage(): AppError {
  return new AppError("engine/stopped", "The engine sent a message that makes no sense and was ended.");
}

/** `onBroken` hears of messages that no engine in its right mind sends. */
export function textModel(api: InferenceApi, contextLimit: () => number, onBroken: (error: AppError) => void = () => undefined): TextModel {
  return {
    complete: (request, signal) => complete(api, onBroken, request, signal),
    countTokens: (request) => api.countTokens(request),
    get contextLimit() {
      return contextLimit();
    },
  };
}

/** The second model of an engine, which answers beside the first. */
export function helperModel(api: InferenceApi, contextLimit: number): TextModel {
  const model = textModel(api, () => contextLimit);
  return {
    complete: (request, signal) => model.complete({ ...request, by: "helper" }, signal),
    countTokens: (request) => api.countTokens({ ...request, by: "helper" }),
    contextLimit,
  };
}

/** One generation as a stream. Leaving it early, or aborting the signal, stops this generation; the stream ends when it has stopped. */
async function* complete(api: InferenceApi, onBroken: (error: AppError) => void, request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent, void, void> {
  const { port1, port2 } = new MessageChannel();
  const waiting: unknown[] = [];
  let wake: () => void = () => {};
  const take = (message: unknown): void => {
    waiting.push(message);
    wake();
  };
  port1.onmessage = ({ data }: MessageEvent<unknown>) => take(data);
  const stop = (): void => port1.postMessage("stop");
  const finished = api.generate(request, port2).catch((error: unknown) => take({ type: "error", error: toWireError(error) }));
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  let over = false;
  try {
    while (!over) {
      if (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const message = waiting.shift();
      if (!isPortMessage(message)) {
        over = true;
        const error = senselessMessage();
        onBroken(error);
        throw error;
      }
      over = message.type === "done" || message.type === "error";
      if (message.type === "error") throw fromWireError(message.error);
      yield message;
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    if (!over) stop();
    await finished;
    port1.close();
  }
}
