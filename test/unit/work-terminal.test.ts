import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commandsOf, historyLine, newestLines } from "../../src/base/shell-files.ts";
import { AT_DRAFT, distinctCommands, recall } from "../../src/ui/work/command-history.ts";
import { pasteable, plainText, TerminalFilter } from "../../src/ui/work/terminal-filter.ts";
import { cpuMs } from "../support/cpu-time.ts";

const filtered = (text: string): string => new TerminalFilter().push(text);

describe("hostile output in the terminal (fault 26)", () => {
  it.each([
    ["a link with another address (OSC 8)", "\u001b]8;;https://evil.example/\u001b\\click\u001b]8;;\u001b\\", "click"],
    ["writing to the clipboard (OSC 52)", "\u001b]52;c;cm0gLXJmIH4=\u0007x", "x"],
    ["a title (OSC 0, 1, 2)", "\u001b]0;sudo\u0007\u001b]2;sudo\u001b\\x", "x"],
    ["questions about the device (DA, DSR, DECRQSS, XTGETTCAP, title report)", "\u001b[c\u001b[>c\u001b[6n\u001bP$qm\u001b\\\u001bP+q544e\u001b\\\u001b[21tx", "x"],
    ["moving up to paint over earlier lines", "\u001b[5A\u001b[1;1H\u001b[2J\u001b[Hfake prompt", "fake prompt"],
    ["another screen, mouse reports, bracketed paste", "\u001b[?1049h\u001b[?1000h\u001b[?2004hx", "x"],
    ["a full reset, character sets, saved cursors", "\u001bc\u001b(0\u001b7\u001b8x", "x"],
    ["files and images (OSC 1337, APC, PM, SOS, sixel)", "\u001b]1337;File=name=x:AAAA\u0007\u001b_Gf=100;AAAA\u001b\\\u001b^pm\u001b\\\u001bXsos\u001b\\\u001bPq#0\u001b\\x", "x"],
    ["the same in eight-bit control characters", "\u009d52;c;eA==\u0007\u009b6n\u0090q\u009cx", "x"],
    ["concealed text", "\u001b[8mhidden\u001b[0m", "\u001b[0mhidden\u001b[0m"],
    ["a bell and other control characters", "a\u0007\u0000\u000e\u007fb", "ab"],
    ["a line shown in another order", "a\u202eb", "a⟨U+202E⟩b"],
  ])("loses %s", (_, text, left) => {
    expect(filtered(text)).toBe(left);
  });

  it("does not swallow what follows a sequence that never ends", () => {
    expect(filtered("\u001b]0;never ends\nthe next line")).toBe("\nthe next line");
    expect(filtered(`\u001b]0;${"a".repeat(5_000)} end`)).toContain(" end");
    expect(filtered(`\u001b[${"1".repeat(70)}end`)).toContain("end");
    expect(filtered("\u001b[31\nline")).toBe("\nline");
  });

  it("keeps colours, tabs, and progress on one line", () => {
    const text = "\u001b[1;31mred\u001b[0m\t\u001b[38;5;8mgrey\u001b[38;2;8;8;8m\r10 %\u001b[K\r20 %\b\u001b[3D\n";
    expect(filtered(text)).toBe(text);
  });

  it("comes out the same however it is cut", () => {
    const piece = fc.constantFrom("\u001b", "[", "]", "8", ";", "m", "2", "J", "\u0007", "\\", "x", "\n", "\u009b", "P", "é", "😀");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.infiniteStream(fc.boolean()), (pieces, coin) => {
        const filter = new TerminalFilter();
        let [out, chunk] = ["", ""];
        for (const next of pieces) {
          chunk += next;
          if (!coin.next().value) continue;
          out += filter.push(chunk);
          chunk = "";
        }
        expect(out + filter.push(chunk)).toBe(filtered(pieces.join("")));
      }),
      { numRuns: 2_000 },
    );
  });

  it("never lets more than colours and moves in the line through, whatever comes", () => {
    const anything = fc.string({ unit: fc.oneof(fc.constantFrom("\u001b", "[", "]", "m", "8", ";", "?", "K", "c", "n", "\u009b", "\u009d"), fc.string({ unit: "binary", minLength: 1, maxLength: 1 })), maxLength: 80 });
    fc.assert(
      fc.property(anything, (text) => {
        // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
        const rest = filtered(text).replace(/\u001b\[[\d;:]*[mKCDG]/g, "");
        // oxlint-disable-next-line no-control-regex -- as above
        expect(rest).not.toMatch(/[\u0000-\u0007\u000b\u000c\u000e-\u001f\u007f-\u009f]/);
      }),
      { numRuns: 3_000 },
    );
  });

  it("takes a megabyte in time", () => {
    for (const piece of ["\u001b", "\u001b[", "\u001b]0;", "\u001b[1m", "a"]) expect(cpuMs(() => filtered(piece.repeat(1_000_000 / piece.length)))).toBeLessThan(1_500);
  });

  it("is text alone where it is read or copied", () => {
    expect(plainText("\u001b[31mred\u001b[0m\r\n\u001b]8;;x\u0007link\tend")).toBe("red\nlink\tend");
  });
});

describe("the prompt line's history", () => {
  const commands = ["npm test", "ls", "npm test"];

  it("goes back, stops at the oldest, and comes forward to what was being typed", () => {
    expect(distinctCommands(commands)).toEqual(["npm test", "ls"]);
    const one = recall(commands, AT_DRAFT, "dra", 1);
    expect(one.line).toBe("npm test");
    const two = recall(commands, one.place, one.line, 1);
    expect(two.line).toBe("ls");
    expect(recall(commands, two.place, two.line, 1).line).toBe("ls");
    const back = recall(commands, recall(commands, two.place, two.line, -1).place, "npm test", -1);
    expect(back).toEqual({ place: { back: 0, draft: "dra" }, line: "dra" });
    expect(recall([], AT_DRAFT, "x", 1).line).toBe("x");
  });
});

describe("what is pasted into the terminal", () => {
  it("is text, tabs and line ends; no key and no end of a paste is in it", () => {
    expect(pasteable("a\tb\r\nc\u0003\u001b[201~d\u009b1mé😀\u007f\u0000")).toBe("a\tb\r\nc[201~d1mé😀");
  });
});

describe("the kept history", () => {
  it("is the newest whole lines, whatever a program wrote into the file", () => {
    expect(newestLines("a\n\nb")).toBe("a\nb\n");
    expect(commandsOf(newestLines(Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join("")))).toMatchObject({ length: 1000, 0: "line 4000", 999: "line 4999" });
    expect(newestLines(`old\n${"x".repeat(300_000)}\nnew\n`)).toBe("new\n");
    expect(newestLines("x".repeat(300_000))).toBe("");
  });

  it("has a command of several lines as one", () => {
    expect(commandsOf("for\\ndone\necho \\\\n\n")).toEqual(["for\ndone", "echo \\n"]);
    expect(commandsOf(historyLine("for\\n\ndone"))).toEqual(["for\\n\ndone"]);
  });
});
