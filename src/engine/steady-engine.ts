// An engine that stays: when its worker dies, what waits fails with a typed error, a new worker is started and the model
// that was loaded is loaded again. A worker that dies again and again is left alone until somebody asks.
import { AppError, toAppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { DownloadState, EngineFault, InferenceApi, LoadedModel, LoadedPair, LoadOptions, LoadProgress, ModelFiles, TextModel } from "./api.ts";
import type { ConnectedEngine, Engine } from "./client.ts";
import { withFault } from "./faults.ts";
import { modelIdOf } from "./model-files.ts";
import { textModel } from "./text-model.ts";

/** How far the engine is. */
export interface EngineStatus {
  readonly phase: "idle" | "loading" | "ready" | "failed";
  /** Loaded, loading or failed to; empty when idle. */
  readonly modelId: string;
  readonly options: LoadOptions;
  readonly progress?: LoadProgress;
  readonly loaded?: LoadedModel;
  /** The second model, while there is one. */
  readonly helper?: LoadedModel;
  readonly downloads: readonly DownloadState[];
}

/** No model is loaded or asked for. */
export const IDLE: EngineStatus = { phase: "idle", modelId: "", options: {}, downloads: [] };

type Progress = (progress: LoadProgress) => void;

/** A load that is under way or done; others that ask for the same join it. */
interface Load {
  readonly model: string | ModelFiles;
  readonly options: LoadOptions;
  readonly listeners: Set<Progress>;
  readonly result: Promise<LoadedModel>;
}

/** Owns the worker that runs, and each that takes its place, until `close`. */
export class SteadyEngine implements Engine {
  readonly api: InferenceApi;
  readonly model: TextModel;
  readonly #connect: () => ConnectedEngine;
  readonly #onStatus: (status: EngineStatus) => void;
  readonly #downloads: boolean;
  #engine: ConnectedEngine | undefined;
  #load: Load | undefined;
  #status = IDLE;
  #deaths = 0;
  #faults: readonly EngineFault[] = [];
  #closed = false;

  /** Nothing is started before the first call. `downloads`: those that were agreed to go on as soon as the worker is there. */
  constructor(connect: () => ConnectedEngine, onStatus: (status: EngineStatus) => void = () => undefined, downloads = true) {
    this.#connect = connect;
    this.#onStatus = onStatus;
    this.#downloads = downloads;
    this.api = this.#makeApi();
    this.model = textModel(this.api, () => this.#status.loaded?.contextLimit ?? 0, (error) => this.fail(error));
  }

  /** Ends the worker that runs for this reason; a new one takes its place. */
  fail(error: AppError): void {
    this.#engine?.fail(error);
  }

  /** Starts the worker: it goes on with the downloads that another tab's had. */
  wake(): void {
    this.#connected();
  }

  get status(): EngineStatus {
    return this.#status;
  }

  close(): void {
    this.#closed = true;
    this.#engine?.close();
  }

  #makeApi(): InferenceApi {
    const now = (): InferenceApi => this.#connected().api;
    return {
      device: async () => now().device(),
      models: async () => now().models(),
      load: (model, options, onProgress) => this.#loadOnce(model, options, onProgress),
      generate: (request, port) => this.#generate(() => now().generate(request, port)),
      countTokens: async (request) => now().countTokens(request),
      help: (id, options) => this.#help(id, options),
      stop: async (only) => this.#engine?.api.stop(only),
      details: async () => {
        const details = await now().details();
        return { ...details, errors: [...this.#faults, ...details.errors].toSorted((a, b) => a.at - b.at) };
      },
      profile: async () => now().profile(),
      measure: async () => now().measure(),
      findModels: async (address) => now().findModels(address),
      inspect: async (model) => now().inspect(model),
      download: async (model) => now().download(model),
      steerDownload: async (id, order) => now().steerDownload(id, order),
      remove: async (id) => {
        if (this.#status.modelId === id) this.#forget();
        return now().remove(id);
      },
      unload: async () => {
        this.#forget();
        return this.#engine?.api.unload();
      },
    };
  }

  #connected(): ConnectedEngine {
    if (this.#closed) throw new AppError("aborted", "The engine was closed.");
    if (this.#engine) return this.#engine;
    const engine = this.#connect();
    this.#engine = engine;
    void engine.ended.then((error) => this.#buried(engine, error));
    if (this.#downloads) engine.lab.watchDownloads((downloads) => this.#engine === engine && this.#show({ ...this.#status, downloads })).catch((error: unknown) => void toAppError(error)); // told by `ended`
    return engine;
  }

  async #generate(generate: () => Promise<void>): Promise<void> {
    await generate();
    this.#deaths = 0;
  }

  /** Loads, or joins who loads the same, or finds it loaded. A file is always read anew. */
  #loadOnce(model: string | ModelFiles, options: LoadOptions, onProgress: Progress): Promise<LoadedModel> {
    this.#deaths = 0;
    const known = this.#load;
    if (known && this.#status.phase !== "failed" && typeof model === "string" && model === modelIdOf(known.model) && sameOptions(options, known.options)) {
      known.listeners.add(onProgress);
      if (this.#status.progress) onProgress(this.#status.progress);
      return known.result;
    }
    return this.#startLoad(model, options, new Set([onProgress]));
  }

  #startLoad(model: string | ModelFiles, options: LoadOptions, listeners: Set<Progress>): Promise<LoadedModel> {
    const base = { modelId: modelIdOf(model), options };
    const report = (progress: LoadProgress): void => {
      if (this.#load !== load) return;
      this.#set({ ...base, phase: "loading", progress });
      for (const listener of listeners) listener(progress);
    };
    this.#set({ ...base, phase: "loading" });
    const result = Promise.resolve()
      .then(() => this.#connected().api.load(model, options, report))
      .then(
        (loaded) => {
          if (this.#load === load) this.#set({ ...base, phase: "ready", loaded });
          return loaded;
        },
        (error: unknown) => {
          if (this.#load === load && this.#engine) {
            if (toAppError(error).code === "aborted") this.#forget();
            else this.#set({ ...base, phase: "failed" });
          }
          throw error;
        },
      );
    const load: Load = { model, options, listeners, result };
    this.#load = load;
    return result;
  }

  #forget(): void {
    this.#load = undefined;
    this.#set(IDLE);
  }

  #buried(engine: ConnectedEngine, error: AppError): void {
    if (this.#engine !== engine) return;
    this.#engine = undefined;
    if (this.#closed) return;
    this.#faults = withFault(this.#faults, error);
    this.#deaths++;
    const load = this.#load;
    if (this.#deaths >= LIMITS.engineDeaths) {
      const { code, message } = error;
      this.#status = { ...this.#status, downloads: this.#status.downloads.map((download) => (download.phase === "done" ? download : { ...download, phase: "failed", problem: { code, message } })) };
      this.#set(load ? { phase: "failed", modelId: modelIdOf(load.model), options: load.options } : this.#status);
      return;
    }
    if (this.#status.downloads.some(({ phase }) => phase !== "done")) this.#connected();
    if (!load) return;
    const { helper } = this.#status;
    const loading = this.#startLoad(load.model, load.options, new Set());
    loading.then(() => helper && this.#help(helper.id, load.options)).catch((again: unknown) => void toAppError(again)); // told by the status
  }

  /** The first model may be loaded again for it: what the engine says of both is told when it is done. */
  async #help(id: string | undefined, options: LoadOptions): Promise<LoadedPair> {
    const pair = await this.#connected().api.help(id, options);
    const { helper: _before, ...status } = this.#status;
    this.#show({ ...status, ...(pair.helper ? { helper: pair.helper } : {}), ...(pair.model ? { loaded: pair.model } : {}) });
    return pair;
  }

  #set(status: Omit<EngineStatus, "downloads" | "helper">): void {
    const { downloads, helper } = this.#status;
    this.#show({ ...status, downloads, ...(helper ? { helper } : {}) });
  }

  #show(status: EngineStatus): void {
    this.#status = status;
    this.#onStatus(status);
  }
}

function sameOptions(a: LoadOptions, b: LoadOptions): boolean {
  return a.gpuMb === b.gpuMb && a.expertMb === b.expertMb && a.contextTokens === b.contextTokens && a.store === b.store;
}
