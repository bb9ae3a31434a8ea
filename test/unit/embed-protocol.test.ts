// The widget's two sides do not trust each other: whatever arrives is rebuilt, and what does not fit is dropped.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { CONNECT, HELLO, isHandshake, PROTOCOL_VERSION, readColor, readFromFrame, readToFrame, readUrl } from "../../src/embed/protocol.ts";

/** What an attacker writes where text is expected. */
const XSS = ['"><img src=x onerror=alert(1)>', "<script>alert(1)</script>", "javascript:alert(1)", "</style><script>alert(1)</script>", "{{constructor.constructor('alert(1)')()}}", "\u202Egnp.exe", "url(https://evil.example/x)"];

describe("the widget's protocol", () => {
  it("reads back what either side sends", () => {
    const setup = { theme: "dark", accent: "#1f5fbf", language: "de", position: "side", chat: true, run: false, name: "Cart", files: [{ path: "a.js", text: "1" }], samples: [{ title: "b.js", language: "js", text: "2" }], open: "a.js", prompt: "Fix it", registry: "https://registry.example/" } as const;
    expect(readToFrame({ type: "setup", setup })).toEqual({ type: "setup", setup });
    expect(readToFrame({ type: "engine", state: "give-up" })).toEqual({ type: "engine", state: "give-up" });
    const source = { kind: "page", title: "Cart", url: "https://docs.example/cart", text: "words" } as const;
    expect(readToFrame({ type: "context", request: 3, sources: [source] })).toEqual({ type: "context", request: 3, sources: [source] });
    const feedback = { type: "feedback", rating: "up", question: "q", answer: "a" } as const;
    expect(readFromFrame(feedback)).toEqual(feedback);
    expect(readFromFrame({ type: "engine", state: "take" })).toEqual({ type: "engine", state: "take" });
  });

  it("survives any value on either side and gives only its own messages", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true, withTypedArray: true }), (value) => {
        for (const given of [value, { type: value }, { type: "setup", setup: value }, { type: "context", request: 1, sources: value }, { type: "feedback", rating: "up", question: value, answer: value }]) {
          const read = readToFrame(given) ?? readFromFrame(given);
          expect(read === undefined || typeof read.type === "string").toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("drops what it does not know, and what pretends", () => {
    for (const value of [undefined, null, 7, "setup", [], { type: "eval" }, { type: "__proto__" }, { type: "engine", state: "mine" }, { type: "context", request: -1 }, { type: "context", request: "0" }]) {
      expect(readToFrame(value)).toBeUndefined();
    }
    for (const value of [{ type: "setup" }, { type: "feedback", rating: "sideways" }, { type: "engine", state: "yours" }, { type: "context-wanted", request: Number.NaN }, { type: ["ready"] }]) {
      expect(readFromFrame(value)).toBeUndefined();
    }
  });

  it("keeps no more files, text and sources than its limits", () => {
    const files = Array.from({ length: LIMITS.widgetFiles + 50 }, (_, i) => ({ path: `${i}.js`, text: "" }));
    const read = readToFrame({ type: "setup", setup: { files, name: "x".repeat(5000), prompt: "y".repeat(100_000) } });
    expect(read?.type === "setup" && [read.setup.files.length, read.setup.name.length, read.setup.prompt.length]).toEqual([LIMITS.widgetFiles, LIMITS.widgetWordCharacters, LIMITS.widgetContextCharacters]);
    const sources = Array.from({ length: 30 }, () => ({ text: "z".repeat(100_000) }));
    const context = readToFrame({ type: "context", request: 1, sources });
    expect(context?.type === "context" && [context.sources.length, context.sources[0]?.text.length]).toEqual([LIMITS.widgetSources, LIMITS.widgetContextCharacters]);
  });

  it("lets no colour load, refer or end the rule it stands in", () => {
    for (const color of ["#1f5fbf", "rebeccapurple", "rgb(1 2 3 / 50%)", "oklch(60% 0.1 20deg)"]) expect(readColor(color)).toBe(color);
    for (const color of [...XSS, "var(--x)", "red;background:url(//evil)", "red}body{display:none", "env(x)", "image-set('a')", "attr(x)", 5, {}]) expect(readColor(color)).toBe("");
  });

  it("makes links of http and https only", () => {
    expect(readUrl("https://docs.example/a?b#c")).toBe("https://docs.example/a?b#c");
    for (const url of [...XSS, "JaVaScRiPt:alert(1)", " javascript:alert(1)", "data:text/html,x", "blob:https://a/b", "file:///etc/passwd", "//evil.example", "/relative"]) expect(readUrl(url)).toBe("");
  });

  it("shakes hands only under its own name and version", () => {
    expect(isHandshake({ tabwright: HELLO, version: PROTOCOL_VERSION }, HELLO)).toBe(true);
    expect(isHandshake({ tabwright: CONNECT, version: PROTOCOL_VERSION }, HELLO)).toBe(false);
    expect(isHandshake({ tabwright: HELLO, version: PROTOCOL_VERSION + 1 }, HELLO)).toBe(false);
    expect(isHandshake("tabwright-hello", HELLO)).toBe(false);
  });
});
