// The engine that stays, over workers that die when the test says so.
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import type { InferenceApi, LoadedModel } from "../../src/engine/api.ts";
import type { ConnectedEngine } from "../../src/engine/client.ts";
import type { LabApi } from "../../src/engine/lab.ts";
import { type EngineStatus, SteadyEngine } from "../../src/engine/steady-engine.ts";

const loaded = (id: string, contextLimit = 4096): LoadedModel => ({ id, contextLimit, expertSlots: 0, expertCount: 0, gpuBytes: 1, memory: { dense: 0, cache: 0, recurrent: 0, experts: 0, scratch: 0 } });

/** Workers that note what they are asked; `die` ends the newest. `shrinks`: the helper has the large model loaded again. */
function workers(shrinks = false) {
  const calls: string[] = [];
  const died: ((error: AppError) => void)[] = [];
  const connect = (): ConnectedEngine => {
    let die: (error: AppError) => void = () => undefined;
    const ended = new Promise<AppError>((resolve) => (die = resolve));
    died.push(die);
    const api = {
      load: async (model: string) => (calls.push(`load ${model}`), loaded(model)),
      help: async (id: string | undefined) => (calls.push(`help ${id ?? "none"}`), id === undefined ? {} : { helper: loaded(id), ...(shrinks ? { model: loaded("large", 2048) } : {}) }),
    } as unknown as InferenceApi;
    return { api, lab: { watchDownloads: async () => undefined } as unknown as LabApi, model: { contextLimit: 0 } as ConnectedEngine["model"], ended, fail: die, close: () => undefined };
  };
  return { calls, connect, die: () => died.at(-1)!(new AppError("engine/stopped", "on order")) };
}

describe("an engine with a second model", () => {
  it("tells of it, loads both again when the worker dies, and none when it was sent away", async () => {
    const { calls, connect, die } = workers();
    let status: EngineStatus | undefined;
    const engine = new SteadyEngine(connect, (now) => (status = now));
    await engine.api.load("large", {}, () => undefined);
    await engine.api.help("small", {});
    expect(status).toMatchObject({ phase: "ready", modelId: "large", helper: { id: "small" } });
    die();
    await expect.poll(() => calls).toEqual(["load large", "help small", "load large", "help small"]);
    await engine.api.help(undefined, {});
    expect(status?.helper).toBeUndefined();
    die();
    await expect.poll(() => calls.slice(4)).toEqual(["help none", "load large"]);
    engine.close();
  });

  it("knows the large model's shorter context where it was loaded again for it", async () => {
    const engine = new SteadyEngine(workers(true).connect);
    await engine.api.load("large", {}, () => undefined);
    expect(engine.model.contextLimit).toBe(4096);
    await engine.api.help("small", {});
    expect(engine.model.contextLimit).toBe(2048);
    engine.close();
  });
});
