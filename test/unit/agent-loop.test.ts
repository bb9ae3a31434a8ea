import { afterEach, describe, expect, it } from "vitest";
import { type AgentEvent, transcriptOf } from "../../src/agent/events.ts";
import { type AgentRequest, runAgent } from "../../src/agent/loop.ts";
import { Checkpoints } from "../../src/project/checkpoints.ts";
import { NodeSandbox } from "../support/node-sandbox.ts";
import { ScriptedModel, toolCall } from "../support/scripted-model.ts";
import { MEDIAN_PROJECT } from "../support/trees.ts";

const open: NodeSandbox[] = [];
afterEach(async () => {
  for (const sandbox of open.splice(0)) await sandbox.close();
});

async function nodeSandbox(): Promise<NodeSandbox> {
  const sandbox = await NodeSandbox.open(MEDIAN_PROJECT);
  open.push(sandbox);
  return sandbox;
}

async function collect(request: AgentRequest, signal: AbortSignal = new AbortController().signal): Promise<AgentEvent[]> {
  const events: AgentEvent[] = [];
  for await (const event of runAgent(request, signal)) events.push(event);
  return events;
}

const FIX = {
  file_path: "src/median.js",
  old_string: "return (sorted[middle] + sorted[middle]) / 2;",
  new_string: "return (sorted[middle - 1] + sorted[middle]) / 2;",
};
const TEST = toolCall("run_shell_command", { command: "npm test" });

describe("the agent, with real Node", () => {
  it("fixes a bug: runs the tests, reads, edits, runs them again, and ends verified", async () => {
    const sandbox = await nodeSandbox();
    const model = new ScriptedModel([
      `I run the tests first.\n${TEST}`,
      toolCall("read_file", { file_path: "src/median.js" }),
      toolCall("edit", FIX),
      TEST,
      "Fixed median. All tests pass.",
    ]);
    const checkpoints = new Checkpoints();
    const events = await collect({ history: [], task: "Fix the failing test", model, sandbox, options: { checkpoints } });
    expect(transcriptOf(events).slice(1)).toEqual([
      { role: "user", content: "Fix the failing test" },
      { role: "assistant", content: `I run the tests first.\n${TEST}` },
      { role: "tool", content: "exit code 1: 1 passed, 1 failed\nFAIL test/median.test.js:10 median([1, 2, 3, 4])\nexpected 2.5\nactual 3" },
      { role: "assistant", content: toolCall("read_file", { file_path: "src/median.js" }) },
      { role: "tool", content: new TextDecoder().decode(MEDIAN_PROJECT.get("src/median.js")).trimEnd() },
      { role: "assistant", content: toolCall("edit", FIX) },
      { role: "tool", content: "Edited src/median.js. Run the tests." },
      { role: "assistant", content: TEST },
      { role: "tool", content: "exit code 0: 2 passed, 0 failed" },
      { role: "assistant", content: "Fixed median. All tests pass." },
    ]);
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "verified", steps: 5 });
    expect(events.filter(({ type }) => type === "checkpoint")).toMatchObject([{ before: "1", after: "2", label: "Edited src/median.js", paths: ["src/median.js"] }]);
  });
});
