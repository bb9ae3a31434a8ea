// The model of training's rollouts in the real loop: which of its turns stand, were in vain, or were chosen by the tests.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { type AgentOptions, runAgent } from "../../src/agent/loop.ts";
import { EditMemory } from "../../src/agent/redraw.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { bytesSource } from "../../src/gguf/source.ts";
import { FastSandbox } from "../../src/tasks/fast-sandbox.ts";
import { PromptRenderer } from "../../src/tokenizer/prompt.ts";
import { ModelTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { AskedModel, type Question } from "../../training/asked-model.ts";
import { toolCall } from "../support/scripted-model.ts";
import { MEDIAN_PROJECT } from "../support/trees.ts";

const OLD = "return (sorted[middle] + sorted[middle]) / 2;";
const edit = (to: string): string => toolCall("edit", { file_path: "src/median.js", old_string: OLD, new_string: to });
const RIGHT = edit("return (sorted[middle - 1] + sorted[middle]) / 2;");
const WRONG = edit("return 7;");
const TEST = toolCall("run_shell_command", { command: "npm test" });

let tokenizer: ModelTokenizer;
beforeAll(async () => {
  const path = "public/models/tabwright-micro.gguf";
  tokenizer = new ModelTokenizer((await readGguf(bytesSource(path, new Uint8Array(readFileSync(path))))).metadata);
});

async function play(turns: readonly string[], options: AgentOptions = {}) {
  const questions: Question[] = [];
  const left = [...turns];
  const ask = (question: Question) => {
    questions.push(question);
    const ids = [...tokenizer.encodeText(left.shift() ?? "Nothing."), [...tokenizer.endTokens][0]!];
    return Promise.resolve({ ids, ...(question.beside ? { beside: ids.map((id, at) => [-0.1, [id, ids[0]!], [-0.1, at === 30 ? -1 : -9]] as const) } : {}) });
  };
  const sandbox = new FastSandbox(MEDIAN_PROJECT);
  const memory = new EditMemory();
  const shop = { sandbox, created: new Set<string>(), unlockTests: false, mode: "auto", rules: [] } as const;
  const model = new AskedModel(tokenizer, new PromptRenderer(tokenizer), 4096, ask, async (call) => (await memory.foresee(call, shop))?.isVain === true);
  for await (const event of runAgent({ history: [], task: "Fix it", model, sandbox, options }, new AbortController().signal)) {
    if (event.type === "assistant") model.keep(event.text);
    if (event.type === "tries") model.tried(event.tries.length, event.kept, event.tries[event.kept - 1]?.verdict === "green");
  }
  return { counts: model.counts, questions };
}

describe("the turns of a rollout", () => {
  it("are those in vain, which are dropped where another draw is kept", async () => {
    const { counts, questions } = await play([TEST, edit(OLD), edit(OLD), RIGHT, TEST, "Fixed."]);
    expect(counts).toMatchObject({ turns: 6, calls: 5, invalid: [], vain: [1, 2], dropped: [1, 2], found: [], red: [] });
    expect(questions.map(({ beside }) => beside)).toEqual([false, false, true, true, false, false]);
    expect(questions[3]!.forks).toEqual([{ at: 30, rank: 2 }]);
    expect(questions[3]!.ids).toEqual(questions[1]!.ids);
  });

  it("are the try that the tests chose, or the best of those that stayed red", async () => {
    const { counts } = await play([TEST, WRONG, WRONG, RIGHT, TEST, "Fixed."], { tries: 4 });
    expect(counts).toMatchObject({ turns: 6, dropped: [1, 2], found: [3], red: [] });
    expect((await play([RIGHT, TEST, "Fixed."], { tries: 4 })).counts).toMatchObject({ dropped: [], found: [], red: [] });
    expect((await play([WRONG, WRONG, TEST, "No."], { tries: 2 })).counts).toMatchObject({ dropped: [1], found: [], red: [0] });
  });
});
