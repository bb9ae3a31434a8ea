// Fault 15: the engine's worker throws, is ended from outside, or posts what makes no sense. The worker is the real one with
// faults on order (test/support/faulty-inference.ts).
import { afterEach, describe, expect, it } from "vitest";
import { AppError, toAppError } from "../../src/base/errors.ts";
import { connectEngine, type Engine } from "../../src/engine/client.ts";
import { SharedEngine } from "../../src/engine/shared-engine.ts";
import { type EngineStatus, SteadyEngine } from "../../src/engine/steady-engine.ts";
import type { Fault } from "../support/faulty-inference.ts";
import { collect, longRequest, request, smallModelFile } from "../support/small-model.ts";

const LOAD_MS = 240_000;
/** None may hang: far above what any takes, far below the test's own limit. */
const SETTLED_MS = 20_000;

const workers: Worker[] = [];
const open: Engine[] = [];

function faultyWorker(): Worker {
  const worker = new Worker(new URL("../support/faulty-inference.ts", import.meta.url), { type: "module" });
  workers.push(worker);
  return worker;
}

function inject(fault: Fault): void {
  workers.at(-1)!.postMessage({ fault });
}

function keep<T extends Engine>(engine: T): T {
  open.push(engine);
  return engine;
}

afterEach(() => {
  for (const engine of open.splice(0)) engine.close();
  workers.splice(0);
});

/** How a call ended: with an error, with a value, or not at all. */
async function ending(call: Promise<unknown>): Promise<AppError | "a value" | "nothing"> {
  const late = new Promise<"nothing">((resolve) => setTimeout(() => resolve("nothing"), SETTLED_MS));
  return Promise.race([call.then(() => "a value" as const, toAppError), late]);
}

const faults: readonly (readonly [name: string, cause: () => void])[] = [
  ["throws", () => inject("throw")],
  ["is terminated without a word", () => workers.at(-1)!.terminate()],
  ["answers with a message that makes no sense", () => inject("reply")],
];

describe("fault 15: the engine's worker", () => {
  it.each(faults)("%s: what waits fails with a typed error, a new worker loads the model again and answers the same", { timeout: LOAD_MS }, async (_name, cause) => {
    const statuses: EngineStatus["phase"][] = [];
    const engine = keep(new SteadyEngine(() => connectEngine(faultyWorker()), ({ phase }) => void statuses.push(phase)));
    await engine.api.load(smallModelFile(), {}, () => undefined);
    const expected = (await collect(engine.model, request("hello"))).done.text;
    const long = await longRequest(engine.model, 230);
    let caused = false;
    const running = collect(engine.model, long, undefined, ({ type }) => {
      if (type !== "text" || caused) return;
      caused = true;
      cause();
    });
    const waiting = [collect(engine.model, request("waits")), engine.api.profile()];
    const endings = await Promise.all([running, ...waiting].map(ending));
    for (const end of endings) expect(end).toMatchObject({ code: "engine/stopped" });
    expect(endings[0]).toBeInstanceOf(AppError);

    const again = await collect(engine.model, request("hello"));
    expect(again.done.text).toBe(expected);
    expect(workers).toHaveLength(2);
    expect(engine.status).toMatchObject({ phase: "ready", modelId: "random.gguf" });
    expect(statuses.slice(statuses.indexOf("ready"))).toContain("loading");
    expect((await engine.api.details()).errors).toContainEqual(expect.objectContaining({ code: "engine/stopped" }));
    await engine.api.remove("random.gguf");
  });

  it("sends a token that is none: that answer fails, a new worker takes over", { timeout: LOAD_MS }, async () => {
    const engine = keep(new SteadyEngine(() => connectEngine(faultyWorker())));
    await engine.api.load(smallModelFile(), {}, () => undefined);
    const expected = (await collect(engine.model, request("hello"))).done.text;
    inject("token");
    expect(await ending(collect(engine.model, request("hello")))).toMatchObject({ code: "engine/stopped", message: expect.stringContaining("makes no sense") });
    expect((await collect(engine.model, request("hello"))).done.text).toBe(expected);
    await engine.api.remove("random.gguf");
  });

  it("dies again and again: it is left alone after three times, says so, and starts when somebody asks", { timeout: LOAD_MS }, async () => {
    let broken = true;
    const engine = keep(
      new SteadyEngine(() => {
        if (!broken) return connectEngine(faultyWorker());
        workers.push(new Worker(URL.createObjectURL(new Blob(["throw new Error('no engine here')"], { type: "text/javascript" }))));
        return connectEngine(workers.at(-1));
      }),
    );
    const file = smallModelFile();
    expect(await ending(engine.api.load(file, {}, () => undefined))).toMatchObject({ code: "engine/stopped", message: expect.stringContaining("no engine here") });
    await expect.poll(() => engine.status.phase).toBe("failed");
    expect(workers).toHaveLength(3);
    broken = false;
    await engine.api.load(file, {}, () => undefined);
    expect((await collect(engine.model, request("hello"))).done.text).toBeTypeOf("string");
    await engine.api.remove("random.gguf");
  });

  it("dies under a guest: the guest's answer fails with the same typed error, and its next one is answered", { timeout: LOAD_MS }, async () => {
    const host = keep(new SharedEngine(() => connectEngine(faultyWorker())));
    await expect.poll(() => host.status.role).toBe("host");
    await host.api.load(smallModelFile(), {}, () => undefined);
    const guest = keep(new SharedEngine(() => connectEngine(faultyWorker())));
    await expect.poll(() => guest.status.phase).toBe("ready");
    const expected = (await collect(guest.model, request("hello"))).done.text;
    const long = await longRequest(guest.model, 230);
    const running = collect(guest.model, long, undefined, ({ type }) => {
      if (type === "text") workers[0]!.terminate();
    });
    expect(await ending(running)).toMatchObject({ code: "engine/stopped" });
    expect((await collect(guest.model, request("hello"))).done.text).toBe(expected);
    expect(guest.status).toMatchObject({ role: "guest", phase: "ready" });
    inject("token");
    expect(await ending(collect(guest.model, request("hello")))).toMatchObject({ code: "engine/stopped" });
    expect((await collect(guest.model, request("hello"))).done.text).toBe(expected);
    await host.api.remove("random.gguf");
  });
});
