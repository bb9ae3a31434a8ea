import { describe, expect, it } from "vitest";
import type { Conversation } from "../../src/agent/conversation.ts";
import { type ConversationFile, conversationJson, conversationMarkdown, readConversationJson } from "../../src/agent/conversation-file.ts";
import type { AgentEvent } from "../../src/agent/events.ts";

const call = { id: "call-1", name: "run_shell_command", arguments: { command: "npm test" } };
const EVENTS: readonly AgentEvent[] = [
  { type: "system", text: "You are …" },
  { type: "user", text: "Fix it, please 🙏", attachments: [{ kind: "file", title: "a.js", text: "```js\nx\n```" }] },
  { type: "text", text: "I run " },
  { type: "assistant", text: "I run <tool_call>…" },
  { type: "tool-started", call },
  { type: "tool-finished", call, result: "not ok 1\n", ok: false, exitCode: 1, durationMs: 12 },
  { type: "text", text: "Fixed: שלום" },
  { type: "done", reason: "verified", message: "Done.", steps: 2, tokens: 40, durationMs: 900 },
];
const conversation: Conversation = {
  exchanges: [
    { id: "1", time: Date.UTC(2026, 0, 2, 3, 4), events: EVENTS },
    { id: "2", parent: "1", time: Date.UTC(2026, 0, 2, 3, 5), events: [{ type: "user", text: "another way" }] },
    { id: "3", parent: "1", time: Date.UTC(2026, 0, 2, 3, 6), events: [{ type: "user", text: "and now?" }, { type: "text", text: "Nothing." }] },
  ],
  head: "3",
};
const FILE: ConversationFile = { title: "Fix it", project: "demo", conversation };

describe("a conversation as JSON", () => {
  it("comes back whole, the branches that are not shown too", () => {
    expect(readConversationJson(conversationJson(FILE))).toEqual(FILE);
    expect(readConversationJson(`\ufeff${conversationJson(FILE)}`)).toEqual(FILE);
    expect(readConversationJson(conversationJson({ title: "", project: "", conversation: { exchanges: [] } })).conversation).toEqual({ exchanges: [] });
  });

  it("cut anywhere is refused, never half read", () => {
    const text = conversationJson(FILE).trimEnd();
    for (let length = 0; length < text.length; length += 7) expect(() => readConversationJson(text.slice(0, length))).toThrow(/is not JSON, or was cut short/);
  });

  const changed = (change: (value: { version: unknown; format: unknown; conversation: { exchanges: { id: unknown; parent?: unknown; events: unknown[] }[]; head?: unknown } }) => void): string => {
    const value = JSON.parse(conversationJson(FILE));
    change(value);
    return JSON.stringify(value);
  };
  it.each<[string, string, RegExp]>([
    ["something else", '{"a":1}', /not a conversation that Tabwright exported/],
    ["a list", "[]", /not a conversation that Tabwright exported/],
    ["of a newer page", changed((value) => (value.version = 99)), /newer version/],
    ["with an event of another kind", changed((value) => value.conversation.exchanges[0]!.events.push({ type: "eval", text: "x" })), /unknown kind \(“eval”\)/],
    ["with an event named like a method", changed((value) => value.conversation.exchanges[0]!.events.push({ type: "constructor" })), /unknown kind/],
    ["with an event that lacks its text", changed((value) => value.conversation.exchanges[0]!.events.push({ type: "user" })), /“user” event without “text”/],
    ["with a call that is none", changed((value) => value.conversation.exchanges[0]!.events.push({ type: "tool-started", call: "x" })), /“tool-started” event without “call”/],
    ["with a bad attachment", changed((value) => value.conversation.exchanges[0]!.events.push({ type: "user", text: "x", attachments: [1] })), /attachment/],
    ["whose exchanges are numbered so that the next one would not be new", changed((value) => Object.assign(value.conversation.exchanges[2]!, { id: "4" })), /do not fit together/],
    ["whose exchanges go in a circle", changed((value) => (value.conversation.exchanges[0]!.parent = "3")), /do not fit together/],
    ["with an exchange twice", changed((value) => (value.conversation.exchanges[1]!.id = "1")), /do not fit together/],
    ["whose head is missing", changed((value) => (value.conversation.head = "9")), /names an exchange that it does not hold/],
  ])("%s is refused with the reason", (_, text, message) => {
    expect(() => readConversationJson(text)).toThrow(message);
  });
});

describe("a conversation as Markdown", () => {
  it("shows the branch that is shown: words, actions with their results, how it ended", () => {
    expect(conversationMarkdown(FILE)).toBe(`# Fix it

Project: demo

*2026-01-02 03:04 UTC*

## User

Attached: a.js

\`\`\`\`
\`\`\`js
x
\`\`\`
\`\`\`\`

Fix it, please 🙏

## Assistant

I run

**run_shell_command** \`npm test\` ✗

\`\`\`
not ok 1
\`\`\`

Fixed: שלום

*Done.*

*2026-01-02 03:06 UTC*

## User

and now?

## Assistant

Nothing.
`);
  });

  it("of nothing is a heading", () => {
    expect(conversationMarkdown({ title: "", project: "", conversation: { exchanges: [] } })).toBe("# Conversation\n");
  });
});
