// The inference worker: what the page may ask of it (InferenceApi), and what only the commands ask (LabApi).
// One thing at a time: a load or a generation waits for the one before; `stop` ends whatever runs.
import { afterAwake } from "../base/awake-timer.ts";
import { AppError, abortedError, throwIfAborted, toAppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { toWireError } from "../base/wire-error.ts";
import { downloadFile } from "../download/file.ts";
import { type ByteSource, bytesSource } from "../gguf/source.ts";
import { defaultGpuBytes } from "../gpu/budget.ts";
import type { Gpu } from "../gpu/device.ts";
import type { TokenProfile } from "../model/profile.ts";
import type { ModelProgress } from "../model/transformer.ts";
import { deleteModel, findModel, listModels, openModel } from "../storage/catalogue.ts";
import type { Database, OriginFile } from "../storage/database.ts";
import { memoryDatabase } from "../storage/memory-database.ts";
import { helperBudget, mustShrink } from "./shared-memory.ts";
import { openShelf, sharedDatabase } from "../storage/shelf.ts";
import type { StoreChoice } from "../storage/store-choice.ts";
import type { StoredModel } from "../storage/stored-model.ts";
import { ModelTokenizer } from "../tokenizer/tokenizer.ts";
import type { DeviceReport, DeviceSpeed, DownloadOrder, DownloadState, EngineDetails, EngineFault, GenerateEvent, GenerateRequest, GenerationStats, InferenceApi, LoadedModel, LoadedPair, LoadOptions, LoadProgress, ModelFiles, ModelInfo, ModelNeeds, RemoteListing, RemoteModel } from "./api.ts";
import { deviceReport } from "./device-report.ts";
import { Downloads } from "./downloads.ts";
import { measureDevice } from "./device-speed.ts";
import { withFault } from "./faults.ts";
import { HUB_SETTING } from "./hub-setting.ts";
import { forgetUses } from "./expert-uses.ts";
import { type HostedModel, MoeModel, type MoeParts, NO_DETAILS } from "./hosted-model.ts";
import { importModel } from "./import-model.ts";
import { filesSource, openHandles, openOrigin, originFile } from "./model-origin.ts";
import { filesOfModel, modelIdOf } from "./model-files.ts";
import { BUNDLED_FOLDER, type BundledModel, bundledModels, isPrebuilt, listChoices } from "./models.ts";
import { ModelOpener } from "./opener.ts";
import { PrebuiltModel } from "./prebuilt-model.ts";
import { findRemoteModels, inspectRemote } from "./remote-models.ts";
import { StateKeeper } from "./state-keeper.ts";
import type { EngineHost } from "./webllm.ts";

type Progress = (progress: LoadProgress) => void;

export class Inference implements InferenceApi {
  #host: Promise<EngineHost> | undefined;
  #current: HostedModel | undefined;
  /** What the loaded model's experts come from. */
  #stored: StoredModel | undefined;
  #running = new AbortController();
  #loading = new AbortController();
  #queue: Promise<unknown> = Promise.resolve();
  #keeping = new AbortController();
  /** The second, small model has an engine of its own in this worker; it takes its turns in this one's queue. */
  #helper: Inference | undefined;
  /** How the first was loaded: it may have to be loaded again with less memory. */
  #asked: { readonly model: string | ModelFiles; readonly options: LoadOptions } | undefined;
  #faults: readonly EngineFault[] = [];
  #gpuWasLost = false;
  #tellDownloads: (downloads: readonly DownloadState[]) => void = () => undefined;
  readonly #downloads = new Downloads((downloads) => this.#tellDownloads(downloads));

  device(): Promise<DeviceReport> {
    return deviceReport();
  }

  async models(): Promise<readonly ModelInfo[]> {
    const [bundled, stored, { f16 }] = await Promise.all([bundledModels(), sharedDatabase().then(listModels), this.device()]);
    return listChoices(bundled, stored, f16);
  }

  async load(model: string | ModelFiles, options: LoadOptions, onProgress: Progress): Promise<LoadedModel> {
    if (this.#loading.signal.aborted) this.#loading = new AbortController();
    const { signal: loading } = this.#loading;
    try {
      return await this.alone((signal) => this.#load(model, options, onProgress, AbortSignal.any([signal, loading])));
    } catch (error) {
      throw this.#fault(error);
    }
  }

  async generate(request: GenerateRequest, port: MessagePort): Promise<void> {
    const own = new AbortController();
    let begun = false;
    const ended = new Promise<void>((resolve) => own.signal.addEventListener("abort", () => resolve(), { once: true }));
    port.onmessage = () => own.abort();
    this.#keeping.abort(); // what was to be kept is about to change
    const work = this.alone(async (signal) => {
      // Stopped while it waited: it was told so already.
      if (own.signal.aborted) return;
      begun = true;
      await this.#answering(request).generate(request, (event: GenerateEvent) => port.postMessage(event), AbortSignal.any([signal, own.signal]));
    });
    try {
      await Promise.race([work, ended]);
      if (begun) await work;
      else port.postMessage({ type: "done", reason: "aborted", text: "", stats: this.#noStats() } satisfies GenerateEvent);
    } catch (error) {
      port.postMessage({ type: "error", error: toWireError(this.#fault(error)) });
    } finally {
      port.close();
      if (begun && request.keep !== undefined && request.by === undefined) this.#keepSoon(request.keep);
    }
  }

  /** When nothing has been asked for a while: what the model holds of the chat goes into storage. The next request ends it. */
  #keepSoon(chat: string): void {
    this.#keeping.abort();
    const keeping = new AbortController();
    this.#keeping = keeping;
    afterAwake(LIMITS.keepStateAfterMs, () => {
      if (keeping.signal.aborted) return;
      this.alone(async (signal) => {
        if (!keeping.signal.aborted && this.#current instanceof MoeModel) await this.#current.keep(chat, AbortSignal.any([signal, keeping.signal]));
      }).catch((error: unknown) => this.#fault(error));
    });
  }

  async countTokens(request: Pick<GenerateRequest, "messages" | "tools" | "by">): Promise<number> {
    return this.#answering(request).countTokens(request);
  }

  async help(modelId: string | undefined, options: LoadOptions): Promise<LoadedPair> {
    try {
      return await this.alone((signal) => this.#loadHelper(modelId, options, signal));
    } catch (error) {
      throw this.#fault(error);
    }
  }

  async #loadHelper(modelId: string | undefined, options: LoadOptions, signal: AbortSignal): Promise<LoadedPair> {
    await this.#helper?.unload();
    this.#helper = undefined;
    if (modelId === undefined) return {};
    const needs = (await this.models()).find(({ id }) => id === modelId)?.needs;
    const device = await this.device();
    const budget = options.gpuMb === undefined ? defaultGpuBytes(device, device.memoryGb) : options.gpuMb * 1e6;
    const share = helperBudget(budget, needs);
    const large = this.#current instanceof MoeModel ? this.#current.loaded.gpuBytes : 0;
    const again = mustShrink(budget, large, share) ? this.#asked : undefined;
    if (again) await this.#close();
    const helper = new Inference();
    const stop = (): void => void helper.stop("loads");
    signal.addEventListener("abort", stop, { once: true });
    let loaded: LoadedModel | undefined;
    try {
      loaded = await helper.load(modelId, { gpuMb: Math.ceil(share / 1e6) }, () => undefined);
      this.#helper = helper;
    } finally {
      signal.removeEventListener("abort", stop);
      if (again && !loaded) await this.#load(again.model, again.options, () => undefined, signal); // as it was
    }
    return { helper: loaded, ...(again ? { model: await this.#load(again.model, again.options, () => undefined, signal) } : {}) };
  }

  /** The model that is to answer. */
  #answering({ by }: Pick<GenerateRequest, "by">): HostedModel {
    if (by === undefined) return this.#loaded();
    if (this.#helper) return this.#helper.#loaded();
    throw new AppError("storage/missing", "No helper model is loaded. Choose one in the menu, or none.");
  }

  async stop(only?: "loads"): Promise<void> {
    (only === "loads" ? this.#loading : this.#running).abort();
    // WebLLM's own loading hears only this.
    if (this.#host && !this.#current) await (await this.#host).engine.unload();
    if (only !== "loads") await this.#queue;
  }

  async details(): Promise<EngineDetails> {
    return { ...(this.#current?.details() ?? NO_DETAILS), errors: this.#faults };
  }

  profile(): Promise<TokenProfile> {
    return this.alone((signal) => this.moe().profile(signal));
  }

  measure(): Promise<DeviceSpeed> {
    return this.alone((signal) => measureDevice(signal));
  }

  async findModels(address: string): Promise<RemoteListing> {
    const shelf = await openShelf<unknown>("settings");
    const mirror = await shelf.get(HUB_SETTING);
    return findRemoteModels(address, typeof mirror === "string" ? mirror : undefined);
  }

  async inspect(model: RemoteModel): Promise<ModelNeeds> {
    return inspectRemote(model, (await this.device()).f16);
  }

  async download(model: RemoteModel): Promise<void> {
    this.#downloads.start(model);
  }

  steerDownload(id: string, order: DownloadOrder): Promise<void> {
    return this.#downloads.steer(id, order);
  }

  watchDownloads(onChange: (downloads: readonly DownloadState[]) => void): Promise<void> {
    this.#tellDownloads = onChange;
    return this.#downloads.restore();
  }

  async remove(modelId: string): Promise<number> {
    if (this.#current?.loaded.id === modelId) await this.unload();
    if (this.#helper?.isLoaded(modelId)) await this.help(undefined, {});
    const freed = await deleteModel(await sharedDatabase(), modelId);
    await forgetUses(modelId);
    this.#downloads.spaceFreed();
    return freed;
  }

  isLoaded(modelId: string): boolean {
    return this.#current?.loaded.id === modelId;
  }

  unload(): Promise<void> {
    return this.alone(() => this.#close());
  }

  /** The model of ours that is loaded, for the commands. Throws for WebLLM's. */
  protected moe(): MoeModel {
    const current = this.#loaded();
    if (current instanceof MoeModel) return current;
    throw new AppError("model/unsupported", "This needs a GGUF model; one of WebLLM's is loaded. Choose a model of this site or a file of your own.");
  }

  /** Where its weights come from, for the commands. */
  protected storedModel(): StoredModel {
    this.moe();
    return this.#stored!;
  }

  /** Runs `work` when everything before has ended. `stop` aborts the one that runs and those that wait. */
  protected alone<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#running.signal.aborted) this.#running = new AbortController();
    const { signal } = this.#running;
    const result = this.#queue.then(() => work(signal));
    this.#queue = result.catch(() => undefined); // the caller gets the error; the next one only waits
    return result;
  }

  /** Remembers a failure that nobody asked for, for the details. */
  #fault(thrown: unknown): AppError {
    const error = toAppError(thrown);
    if (error.code !== "aborted") this.#faults = withFault(this.#faults, error);
    return error;
  }

  #noStats(): GenerationStats {
    const { contextTokens, contextLimit } = this.#current?.details() ?? NO_DETAILS;
    return { promptTokens: 0, reusedTokens: 0, completionTokens: 0, prefillMs: 0, decodeMs: 0, firstTokenMs: 0, expertHits: 0, expertUses: 0, streamedBytes: 0, contextTokens, contextLimit };
  }

  #loaded(): HostedModel {
    if (this.#current) return this.#current;
    throw new AppError("storage/missing", "No model is loaded. Choose one and load it.");
  }

  async #close(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.close();
    await this.#stored?.close();
    this.#stored = undefined;
  }

  async #load(model: string | ModelFiles, options: LoadOptions, onProgress: Progress, signal: AbortSignal): Promise<LoadedModel> {
    throwIfAborted(signal, "Loading the model");
    await this.#close();
    this.#asked = { model, options };
    const reservedMb = Math.ceil((this.#helper ? this.#helper.#loaded().loaded.gpuBytes : 0) / 1e6);
    // 6 MB of WebLLM; it arrives while the model is read.
    this.#host ??= import("./webllm.ts").then(
      ({ EngineHost: Host }) => new Host(),
      (cause: unknown) => {
        throw new AppError("download/failed", "Part of this page, the engine, could not be fetched. Check the connection and try again.", { cause });
      },
    );
    const host = this.#host;
    host.catch(() => (this.#host = undefined));
    const next = typeof model === "string" && isPrebuilt(model) ? await loadPrebuilt(model, host, onProgress, signal) : await this.#loadOurs(model, { ...options, reservedMb }, onProgress, signal, host);
    if (signal.aborted) {
      await next.close();
      throw abortedError("Loading the model");
    }
    this.#current = next;
    onProgress({ phase: "ready", doneBytes: 1, totalBytes: 1, text: "Ready" });
    return next.loaded;
  }

  #hostOurs(id: string, stored: StoredModel, fingerprint: string | undefined, options: LoadOptions, onProgress: Progress, signal: AbortSignal, host: Promise<EngineHost>): Promise<HostedModel> {
    const opener = new ModelOpener(stored, options, {
      onGpu: (gpu) => {
        gpu.health.lost.addEventListener("abort", () => (this.#gpuWasLost = true), { once: true });
        this.opened(gpu);
      },
      wasLost: () => this.#gpuWasLost,
    });
    const report = ({ phase, doneBytes, totalBytes }: ModelProgress): void => onProgress({ phase, doneBytes, totalBytes, text: phase === "upload" ? "Moving the model to the GPU" : "Preparing the GPU" });
    const parts: MoeParts = {
      tokenizer: new ModelTokenizer(stored.metadata),
      metadata: stored.metadata,
      store: stored.experts.kind,
      open: (stop, after, onWait = () => onProgress({ phase: "compile", doneBytes: 0, totalBytes: 0, text: "Waiting for the GPU" })) => opener.open(after ? () => undefined : report, onWait, stop, after),
      ...(fingerprint === undefined ? {} : { keeper: new StateKeeper(fingerprint) }),
      onFault: (error) => void this.#fault(error),
      completed: () => opener.completed(),
    };
    return MoeModel.host(id, host, parts, signal);
  }

  async #loadOurs(model: string | ModelFiles, options: LoadOptions, onProgress: Progress, signal: AbortSignal, host: Promise<EngineHost>): Promise<HostedModel> {
    const id = modelIdOf(model);
    const { database, origin } = await bringIntoStorage(model, options.store, onProgress, signal);
    const fingerprint = options.store === "memory" ? undefined : (await findModel(database, id))?.fingerprint;
    const stored = await openModel(database, id, { origin: (entry) => (origin ? Promise.resolve(origin) : openOrigin(database, entry)) });
    this.#stored = stored;
    try {
      return await this.#hostOurs(id, stored, fingerprint, options, onProgress, signal, host);
    } catch (error) {
      await this.#close(); // others may have its file then
      throw error;
    }
  }

  /** Hears of every device that a model is loaded on. */
  protected opened(_gpu: Gpu): void {}
}

/** Where the model can be opened; `origin` is its file, where that is at hand already. */
interface Brought {
  readonly database: Database;
  readonly origin?: ByteSource;
}

/** Makes sure that the model is completely in the browser's storage, or known to be in the user's own file. */
async function bringIntoStorage(model: string | ModelFiles, store: StoreChoice | undefined, onProgress: Progress, signal: AbortSignal): Promise<Brought> {
  const database = store === "memory" ? memoryDatabase() : await sharedDatabase();
  const where = store === undefined ? {} : { store };
  if (typeof model !== "string") {
    const [id, files] = [modelIdOf(model), filesOfModel(model)];
    const origin = filesSource(files);
    await importModel(database, origin, { id, name: id, source: "file", files: files.map(originFile), ...where }, onProgress, signal);
    return { database, origin };
  }
  const stored = await findModel(database, model);
  if (stored?.complete && stored.source !== "bundled") return { database };
  const own = await openHandles(database, model);
  if (own) {
    await importModel(database, own.source, { id: model, name: model, source: "file", files: own.files, ...(own.inPlace ? { store: "file" } : where) }, onProgress, signal);
    return { database, origin: own.source };
  }
  const bundled = (await bundledModels().catch((error: unknown) => offlineList(error, stored?.complete === true))).find(({ id }) => id === model);
  if (!bundled) {
    if (stored?.complete) return { database };
    throw new AppError("storage/missing", `There is no model called ${model}, neither on this site nor in this browser's storage. Choose another.`, { data: { model } });
  }
  if (stored?.complete && stored.fingerprint === bundled.sha256) return { database };
  const origin = bytesSource(bundled.file, await download(bundled, onProgress, signal));
  await importModel(database, origin, { id: bundled.id, name: bundled.name, source: "bundled", fingerprint: bundled.sha256, files: [bundledOrigin(bundled)], ...where }, onProgress, signal);
  return { database };
}

/** Where a damaged part of it can be fetched again. Its hash was checked when it was downloaded. */
function bundledOrigin({ file, bytes }: BundledModel): OriginFile {
  return { name: file, bytes, url: new URL(`${BUNDLED_FOLDER}${file}`, location.origin).href };
}

/** Without a network a stored model still runs. */
function offlineList(error: unknown, isStored: boolean): readonly BundledModel[] {
  if (isStored) return [];
  throw error;
}

function download(model: BundledModel, onProgress: Progress, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const file = { name: model.file, url: `${BUNDLED_FOLDER}${model.file}`, bytes: model.bytes, sha256: model.sha256 };
  return downloadFile(file, (doneBytes) => onProgress({ phase: "download", doneBytes, totalBytes: model.bytes, text: `Fetching ${model.name}` }), signal);
}

async function loadPrebuilt(id: string, loading: Promise<EngineHost>, onProgress: Progress, signal: AbortSignal): Promise<HostedModel> {
  const host = await loading;
  if (signal.aborted) throw abortedError("Loading the model");
  await host.loadPrebuilt(id, ({ progress, text }) => onProgress({ phase: "download", doneBytes: Math.round(progress * 100), totalBytes: 100, text }));
  return new PrebuiltModel(id, host);
}
