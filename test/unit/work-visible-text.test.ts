import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codePoint, visibleParts, writtenOut } from "../../src/ui/work/visible-text.ts";

describe("text of the project", () => {
  it.each([
    ["a right-to-left override", "evil\u202etxt.exe", "evil⟨U+202E⟩txt.exe"],
    ["isolates", "a\u2066b\u2069", "a⟨U+2066⟩b⟨U+2069⟩"],
    ["a zero-width space and a zero-width joiner in plain letters", "pay\u200bload\u200dx", "pay⟨U+200B⟩load⟨U+200D⟩x"],
    ["a soft hyphen and a byte order mark", "in\u00addex\ufeff", "in⟨U+00AD⟩dex⟨U+FEFF⟩"],
    ["a Hangul filler as a name", "\u3164", "⟨U+3164⟩"],
    ["tag characters, which carry invisible words", "a\u{e0069}\u{e0067}", "a⟨U+E0069⟩⟨U+E0067⟩"],
    ["variation selectors used to smuggle bytes", "a\ufe01\u{e0150}", "a⟨U+FE01⟩⟨U+E0150⟩"],
    ["escape and other control characters", "a\u001b[31m\u0007", "a⟨U+001B⟩[31m⟨U+0007⟩"],
  ])("shows %s", (_, text, shown) => {
    expect(writtenOut(text)).toBe(shown);
  });

  it.each([["family 👨‍👩‍👧 and ❤️"], ["ملف.txt"], ["می‌خواهم"], ["क्‍ष"], ["naïve façade"], ["tab\there"]])("leaves %s as it is written", (text) => {
    expect(visibleParts(text)).toEqual([{ text }]);
  });

  it("keeps every character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const parts = visibleParts(text);
        expect(parts.map((part) => ("text" in part ? part.text : part.hidden)).join("")).toBe(text);
      }),
    );
    expect(codePoint("\u{1f600}")).toBe("U+1F600");
  });
});
