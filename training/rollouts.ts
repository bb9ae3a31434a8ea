// Episodes of the real agent loop for a model that runs elsewhere: many at once in one process, over standard input and
// output, one JSON object a line.
//
//   npx tsx training/rollouts.ts MODEL.gguf [TASKS.jsonl] [--node]   (the file: tokenizer and template only)
//
// With --node the project is a folder and its tests run in a Node of their own, with your rights: for projects that are not
// generated. What they need is found where Node looks, from the folder for temporary files (TMPDIR) upwards.
//
// in   { id, kind, seed, index }   a practice task   { id, task }   task number `task` of TASKS.jsonl, counted from 0
//                                                     `level`: which of its instructions, if it has three
//      { id, ids }           the answer to a question
// out  { id, ids, most, sampling? }                 a question: the prompt's ids
//      { id, done: { solved, finished, end, ... } } the end of an episode; the hidden tests decide `solved`
//
// `tries`, in a task's line, is how many draws of an edit the tests may judge. `limits` are { context, turn, steps } in tokens and turns.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { runAgent } from "../src/agent/loop.ts";
import { EditMemory } from "../src/agent/redraw.ts";
import { readGguf } from "../src/gguf/reader.ts";
import { bytesSource } from "../src/gguf/source.ts";
import { LIMITS } from "../src/base/limits.ts";
import type { Sandbox } from "../src/container/sandbox.ts";
import type { FileTree } from "../src/project/tree.ts";
import { FastSandbox } from "../src/tasks/fast-sandbox.ts";
import { PRACTICE_KINDS, type PracticeKind, practiceTask } from "../src/tasks/practice.ts";
import { atLevel, gradingTree, type Level, type Task } from "../src/tasks/task.ts";
import { TaskLineReader } from "../src/tasks/task-line.ts";
import { WordSource } from "../src/tasks/words.ts";
import { PromptRenderer } from "../src/tokenizer/prompt.ts";
import { ModelTokenizer } from "../src/tokenizer/tokenizer.ts";
import { NodeSandbox } from "../test/support/node-sandbox.ts";
import { type Answered, AskedModel, type Question } from "./asked-model.ts";

interface Order {
  readonly id: number;
  readonly kind?: PracticeKind;
  readonly seed?: number;
  readonly index?: number;
  readonly task?: number;
  readonly level?: Level;
  readonly tries?: number;
  readonly ids?: Answered["ids"];
  readonly beside?: NonNullable<Answered["beside"]>;
  readonly limits?: { readonly context: number; readonly turn: number; readonly steps: number };
}

const [modelPath, tasksPath] = process.argv.slice(2).filter((argument) => argument !== "--node");
const realNode = process.argv.includes("--node");
if (!modelPath) {
  console.error("usage: npx tsx training/rollouts.ts MODEL.gguf [TASKS.jsonl] [--node]");
  process.exit(2);
}
const { metadata } = await readGguf(bytesSource(modelPath, new Uint8Array(readFileSync(modelPath))));
const tokenizer = new ModelTokenizer(metadata);
const renderer = new PromptRenderer(tokenizer);
const reader = new TaskLineReader();
const tasks = tasksPath ? readFileSync(tasksPath, "utf8").split("\n").flatMap((line) => reader.read(line, tasksPath)?.task ?? []) : [];
const words = new WordSource("train");
const waiting = new Map<number, (answer: Answered) => void>();

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function taskOf(order: Order): Task {
  if (order.task === undefined) return practiceTask(order.kind ?? PRACTICE_KINDS[0], order.seed ?? 0, order.index ?? 0, words);
  const task = tasks[order.task];
  if (!task) throw new Error(`${tasksPath} has ${tasks.length} tasks: there is no number ${order.task}.`);
  return order.level ? atLevel(task, order.level) : task;
}

async function inSandbox<T>(files: FileTree, use: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  if (!realNode) return use(new FastSandbox(files));
  const sandbox = await NodeSandbox.open(files);
  return use(sandbox).finally(() => sandbox.close());
}

function run(order: Order): Promise<void> {
  const task = taskOf(order);
  return inSandbox(task.files, (sandbox) => play(order, task, sandbox));
}

async function play(order: Order, task: Task, sandbox: Sandbox): Promise<void> {
  const { id, limits = { context: 4096, turn: LIMITS.turnTokens, steps: LIMITS.agentSteps } } = order;
  const memory = new EditMemory();
  const shop = { sandbox, created: new Set<string>(), unlockTests: false, mode: "auto", rules: [] } as const;
  const model = new AskedModel(tokenizer, renderer, limits.context, ({ ids, most, beside, sampling, forks }: Question) => {
    say({ id, ids, most, ...(beside ? { beside } : {}), ...(sampling ? { sampling } : {}), ...(forks ? { forks: forks.map(({ at, rank }) => [at, rank]) } : {}) });
    return new Promise((resolve) => waiting.set(id, resolve));
  }, async (call) => (await memory.foresee(call, shop))?.isVain === true);
  const options = { limits: { turnTokens: limits.turn, steps: limits.steps }, ...(order.tries === undefined ? {} : { tries: order.tries }) };
  let end = "error";
  let edits = 0;
  for await (const event of runAgent({ history: [], task: task.instruction, model, sandbox, options }, new AbortController().signal)) {
    if (event.type === "assistant") model.keep(event.text);
    if (event.type === "tries") model.tried(event.tries.length, event.kept, event.tries[event.kept - 1]?.verdict === "green");
    if (event.type === "tool-started") {
      const foreseen = await memory.foresee(event.call, shop);
      if (foreseen) memory.keep(foreseen);
    }
    if (event.type === "done") end = event.reason;
    else if (event.type === "error") end = `error: ${event.error.message}`;
    else if (event.type === "tool-finished" && (event.call.name === "edit" || event.call.name === "write_file")) edits++;
  }
  const solved = await inSandbox(gradingTree(task, await sandbox.snapshot()), (graded) => graded.run(task.test)).then(({ exitCode }) => exitCode === 0, () => false);
  const finished = end === "verified" || end === "not-verified" || end === "answered";
  say({ id, done: { solved, finished, end, edits, task: task.id, set: task.set ?? "practice", family: task.family ?? "", operator: task.origin?.operator ?? "", ...model.counts } });
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order;
  if (order.ids) {
    const answer = waiting.get(order.id);
    waiting.delete(order.id);
    answer?.({ ids: order.ids, ...(order.beside ? { beside: order.beside } : {}) });
  } else Promise.resolve(order).then(run).catch((error: unknown) => say({ id: order.id, done: { solved: false, finished: false, end: `error: ${String(error)}`, turns: 0, calls: 0, invalid: [], vain: [], dropped: [], found: [], red: [], edits: 0, task: "", set: "", family: "" } }));
}
