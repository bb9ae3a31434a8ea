// Prompts for WebLLM's prebuilt models, which bring no chat template: ChatML with tools in the form our parser reads.
// Their tokenizer turns every `<|im_start|>` in a prompt into the token, so in data a word joiner (U+2060) breaks the name.
import type { ChatMessage, ToolSpec } from "./api.ts";

const SPECIAL = /<\|(?=[a-z_]+\|>)/g;

function asData(text: string): string {
  return text.replace(SPECIAL, "<\u2060|");
}

function toolText(tools: readonly ToolSpec[]): string {
  const list = tools.map(({ name, description, parameters }) => {
    const fields = Object.entries(parameters.properties).map(
      ([key, { type, description: about }]) => `<parameter>\n<name>${key}</name>\n<type>${type}</type>\n<description>${about}</description>\n</parameter>`,
    );
    return `<function>\n<name>${name}</name>\n<description>${description}</description>\n<parameters>\n${fields.join("\n")}\n<required>${JSON.stringify(parameters.required)}</required>\n</parameters>\n</function>`;
  });
  const example = "<tool_call>\n<function=NAME>\n<parameter=KEY>\nvalue, as many lines as needed\n</parameter>\n</function>\n</tool_call>";
  return `\n\n# Tools\n\nYou may call one function at a time:\n\n<tools>\n${list.join("\n")}\n</tools>\n\nTo call one, end your reply with exactly this, and nothing after it:\n\n${example}`;
}

/** The text that WebLLM tokenises. */
export function prebuiltPrompt(messages: readonly ChatMessage[], tools: readonly ToolSpec[] = []): string {
  const [first, ...rest] = messages;
  const system = first?.role === "system" ? first.content : "You are a helpful coding assistant.";
  const turns = first?.role === "system" ? rest : messages;
  const block = (role: string, text: string): string => `<|im_start|>${role}\n${text}<|im_end|>\n`;
  const body = turns.map(({ role, content }) => (role === "tool" ? block("user", `<tool_response>\n${asData(content)}\n</tool_response>`) : block(role, asData(content))));
  return `${block("system", asData(system) + (tools.length > 0 ? toolText(tools) : ""))}${body.join("")}<|im_start|>assistant\n`;
}
