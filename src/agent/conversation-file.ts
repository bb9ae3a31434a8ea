// A conversation as a file: Markdown to read, JSON to read back. Pure; works on what a chat is stored as. Markdown shows
// the branch that is shown; JSON holds the whole tree, so that nothing is lost on the way out and in.
import { AppError } from "../base/errors.ts";
import { type Conversation, type Exchange, pathTo } from "./conversation.ts";
import type { AgentEvent } from "./events.ts";

/** What an exported chat holds. */
export interface ConversationFile {
  readonly title: string;
  /** Of the project it was about. */
  readonly project: string;
  readonly conversation: Conversation;
}

const FORMAT = "tabwright-conversation";
const VERSION = 1;

export function conversationJson({ title, project, conversation }: ConversationFile): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, title, project, conversation }, null, 2)}\n`;
}

/** Throws `project/archive` with what is wrong; a file that reads is whole. */
export function readConversationJson(text: string): ConversationFile {
  const value = parsed(text);
  if (!isRecord(value) || value["format"] !== FORMAT) throw refusal("is not a conversation that Tabwright exported");
  if (typeof value["version"] !== "number" || value["version"] > VERSION) throw refusal("was written by a newer version of this page; reload the page to update it");
  const { title, project, conversation } = value;
  if (!isRecord(conversation) || !Array.isArray(conversation["exchanges"])) throw refusal("holds no exchanges");
  const exchanges = conversation["exchanges"].map(exchange);
  const ids = new Set<string>();
  for (const { id, parent } of exchanges) {
    // Numbered as `beginExchange` numbers, so that the next one is new; a parent comes before its children: no circle.
    if (id !== String(ids.size + 1) || (parent !== undefined && !ids.has(parent))) throw refusal(`has exchanges that do not fit together (“${id}”)`);
    ids.add(id);
  }
  const head = conversation["head"];
  if (head !== undefined && (typeof head !== "string" || !ids.has(head))) throw refusal("names an exchange that it does not hold");
  return { title: typeof title === "string" ? title : "", project: typeof project === "string" ? project : "", conversation: { exchanges, ...(head === undefined ? {} : { head }) } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (cause) {
    throw refusal("is not JSON, or was cut short", cause);
  }
}

function exchange(value: unknown): Exchange {
  if (!isRecord(value) || typeof value["id"] !== "string" || typeof value["time"] !== "number" || !Array.isArray(value["events"])) throw refusal("has an exchange that cannot be read");
  const { parent } = value;
  if (parent !== undefined && typeof parent !== "string") throw refusal("has an exchange that cannot be read");
  return { id: value["id"], ...(parent === undefined ? {} : { parent }), time: value["time"], events: value["events"].map(event) };
}

/** What each kind of event must have for the chat to be shown and sent on; others would do no harm but are not ours. */
const FIELDS: Readonly<Record<AgentEvent["type"], Readonly<Record<string, "string" | "number" | "boolean" | "array" | "call" | "record">>>> = {
  system: { text: "string" },
  user: { text: "string" },
  prefill: { doneTokens: "number", totalTokens: "number" },
  notice: { notice: "string" },
  text: { text: "string" },
  "call-streaming": { name: "string", argument: "string", text: "string" },
  stats: { stats: "record" },
  handover: { reason: "string" },
  assistant: { text: "string" },
  "tool-started": { call: "call" },
  "permission-asked": { call: "call" },
  "permission-answered": { id: "string", allow: "boolean" },
  "tool-output": { id: "string", text: "string" },
  "tool-finished": { call: "call", result: "string", ok: "boolean", durationMs: "number" },
  checkpoint: { before: "string", after: "string", label: "string", paths: "array" },
  try: { number: "number", of: "number", phase: "string" },
  tries: { command: "string", kept: "number", of: "number", words: "string", tries: "array" },
  note: { text: "string" },
  compacted: { messages: "array", tokensBefore: "number", tokensAfter: "number" },
  done: { reason: "string", message: "string", steps: "number", tokens: "number", durationMs: "number" },
  error: { error: "record" },
};

function event(value: unknown): AgentEvent {
  const type = isRecord(value) ? value["type"] : undefined;
  const fields = typeof type === "string" && Object.hasOwn(FIELDS, type) ? FIELDS[type as AgentEvent["type"]] : undefined;
  if (!isRecord(value) || !fields) throw refusal(`has an event of an unknown kind (“${String(type)}”)`);
  for (const [name, kind] of Object.entries(fields)) {
    if (!fits(value[name], kind)) throw refusal(`has a “${String(type)}” event without “${name}”`);
  }
  const attachments = value["attachments"];
  if (attachments !== undefined && !(Array.isArray(attachments) && attachments.every((item) => isRecord(item) && typeof item["title"] === "string" && typeof item["text"] === "string"))) throw refusal("has an attachment that cannot be read");
  return value as unknown as AgentEvent;
}

function fits(value: unknown, kind: string): boolean {
  if (kind === "array") return Array.isArray(value);
  if (kind === "record") return isRecord(value);
  if (kind === "call") return isRecord(value) && typeof value["id"] === "string" && typeof value["name"] === "string" && isRecord(value["arguments"]);
  return typeof value === kind;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refusal(reason: string, cause?: unknown): AppError {
  return new AppError("project/archive", `The file ${reason}. Choose a conversation exported as JSON.`, { cause });
}

/** The shown branch: what was said, what was done, how it ended. */
export function conversationMarkdown({ title, project, conversation }: ConversationFile): string {
  const parts = pathTo(conversation).flatMap(({ events, time }) => [`*${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC*`, ...events.flatMap(eventMarkdown)]);
  return `${[`# ${title || "Conversation"}`, ...(project === "" ? [] : [`Project: ${project}`]), ...merged(parts)].join("\n\n")}\n`;
}

function eventMarkdown(event: AgentEvent): string[] {
  switch (event.type) {
    case "user":
      return ["## User", ...(event.attachments ?? []).map(({ title, text }) => `Attached: ${title}\n\n${fenced(text)}`), event.text];
    case "text":
      return event.text.trim() === "" ? [] : ["## Assistant", event.text.trim()];
    case "tool-finished":
      return [`**${event.call.name}** ${inline(callTarget(event.call.arguments))} ${event.ok ? "✓" : "✗"}`, fenced(event.result)];
    case "permission-answered":
      return [event.allow ? "*Allowed.*" : "*Refused.*"];
    case "tries":
      return [`*Try ${event.kept} of ${event.tries.length} was kept: ${event.tries.map(({ verdict }) => verdict).join(", ")}.*`];
    case "handover":
      return [`*The large model answers: ${event.reason}.*`];
    case "compacted":
      return [`*Older messages were condensed: ${event.tokensBefore} → ${event.tokensAfter} tokens.*`];
    case "done":
      return [`*${event.message}*`];
    case "error":
      return [`*Error: ${event.error.message}*`];
    default:
      return [];
  }
}

/** One heading for an answer that comes in several pieces. */
function merged(parts: readonly string[]): string[] {
  let speaker = "";
  return parts.filter((part) => {
    if (part !== "## User" && part !== "## Assistant") return true;
    const again = part === "## Assistant" && speaker === part;
    speaker = part;
    return !again;
  });
}

function callTarget(given: Readonly<Record<string, unknown>>): string {
  return String(given["command"] ?? given["file_path"] ?? given["path"] ?? given["absolute_path"] ?? given["pattern"] ?? "");
}

function inline(text: string): string {
  const flat = text.replaceAll(/\s+/g, " ");
  const ticks = "`".repeat(longestRun(flat) + 1);
  return flat === "" ? "" : ticks.length > 1 ? `${ticks} ${flat} ${ticks}` : `\`${flat}\``;
}

/** In a fence longer than any in the text. */
function fenced(text: string): string {
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}\n${text.replace(/\n$/, "")}\n${fence}`;
}

function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
}
