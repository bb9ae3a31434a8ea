// Old chats are found by what was said in them, in any branch.
import { describe, expect, it } from "vitest";
import type { AgentEvent } from "../../src/agent/events.ts";
import { indexChats, markHits, searchChats, type SearchedChat } from "../../src/ui/chat/chat-search.ts";

function chat(id: string, title: string, ...texts: string[]): SearchedChat {
  const exchanges = texts.map((text, i) => ({ id: String(i + 1), time: 1, events: [{ type: "user", text }, { type: "assistant", text: "<tool_call>hidden" }] satisfies AgentEvent[] }));
  return { id, title, conversation: { exchanges, head: "1" } };
}

const chats = [chat("a", "Cart totals", "Why is the total wrong?", "Another branch about zebras"), chat("b", "Zebra stripes", "How many?"), chat("c", "", "The cart holds (all) [items]")];
const found = (query: string): string[] => searchChats(indexChats(chats), query).map((hit) => hit.chat.id);

describe("the search through old chats", () => {
  it("wants all words, in title or text, whatever their case; titles come first", () => {
    expect(found("ZEBRA")).toEqual(["b", "a"]);
    expect(found("cart wrong")).toEqual(["a"]);
    expect(found("cart")).toEqual(["a", "c"]);
    expect(found("nothing of it")).toEqual([]);
    expect(found("  ")).toEqual(["a", "b", "c"]);
  });

  it("does not search what was written to the tools", () => {
    expect(found("tool_call")).toEqual([]);
  });

  it("shows the words around the first hit, and marks what was looked for", () => {
    const [hit] = searchChats(indexChats([chat("d", "", `${"before ".repeat(30)}needle ${"after ".repeat(60)}`)]), "needle");
    expect(hit?.snippet).toMatch(/^… .*needle.* …$/);
    expect(markHits("The cart (all) CART", "cart (all)")).toEqual([
      { text: "The ", hit: false },
      { text: "cart", hit: true },
      { text: " ", hit: false },
      { text: "(all)", hit: true },
      { text: " ", hit: false },
      { text: "CART", hit: true },
    ]);
    expect(markHits("text", " ")).toEqual([{ text: "text", hit: false }]);
  });

  it("answers while the user types, in a thousand chats of twenty thousand characters", () => {
    const index = indexChats(Array.from({ length: 1000 }, (_, i) => chat(`chat-${i}`, `Chat ${i}`, `number${i} ${"some words of an answer ".repeat(830)}`)));
    const start = performance.now();
    expect(searchChats(index, "answer number731").map((hit) => hit.chat.id)).toEqual(["chat-731"]);
    expect(performance.now() - start).toBeLessThan(1500); // 15 ms on a machine at rest
  });
});
