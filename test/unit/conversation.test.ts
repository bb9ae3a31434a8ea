import { describe, expect, it } from "vitest";
import { addEvent, alternativesTo, beginExchange, type Conversation, EMPTY_CONVERSATION, eventsOf, pathTo, rewindTo, switchTo, titleOf } from "../../src/agent/conversation.ts";
import { withAttachments } from "../../src/agent/attachment.ts";
import { compact } from "../../src/agent/compaction.ts";
import { type AgentEvent, transcriptOf } from "../../src/agent/events.ts";
import { planOf } from "../../src/agent/plan.ts";
import type { ChatMessage } from "../../src/engine/api.ts";

/** One exchange after `parent`: the user says `text`, the assistant answers. */
function say(chat: Conversation, parent: string | undefined, text: string): Conversation {
  const events: readonly AgentEvent[] = [{ type: "user", text }, { type: "assistant", text: `About ${text}` }];
  return events.reduce(addEvent, beginExchange(chat, parent, 0));
}

const texts = (chat: Conversation): string[] => eventsOf(chat).flatMap((event) => (event.type === "user" ? [event.text] : []));

describe("a conversation", () => {
  const line = say(say(say(EMPTY_CONVERSATION, undefined, "a"), "1", "b"), "2", "c");

  it("is the exchanges from the first to the head", () => {
    expect(texts(line)).toEqual(["a", "b", "c"]);
    expect(pathTo(line).map(({ id }) => id)).toEqual(["1", "2", "3"]);
    expect(titleOf(line)).toBe("a");
  });

  it("keeps both branches when a message is edited, and switches between them down to their ends", () => {
    const edited = say(line, "1", "b, but better");
    expect(texts(edited)).toEqual(["a", "b, but better"]);
    expect(alternativesTo(edited, "4")).toEqual(["2", "4"]);
    expect(texts(switchTo(edited, "2"))).toEqual(["a", "b", "c"]);
    expect(texts(switchTo(switchTo(edited, "2"), "4"))).toEqual(["a", "b, but better"]);
  });

  it("branches at its very start too", () => {
    const edited = say(line, undefined, "another a");
    expect(texts(edited)).toEqual(["another a"]);
    expect(alternativesTo(edited, "1")).toEqual(["1", "4"]);
  });

  it("goes back to an exchange, or before the first, and loses nothing", () => {
    expect(texts(rewindTo(line, "1"))).toEqual(["a"]);
    expect(texts(rewindTo(line, undefined))).toEqual([]);
    expect(texts(switchTo(rewindTo(line, undefined), "3"))).toEqual(["a", "b", "c"]);
  });

  it("keeps streamed words as one event", () => {
    const chat = ["Hel", "lo"].reduce<Conversation>((at, text) => addEvent(at, { type: "text", text }), beginExchange(EMPTY_CONVERSATION, undefined, 0));
    expect(eventsOf(chat)).toEqual([{ type: "text", text: "Hello" }]);
  });
});

describe("attachments", () => {
  it("reach the model as numbered data with a length, before the words", () => {
    const text = withAttachments("What is this?", [{ kind: "page", title: "Guide", url: "https://example.org/guide", text: "Use it." }]);
    expect(text).toContain("[1] Guide (https://example.org/guide), 7 characters of data:\nUse it.\n[end of 1]");
    expect(text).toMatch(/cite it as \[1\]/);
    expect(text.endsWith("\n\nWhat is this?")).toBe(true);
    expect(withAttachments("Plain", [])).toBe("Plain");
  });
});

describe("compaction", () => {
  const old: ChatMessage[] = [
    { role: "system", content: "You are." },
    { role: "user", content: "Fix the failing test" },
    { role: "assistant", content: "I look.\n<tool_call>\n<function=read_file>\n<parameter=file_path>\nsrc/a.js\n</parameter>\n</function>\n</tool_call>" },
    { role: "tool", content: "x".repeat(5_000) },
    ...Array.from({ length: 4 }, (_, i): ChatMessage[] => [{ role: "assistant", content: `Step ${i}` }, { role: "tool", content: `result ${i}` }]).flat(),
  ];

  it("keeps the system message, the newest messages whole, and the task", () => {
    const short = compact(old) ?? [];
    expect(short[0]).toEqual(old[0]);
    expect(short.slice(2)).toEqual(old.slice(-6));
    expect(short[1]).toMatchObject({ role: "user", content: expect.stringMatching(/called read_file src\/a\.js[\s\S]*The task is still: Fix the failing test/) });
    expect(JSON.stringify(short).length).toBeLessThan(2_000);
  });

  it("never parts a tool's answer from its call", () => {
    for (let length = 4; length <= old.length; length++) {
      const short = compact(old.slice(0, length)) ?? [];
      for (const [index, { role }] of short.entries()) if (role === "tool") expect(["assistant", "tool"]).toContain(short[index - 1]?.role);
    }
  });

  it("has nothing to do for a short conversation, and keeps what an earlier one said", () => {
    expect(compact(old.slice(0, 4))).toBeUndefined();
    const twice = compact([...(compact(old) ?? []), ...old.slice(4)]) ?? [];
    expect(twice[1]?.content).toContain("called read_file src/a.js");
    expect(twice[1]?.content).toContain("The task is still: Fix the failing test");
  });

  it("stands for everything before it in the transcript", () => {
    const messages: ChatMessage[] = [{ role: "user", content: "short" }];
    const events: AgentEvent[] = [{ type: "user", text: "long" }, { type: "compacted", messages, tokensBefore: 9, tokensAfter: 1 }, { type: "assistant", text: "ok" }];
    expect(transcriptOf(events)).toEqual([...messages, { role: "assistant", content: "ok" }]);
  });
});

describe("a plan", () => {
  it("is the last task list of at least two lines", () => {
    expect(planOf("Plan:\n- [ ] read\n- [ ] edit\n\nLater:\n- [x] read\n- [ ] edit")).toEqual([{ text: "read", done: true }, { text: "edit", done: false }]);
    expect(planOf("1. [x] one\n   more words\n2. [ ] two")).toEqual([{ text: "one", done: true }, { text: "two", done: false }]);
    expect(planOf("- [ ] alone")).toBeUndefined();
    expect(planOf("- a list\n- without boxes")).toBeUndefined();
  });
});
