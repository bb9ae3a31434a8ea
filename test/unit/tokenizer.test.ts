import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { BYTE_CHARACTERS } from "../../src/tokenizer/byte-level.ts";
import { Detokenizer, decodeIds } from "../../src/tokenizer/detokenizer.ts";
import { ModelTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { CONTROL_TOKENS, USER_TOKENS, qwenMetadata, qwenTokenizer } from "../support/tokenizer.ts";

const tokenizer = qwenTokenizer();
const metadata = qwenMetadata();

/** Byte-pair encoding as its paper has it: merge the best-ranked neighbouring pair until none is left. */
function referenceEncode(text: string): number[] {
  const tokens = metadata["tokenizer.ggml.tokens"] as readonly string[];
  const rank = new Map((metadata["tokenizer.ggml.merges"] as readonly string[]).map((merge, i) => [merge, i]));
  const words = text.match(/'s|'t|'re|'ve|'m|'ll|'d|'S|'T|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/gu) ?? [];
  return words.flatMap((word) => {
    let parts = [...new TextEncoder().encode(word)].map((byte) => BYTE_CHARACTERS[byte]!);
    for (;;) {
      const ranks = parts.slice(1).map((part, i) => rank.get(`${parts[i]} ${part}`) ?? Infinity);
      const best = Math.min(...ranks);
      if (best === Infinity) return parts.map((part) => tokens.indexOf(part));
      const merged: string[] = [];
      for (let i = 0; i < parts.length; i++) merged.push(i < ranks.length && ranks[i] === best ? parts[i]! + parts[++i]! : parts[i]!);
      parts = merged;
    }
  });
}

describe("encoding", () => {
  it("is byte-pair encoding over Qwen's words, for any text", () => {
    const piece = fc.constantFrom("the", " the", "ing", "  ", "\n\n", "\r\n", "\t", "it's", "don't", "x1", "23", "é", "日本", "👩‍💻", "=>", "();", "Ġ", "\u00a0", " a", "station");
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ unit: "grapheme", maxLength: 4 })), { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        if (/'(RE|Re|rE|VE|Ve|vE|M|LL|Ll|lL|D|ſ)/u.test(text)) return; // the reference spells out only some cases
        expect(tokenizer.encodeText(text)).toEqual(referenceEncode(text));
      }),
      { numRuns: 1000 },
    );
  });

  it("of the later models keeps a combining mark in its letter's word", () => {
    const [first, second] = [...new TextEncoder().encode("\u0301")].map((byte) => BYTE_CHARACTERS[byte]!);
    const added = [`${first}${second}`, `e${first}${second}`];
    const tokens = [...(metadata["tokenizer.ggml.tokens"] as readonly string[]), ...added];
    const marks = {
      ...metadata,
      "tokenizer.ggml.tokens": tokens,
      "tokenizer.ggml.token_type": [...(metadata["tokenizer.ggml.token_type"] as readonly number[]), 1, 1],
      "tokenizer.ggml.merges": [...(metadata["tokenizer.ggml.merges"] as readonly string[]), `${first} ${second}`, `e ${first}${second}`],
    };
    const earlier = new ModelTokenizer({ ...marks, "tokenizer.ggml.pre": "qwen2" });
    const later = new ModelTokenizer({ ...marks, "tokenizer.ggml.pre": "qwen35" });
    expect(later.encodeText("e\u0301")).toEqual([tokens.indexOf(added[1]!)]);
    expect(earlier.encodeText("e\u0301")).toEqual([tokens.indexOf("e"), tokens.indexOf(added[0]!)]);
    for (const text of ["the thing it's 12\n\n  for (let i = 0;) {\r\n\t} in\u00e9", "  a\n", "DON'T", " => 日本 x1"]) expect(later.encodeText(text)).toEqual(earlier.encodeText(text));
    expect(decodeIds(later, later.encodeText("x\u0301\u0301 \u0301y =\u0301="))).toBe("x\u0301\u0301 \u0301y =\u0301=");
  });

  it("decodes to exactly what was encoded", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (any) => {
        const text = any.toWellFormed();
        expect(decodeIds(tokenizer, tokenizer.encodeText(text))).toBe(text);
      }),
    );
    expect(decodeIds(tokenizer, tokenizer.encodeText("\ufeffBOM"))).toBe("\ufeffBOM");
    expect(tokenizer.encodeText("")).toEqual([]);
  });

  it("does not normalise: a file in decomposed Unicode stays as it is", () => {
    expect(decodeIds(tokenizer, tokenizer.encodeText("e\u0301 \u212b"))).toBe("e\u0301 \u212b");
  });

  it.each([...CONTROL_TOKENS, ...USER_TOKENS])("plain text %s never becomes its id; prompt text does", (name) => {
    const special = tokenizer.specials.get(name)!;
    for (const text of [name, `a${name}b`, `${name}${name}`, `\n${name}\n`]) {
      expect(tokenizer.encodeText(text)).not.toContain(special.id);
      expect(decodeIds(tokenizer, tokenizer.encodeText(text))).toBe(text);
    }
    expect(tokenizer.encodePrompt(`a${name}b`)).toEqual([...tokenizer.encodeText("a"), special.id, ...tokenizer.encodeText("b")]);
  });

  it("knows where a turn ends", () => {
    expect([...tokenizer.endTokens].map((id) => tokenizer.special(id)?.text).toSorted()).toEqual(["<|endoftext|>", "<|file_sep|>", "<|fim_pad|>", "<|im_end|>", "<|repo_name|>"]);
  });
});

describe("decoding as it streams", () => {
  it("never splits a character, shows user-defined tokens and hides control tokens", () => {
    const detokenizer = new Detokenizer(tokenizer);
    const ids = [...tokenizer.encodePrompt("<tool_call>né 👩‍💻<|im_end|>")];
    const pieces = ids.map((id) => detokenizer.push(id));
    expect(pieces.join("") + detokenizer.end()).toBe("<tool_call>né 👩‍💻");
    for (const piece of pieces) expect(piece.isWellFormed() && !piece.includes("\ufffd")).toBe(true);
  });

  it("says so when the text ends inside a character", () => {
    const [first] = tokenizer.encodeText("é");
    const detokenizer = new Detokenizer(tokenizer);
    expect(detokenizer.push(first!)).toBe("");
    expect(detokenizer.end()).toBe("\ufffd");
  });

  it("ids that the vocabulary leaves unused add nothing", () => {
    expect(decodeIds(tokenizer, [tokenizer.vocabSize + 5])).toBe("");
  });
});

describe("files whose tokenizer cannot be made", () => {
  const broken = (change: Record<string, unknown>) => () => new ModelTokenizer({ ...metadata, ...change } as typeof metadata);
  it("each has its sentence", () => {
    expect(broken({ "tokenizer.ggml.model": "llama" })).toThrow("The model's tokenizer is llama/qwen2");
    expect(broken({ "tokenizer.ggml.pre": "__proto__" })).toThrow(AppError);
    expect(broken({ "tokenizer.ggml.tokens": [] })).toThrow("tokenizer.ggml.tokens");
    expect(broken({ "tokenizer.ggml.token_type": [1, 2] })).toThrow("tokenizer.ggml.token_type");
    expect(broken({ "tokenizer.ggml.merges": ["ab"] })).toThrow("is not a pair");
  });
});
