// The model's own tokenizer, built from its GGUF. Text and special tokens are two different doors: `encodeText` can never
// give a special id, whatever the text says; only `encodePrompt`, for text whose special tokens are ours, can.
// No Unicode normalisation: llama.cpp has none either, and a file must come back as it was read.
import { Tokenizer as BpeTokenizer } from "@huggingface/tokenizers";
import { AppError } from "../base/errors.ts";
import type { Metadata, MetadataValue } from "../gguf/file.ts";
import { tokenBytes } from "./byte-level.ts";

/** `control` tokens steer the model and are never shown; `user` ones (`<tool_call>` …) are text that has an id of its own. */
export interface SpecialToken {
  readonly id: number;
  readonly text: string;
  readonly kind: "control" | "user";
}

/** How words are cut before merging, by `tokenizer.ggml.pre`. Source: llama.cpp src/llama-vocab.cpp. */
const PRE_TOKENIZERS: Readonly<Record<string, string>> = {
  qwen2: "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  // As qwen2, but a mark that combines with a letter is of the letter's word.
  qwen35: "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
};

/** Control tokens that end a turn whatever the file names as its end: llama.cpp stops on them too. */
const END_TOKENS = ["<|im_end|>", "<|endoftext|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"];

const CONTROL = 3;
const USER_DEFINED = 4;

export class ModelTokenizer {
  /** Ids are below this. */
  readonly vocabSize: number;
  readonly specials: ReadonlyMap<string, SpecialToken>;
  /** Ids that end the model's turn. */
  readonly endTokens: ReadonlySet<number>;
  readonly chatTemplate: string | undefined;
  /** What templates call `bos_token` and `eos_token`; empty when the file names none. */
  readonly bosText: string;
  readonly eosText: string;
  readonly #tokens: readonly string[];
  readonly #specialIds: ReadonlyMap<number, SpecialToken>;
  readonly #bpe: BpeTokenizer;
  readonly #splitter: RegExp | undefined;
  readonly #bytes = new Map<number, Uint8Array<ArrayBuffer>>();

  /** Throws `model/format` for a file without a usable vocabulary, `model/unsupported` for another kind of tokenizer. */
  constructor(metadata: Metadata) {
    const kind = text(metadata, "tokenizer.ggml.model");
    const pre = text(metadata, "tokenizer.ggml.pre");
    const pattern = Object.hasOwn(PRE_TOKENIZERS, pre) ? PRE_TOKENIZERS[pre] : undefined;
    if (kind !== "gpt2" || pattern === undefined) {
      throw new AppError("model/unsupported", `The model's tokenizer is ${kind}/${pre}; gpt2/${Object.keys(PRE_TOKENIZERS).join(" or gpt2/")} can be run. Choose another model.`);
    }
    this.#tokens = texts(metadata, "tokenizer.ggml.tokens");
    this.vocabSize = this.#tokens.length;
    const types = numbers(metadata, "tokenizer.ggml.token_type", this.vocabSize);
    this.#specialIds = specialTokens(this.#tokens, types);
    this.specials = new Map([...this.#specialIds.values()].map((token) => [token.text, token]));
    const eos = metadata["tokenizer.ggml.eos_token_id"];
    const ends = END_TOKENS.flatMap((name) => this.specials.get(name)?.id ?? []);
    this.endTokens = new Set([...(typeof eos === "number" ? [eos] : []), ...ends]);
    const bos = metadata["tokenizer.ggml.bos_token_id"];
    this.bosText = typeof bos === "number" ? (this.#tokens[bos] ?? "") : "";
    this.eosText = typeof eos === "number" ? (this.#tokens[eos] ?? "") : "";
    const template = metadata["tokenizer.chat_template"];
    this.chatTemplate = typeof template === "string" && template.trim() !== "" ? template : undefined;
    this.#splitter = splitter([...this.specials.keys()]);
    this.#bpe = byteLevelBpe(this.#tokens, types, texts(metadata, "tokenizer.ggml.merges"), pattern);
  }

  /** Ids of plain text; never a special one. */
  encodeText(plain: string): number[] {
    return plain === "" ? [] : this.#bpe.encode(plain, { add_special_tokens: false }).ids;
  }

  /** Ids of text in which the names of special tokens mean the tokens. Only for text that we or the template wrote. */
  encodePrompt(prompt: string): number[] {
    return this.splitSpecials(prompt).flatMap((part) => (typeof part === "string" ? this.encodeText(part) : [part.id]));
  }

  /** The prompt cut at special tokens: text and tokens in turn. */
  splitSpecials(prompt: string): readonly (string | SpecialToken)[] {
    if (!this.#splitter) return prompt === "" ? [] : [prompt];
    return prompt.split(this.#splitter).filter((part) => part !== "").map((part) => this.specials.get(part) ?? part);
  }

  /** Every id's text in GPT-2's byte alphabet, those of user tokens as they are; empty for control tokens, which are no text. */
  get vocabulary(): readonly string[] {
    return this.#tokens.map((token, id) => (this.#specialIds.get(id)?.kind === "control" ? "" : token));
  }

  special(id: number): SpecialToken | undefined {
    return this.#specialIds.get(id);
  }

  /** The bytes a token adds to the text; none for control tokens and unused ids. They may end inside a UTF-8 character. */
  bytesOf(id: number): Uint8Array<ArrayBuffer> {
    const known = this.#bytes.get(id);
    if (known) return known;
    const special = this.#specialIds.get(id);
    const bytes = special ? new TextEncoder().encode(special.kind === "user" ? special.text : "") : tokenBytes(this.#tokens[id] ?? "");
    this.#bytes.set(id, bytes);
    return bytes;
  }
}

function text(metadata: Metadata, key: string): string {
  const value = metadata[key];
  return typeof value === "string" ? value : "unknown";
}

function texts(metadata: Metadata, key: string): readonly string[] {
  const value: MetadataValue | undefined = metadata[key];
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string")) return value;
  throw new AppError("model/format", `The model file has no list of texts under ${key}, so its tokenizer cannot be made. Get a complete file.`);
}

function numbers(metadata: Metadata, key: string, length: number): readonly number[] {
  const value = metadata[key];
  if (Array.isArray(value) && value.length === length && value.every((item) => typeof item === "number")) return value;
  throw new AppError("model/format", `The model file has no ${length} numbers under ${key}, so its special tokens are unknown. Get a complete file.`);
}

function specialTokens(tokens: readonly string[], types: readonly number[]): ReadonlyMap<number, SpecialToken> {
  const special = new Map<number, SpecialToken>();
  types.forEach((type, id) => {
    const name = tokens[id]!;
    if ((type === CONTROL || type === USER_DEFINED) && name !== "") special.set(id, { id, text: name, kind: type === CONTROL ? "control" : "user" });
  });
  return special;
}

/** Longest first, so that `<|fim|>x` is not read as `<|fim|>` and x when both exist. */
function splitter(names: readonly string[]): RegExp | undefined {
  if (names.length === 0) return undefined;
  const escaped = names.toSorted((a, b) => b.length - a.length).map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`(${escaped.join("|")})`);
}

function byteLevelBpe(tokens: readonly string[], types: readonly number[], merges: readonly string[], pattern: string): BpeTokenizer {
  const vocab = Object.fromEntries(tokens.flatMap((token, id) => (types[id] === 1 ? [[token, id] as const] : [])));
  const missing = merges.find((merge) => !merge.includes(" "));
  if (missing !== undefined) throw new AppError("model/format", `The model file's merge "${missing}" is not a pair, so its tokenizer cannot be made. Get a complete file.`);
  return new BpeTokenizer(
    {
      version: "1.0",
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
          { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
        ],
      },
      post_processor: null,
      decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      model: { type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: "", end_of_word_suffix: "", fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab, merges },
    },
    { clean_up_tokenization_spaces: false },
  );
}
