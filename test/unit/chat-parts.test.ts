// The pure parts of the composer and of what can be done with messages.
import { describe, expect, it } from "vitest";
import type { ChatItem } from "../../src/ui/chat/chat-item.ts";
import { attached, guessTokens, overflows, readFiles } from "../../src/ui/chat/draft.ts";
import { inserted, pathProblem } from "../../src/ui/chat/insert-target.ts";
import { mentionAt, mentionedPaths, rankPaths } from "../../src/ui/chat/path-ranking.ts";
import { keysOf, SHORTCUTS } from "../../src/ui/chat/shortcuts.ts";
import { turnsOf } from "../../src/ui/chat/turns.ts";
import { keepDraft, keepQueue, keptDraft, keptQueue } from "../../src/ui/chat/unsent-store.ts";

const PATHS = ["package.json", "packages/cart/src/cart-total.js", "packages/cart/test/cart-total.test.js", "packages/text/src/capitalize.js", "README.md", "src/ui/app.ts"];

describe("naming a file in a message", () => {
  it("begins at an @ that begins a word, and ends at the caret", () => {
    expect(mentionAt("see @ca", 7)).toEqual({ from: 4, query: "ca" });
    expect(mentionAt("@", 1)).toEqual({ from: 0, query: "" });
    expect(mentionAt("see @ca and", 7)).toEqual({ from: 4, query: "ca" });
    expect(mentionAt("me@example.com", 14)).toBeUndefined();
    expect(mentionAt("see @ca ", 8)).toBeUndefined();
  });

  it("finds files by name, by a part, by letters in order", () => {
    expect(rankPaths("cart", PATHS)[0]).toBe("packages/cart/src/cart-total.js");
    expect(rankPaths("capital", PATHS)).toEqual(["packages/text/src/capitalize.js"]);
    expect(rankPaths("uiapp", PATHS)).toEqual(["src/ui/app.ts"]);
    expect(rankPaths("readme", PATHS)).toEqual(["README.md"]);
    expect(rankPaths("zzz", PATHS)).toEqual([]);
    expect(rankPaths("", PATHS)[0]).toBe("README.md");
  });

  it("answers while the user types, in a project of twenty thousand files", () => {
    const many = Array.from({ length: 20_000 }, (_, i) => `packages/part-${i % 300}/src/module-${i}.ts`);
    const start = performance.now();
    expect(rankPaths("part7mod42", many)).toHaveLength(8);
    expect(performance.now() - start).toBeLessThan(1500); // 25 ms on a machine at rest
  });

  it("counts a file that is named by hand, with or without a full stop", () => {
    expect(mentionedPaths("Compare @README.md, @src/ui/app.ts. and @nothing, mail a@README.md", new Set(PATHS))).toEqual(["README.md", "src/ui/app.ts"]);
  });
});

describe("what goes with a message", () => {
  it("holds a file and a selection once, and pasted texts as often as they are pasted", () => {
    const file = { kind: "file", title: "a.js", path: "a.js" } as const;
    const text = { kind: "text", title: "Pasted text", text: "x" } as const;
    expect([file, file, text, text].reduce(attached, [])).toEqual([file, text, text]);
  });

  it("takes text files, and refuses by name what no model can read", async () => {
    const { attachments, refused } = await readFiles([new File(["häuser\n"], "a.txt"), new File([new Uint8Array([1, 0, 2])], "b.bin"), new File([new Uint8Array([0xff, 0xfe, 0xfa])], "c.txt"), new File(["x".repeat(2_000_001)], "d.log")]);
    expect(attachments).toEqual([{ kind: "text", title: "a.txt", text: "häuser\n" }]);
    expect(refused).toEqual([{ name: "b.bin", reason: "binary" }, { name: "c.txt", reason: "binary" }, { name: "d.log", reason: "large" }]);
  });

  it("is held back when it would leave no room for an answer", () => {
    const budget = { usedTokens: 3000, limitTokens: 4096 };
    expect([overflows(budget, guessTokens(700)), overflows(budget, guessTokens(7000)), overflows(undefined, 1e6), overflows({ ...budget, usedTokens: 4000 }, 0)]).toEqual([false, true, false, false]);
  });
});

describe("what is not sent yet", () => {
  function storage(limit = Number.POSITIVE_INFINITY): Storage {
    const values = new Map<string, string>();
    return {
      get length() {
        return values.size;
      },
      clear: () => values.clear(),
      key: () => null,
      getItem: (key) => values.get(key) ?? null,
      removeItem: (key) => void values.delete(key),
      setItem(key, value) {
        if (value.length > limit) throw new DOMException("full", "QuotaExceededError");
        values.set(key, value);
      },
    };
  }
  const draft = { text: "half a mess", attachments: [{ kind: "file", title: "a.js", path: "a.js" }, { kind: "text", title: "Pasted text", text: "x".repeat(300_000) }] } as const;

  it("survives a reload, but for what is too long to write at every key", () => {
    const tab = storage();
    keepDraft("", draft, tab);
    expect(keptDraft("", tab)).toEqual({ text: "half a mess", attachments: [draft.attachments[0]] });
    keepDraft("", { text: "", attachments: [] }, tab);
    expect([keptDraft("", tab).text, tab.length]).toEqual(["", 0]);
  });

  it("waits its turn after a reload as well, and is its own session's alone", () => {
    const tab = storage();
    const queue = [{ text: "first", attachments: [{ kind: "text", title: "Pasted text", text: "x".repeat(300_000) }] }, { text: "second", attachments: [] }] as const;
    keepQueue("widget-a", queue, tab);
    keepDraft("widget-b", draft, tab);
    expect([keptQueue("widget-a", tab), keptQueue("widget-b", tab), keptDraft("widget-a", tab).text]).toEqual([queue, [], ""]);
    keepQueue("widget-a", [], tab);
    expect([keptQueue("widget-a", tab), tab.length]).toEqual([[], 1]);
  });

  it("breaks nothing where the tab's storage is full, blocked or not ours", () => {
    const full = storage(10);
    keepDraft("", draft, full);
    expect([keptDraft("", full).text, full.length]).toEqual(["", 0]);
    keepDraft("", draft, undefined);
    const foreign = storage();
    for (const value of ["{", "null", '{"text":1}']) {
      foreign.setItem("tabwright draft ", value);
      foreign.setItem("tabwright queue ", value);
      expect([keptDraft("", foreign), keptQueue("", foreign)]).toEqual([{ text: "", attachments: [] }, []]);
    }
  });
});

describe("a block of code that goes into a file", () => {
  it("makes the file, replaces it, or follows what is there", () => {
    expect(inserted(undefined, "a\n", "end")).toBe("a\n");
    expect(inserted("old\n", "new\n", "replace")).toBe("new\n");
    expect(inserted("old", "new\n", "end")).toBe("old\n\nnew\n");
  });

  it("goes nowhere outside the project", () => {
    expect(["src/a.js", "", "src/", "../a.js", "/etc/a", "a/../b", "a\\b", "a//b"].map(pathProblem)).toEqual([undefined, "empty", "empty", "outside", "outside", "outside", "outside", "outside"]);
  });
});

describe("a chat by turns", () => {
  const user = (id: number, exchange: string): ChatItem => ({ kind: "user", id, text: "q", attachments: [{ kind: "file", title: "a.js", path: "a.js", text: "" }], exchange, alternatives: [exchange] });
  const note = (id: number, ended: "stopped" | "verified"): ChatItem => ({ kind: "note", id, tone: "info", title: "", text: "", ended });

  it("gives each answer its words, its sources, and whether it can go on", () => {
    const turns = turnsOf([user(1, "1"), { kind: "assistant", id: 2, text: "one ", streaming: false }, { kind: "assistant", id: 3, text: "two", streaming: false }, note(4, "stopped"), user(5, "2"), note(6, "verified")]);
    expect(turns.map(({ exchange, text, unfinished, sources, items }) => [exchange, text, unfinished, sources.length, items.length])).toEqual([["1", "one\n\ntwo", true, 1, 4], ["2", "", false, 1, 2]]);
    expect(turnsOf([])).toEqual([]);
  });
});

describe("the table of shortcuts", () => {
  it("names every key for people, and no two of one place are the same", () => {
    const all = Object.entries(SHORTCUTS).map(([name, shortcut]) => `${shortcut.where} ${keysOf(name as keyof typeof SHORTCUTS, false).join("+")}`);
    expect(new Set(all).size).toBe(all.length);
    expect(keysOf("focusComposer", true)).toEqual(["⌘", "K"]);
    expect(keysOf("nextMode", false)).toEqual(["Ctrl", "."]);
    expect(keysOf("newLine", false)).toEqual(["Shift", "Enter"]);
  });
});
