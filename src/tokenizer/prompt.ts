// A conversation as token ids, rendered by the model's own chat template. Names of special tokens that stand in data
// (files, tool output, what the user or the model wrote) are hidden from the template behind a nonce and come back as
// plain text after the prompt is cut at the template's own tokens: no data can ever become a special id.
import { Template } from "@huggingface/jinja";
import { AppError } from "../base/errors.ts";
import type { ModelTokenizer, SpecialToken } from "./tokenizer.ts";

export interface PromptMessage {
  readonly role: string;
  readonly content: string;
}

/** A tool as templates know it, without OpenAI's wrapper. */
export interface PromptTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: object;
}

/** Plain text, or a special token that the template meant. */
export type PromptPart = string | SpecialToken;

export function partIds(tokenizer: ModelTokenizer, parts: readonly PromptPart[]): number[] {
  return parts.flatMap((part) => (typeof part === "string" ? tokenizer.encodeText(part) : [part.id]));
}

/** Compiled once per model; `render` is pure. */
export class PromptRenderer {
  readonly #tokenizer: ModelTokenizer;
  readonly #template: Template;

  /** Throws `model/unsupported` when the model brings no template, or one that cannot be read. */
  constructor(tokenizer: ModelTokenizer) {
    if (tokenizer.chatTemplate === undefined) throw new AppError("model/unsupported", "The model file has no chat template, so it cannot hold a conversation. Choose an instruction-tuned model.");
    this.#tokenizer = tokenizer;
    try {
      this.#template = new Template(tokenizer.chatTemplate);
    } catch (cause) {
      throw new AppError("model/unsupported", `The model's chat template cannot be read: ${reason(cause)}. Choose another file of this model.`, { cause });
    }
  }

  /** Ids of the conversation up to where the assistant goes on. Throws `model/unsupported` when the template refuses it. */
  render(messages: readonly PromptMessage[], tools: readonly PromptTool[] = []): number[] {
    return partIds(this.#tokenizer, this.parts(messages, tools));
  }

  /** The same, as text and special tokens in turn. */
  parts(messages: readonly PromptMessage[], tools: readonly PromptTool[] = []): readonly PromptPart[] {
    const hidden = new HiddenSpecials(this.#tokenizer);
    const nonce = hidden.nonceFor([messages, tools]);
    const safeMessages = messages.map(({ role, content }) => ({ role, content: hidden.hide(content, nonce, role === "assistant" ? "control" : "all") }));
    const safeTools = tools.map((tool) => ({ type: "function", function: hidden.hideDeep(tool, nonce) }));
    let prompt: string;
    try {
      prompt = this.#template.render({
        messages: safeMessages,
        ...(tools.length > 0 ? { tools: safeTools } : {}),
        add_generation_prompt: true,
        // Qwen3's templates ask for an answer without a train of thought then: an agent's turns are many, and nothing shows one.
        enable_thinking: false,
        bos_token: this.#tokenizer.bosText,
        eos_token: this.#tokenizer.eosText,
      });
    } catch (cause) {
      throw new AppError("model/unsupported", `The model's chat template refuses this conversation: ${reason(cause)}.`, { cause });
    }
    return this.#tokenizer.splitSpecials(prompt).map((part) => (typeof part === "string" ? hidden.restore(part) : part));
  }
}

function reason(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");
}

/** Replaces names of special tokens by words that no text contains, and back. */
class HiddenSpecials {
  readonly #tokens: readonly SpecialToken[];
  #nonce = "";

  constructor(tokenizer: ModelTokenizer) {
    // Longest first: a name that contains another is hidden whole.
    this.#tokens = [...tokenizer.specials.values()].toSorted((a, b) => b.text.length - a.text.length);
  }

  /** A word that stands nowhere in the data. Letters and digits only: no filter of a template changes it. */
  nonceFor(data: unknown): string {
    const all = JSON.stringify(data);
    do this.#nonce = `hidden${crypto.randomUUID().replaceAll("-", "")}`;
    while (all.includes(this.#nonce));
    return this.#nonce;
  }

  hide(text: string, nonce: string, which: "all" | "control"): string {
    let safe = text;
    this.#tokens.forEach((token, i) => {
      if (which === "all" || token.kind === "control") safe = safe.replaceAll(token.text, `${nonce}x${i}x`);
    });
    return safe;
  }

  hideDeep(value: unknown, nonce: string): unknown {
    if (typeof value === "string") return this.hide(value, nonce, "all");
    if (Array.isArray(value)) return value.map((item) => this.hideDeep(item, nonce));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.hide(key, nonce, "all"), this.hideDeep(item, nonce)]));
  }

  restore(text: string): string {
    return text.replaceAll(new RegExp(`${this.#nonce}x(\\d+)x`, "g"), (_, i: string) => this.#tokens[Number(i)]!.text);
  }
}
