// The page's end of the engine: joins the one that all tabs of this browser share, or starts it, loads models, and tells the
// session how far it is. Nothing of the engine is fetched before `start`.
import { AppError } from "../../base/errors.ts";
import type { DownloadState, GenerateEvent, InferenceApi, LoadOptions, ModelFiles, ModelInfo, TextModel } from "../../engine/api.ts";
import type { ConnectedEngine } from "../../engine/client.ts";
import type { SharedEngine, SharedStatus } from "../../engine/shared-engine.ts";
import type { EngineLink } from "./core.ts";
import type { EngineState } from "./session-state.ts";

type Tell = (engine: EngineState, models: readonly ModelInfo[]) => void;

/** A rate over fewer tokens says little. */
const RATE_TOKENS = 16;

export class WorkerEngine implements EngineLink {
  #shared: SharedEngine | undefined;
  #state: EngineState = { phase: "starting", modelId: "" };
  #models: readonly ModelInfo[] = [];
  #downloads: readonly DownloadState[] = [];
  #tell: Tell = () => undefined;
  /** By the model that is loaded, since the page was opened. */
  #written = { modelId: "", tokens: 0, ms: 0 };
  readonly #options: { readonly connect?: () => ConnectedEngine; readonly downloads?: boolean };

  /**
   * `connect` starts the worker where it is not simply one of this page (src/ui/widget/engine-storage.ts). `downloads`: false
   * for a frame that reaches no other site and shows none.
   */
  constructor(options: { readonly connect?: () => ConnectedEngine; readonly downloads?: boolean } = {}) {
    this.#options = options;
  }

  get model(): TextModel {
    const { model } = this.#need();
    return {
      complete: (request, signal) => this.#watched(model.complete(request, signal)),
      countTokens: (request) => model.countTokens(request),
      get contextLimit() {
        return model.contextLimit;
      },
    };
  }

  get api(): InferenceApi {
    return this.#need().api;
  }

  /** Loads the first model of the list, which is the bundled one; a guest takes what its host has loaded. */
  async start(tell: Tell, model?: string | ModelFiles): Promise<void> {
    this.#tell = tell;
    try {
      const [{ connectEngine }, { SharedEngine: Shared }] = await Promise.all([import("../../engine/client.ts"), import("../../engine/shared-engine.ts")]);
      const shared = new Shared(this.#options.connect ?? connectEngine, (status) => this.#follow(status), this.#options.downloads);
      this.#shared = shared;
      this.#models = await shared.api.models();
      const { status } = shared;
      if (model === undefined && status.role === "guest" && (status.phase === "ready" || status.phase === "loading")) {
        await shared.api.load(status.modelId, status.options, () => undefined);
        return;
      }
      this.#set({ phase: "starting", modelId: this.#models[0]?.id ?? "" });
      const { problem } = await shared.api.device();
      if (problem !== undefined) throw new AppError("gpu/unavailable", problem);
      const first = model ?? this.#models[0]?.id;
      if (first === undefined) throw new AppError("storage/missing", "This site ships no model: public/models is empty. Open a GGUF file of your own.");
      await this.load(first);
    } catch (error) {
      this.#set({ phase: "failed", modelId: this.#state.modelId });
      throw error;
    }
  }

  async load(model: string | ModelFiles, options: LoadOptions = {}): Promise<void> {
    const { api } = this.#need();
    // A model of the user's own is worth keeping: asked for where the user chose it. A refusal changes nothing now.
    if (typeof model !== "string") await navigator.storage.persist();
    const { keptBudget } = await import("../device/kept-budget.ts");
    const gpuMb = options.gpuMb ?? (await keptBudget());
    await api.load(model, { ...options, ...(gpuMb === undefined ? {} : { gpuMb }) }, () => undefined); // the status tells how far it is
  }

  stop(): void {
    this.#shared?.api.stop("loads").catch(() => undefined); // an engine that is gone has stopped
  }

  close(): void {
    this.#shared?.close();
  }

  #need(): SharedEngine {
    if (this.#shared) return this.#shared;
    throw new AppError("gpu/unavailable", "The engine has not started yet. Wait a moment and try again.");
  }

  /** Remembers how fast the model wrote, for what other visits may expect. */
  async *#watched(events: AsyncIterable<GenerateEvent>): AsyncGenerator<GenerateEvent, void, void> {
    for await (const event of events) {
      if (event.type === "done") this.#measure(event.stats.completionTokens - 1, event.stats.decodeMs);
      yield event;
    }
  }

  #measure(tokens: number, ms: number): void {
    const { modelId } = this.#state;
    const known = this.#written.modelId === modelId ? this.#written : { tokens: 0, ms: 0 };
    this.#written = { modelId, tokens: known.tokens + Math.max(0, tokens), ms: known.ms + ms };
    const { tokens: all, ms: inAll } = this.#written;
    if (all >= RATE_TOKENS && inAll > 0) void import("../device/measured.ts").then(({ keepRate }) => keepRate(modelId, (all * 1000) / inAll));
  }

  /** What the shared engine tells, as the page's state. */
  #follow({ role, phase, modelId, progress, loaded, helper, downloads }: SharedStatus): void {
    const shared = role === "guest";
    const done = (list: readonly DownloadState[]): number => list.filter((download) => download.phase === "done").length;
    const arrived = done(downloads) > done(this.#downloads);
    this.#downloads = downloads;
    if (arrived) this.#list().catch(() => undefined); // the list stays as it was
    if (phase === "idle") {
      // Before the first load; later it means that loading was stopped.
      const failed = this.#state.phase !== "starting";
      return this.#set({ phase: failed ? "failed" : "starting", modelId: this.#state.modelId, shared });
    }
    this.#set({ phase, modelId, shared, ...(progress ? { progress } : {}), ...(loaded ? { loaded } : {}), ...(helper ? { helper } : {}) });
    if (phase === "ready") this.#list().catch(() => undefined); // the list stays as it was
  }

  /** What is stored now, with what it needs. */
  async #list(): Promise<void> {
    this.#models = await this.#need().api.models();
    this.#set(this.#state);
  }

  #set(state: EngineState): void {
    this.#state = state;
    const known = state.modelId === "" || this.#models.some(({ id }) => id === state.modelId);
    if (!known) this.#models = [...this.#models, { id: state.modelId, name: state.modelId, kind: "moe", source: "file", note: "Opened from this computer" }];
    this.#tell({ ...state, downloads: this.#downloads }, this.#models);
  }
}
