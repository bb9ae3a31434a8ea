// The inference worker: what the page may ask of it (InferenceApi), and what only the commands ask (LabApi).
// One thing at a time: a load or a generation waits for the one before; `stop` ends whatever runs.
import { AppError, abortedError, throwIfAborted } from "../base/errors.ts";
import { toWireError } from "../base/wire.ts";
import { downloadFile } from "../download/file.ts";
import { blobSource, bytesSource } from "../gguf/source.ts";
import { openGpu, probeGpu } from "../gpu/device.ts";
import { Qwen3Next } from "../model/qwen3-next.ts";
import { deleteModel, findModel, listModels, openModel } from "../storage/catalogue.ts";
import { sharedDatabase } from "../storage/shelf.ts";
import { ModelTokenizer } from "../tokenizer/tokenizer.ts";
import type { DeviceReport, GenerateEvent, GenerateRequest, InferenceApi, LoadedModel, LoadOptions, LoadProgress, ModelInfo } from "./api.ts";
import { type HostedModel, MoeModel, PrebuiltModel } from "./hosted-model.ts";
import { importModel } from "./import-model.ts";
import { BUNDLED_FOLDER, type BundledModel, bundledModels, isPrebuilt, listChoices } from "./models.ts";
import type { EngineHost } from "./webllm.ts";

type Progress = (progress: LoadProgress) => void;
const F16 = "shader-f16";

export class Inference implements InferenceApi {
  #host: Promise<EngineHost> | undefined;
  #current: HostedModel | undefined;
  #running = new AbortController();
  #queue: Promise<unknown> = Promise.resolve();

  async device(): Promise<DeviceReport> {
    const { usage = 0, quota = 0 } = "storage" in navigator ? await navigator.storage.estimate() : {};
    const storage = { storageUsedBytes: usage, storageQuotaBytes: quota };
    try {
      const { adapter, features, maxBufferBytes, maxBindingBytes } = await probeGpu();
      return { webgpu: true, adapter, features, maxBufferBytes, maxBindingBytes, ...storage };
    } catch (error) {
      return { webgpu: false, adapter: "", features: [], maxBufferBytes: 0, maxBindingBytes: 0, ...storage, problem: toWireError(error).message };
    }
  }

  async models(): Promise<readonly ModelInfo[]> {
    const [bundled, stored, { features }] = await Promise.all([bundledModels(), sharedDatabase().then(listModels), this.device()]);
    return listChoices(bundled, stored, features.includes(F16));
  }

  load(model: string | File, options: LoadOptions, onProgress: Progress): Promise<LoadedModel> {
    return this.alone((signal) => this.#load(model, options, onProgress, signal));
  }

  async generate(request: GenerateRequest, port: MessagePort): Promise<void> {
    try {
      await this.alone((signal) => this.#loaded().generate(request, (event: GenerateEvent) => port.postMessage(event), signal));
    } catch (error) {
      port.postMessage({ type: "error", error: toWireError(error) });
    } finally {
      port.close();
    }
  }

  async countTokens(request: Pick<GenerateRequest, "messages" | "tools">): Promise<number> {
    return this.#loaded().countTokens(request);
  }

  async stop(): Promise<void> {
    this.#running.abort();
    // WebLLM's own loading hears only this.
    if (this.#host && !this.#current) await (await this.#host).engine.unload();
    await this.#queue;
  }

  async remove(modelId: string): Promise<number> {
    if (this.#current?.loaded.id === modelId) await this.unload();
    return deleteModel(await sharedDatabase(), modelId);
  }

  unload(): Promise<void> {
    return this.alone(() => this.#close());
  }

  /** The model of ours that is loaded, for the commands. Throws for WebLLM's. */
  protected moe(): MoeModel {
    const current = this.#loaded();
    if (current instanceof MoeModel) return current;
    throw new AppError("model/unsupported", "This needs a GGUF model; one of WebLLM's is loaded.");
  }

  /** Runs `work` when everything before has ended. `stop` aborts the one that runs and those that wait. */
  protected alone<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#running.signal.aborted) this.#running = new AbortController();
    const { signal } = this.#running;
    const result = this.#queue.then(() => work(signal));
    this.#queue = result.catch(() => undefined); // the caller gets the error; the next one only waits
    return result;
  }

  #loaded(): HostedModel {
    if (this.#current) return this.#current;
    throw new AppError("storage/missing", "No model is loaded. Choose one and load it.");
  }

  async #close(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.close();
  }

  async #load(model: string | File, options: LoadOptions, onProgress: Progress, signal: AbortSignal): Promise<LoadedModel> {
    throwIfAborted(signal, "Loading the model");
    await this.#close();
    // 6 MB of WebLLM; it arrives while the model is read.
    this.#host ??= import("./webllm.ts").then(
      ({ EngineHost: Host }) => new Host(),
      (cause: unknown) => {
        throw new AppError("download/failed", "Part of this page, the engine, could not be fetched. Check the connection and try again.", { cause });
      },
    );
    const host = this.#host;
    host.catch(() => (this.#host = undefined));
    const next = typeof model === "string" && isPrebuilt(model) ? await loadPrebuilt(model, host, onProgress, signal) : await this.#loadOurs(model, options, onProgress, signal, host);
    if (signal.aborted) {
      await next.close();
      throw abortedError("Loading the model");
    }
    this.#current = next;
    onProgress({ phase: "ready", doneBytes: 1, totalBytes: 1, text: "Ready" });
    return next.loaded;
  }

  async #loadOurs(model: string | File, options: LoadOptions, onProgress: Progress, signal: AbortSignal, host: Promise<EngineHost>): Promise<HostedModel> {
    const id = typeof model === "string" ? model : model.name;
    await bringIntoStorage(model, onProgress, signal);
    const stored = await openModel(await sharedDatabase(), id);
    const tokenizer = new ModelTokenizer(stored.metadata);
    const gpu = await openGpu();
    try {
      const { expertMb, contextTokens } = options;
      const loaded = await Qwen3Next.load(
        gpu,
        stored,
        { ...(expertMb === undefined ? {} : { expertBudgetBytes: expertMb * 1e6 }), ...(contextTokens === undefined ? {} : { contextTokens }) },
        ({ phase, doneBytes, totalBytes }) => onProgress({ phase, doneBytes, totalBytes, text: phase === "upload" ? "Moving the model to the GPU" : "Preparing the GPU" }),
        signal,
      );
      return await MoeModel.host(id, await host, { model: loaded, tokenizer, gpu, metadata: stored.metadata });
    } catch (error) {
      gpu.close();
      throw error;
    }
  }
}

/** Makes sure that the model is completely in the browser's storage. */
async function bringIntoStorage(model: string | File, onProgress: Progress, signal: AbortSignal): Promise<void> {
  const database = await sharedDatabase();
  if (typeof model !== "string") {
    await importModel(database, blobSource(model.name, model), { id: model.name, name: model.name, source: "file" }, onProgress, signal);
    return;
  }
  const stored = await findModel(database, model);
  if (stored?.complete && stored.source !== "bundled") return;
  const bundled = (await bundledModels().catch((error: unknown) => offlineList(error, stored?.complete === true))).find(({ id }) => id === model);
  if (!bundled) {
    if (stored?.complete) return;
    throw new AppError("storage/missing", `There is no model called ${model}, neither on this site nor in this browser's storage. Choose another.`, { data: { model } });
  }
  if (stored?.complete && stored.fingerprint === bundled.sha256) return;
  const bytes = await download(bundled, onProgress, signal);
  await importModel(database, bytesSource(bundled.file, bytes), { id: bundled.id, name: bundled.name, source: "bundled", fingerprint: bundled.sha256 }, onProgress, signal);
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
