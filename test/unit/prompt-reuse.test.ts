import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PromptRenderer } from "../../src/tokenizer/prompt.ts";
import { continueIds, idsToParts } from "../../src/tokenizer/prompt-reuse.ts";
import { named, qwenTokenizer } from "../support/tokenizer.ts";

const TEMPLATE = "{%- for m in messages %}{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{%- endfor %}{{- '<|im_start|>assistant\\n' }}";
const tokenizer = qwenTokenizer(TEMPLATE);
const renderer = new PromptRenderer(tokenizer);
/** The text cut into single bytes: ids a model could have written, but the tokenizer never would. */
const bytewise = (text: string): number[] => [...new TextEncoder().encode(text)].flatMap((byte) => tokenizer.encodeText(String.fromCharCode(byte)));

const user = { role: "user", content: "go" };
const first = renderer.render([user]);
const end = tokenizer.specials.get("<|im_end|>")!.id;

describe("continuing a sequence that the model wrote in its own way", () => {
  it("keeps its ids and tokenises only what is new", () => {
    const known = [...first, ...bytewise("the thing"), end];
    const prompt = renderer.parts([user, { role: "assistant", content: "the thing" }, user]);
    const ids = continueIds(tokenizer, known, prompt)!;
    expect(ids.slice(0, known.length)).toEqual(known);
    expect(named(tokenizer, ids)).toBe(named(tokenizer, renderer.render([user, { role: "assistant", content: "the thing" }, user])));
    expect(ids.length).toBeGreaterThan(renderer.render([user, { role: "assistant", content: "the thing" }, user]).length);
  });

  it("also when generation stopped inside the turn", () => {
    const known = [...first, ...bytewise("the th")];
    const prompt = renderer.parts([user, { role: "assistant", content: "the th" }, user]);
    expect(continueIds(tokenizer, known, prompt)?.slice(0, known.length)).toEqual(known);
  });

  it("keeps the ids of a tool call, whose tags are tokens of their own", () => {
    const call = tokenizer.encodePrompt("<tool_call>\nx\n</tool_call>");
    const prompt = renderer.parts([user, { role: "assistant", content: "<tool_call>\nx\n</tool_call>" }, user]);
    expect(continueIds(tokenizer, [...first, ...call, end], prompt)).toEqual(renderer.render([user, { role: "assistant", content: "<tool_call>\nx\n</tool_call>" }, user]));
  });

  it("gives up when the prompt says something else, or nothing new", () => {
    const known = [...first, ...bytewise("the thing"), end];
    expect(continueIds(tokenizer, known, renderer.parts([user, { role: "assistant", content: "another" }, user]))).toBeUndefined();
    expect(continueIds(tokenizer, known, renderer.parts([{ role: "user", content: "no" }]))).toBeUndefined();
    expect(continueIds(tokenizer, first, renderer.parts([user]))).toBeUndefined();
    expect(continueIds(tokenizer, [], renderer.parts([user]))).toBeUndefined();
  });

  it("ids become the parts they came from", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "é", "the", "<|im_end|>", "<tool_call>", "👩‍💻", "\n")), (pieces) => {
        const prompt = pieces.join("");
        expect(idsToParts(tokenizer, tokenizer.encodePrompt(prompt))).toEqual(tokenizer.splitSpecials(prompt));
      }),
    );
  });
});
