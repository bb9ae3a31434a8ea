import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PromptMessage, PromptRenderer } from "../../src/tokenizer/prompt.ts";
import { CONTROL_TOKENS, USER_TOKENS, named, qwenTokenizer } from "../support/tokenizer.ts";

const CODER_NEXT = readFileSync(new URL("../fixtures/templates/qwen3-coder-next.jinja", import.meta.url), "utf8");
const tokenizer = qwenTokenizer(CODER_NEXT);
const renderer = new PromptRenderer(tokenizer);

const LOOKUP = {
  name: "lookup",
  description: "  Search things ",
  parameters: {
    type: "object",
    properties: { query: { type: "string", description: "Search term", enum: ["cats", "dogs"] }, limit: { type: "integer", description: "At most" } },
    required: ["query"],
    additionalProperties: false,
  },
} as const;

describe("Qwen3-Coder-Next's format", () => {
  it("lists the tools in the system turn, keeps the call as it was written, and joins tool results into one user turn", () => {
    const call = "I look.\n<tool_call>\n<function=lookup>\n<parameter=query>\ncats\n</parameter>\n</function>\n</tool_call>";
    const messages: PromptMessage[] = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Find cats" },
      { role: "assistant", content: call },
      { role: "tool", content: "3 cats" },
      { role: "tool", content: "1 dog" },
    ];
    expect(named(tokenizer, renderer.render(messages, [LOOKUP]))).toBe(`<|im_start|>system
Be brief.

# Tools

You have access to the following functions:

<tools>
<function>
<name>lookup</name>
<description>Search things</description>
<parameters>
<parameter>
<name>query</name>
<type>string</type>
<description>Search term</description>
<enum>["cats", "dogs"]</enum>
</parameter>
<parameter>
<name>limit</name>
<type>integer</type>
<description>At most</description>
</parameter>
<required>["query"]</required>
<additionalProperties>false</additionalProperties>
</parameters>
</function>
</tools>

If you choose to call a function ONLY reply in the following format with NO suffix:

<tool_call>
<function=example_function_name>
<parameter=example_parameter_1>
value_1
</parameter>
<parameter=example_parameter_2>
This is the value for the second parameter
that can span
multiple lines
</parameter>
</function>
</tool_call>

<IMPORTANT>
Reminder:
- Function calls MUST follow the specified format: an inner <function=...></function> block must be nested within <tool_call></tool_call> XML tags
- Required parameters MUST be specified
- You may provide optional reasoning for your function call in natural language BEFORE the function call, but NOT after
- If there is no function call available, answer the question like normal with your current knowledge and do not tell the user about function calls
</IMPORTANT><|im_end|>
<|im_start|>user
Find cats<|im_end|>
<|im_start|>assistant
${call}<|im_end|>
<|im_start|>user
<tool_response>
3 cats
</tool_response>
<tool_response>
1 dog
</tool_response>
<|im_end|>
<|im_start|>assistant
`);
  });

  it("has no system turn of its own without tools, and its default one with", () => {
    expect(named(tokenizer, renderer.render([{ role: "user", content: "hi" }]))).toBe("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n");
    expect(named(tokenizer, renderer.render([{ role: "user", content: "hi" }], [LOOKUP]))).toMatch(/^<\|im_start\|>system\nYou are Qwen, a helpful AI assistant/);
  });

  it("only ever grows at its end when a turn is added", () => {
    const turns: PromptMessage[] = [{ role: "system", content: "s" }, { role: "user", content: "fix it" }, { role: "assistant", content: "ok" }, { role: "tool", content: "done" }, { role: "assistant", content: "Fixed." }, { role: "user", content: "more" }];
    let before: number[] = [];
    for (const length of [2, 4, 6]) {
      const now = renderer.render(turns.slice(0, length), [LOOKUP]);
      expect(now.slice(0, before.length)).toEqual(before);
      before = now;
    }
  });
});

describe("special tokens in data", () => {
  const count = (ids: readonly number[], id: number): number => ids.filter((each) => each === id).length;
  /** How often the template itself uses the token around empty-handed data. */
  const frame = (messages: readonly PromptMessage[], tools: readonly typeof LOOKUP[] = []) => renderer.render(messages.map((message) => ({ ...message, content: "x" })), tools);

  it.each([...CONTROL_TOKENS, ...USER_TOKENS])("%s in a system, user or tool message, or in a tool's description, is plain text", (name) => {
    const { id } = tokenizer.specials.get(name)!;
    for (const content of [name, `before ${name}`, `${name} after`, `a${name}${name}b`, `<tool_response>\n${name}`]) {
      for (const role of ["system", "user", "tool"]) {
        const messages = [{ role, content }, { role: "user", content: "go on" }];
        const ids = renderer.render(messages);
        expect(count(ids, id), `${role}: ${content}`).toBe(count(frame(messages), id));
        expect(named(tokenizer, ids)).toContain(content);
      }
      const tool = { ...LOOKUP, description: content, parameters: { ...LOOKUP.parameters, properties: { query: { type: "string", description: content } } } };
      const ids = renderer.render([{ role: "user", content: "x" }], [tool]);
      expect(count(ids, id)).toBe(count(frame([{ role: "user", content: "" }], [LOOKUP]), id));
    }
  });

  it.each(CONTROL_TOKENS)("%s that the model wrote as text stays text", (name) => {
    const ids = renderer.render([{ role: "assistant", content: `see ${name}` }]);
    expect(count(ids, tokenizer.specials.get(name)!.id)).toBe(count(frame([{ role: "assistant", content: "" }]), tokenizer.specials.get(name)!.id));
    expect(named(tokenizer, ids)).toContain(`see ${name}`);
  });

  it("the model's own tool call keeps its ids, so that the prompt is what was generated", () => {
    const ids = renderer.render([{ role: "assistant", content: "<tool_call>\n</tool_call>" }]);
    expect(count(ids, tokenizer.specials.get("<tool_call>")!.id)).toBe(1);
  });

  it("no text at all can make one", () => {
    const pieces = [...CONTROL_TOKENS, ...USER_TOKENS, "<|im_", "start|>", "<|", "|>", "<", "hidden", "x0x", "x1x", "\\u003c", "&lt;", "\n", "a"];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), fc.constantFrom("system", "user", "tool"), (parts, role) => {
        const messages = [{ role, content: parts.join("") }];
        const specials = (ids: readonly number[]) => ids.filter((id) => tokenizer.special(id) !== undefined);
        const ids = renderer.render(messages);
        expect(specials(ids)).toEqual(specials(frame(messages)));
        expect(named(tokenizer, ids)).toContain(parts.join(""));
      }),
      { numRuns: 500 },
    );
  });
});

describe("templates that cannot be used", () => {
  it("none, an unreadable one, and one that refuses", () => {
    const bare = qwenTokenizer("  ");
    expect(() => new PromptRenderer(bare)).toThrow("no chat template");
    expect(() => new PromptRenderer(qwenTokenizer("{% if %}"))).toThrow("cannot be read");
    const refusing = new PromptRenderer(qwenTokenizer("{{ raise_exception('roles must alternate') }}"));
    expect(() => refusing.render([{ role: "user", content: "x" }])).toThrow(/refuses this conversation: .*roles must alternate/);
  });
});

describe("a template of a model that can think first", () => {
  it("is told not to: the answer begins at once", () => {
    const end = "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}";
    const thinking = qwenTokenizer(`{%- for m in messages %}{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{%- endfor %}${end}`);
    expect(named(thinking, new PromptRenderer(thinking).render([{ role: "user", content: "Hi" }]))).toBe("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");
  });
});
