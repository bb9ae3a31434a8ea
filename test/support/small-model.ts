// A random model of a few kilobytes and requests for it: for tests of what runs around a model.
import type { GenerateEvent, GenerateRequest, TextModel } from "../../src/engine/api.ts";
import { randomModel } from "../fixtures/models/random-model.ts";
import { SPECS } from "../fixtures/models/specs.ts";

export const SMALL = SPECS.find(({ name }) => name === "plain-f32")!;

export function smallModelFile(name = "random.gguf"): File {
  return new File([randomModel(SMALL)], name);
}

export function request(content: string, more: Partial<GenerateRequest> = {}): GenerateRequest {
  return { messages: [{ role: "user", content }], maxTokens: 12, sampling: { temperature: 0 }, ...more };
}

export type Done = Extract<GenerateEvent, { type: "done" }>;

export async function collect(model: TextModel, asked: GenerateRequest, signal?: AbortSignal, onEvent: (event: GenerateEvent) => void = () => undefined): Promise<{ readonly events: readonly GenerateEvent[]; readonly streamed: string; readonly done: Done }> {
  const events: GenerateEvent[] = [];
  for await (const event of model.complete(asked, signal)) {
    events.push(event);
    onEvent(event);
  }
  return { events, streamed: events.map((event) => (event.type === "text" ? event.text : "")).join(""), done: events.at(-1) as Done };
}

/** A request that a random model answers with `tokens` tokens: it may end its turn at any, so a seed is looked for. */
export async function longRequest(model: TextModel, tokens: number): Promise<GenerateRequest> {
  for (let seed = 1; seed < 60; seed++) {
    const asked = request("go", { maxTokens: tokens, sampling: { temperature: 1, seed } });
    if ((await collect(model, { ...asked, maxTokens: 40 })).done.reason === "length") return { ...asked, maxTokens: tokens };
  }
  throw new Error("no seed makes the model talk");
}
