// Whole episodes, edits that are drawn again among them: the page's engine writes, token for token, what the fast path of training
// (training/measure.py --record) wrote for the same tasks. So what is measured there is what the page does.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAgent } from "../../src/agent/loop.ts";
import { type ConnectedEngine, connectEngine } from "../../src/engine/client.ts";
import type { TextModel } from "../../src/engine/api.ts";
import { BUNDLED_FOLDER, bundledModels } from "../../src/engine/models.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { bytesSource } from "../../src/gguf/source.ts";
import { FastSandbox } from "../../src/tasks/fast-sandbox.ts";
import { gradingTree } from "../../src/tasks/task.ts";
import { TaskLineReader } from "../../src/tasks/task-line.ts";
import { decodeIds } from "../../src/tokenizer/detokenizer.ts";
import { ModelTokenizer } from "../../src/tokenizer/tokenizer.ts";
import recorded from "../fixtures/models/episodes.json" with { type: "json" };

/** Loading compiles every kernel, on a busy machine without a GPU for half a minute. */
const LOAD_MS = 240_000;
const EPISODE_MS = 300_000;
const AGAIN = "Record them again: see \"The fast path and the page\" in training/README.md";

const reader = new TaskLineReader();
const episodes = recorded.episodes.map(({ task, turns, done }) => ({ task: reader.read(JSON.stringify(task), "episodes.json")!.task, turns, done }));

/** Draws that left the way of an edit in vain at a token. */
let forked = 0;

it("are of the very file that this site ships, and solved or not", async () => {
  const shipped = await bundledModels();
  expect(shipped.some(({ sha256 }) => sha256 === recorded.sha256), AGAIN).toBe(true);
  expect(new Set(episodes.map(({ done }) => done.solved)).size).toBe(2);
});

describe("an episode in the page's engine", () => {
  let engine: ConnectedEngine;
  let tokenizer: ModelTokenizer;
  beforeAll(async () => {
    const bytes = new Uint8Array(await (await fetch(`${BUNDLED_FOLDER}${recorded.file}`)).arrayBuffer());
    tokenizer = new ModelTokenizer((await readGguf(bytesSource("bundled", bytes))).metadata);
    engine = connectEngine();
    await engine.api.load(new File([bytes], recorded.file), {}, () => {});
  }, LOAD_MS);
  afterAll(() => engine.close());

  it.each(episodes.map((episode) => [episode.task.id, episode.turns.length, episode] as const))("%s goes as it did on the fast path, in %i turns", async (_, __, { task, turns, done }) => {
    const sandbox = new FastSandbox(task.files);
    const written: string[] = [];
    let end = "";
    const model: TextModel = {
      contextLimit: engine.model.contextLimit,
      countTokens: (request) => engine.model.countTokens(request),
      complete: (request, signal) => {
        if (request.forks) forked++;
        return engine.model.complete(request, signal);
      },
    };
    for await (const event of runAgent({ history: [], task: task.instruction, model, sandbox }, new AbortController().signal)) {
      if (event.type === "assistant") written.push(event.text);
      if (event.type === "error") throw new Error(event.error.message);
      if (event.type === "done") end = event.reason;
    }
    const shown = (ids: readonly number[]): string => decodeIds(tokenizer, ids.filter((id) => !tokenizer.endTokens.has(id)));
    expect(written).toEqual(turns.map(shown));
    const graded = await new FastSandbox(gradingTree(task, await sandbox.snapshot())).run("npm test");
    expect({ end, solved: graded.exitCode === 0 }).toEqual(done);
  }, EPISODE_MS);

  it("had turns among them that were drawn again", () => {
    expect(forked, AGAIN).toBeGreaterThan(1);
  });
});
