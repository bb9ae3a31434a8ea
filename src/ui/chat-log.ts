// From the agent's events to what the chat shows: a pure function, so a stored log of events shows the same chat again.
import type { AgentEvent, DoneReason, ToolCall } from "../agent/events.ts";
import type { TestReport } from "../agent/test-report.ts";
import { fromWireError } from "../base/wire.ts";
import { explain } from "./advice.ts";
import type { ChatItem } from "./chat-item.ts";

const DETAIL_CHARACTERS = 20_000;

/** The items after one more event. Events that show nothing return the same array. */
export function showEvent(items: readonly ChatItem[], event: AgentEvent): readonly ChatItem[] {
  const id = (items.at(-1)?.id ?? 0) + 1;
  const last = items.at(-1);
  switch (event.type) {
    case "user":
      return [...items, { kind: "user", id, text: event.text }];
    case "text":
      if (last?.kind === "assistant" && last.streaming) return [...items.slice(0, -1), { ...last, text: last.text + event.text }];
      return event.text.trim() === "" ? items : [...items, { kind: "assistant", id, text: event.text, streaming: true }];
    case "assistant":
      return last?.kind === "assistant" && last.streaming ? [...items.slice(0, -1), { ...last, streaming: false }] : items;
    case "tool-started":
      return [...items, { kind: "tool", id, tool: event.call.name, target: targetOf(event.call), state: "running", detail: "", durationMs: 0, summary: "" }];
    case "tool-output":
      return last?.kind === "tool" && last.state === "running" ? [...items.slice(0, -1), { ...last, detail: (last.detail + event.text).slice(-DETAIL_CHARACTERS) }] : items;
    case "tool-finished": {
      if (last?.kind !== "tool") return items;
      const detail = last.detail === "" ? event.result : last.detail;
      return [...items.slice(0, -1), { ...last, state: event.ok ? "done" : "failed", detail, durationMs: event.durationMs, summary: summaryOf(event.report) }];
    }
    case "note":
      return [...items, { kind: "note", id, tone: "info", title: "Note to the model", text: event.text }];
    case "done":
      return closeAll(items, event.reason === "stopped").concat(doneItem(event.reason, event.message, id) ?? []);
    case "error": {
      const { title, message, next } = explain(fromWireError(event.error));
      return closeAll(items, false).concat({ kind: "note", id, tone: "bad", title, text: `${message} ${next}` });
    }
    default:
      return items;
  }
}

/** Nothing streams or runs after the end, whatever the last event was. */
export function closeAll(items: readonly ChatItem[], stopped: boolean): ChatItem[] {
  return items.map((item) => {
    if (item.kind === "assistant" && item.streaming) return { ...item, streaming: false };
    if (item.kind === "tool" && item.state === "running") return { ...item, state: stopped ? "stopped" : "failed" };
    return item;
  });
}

function doneItem(reason: DoneReason, message: string, id: number): ChatItem | undefined {
  switch (reason) {
    case "answered":
      return undefined;
    case "verified":
      return { kind: "note", id, tone: "good", title: "Done, and the tests pass", text: message };
    case "not-verified":
      return { kind: "note", id, tone: "bad", title: "Ended without a green test run", text: message };
    case "stopped":
      return { kind: "note", id, tone: "info", title: "Stopped", text: "Everything up to here is kept." };
    case "limit":
      return { kind: "note", id, tone: "bad", title: "Reached a limit", text: message };
    case "stuck":
      return { kind: "note", id, tone: "bad", title: "Going in circles", text: message };
  }
}

/** One sentence for the polite status line; undefined where silence is better. */
export function spokenOf(event: AgentEvent): string | undefined {
  switch (event.type) {
    case "user":
      return "Sent. The assistant is working.";
    case "tool-started":
      return `${event.call.name.replaceAll("_", " ")}: ${targetOf(event.call)}`;
    case "tool-finished":
      return event.report ? `Tests: ${event.report.passed} passed, ${event.report.failed} failed.` : undefined;
    case "done":
      return event.reason === "verified" ? "Done, and the tests pass." : event.reason === "answered" ? "The assistant has answered." : `Ended: ${event.message}`;
    case "error":
      return explain(fromWireError(event.error)).title;
    default:
      return undefined;
  }
}

function targetOf(call: ToolCall): string {
  const { command, file_path: path, pattern } = call.arguments;
  return [command, path, pattern].find((value): value is string => typeof value === "string") ?? "";
}

function summaryOf(report: TestReport | undefined): string {
  if (!report) return "";
  return report.passed + report.failed === 0 ? "ran no tests" : `${report.passed} passed, ${report.failed} failed`;
}
