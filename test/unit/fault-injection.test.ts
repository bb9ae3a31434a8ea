// Fault 25, the tokens: no text of the corpus, wherever it stands, becomes a special id.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type AgentEvent, transcriptOf } from "../../src/agent/events.ts";
import { systemPrompt } from "../../src/agent/prompts.ts";
import { TOOLS } from "../../src/agent/tool-specs.ts";
import { compact } from "../../src/agent/compaction.ts";
import { PromptRenderer } from "../../src/tokenizer/prompt.ts";
import { INJECTIONS } from "../fixtures/corpus/injection.ts";
import { named, qwenTokenizer } from "../support/tokenizer.ts";

const tokenizer = qwenTokenizer(readFileSync(new URL("../fixtures/templates/qwen3-coder-next.jinja", import.meta.url), "utf8"));
const renderer = new PromptRenderer(tokenizer);

/** A conversation with `text` everywhere where data can stand: a file's name, an attachment, a message, a tool's answer. */
function everywhere(text: string): AgentEvent[] {
  return [
    { type: "system", text: systemPrompt(["src/index.js", text], { unlockTests: false }) },
    { type: "user", text, attachments: [{ kind: "page", title: text, url: `https://example.org/${text}`, text }] },
    { type: "assistant", text: "I look." },
    { type: "tool-finished", call: { id: "1", name: "read_file", arguments: {} }, result: text, ok: true, durationMs: 1 },
    { type: "note", text },
  ];
}

const specials = (ids: readonly number[]): string[] => ids.flatMap((id) => tokenizer.special(id)?.text ?? []);

describe("fault 25: text that gives orders", () => {
  const harmless = specials(renderer.render(transcriptOf(everywhere("harmless")), TOOLS));

  it.each(INJECTIONS.map(({ name, text }) => [name, text]))("%s adds no special token, wherever it stands", (_name, text) => {
    const messages = transcriptOf(everywhere(text));
    const ids = renderer.render(messages, TOOLS);
    expect(specials(ids)).toEqual(harmless);
    expect(named(tokenizer, ids)).toContain(text); // and it is there to be read, unchanged
  });

  it("adds none through a condensed conversation either", () => {
    for (const { text } of INJECTIONS) {
      const short = compact([...transcriptOf(everywhere(text)), ...transcriptOf(everywhere(text)).slice(1)]) ?? [];
      const benign = compact([...transcriptOf(everywhere("harmless")), ...transcriptOf(everywhere("harmless")).slice(1)]) ?? [];
      expect(specials(renderer.render(short, TOOLS))).toEqual(specials(renderer.render(benign, TOOLS)));
    }
  });
});
