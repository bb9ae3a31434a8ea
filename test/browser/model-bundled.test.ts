// The bundled model writes, token for token, what llama.cpp writes after twenty prompts.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledModels, BUNDLED_FOLDER } from "../../src/engine/models.ts";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { Transformer } from "../../src/model/transformer.ts";
import { greedyToken } from "../../src/model/sampling.ts";
import recorded from "../fixtures/models/bundled.json" with { type: "json" };
import { memoryModel } from "../support/memory-model.ts";

interface RecordedPrompt {
  readonly text: string;
  readonly ids: readonly number[];
  readonly greedy: readonly number[];
}
const prompts: readonly RecordedPrompt[] = recorded.prompts;
const ends: readonly number[] = recorded.ends;

it("llama.cpp was asked about the very file that this site ships", async () => {
  const shipped = await bundledModels();
  const message = "run npx tsx test/fixtures/models/record-bundled.ts public/models/FILE.gguf again";
  expect(shipped.length === 0 || shipped.some(({ sha256 }) => sha256 === recorded.sha256), message).toBe(true);
});

describe.runIf(prompts.length > 0)("the bundled model goes on as llama.cpp does", () => {
  let gpu: Gpu;
  let model: Transformer;
  beforeAll(async () => {
    const bytes = new Uint8Array(await (await fetch(`${BUNDLED_FOLDER}${recorded.file}`)).arrayBuffer());
    gpu = await openGpu();
    model = await Transformer.load(gpu, await memoryModel(bytes));
  });
  afterAll(() => gpu.close());

  it.each(prompts.map(({ text, ...rest }, index) => [index + 1, text.split("\n").at(-4)?.slice(0, 40) ?? text, rest] as const))("after prompt %i, … %s", async (_, __, { ids, greedy }) => {
    model.reset();
    const written: number[] = [];
    let logits = await model.forward(ids);
    while (written.length < recorded.mostTokens) {
      const token = greedyToken(logits);
      if (ends.includes(token)) break;
      written.push(token);
      logits = await model.forward([token]);
    }
    expect(written).toEqual(greedy);
  });
});
