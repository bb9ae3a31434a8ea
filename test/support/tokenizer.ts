// A tokenizer with Qwen's special tokens over a byte vocabulary: small, and every id is known.
import type { Metadata } from "../../src/gguf/file.ts";
import { ModelTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { tokenizerMetadata } from "../fixtures/models/vocabulary.ts";

export const CONTROL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<|vision_start|>"];
export const USER_TOKENS = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"];

/** The metadata of the random models' vocabulary, with all of Qwen's special tokens. */
export function qwenMetadata(chatTemplate?: string): Metadata {
  const plain = Object.fromEntries(Object.entries(tokenizerMetadata()).map(([key, { value }]) => [key, value])) as Record<string, Metadata[string]>;
  const words = (plain["tokenizer.ggml.tokens"] as readonly string[]).filter((token) => !CONTROL_TOKENS.includes(token) && !USER_TOKENS.includes(token));
  const tokens = [...words, ...CONTROL_TOKENS, ...USER_TOKENS, "[unused]"];
  return {
    ...plain,
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.token_type": tokens.map((token) => (CONTROL_TOKENS.includes(token) ? 3 : USER_TOKENS.includes(token) ? 4 : token === "[unused]" ? 5 : 1)),
    "tokenizer.ggml.eos_token_id": tokens.indexOf("<|im_end|>"),
    "tokenizer.ggml.bos_token_id": tokens.indexOf("<|endoftext|>"),
    ...(chatTemplate === undefined ? {} : { "tokenizer.chat_template": chatTemplate }),
  };
}

export function qwenTokenizer(chatTemplate?: string): ModelTokenizer {
  return new ModelTokenizer(qwenMetadata(chatTemplate));
}

/** The ids as text, control tokens by name. */
export function named(tokenizer: ModelTokenizer, ids: readonly number[]): string {
  const decoder = new TextDecoder();
  return ids.map((id) => tokenizer.special(id)?.text ?? decoder.decode(tokenizer.bytesOf(id), { stream: true })).join("");
}
