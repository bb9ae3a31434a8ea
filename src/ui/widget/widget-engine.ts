// The widget's engine: nothing is fetched for it before the reader has agreed to its size, and it runs only while this
// frame has the page's one engine (src/embed/engine-seat.ts).
import { AppError } from "../../base/errors.ts";
import type { InferenceApi, LoadOptions, ModelFiles, TextModel } from "../../engine/api.ts";
import { connectEngine } from "../../engine/client.ts";
import { bundledModels } from "../../engine/models.ts";
import type { FromFrame, ToFrame } from "../../embed/protocol.ts";
import type { EngineLink } from "../session/core.ts";
import { WorkerEngine } from "../session/engine-link.ts";
import type { SessionState } from "../session/session-state.ts";
import { askForSharedStorage, canAskForSharedStorage, mayShareStorage, type OwnStorage, ownStorage, type SharedStorage } from "./engine-storage.ts";

/** How far the reader and the engine are with each other. */
export type Gate =
  | { readonly step: "looking" }
  /** A click starts it. `canShare`: the browser may let us use a model that is already there. */
  | { readonly step: "offer"; readonly bytes: number; readonly canShare: boolean; readonly stored: boolean }
  /** The browser gave no access to what is already there: it would be fetched again, for this site alone. */
  | { readonly step: "again"; readonly bytes: number }
  /** Another widget of the page has the engine. */
  | { readonly step: "elsewhere" }
  | { readonly step: "running" };

type Tell = (engine: SessionState["engine"], models: SessionState["models"]) => void;

export class WidgetEngine implements EngineLink {
  gate: Gate = { step: "looking" };
  onGate: () => void = () => undefined;
  onProblem: (error: unknown) => void = () => undefined;
  /** The model can be used: again after it was elsewhere. */
  onReady: () => void = () => undefined;
  /** What runs with the engine must end now. */
  onGiveUp: () => Promise<void> = () => Promise.resolve();
  readonly #send: (message: FromFrame) => void;
  #tell: Tell = () => undefined;
  #storage: OwnStorage = "empty";
  #shared: SharedStorage | undefined;
  #bytes = 0;
  /** The reader has agreed, or nothing has to be fetched: what the host's page says counts only then. */
  #wanted = false;
  #engine: WorkerEngine | undefined;

  constructor(send: (message: FromFrame) => void) {
    this.#send = send;
  }

  get model(): TextModel {
    if (this.#engine) return this.#engine.model;
    throw new AppError("gpu/unavailable", "The assistant has not been started. Start it first.");
  }

  get api(): InferenceApi {
    if (this.#engine) return this.#engine.api;
    throw new AppError("gpu/unavailable", "The assistant has not been started. Start it first.");
  }

  /** False where nothing that is done here outlives the page. */
  get stores(): boolean {
    return this.#storage !== "none";
  }

  /** Looks what is there. Starts by itself only where nothing has to be fetched. */
  async start(tell: Tell): Promise<void> {
    this.#tell = tell;
    tell({ phase: "waiting", modelId: "" }, []);
    this.#storage = await ownStorage();
    if (this.#storage !== "model" && (await mayShareStorage())) this.#shared = await askForSharedStorage();
    if (this.#storage === "model" || this.#shared?.hasModel) return this.#want();
    this.#bytes = await engineBytes();
    this.#show({ step: "offer", bytes: this.#bytes, canShare: this.#shared === undefined && canAskForSharedStorage(), stored: this.stores });
  }

  /** The reader's click on the first offer: what can be shared is shared, what must be fetched was said. */
  async accept(): Promise<void> {
    if (this.gate.step === "offer" && this.gate.canShare) {
      this.#shared = await askForSharedStorage();
      if (!this.#shared) return this.#show({ step: "again", bytes: this.#bytes });
    }
    this.#want();
  }

  /** The reader's click on the second offer: fetched once more, for this site. */
  acceptAgain(): void {
    this.#want();
  }

  /** The reader's click on "use it here". */
  take(): void {
    this.#send({ type: "engine", state: "take" });
  }

  /** What the host's page says about the engine. */
  async hear(state: Extract<ToFrame, { type: "engine" }>["state"]): Promise<void> {
    if (!this.#wanted) return;
    if (state === "yours") return this.#run();
    if (state === "elsewhere") return this.#show({ step: "elsewhere" });
    await this.onGiveUp();
    this.#engine?.close();
    this.#engine = undefined;
    this.#tell({ phase: "waiting", modelId: "" }, []);
    this.#send({ type: "engine", state: "released" });
  }

  load(model: string | ModelFiles, options?: LoadOptions): Promise<void> {
    return this.#engine ? this.#engine.load(model, options) : Promise.resolve();
  }

  stop(): void {
    this.#engine?.stop();
  }

  close(): void {
    this.#engine?.close();
  }

  #want(): void {
    this.#wanted = true;
    this.#send({ type: "engine", state: "wanted" });
  }

  async #run(): Promise<void> {
    if (this.#engine) return;
    this.#show({ step: "running" });
    this.#tell({ phase: "starting", modelId: "" }, []);
    const shared = this.#storage === "model" ? undefined : this.#shared;
    const engine = new WorkerEngine({ downloads: false, ...(shared ? { connect: () => connectEngine(shared.startWorker()) } : {}) });
    this.#engine = engine;
    try {
      await engine.start((state, models) => {
        if (engine === this.#engine) this.#tell(state, models);
      });
      if (engine === this.#engine) this.onReady();
    } catch (error) {
      if (engine !== this.#engine) return;
      this.#engine = undefined;
      engine.close();
      this.#send({ type: "engine", state: "released" });
      this.#tell({ phase: "waiting", modelId: "" }, []);
      this.onProblem(error);
      this.#show({ step: "offer", bytes: this.#bytes, canShare: false, stored: this.stores });
    }
  }

  #show(gate: Gate): void {
    this.gate = gate;
    this.onGate();
  }
}

/** What starting fetches where nothing is stored: the model, and the engine's code as the build measured it. */
async function engineBytes(): Promise<number> {
  const response = await fetch("/embed/sizes.json").catch(() => undefined);
  const sizes: unknown = response?.ok ? await response.json().catch(() => undefined) : undefined;
  const measured = typeof sizes === "object" && sizes !== null && "engineBytes" in sizes ? Number(sizes.engineBytes) : 0;
  if (measured > 0) return measured;
  const models = await bundledModels().catch(() => []);
  return models[0]?.bytes ?? 0;
}
