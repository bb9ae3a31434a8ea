// Episodes in the form that common trainers read (TRL, Axolotl, LLaMA-Factory, OpenAI's fine-tuning): messages with parsed
// tool calls, and the tools as JSON schemas. The trainer's own chat template then renders them for its model. A call's
// `arguments` are JSON text, as OpenAI has it: loaders that infer columns would otherwise mix the parameters of all tools.
import { resolveCall, TOOLS } from "../agent/tool-specs.ts";
import { AppError } from "../base/errors.ts";
import { ToolCallParser } from "../tokenizer/tool-call-parser.ts";
import type { Episode, EpisodeMessage } from "../tasks/episode.ts";

export interface FunctionCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

export type ToolMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  /** `weight` 0: context, not something to learn (OpenAI's field). */
  | { readonly role: "assistant"; readonly content: string; readonly tool_calls?: readonly FunctionCall[]; readonly weight?: 0 | 1 }
  | { readonly role: "tool"; readonly tool_call_id: string; readonly name: string; readonly content: string };

/** One line of such a corpus. */
export interface ToolTrajectory {
  readonly id: string;
  readonly messages: readonly ToolMessage[];
  readonly tools: readonly { readonly type: "function"; readonly function: (typeof TOOLS)[number] }[];
}

const SCHEMAS: ToolTrajectory["tools"] = TOOLS.map((tool) => ({ type: "function", function: tool }));

/** Throws `bug` for an episode whose calls cannot be read, or whose results have no call: the loop makes none. */
export function toolTrajectory(episode: Episode): ToolTrajectory {
  let call: FunctionCall | undefined;
  const system: readonly ToolMessage[] = episode.system === undefined ? [] : [{ role: "system", content: episode.system }];
  const messages = episode.messages.map((message, index): ToolMessage => {
    if (message.role === "user") return { role: "user", content: message.content };
    if (message.role === "assistant") {
      const read = readTurn(message, episode.tools, `call_${index}`);
      call = "tool_calls" in read ? read.tool_calls?.[0] : undefined;
      return read;
    }
    if (!call) throw new AppError("bug", `${episode.id}: a tool's result at message ${index} answers no call.`);
    return { role: "tool", tool_call_id: call.id, name: call.function.name, content: message.content };
  });
  return { id: episode.id, messages: [...system, ...messages], tools: episode.tools ? SCHEMAS : [] };
}

function readTurn({ content, skip }: EpisodeMessage, tools: boolean, id: string): Extract<ToolMessage, { role: "assistant" }> {
  const weight = skip ? ({ weight: 0 } as const) : {};
  const parser = new ToolCallParser(tools ? TOOLS : []);
  let words = "";
  for (const event of tools ? [...parser.push(content), ...parser.end()] : []) {
    if (event.type === "text") words += event.text;
    else if (event.type === "malformed") throw new AppError("bug", `A turn of the corpus holds a call that cannot be read: ${content}`);
    else if (event.type === "call") {
      const resolved = resolveCall(event.name, event.arguments);
      if (!resolved.ok) throw new AppError("bug", resolved.message);
      return { role: "assistant", content: words.trim(), tool_calls: [{ id, type: "function", function: { name: resolved.name, arguments: JSON.stringify(resolved.arguments) } }], ...weight };
    }
  }
  return { role: "assistant", content, ...weight };
}
