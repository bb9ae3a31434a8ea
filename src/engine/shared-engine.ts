// One engine for all tabs of a browser: the tab that holds the Web Lock runs it, the others use it as guests. When the
// host's tab closes or crashes, the browser gives the lock to one of the guests, which starts an engine of its own with
// the model that was loaded. What ran then fails with `engine/stopped` and can be asked again.
import { AppError, toAppError } from "../base/errors.ts";
import type { InferenceApi, TextModel } from "./api.ts";
import { AttachedEngine, hostGone } from "./attached-engine.ts";
import type { ConnectedEngine, Engine } from "./client.ts";
import { ENGINE_LOCK } from "./engine-channel.ts";
import { EngineDesk } from "./engine-desk.ts";
import { type EngineStatus, IDLE, SteadyEngine } from "./steady-engine.ts";

/** How far the engine is, and whose it is. */
export interface SharedStatus extends EngineStatus {
  /** `guest`: another tab of this browser runs the engine. */
  readonly role: "joining" | "host" | "guest";
}

/** The engine that a tab uses, whichever tab runs it: `api` and `model` stay the same when that changes. */
export class SharedEngine implements Engine {
  readonly api: InferenceApi;
  readonly model: TextModel;
  readonly #connect: () => ConnectedEngine;
  readonly #onStatus: (status: SharedStatus) => void;
  readonly #downloads: boolean;
  readonly #self = crypto.randomUUID();
  readonly #closing = new AbortController();
  readonly #closed: Promise<void>;
  #role: SharedStatus["role"] = "joining";
  #engine: Promise<Engine>;
  #found: (engine: Engine) => void = () => undefined;
  #attached: AttachedEngine | undefined;
  #desk: EngineDesk | undefined;
  #status: EngineStatus = IDLE;
  #contextLimit = 0;

  /** Joins at once; a host starts its worker with the first call. `downloads`: as of SteadyEngine. */
  constructor(connect: () => ConnectedEngine, onStatus: (status: SharedStatus) => void = () => undefined, downloads = true) {
    this.#connect = connect;
    this.#downloads = downloads;
    this.#onStatus = onStatus;
    this.#closed = new Promise((resolve) => this.#closing.signal.addEventListener("abort", () => resolve(), { once: true }));
    this.#engine = new Promise((resolve) => (this.#found = resolve));
    this.api = this.#makeApi();
    this.model = this.#makeModel();
    void this.#join();
  }

  get status(): SharedStatus {
    return { ...this.#status, role: this.#role };
  }

  close(): void {
    this.#closing.abort();
    this.#desk?.close();
    void this.#engine.then((engine) => engine.close());
  }

  async #join(): Promise<void> {
    // Without locks (an insecure page, an old browser) every tab is on its own.
    if (!("locks" in navigator) || typeof BroadcastChannel === "undefined") return void this.#host();
    const free = await new Promise<boolean>((resolve) => {
      const held = navigator.locks.request(ENGINE_LOCK, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? this.#closed : undefined;
      });
      held.catch(() => resolve(true)); // locks are refused where site data is blocked: on its own, too
    });
    if (this.#closing.signal.aborted) return;
    if (free) return void this.#host();
    this.#attach();
    const inherited = navigator.locks.request(ENGINE_LOCK, { signal: this.#closing.signal }, () => {
      this.#inherit();
      return this.#closed;
    });
    inherited.catch(() => undefined); // closed while it waited
  }

  #attach(): void {
    this.#role = "guest";
    const attached = new AttachedEngine(this.#self, (status) => this.#tell(status));
    this.#attached = attached;
    this.#found(attached);
  }

  #host(): SteadyEngine {
    this.#role = "host";
    const engine = new SteadyEngine(this.#connect, (status) => {
      this.#tell(status);
      this.#desk?.tell();
    }, this.#downloads);
    if ("locks" in navigator && typeof BroadcastChannel !== "undefined") this.#desk = new EngineDesk(this.#self, engine);
    this.#engine = Promise.resolve(engine);
    this.#found(engine);
    this.#tell(engine.status);
    return engine;
  }

  /** The lock has come to this tab: the host is gone. */
  #inherit(): void {
    const last = this.#attached?.status ?? IDLE;
    const attached = this.#attached;
    this.#attached = undefined;
    const engine = this.#host();
    attached?.close(hostGone());
    if (last.downloads.some(({ phase }) => phase !== "done")) engine.wake();
    if (last.modelId === "" || last.phase === "failed") return;
    const { helper } = last;
    const loading = engine.api.load(last.modelId, last.options, () => undefined);
    loading.then(() => helper && engine.api.help(helper.id, last.options)).catch((error: unknown) => void toAppError(error)); // told by the status
  }

  #tell(status: EngineStatus): void {
    this.#status = status;
    // A budget must not shrink to nothing while a model is loaded again.
    this.#contextLimit = status.loaded?.contextLimit ?? this.#contextLimit;
    this.#onStatus(this.status);
  }

  async #now(): Promise<Engine> {
    if (this.#closing.signal.aborted) throw new AppError("aborted", "The engine was closed.");
    return this.#engine;
  }

  #makeModel(): TextModel {
    const now = (): Promise<Engine> => this.#now();
    const limit = (): number => this.#contextLimit;
    return {
      async *complete(request, signal) {
        yield* (await now()).model.complete(request, signal);
      },
      countTokens: async (request) => (await now()).model.countTokens(request),
      get contextLimit() {
        return limit();
      },
    };
  }

  #makeApi(): InferenceApi {
    const api = async (): Promise<InferenceApi> => (await this.#now()).api;
    return {
      device: async () => (await api()).device(),
      models: async () => (await api()).models(),
      load: async (model, options, onProgress) => (await api()).load(model, options, onProgress),
      generate: async (request, port) => (await api()).generate(request, port),
      countTokens: async (request) => (await api()).countTokens(request),
      help: async (id, options) => (await api()).help(id, options),
      stop: async (only) => (await api()).stop(only),
      details: async () => (await api()).details(),
      profile: async () => (await api()).profile(),
      measure: async () => (await api()).measure(),
      findModels: async (address) => (await api()).findModels(address),
      inspect: async (model) => (await api()).inspect(model),
      download: async (model) => (await api()).download(model),
      steerDownload: async (id, order) => (await api()).steerDownload(id, order),
      remove: async (id) => (await api()).remove(id),
      unload: async () => (await api()).unload(),
    };
  }
}
