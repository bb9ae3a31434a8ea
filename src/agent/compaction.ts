// Makes room in the model's context: older messages become one list of what was asked, done and found, the newest stay
// as they are. No model is asked, so it takes no time and invents nothing; the tools' long outputs are what goes.
import type { ChatMessage } from "../engine/api.ts";

/** Messages at the end that stay whole. */
const KEPT_MESSAGES = 6;
const ASK_CHARS = 400;
const WORDS_CHARS = 200;
const LINE_CHARS = 160;
/** Of an earlier summary, its end: what was condensed before is condensed again, not forgotten at once. */
const SUMMARY_CHARS = 2_000;
const SUMMARY = "Earlier messages of this conversation, condensed:\n";

/** The shorter transcript, or undefined if there is nothing old enough to condense. The system message stays. */
export function compact(messages: readonly ChatMessage[]): readonly ChatMessage[] | undefined {
  const system = messages.filter(({ role }) => role === "system");
  const rest = messages.filter(({ role }) => role !== "system");
  let from = Math.max(0, rest.length - KEPT_MESSAGES);
  // A tool's answer is nothing without its call.
  while (from > 0 && rest[from]?.role === "tool") from--;
  const old = rest.slice(0, from);
  if (old.length < 2) return undefined;
  const task = old.findLast(({ role, content }) => role === "user" && !content.startsWith(SUMMARY));
  const lines = old.flatMap((message) => lineOf(message) ?? []);
  const summary = SUMMARY + lines.join("\n");
  const asked = rest.slice(from).some(({ role }) => role === "user") || !task ? [] : [`\n\nThe task is still: ${head(task.content, ASK_CHARS)}`];
  return [...system, { role: "user", content: summary + asked.join("") }, ...rest.slice(from)];
}

function lineOf({ role, content }: ChatMessage): string | undefined {
  if (content.startsWith(SUMMARY)) return content.slice(SUMMARY.length).slice(-SUMMARY_CHARS);
  if (role === "user") return `- The user: ${head(content, ASK_CHARS)}`;
  if (role === "tool") return `  - result: ${head(content, LINE_CHARS)}`;
  const call = /<function=([\w-]+)>/.exec(content)?.[1];
  const target = /<parameter=(?:file_path|absolute_path|path|command|pattern)>\s*([^\n<]+)/.exec(content)?.[1];
  const words = content.replace(/<tool_call>[\s\S]*$/, "").replace(/<function=[\s\S]*$/, "").trim();
  const parts = [words && `you: ${head(words, WORDS_CHARS)}`, call && `called ${call}${target ? ` ${head(target, LINE_CHARS)}` : ""}`].filter(Boolean);
  return parts.length > 0 ? `- ${parts.join("; ")}` : undefined;
}

function head(text: string, characters: number): string {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length > characters ? `${line.slice(0, characters)} …` : line;
}
