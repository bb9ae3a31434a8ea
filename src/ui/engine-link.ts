// The page's end of the inference worker: starts it, loads models, and tells the session how far it is.
import { AppError, toAppError } from "../base/errors.ts";
import { connectEngine, type ConnectedEngine } from "../engine/client.ts";
import type { TextModel } from "../engine/api.ts";
import type { EngineLink } from "./session.ts";
import type { EngineState, SessionState } from "./session-state.ts";

export class WorkerEngine implements EngineLink {
  #connected: ConnectedEngine | undefined;
  #state: EngineState = { phase: "starting", modelId: "" };
  #models: SessionState["models"] = [];
  #tell: (engine: EngineState, models: SessionState["models"]) => void = () => undefined;

  get model(): TextModel {
    return this.#need().model;
  }

  /** Starts the worker and loads the first model of the list, which is the bundled one. */
  async start(tell: (engine: EngineState, models: SessionState["models"]) => void, model?: string | File): Promise<void> {
    this.#tell = tell;
    try {
      this.#connected = connectEngine();
      this.#models = await this.#connected.api.models();
      this.#set({ phase: "starting", modelId: this.#models[0]?.id ?? "" });
      const { problem } = await this.#connected.api.device();
      if (problem !== undefined) throw new AppError("gpu/unavailable", problem);
      const first = model ?? this.#models[0]?.id;
      if (first === undefined) throw new AppError("storage/missing", "This site ships no model: public/models is empty. Open a GGUF file of your own.");
      await this.load(first);
    } catch (error) {
      this.#set({ phase: "failed", modelId: this.#state.modelId });
      throw error;
    }
  }

  async load(model: string | File): Promise<void> {
    const { api } = this.#need();
    const modelId = typeof model === "string" ? model : model.name;
    if (typeof model !== "string" && !this.#models.some(({ id }) => id === modelId)) {
      this.#models = [...this.#models, { id: modelId, name: modelId, kind: "moe", bytes: model.size, source: "file", note: "Opened from this computer" }];
    }
    this.#set({ phase: "loading", modelId });
    // A model of the user's own is worth keeping: asked for where the user chose it. A refusal changes nothing now.
    if (typeof model !== "string") await navigator.storage.persist();
    try {
      const loaded = await api.load(model, {}, (progress) => this.#set({ phase: "loading", modelId, progress }));
      this.#set({ phase: "ready", modelId, loaded });
    } catch (thrown) {
      this.#set({ phase: "failed", modelId });
      throw toAppError(thrown);
    }
  }

  stop(): void {
    void this.#connected?.api.stop();
  }

  #need(): ConnectedEngine {
    if (this.#connected) return this.#connected;
    throw new AppError("gpu/unavailable", "The engine has not started yet. Wait a moment and try again.");
  }

  #set(state: EngineState): void {
    this.#state = state;
    this.#tell(state, this.#models);
  }
}
