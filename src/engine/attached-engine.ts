// A guest's side: the engine of another tab behind the same face as one's own. When its host is gone, or another takes its
// place, what waits fails with `engine/stopped`; none hangs.
import { AppError } from "../base/errors.ts";
import { fromWireError } from "../base/wire-error.ts";
import type { DeviceReport, DeviceSpeed, EngineDetails, InferenceApi, LoadedModel, LoadedPair, LoadProgress, ModelInfo, ModelNeeds, RemoteListing, TextModel, TokenProfile } from "./api.ts";
import type { Engine } from "./client.ts";
import { type CallName, EngineChannel, guestLock, type GuestMessage, HOST_KINDS, type HostMessage } from "./engine-channel.ts";
import type { EngineStatus } from "./steady-engine.ts";
import { textModel } from "./text-model.ts";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: AppError) => void;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Of a generation. */
  readonly port?: MessagePort;
}

const HELLO_MS = 1000;
/** Counted, not timed: a tab that slept has not waited. */
const UNANSWERED_HELLOS = 8;

/** Owns a channel and a lock until `close`. Calls made before a host answers wait for it. */
export class AttachedEngine implements Engine {
  readonly api: InferenceApi;
  readonly model: TextModel;
  readonly #channel: EngineChannel<GuestMessage, HostMessage>;
  readonly #onStatus: (status: EngineStatus) => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #closing = new AbortController();
  readonly #met: Promise<void>;
  #host = "";
  #status: EngineStatus | undefined;
  #calls = 0;
  #meet: () => void = () => undefined;

  constructor(self: string, onStatus: (status: EngineStatus) => void) {
    this.#onStatus = onStatus;
    this.#met = new Promise((resolve) => (this.#meet = resolve));
    this.#channel = new EngineChannel(self, HOST_KINDS, (message, from) => this.#hear(message, from));
    this.api = this.#makeApi();
    this.model = textModel(this.api, () => this.#status?.loaded?.contextLimit ?? 0);
    void this.#enter(self);
  }

  get status(): EngineStatus | undefined {
    return this.#status;
  }

  /** Everything that waits fails with `error`. */
  fail(error: AppError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  close(error = new AppError("aborted", "The engine was closed.")): void {
    this.fail(error);
    this.#closing.abort();
    this.#channel.close();
  }

  /** Takes the lock by which the host sees that this tab lives, then says hello until somebody answers. */
  async #enter(self: string): Promise<void> {
    const { signal } = this.#closing;
    await new Promise<void>((resolve) => {
      const left = new Promise<void>((leave) => signal.addEventListener("abort", () => leave(), { once: true }));
      void navigator.locks.request(guestLock(self), () => {
        resolve();
        return left;
      });
    });
    for (let hellos = 1; !this.#status && !signal.aborted; hellos++) {
      this.#channel.send({ type: "hello" });
      await Promise.race([this.#met, new Promise((resolve) => setTimeout(resolve, HELLO_MS))]);
      if (hellos >= UNANSWERED_HELLOS && !this.#status) {
        this.fail(new AppError("engine/stopped", "Another tab holds the engine and does not answer. Close or reload that tab; this one takes over by itself."));
      }
    }
  }

  #hear(message: HostMessage, from: string): void {
    if (message.type === "status") {
      if (this.#host !== "" && this.#host !== from) this.fail(hostGone());
      this.#host = from;
      this.#status = message.status;
      this.#meet();
      this.#onStatus(message.status);
      return;
    }
    if (from !== this.#host) return;
    if (message.type === "bye") return this.fail(hostGone());
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if (message.type === "progress") return waiting.onProgress?.(message.progress);
    if (message.type === "token") return waiting.port?.postMessage(message.message);
    this.#waiting.delete(message.id);
    if (message.type === "result") waiting.resolve(message.value);
    else waiting.reject(fromWireError(message.error));
  }

  /** Waits for a host if there is none yet. */
  #call<T>(call: CallName, args: readonly unknown[] = [], more: Pick<Waiting, "onProgress" | "port"> = {}): Promise<T> {
    const id = ++this.#calls;
    const { signal } = this.#closing;
    return new Promise<T>((resolve, reject) => {
      if (signal.aborted) return reject(hostGone());
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, ...more });
      if (more.port) more.port.onmessage = () => this.#channel.send({ type: "stop-call", id }, this.#host);
      void this.#met.then(() => {
        if (this.#waiting.has(id)) this.#channel.send({ type: "call", id, call, args }, this.#host);
      });
    });
  }

  #makeApi(): InferenceApi {
    return {
      device: () => this.#call<DeviceReport>("device"),
      models: () => this.#call<readonly ModelInfo[]>("models"),
      load: (model, options, onProgress) => this.#call<LoadedModel>("load", [model, options], { onProgress }),
      generate: (request, port) => this.#call<void>("generate", [request], { port }).finally(() => port.close()),
      countTokens: (request) => this.#call<number>("countTokens", [request]),
      help: (id, options) => this.#call<LoadedPair>("help", [id, options]),
      stop: (only) => this.#call<void>("stop", [only]),
      details: () => this.#call<EngineDetails>("details"),
      profile: () => this.#call<TokenProfile>("profile"),
      measure: () => this.#call<DeviceSpeed>("measure"),
      findModels: (address) => this.#call<RemoteListing>("findModels", [address]),
      inspect: (model) => this.#call<ModelNeeds>("inspect", [model]),
      download: (model) => this.#call<void>("download", [model]),
      steerDownload: (id, order) => this.#call<void>("steerDownload", [id, order]),
      remove: (id) => this.#call<number>("remove", [id]),
      unload: () => this.#call<void>("unload"),
    };
  }
}

/** What a guest's request ends with when its host is gone. */
export function hostGone(): AppError {
  return new AppError("engine/stopped", "The tab that ran the engine was closed; this one starts an engine of its own.");
}
