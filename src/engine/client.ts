// The page's side of the inference worker: calls through Comlink, tokens over a port of their own, and one TextModel
// for the agent. A worker that cannot start or dies fails every call that waits for it; none hangs.
import { proxy, type Remote, transfer, wrap } from "comlink";
import { AppError } from "../base/errors.ts";
import { fromWireError, installErrorWire, type WireError } from "../base/wire.ts";
import type { GenerateEvent, GenerateRequest, InferenceApi, TextModel } from "./api.ts";
import type { LabApi } from "./lab.ts";

export interface ConnectedEngine {
  readonly api: InferenceApi;
  /** The model that is loaded, for the agent. */
  readonly model: TextModel;
  /** For the commands. */
  readonly lab: LabApi;
  /** Ends the worker; whatever runs fails with `aborted`. */
  close(): void;
}

type PortMessage = GenerateEvent | { readonly type: "error"; readonly error: WireError };

export function connectEngine(worker: Worker = new Worker(new URL("../../workers/inference.ts", import.meta.url), { type: "module", name: "inference" })): ConnectedEngine {
  installErrorWire();
  const remote = wrap<LabApi>(worker);
  const { promise: dead, reject: die } = Promise.withResolvers<never>();
  dead.catch(() => undefined); // told to whoever waits; nobody may be waiting
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    die(new AppError("gpu/unavailable", `The engine stopped: ${event.message || "its worker could not be started"}. Reload the page.`));
  });
  let contextLimit = 0;
  const alive = <T>(call: Promise<T>): Promise<T> => Promise.race([call, dead]);
  const lab = labApi(remote, alive, (limit) => (contextLimit = limit));
  const model: TextModel = {
    complete: (request, signal) => complete(lab, alive, request, signal),
    countTokens: (request) => lab.countTokens(request),
    get contextLimit() {
      return contextLimit;
    },
  };
  return {
    api: lab,
    lab,
    model,
    close() {
      die(new AppError("aborted", "The engine was closed."));
      worker.terminate();
    },
  };
}

function labApi(remote: Remote<LabApi>, alive: <T>(call: Promise<T>) => Promise<T>, onLimit: (contextLimit: number) => void): LabApi {
  return {
    device: () => alive(remote.device()),
    models: () => alive(remote.models()),
    async load(model, options, onProgress) {
      const loaded = await alive(remote.load(model, options, proxy(onProgress)));
      onLimit(loaded.contextLimit);
      return loaded;
    },
    generate: (request, port) => alive(remote.generate(request, transfer(port, [port]))),
    countTokens: (request) => alive(remote.countTokens(request)),
    stop: () => alive(remote.stop()),
    remove: (id) => alive(remote.remove(id)),
    unload: () => alive(remote.unload()),
    encodePrompt: (text) => alive(remote.encodePrompt(text)),
    encodeChat: (message) => alive(remote.encodeChat(message)),
    evaluate: (ids) => alive(remote.evaluate(ids)),
    generateIds: (request) => alive(remote.generateIds(request)),
    counters: () => alive(remote.counters()),
  };
}

/** One generation as a stream. Leaving it early, or aborting the signal, stops the engine; the stream then ends when it is idle. */
async function* complete(api: InferenceApi, alive: <T>(call: Promise<T>) => Promise<T>, request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent, void, void> {
  const { port1, port2 } = new MessageChannel();
  const waiting: PortMessage[] = [];
  let wake: () => void = () => {};
  port1.onmessage = ({ data }: MessageEvent<PortMessage>) => {
    waiting.push(data);
    wake();
  };
  const stop = (): void => void api.stop().catch(() => undefined); // a dead worker is told through `finished`
  let over = false;
  const finished = api.generate(request, port2);
  finished.catch(() => undefined); // awaited below
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    while (!over) {
      const message = waiting.shift();
      if (!message) {
        const next = new Promise<void>((resolve) => (wake = resolve));
        if (waiting.length === 0) await alive(next);
        continue;
      }
      if (message.type === "error") {
        over = true;
        throw fromWireError(message.error);
      }
      over = message.type === "done";
      yield message;
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    if (!over) await api.stop();
    await finished;
    port1.close();
  }
}
