// From the agent's events to what the chat shows: a pure function, so a stored log of events shows the same chat again.
import { alternativesTo, type Conversation, pathTo } from "../../agent/conversation.ts";
import type { AgentEvent, DoneReason, ToolCall } from "../../agent/events.ts";
import type { TestReport } from "../../agent/test-report.ts";
import { fromWireError } from "../../base/wire-error.ts";
import { explain } from "../advice.ts";
import { t } from "../strings/index.ts";
import type { ChatItem } from "./chat-item.ts";

const DETAIL_CHARACTERS = 20_000;

/** What a stored conversation shows: the branch to its head, each message with the exchanges that stand beside it. */
export function itemsOf(chat: Conversation): readonly ChatItem[] {
  return pathTo(chat).reduce<readonly ChatItem[]>((items, { id: exchange, events }) => {
    const shown = events.reduce(showEvent, items);
    const alternatives = alternativesTo(chat, exchange);
    return shown.map((item, index) => (index >= items.length && item.kind === "user" ? { ...item, exchange, alternatives } : item));
  }, []);
}

/** The items after one more event. Events that show nothing return the same array. */
export function showEvent(items: readonly ChatItem[], event: AgentEvent): readonly ChatItem[] {
  const id = (items.at(-1)?.id ?? 0) + 1;
  const last = items.at(-1);
  switch (event.type) {
    case "user":
      return [...items, { kind: "user", id, text: event.text, attachments: event.attachments ?? [], exchange: "", alternatives: [] }];
    case "text":
      if (last?.kind === "assistant" && last.streaming) return [...items.slice(0, -1), { ...last, text: last.text + event.text }];
      return event.text.trim() === "" ? items : [...items, { kind: "assistant", id, text: event.text, streaming: true }];
    case "assistant":
      return items.some(isStreaming) ? items.map((item) => (isStreaming(item) ? { ...item, streaming: false, ...(event.by === undefined ? {} : { by: event.by }) } : item)) : items;
    case "tool-started":
      return [...items, { kind: "tool", id, tool: event.call.name, target: targetOf(event.call), state: "running", detail: "", durationMs: 0, summary: "", ...(event.by === undefined ? {} : { by: event.by }) }];
    case "tool-output":
      return last?.kind === "tool" && last.state === "running" ? [...items.slice(0, -1), { ...last, detail: (last.detail + event.text).slice(-DETAIL_CHARACTERS) }] : items;
    case "tool-finished": {
      if (last?.kind !== "tool") return items;
      const detail = last.detail === "" ? event.result : last.detail;
      return [...items.slice(0, -1), { ...last, state: event.ok ? "done" : "failed", detail, durationMs: event.durationMs, summary: summaryOf(event.report) }];
    }
    case "handover": {
      const title = t().app.answers;
      const text = handoverText(event);
      // The same again and again is said once.
      const said = items.findLast((item) => item.kind === "user" || (item.kind === "note" && item.title === title));
      return said?.kind === "note" && said.text === text ? items : [...items, { kind: "note", id, tone: "info", title, text }];
    }
    case "try": {
      const { number, of, phase } = event;
      const at = { number, of, phase, kept: 0, command: "", tries: [] };
      return running(last) ? [...items.slice(0, -1), { ...last, ...at }] : [...items, { kind: "tries", id, ...at }];
    }
    case "tries": {
      const { kept, of, command, tries } = event;
      const whole = { number: tries.length, of, phase: "done" as const, kept, command, tries };
      const before = withWords(running(last) ? items.slice(0, -1) : items, event.words);
      return [...before, { kind: "tries", id: (before.at(-1)?.id ?? 0) + 1, ...whole }];
    }
    case "note":
      return [...items, { kind: "note", id, tone: "info", title: t().app.noteToModel, text: event.text }];
    case "compacted":
      return [...items, { kind: "compacted", id, messages: event.messages, tokensBefore: event.tokensBefore, tokensAfter: event.tokensAfter }];
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

function handoverText({ reason, meanLogprob }: Extract<AgentEvent, { type: "handover" }>): string {
  const words = t().app.handover;
  return reason === "unsure" ? words.unsure(meanLogprob?.toFixed(3) ?? "–") : words[reason];
}

function running(item: ChatItem | undefined): item is Extract<ChatItem, { kind: "tries" }> {
  return item?.kind === "tries" && item.phase !== "done" && item.phase !== "stopped";
}

function isStreaming(item: ChatItem): item is Extract<ChatItem, { kind: "assistant" }> {
  return item.kind === "assistant" && item.streaming;
}

/** The words of the try that is kept, in place of those that were streaming. */
function withWords(items: readonly ChatItem[], words: string): readonly ChatItem[] {
  const last = items.at(-1);
  if (last?.kind === "assistant" && last.streaming) return words.trim() === "" ? items.slice(0, -1) : [...items.slice(0, -1), { ...last, text: words }];
  return words.trim() === "" ? items : [...items, { kind: "assistant", id: (last?.id ?? 0) + 1, text: words, streaming: true }];
}

/** Nothing streams or runs after the end, whatever the last event was. */
export function closeAll(items: readonly ChatItem[], stopped: boolean): ChatItem[] {
  return items.map((item) => {
    if (item.kind === "assistant" && item.streaming) return { ...item, streaming: false };
    if (running(item)) return { ...item, phase: "stopped" };
    if (item.kind === "tool" && item.state === "running") return { ...item, state: stopped ? "stopped" : "failed" };
    return item;
  });
}

function doneItem(reason: DoneReason, message: string, id: number): ChatItem | undefined {
  switch (reason) {
    case "answered":
      return undefined;
    case "verified":
      return { kind: "note", id, tone: "good", title: t().app.done.verified, text: "", ended: reason };
    case "not-verified":
      return { kind: "note", id, tone: "bad", title: t().app.done.notVerified, text: message, ended: reason };
    case "stopped":
      return { kind: "note", id, tone: "info", title: t().app.done.stopped, text: t().app.done.kept, ended: reason };
    case "limit":
      return { kind: "note", id, tone: "bad", title: t().app.done.limit, text: message, ended: reason };
    case "stuck":
      return { kind: "note", id, tone: "bad", title: t().app.done.stuck, text: message, ended: reason };
  }
}

/** One sentence for the polite status line; undefined where silence is better. */
export function spokenOf(event: AgentEvent): string | undefined {
  switch (event.type) {
    case "user":
      return t().app.said.sent;
    case "tool-started":
      return `${event.call.name.replaceAll("_", " ")}: ${targetOf(event.call)}`;
    case "tool-finished":
      return event.report ? t().app.said.tests(event.report.passed, event.report.failed) : undefined;
    case "try":
      return event.number > 1 && event.phase === "draw" ? t().app.said.trying(event.number, event.of) : undefined;
    case "tries":
      return event.tries.length > 1 ? t().app.said.triedKept(event.kept, event.tries.length) : undefined;
    case "done":
      return event.reason === "verified" ? `${t().app.done.verified}.` : event.reason === "answered" ? t().app.said.answered : t().app.said.ended(event.message);
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
  return report.passed + report.failed === 0 ? t().app.said.noTests : t().app.said.counts(report.passed, report.failed);
}
