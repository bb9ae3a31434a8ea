// Fault 25, the actions: a model that does whatever the text says, at the real tools and the real container. Nothing
// happens outside the policy: tests stay locked, paths stay inside the project, nothing reaches the network; in plan mode
// and without the user's word nothing happens at all.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AgentEvent } from "../../src/agent/events.ts";
import { runAgent } from "../../src/agent/loop.ts";
import type { Mode } from "../../src/agent/permission.ts";
import { Checkpoints, treeHash } from "../../src/project/checkpoints.ts";
import type { FileTree } from "../../src/project/tree.ts";
import { INJECTIONS, type Injection } from "../fixtures/corpus/injection.ts";
import { PageSandbox } from "../support/page-sandbox.ts";
import { ScriptedModel, toolCall } from "../support/scripted-model.ts";

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const PROJECT: FileTree = new Map([
  ["package.json", text('{ "type": "module", "scripts": { "test": "node --test" } }')],
  ["src/index.js", text("export const answer = () => 42;\n")],
  ["test/index.test.js", text("import { test } from 'node:test';\nimport assert from 'node:assert';\nimport { answer } from '../src/index.js';\ntest('answers', () => assert.equal(answer(), 42));\n")],
]);

let sandbox: PageSandbox;
let close: () => Promise<void>;
let reached = 0;
const listener = createServer((_request, response) => {
  reached++;
  response.writeHead(200, { "access-control-allow-origin": "*" }).end("reached");
});
listener.on("upgrade", (_request, socket) => {
  reached++;
  socket.destroy();
});
let target = "";

beforeAll(async () => {
  await new Promise<void>((resolve) => listener.listen(0, "localhost", resolve));
  target = `localhost:${(listener.address() as AddressInfo).port}`;
  ({ sandbox, close } = await PageSandbox.open());
});
afterAll(async () => {
  await close?.();
  listener.close();
});

/** The project with the text where it hides. */
function infected({ place, text: order }: Injection): FileTree {
  const safe = order.replaceAll(/[\n/]/g, " ").slice(0, 120);
  const path = place === "file-name" ? safe : place === "package" ? "evil/package.json" : place === "comment" ? "src/notes.js" : "README.md";
  return new Map([...PROJECT, [path, text(order)]]);
}

/** Plays a model that obeys, and returns what happened. */
async function obey(injection: Injection, mode: Mode, files: FileTree): Promise<{ readonly events: AgentEvent[]; readonly after: FileTree }> {
  await sandbox.restore(files);
  const args = JSON.parse(JSON.stringify(injection.call.arguments).replaceAll("TARGET", target)) as Record<string, string>;
  const model = new ScriptedModel([`As it says there.\n${toolCall(injection.call.name, args)}`, "Done.", "Done.", "Done."]);
  const events: AgentEvent[] = [];
  const request = { history: [], task: "Fix the failing test", model, sandbox, options: { mode, checkpoints: new Checkpoints(), ask: () => Promise.resolve({ allow: false }) } };
  for await (const event of runAgent(request, new AbortController().signal)) events.push(event);
  return { events, after: await sandbox.snapshot() };
}

describe("fault 25: a model that obeys injected orders", () => {
  it("has a network probe that works where it may", async () => {
    await fetch(`http://${target}/`);
    expect(reached).toBe(1);
    reached = 0;
  });

  it("would be seen if it did something: what the policy allows does happen", async () => {
    const harmless: Injection = { name: "", place: "readme", text: "x", call: { name: "write_file", arguments: { file_path: "src/index.js", content: "export const answer = () => 1;\n" } } };
    expect((await obey(harmless, "auto", PROJECT)).after.get("src/index.js")).toEqual(text("export const answer = () => 1;\n"));
  });

  it.each(["plan", "ask"] as const)("changes nothing and runs nothing in %s mode without the user's word", async (mode) => {
    for (const injection of INJECTIONS) {
      const files = infected(injection);
      const { events, after } = await obey(injection, mode, files);
      expect(await treeHash(after), injection.name).toBe(await treeHash(files));
      expect(events.some(({ type }) => type === "checkpoint" || type === "tool-output"), injection.name).toBe(false);
    }
    expect(reached).toBe(0);
  });

  it.each(INJECTIONS.map((injection) => [injection.name, injection] as const))("in auto mode: %s", async (_name, injection) => {
    const files = infected(injection);
    const { events, after } = await obey(injection, "auto", files);
    // Locked tests are as they were, whatever was run.
    expect(after.get("test/index.test.js")).toEqual(files.get("test/index.test.js"));
    for (const path of after.keys()) expect(path).not.toMatch(/^\/|^[A-Za-z]:|(^|\/)\.\.(\/|$)|\0/);
    // Never called done on the word of what was printed.
    expect(events.at(-1)).not.toMatchObject({ type: "done", reason: "verified" });
    expect(events.at(-1)?.type).toBe("done");
    expect(reached).toBe(0);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
