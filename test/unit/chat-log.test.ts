import { describe, expect, it } from "vitest";
import type { AgentEvent, ToolCall } from "../../src/agent/events.ts";
import type { ChatItem } from "../../src/ui/chat/chat-item.ts";
import { closeAll, showEvent, spokenOf } from "../../src/ui/chat/chat-log.ts";

const show = (...events: AgentEvent[]): readonly ChatItem[] => events.reduce<readonly ChatItem[]>(showEvent, []);
const run: ToolCall = { id: "call-1", name: "run_shell_command", arguments: { command: "npm test" } };
const report = { runner: "node-tap", passed: 2, failed: 1, skipped: 0, failures: [] } as const;

describe("what the chat shows", () => {
  it("joins streamed words into one message and starts a new one after a turn", () => {
    const items = show({ type: "text", text: "I look " }, { type: "text", text: "first." }, { type: "assistant", text: "I look first." }, { type: "text", text: "Then." });
    expect(items.map((item) => item.kind === "assistant" && [item.text, item.streaming])).toEqual([["I look first.", false], ["Then.", true]]);
  });

  it("shows no empty bubble for the blank line before a call", () => {
    expect(show({ type: "text", text: "\n" })).toEqual([]);
  });

  it("makes one card of a call: running with live output, then its verdict", () => {
    const running = show({ type: "tool-started", call: run }, { type: "tool-output", id: "call-1", text: "TAP" });
    expect(running[0]).toMatchObject({ kind: "tool", target: "npm test", state: "running", detail: "TAP" });
    const [card] = showEvent(running, { type: "tool-finished", call: run, result: "exit code 1", ok: false, report, durationMs: 12 });
    expect(card).toMatchObject({ state: "failed", detail: "TAP", summary: "2 passed, 1 failed", durationMs: 12 });
  });

  it("leaves nothing running or streaming after the end", () => {
    const items = show({ type: "text", text: "half" }, { type: "tool-started", call: run }, { type: "done", reason: "stopped", message: "Stopped.", steps: 1, tokens: 1, durationMs: 1 });
    expect(items.map((item) => (item.kind === "tool" ? item.state : item.kind === "assistant" ? item.streaming : item.kind))).toEqual([false, "stopped", "note"]);
    expect(closeAll(items, false)).toEqual(items);
  });

  it("says an error with its next step", () => {
    const [item] = show({ type: "error", error: { code: "gpu/lost", message: "The GPU was reset.", data: {} } });
    expect(item).toMatchObject({ kind: "note", tone: "bad" });
    expect(item?.kind === "note" && item.text).toMatch(/load the model again/);
  });

  it("gives every item an id of its own", () => {
    const items = show({ type: "user", text: "a" }, { type: "text", text: "b" }, { type: "tool-started", call: run }, { type: "note", text: "c" });
    expect(new Set(items.map((item) => item.id)).size).toBe(4);
  });

  it("speaks of steps and ends, not of every token", () => {
    expect(spokenOf({ type: "text", text: "word" })).toBeUndefined();
    expect(spokenOf({ type: "tool-finished", call: run, result: "", ok: false, report, durationMs: 1 })).toBe("Tests: 2 passed, 1 failed.");
  });
});
