// Fault 21: an edit is applied exactly or refused, and the bytes it does not touch stay as they were. The definition it is
// held to is written out here: find the old text once, put the new one there, in the file's own line ends.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyEdit } from "../../src/agent/edit.ts";
import { resolveCall } from "../../src/agent/tool-specs.ts";
import { runTool } from "../../src/agent/tools.ts";
import { applyPatch } from "../../src/project/patch-apply.ts";
import { patchText } from "../../src/project/patch.ts";
import { encodeText } from "../../src/project/text.ts";
import { NodeSandbox } from "../support/node-sandbox.ts";
import { treeOf } from "../support/trees.ts";

const LINE = fc.constantFrom("a", "b", "let x = 1;", "  return y;", "é 🙂", "", "\tz", "שלום");
const END = fc.constantFrom("\n", "\r\n");
/** A file as people's disks have them: mixed line ends, a byte order mark, no final newline. */
const FILE = fc
  .record({ mark: fc.boolean(), lines: fc.array(fc.tuple(LINE, END), { minLength: 1, maxLength: 10 }), last: fc.constantFrom("", "end", "🙂") })
  .map(({ mark, lines, last }) => (mark ? "\ufeff" : "") + lines.map(([line, end]) => line + end).join("") + last);

/** Each character of the text with "\n" ends, and where it stands in the original. */
function positions(original: string): { readonly text: string; readonly at: readonly number[] } {
  let text = "";
  const at: number[] = [];
  for (let i = 0; i < original.length; i++) {
    if (original[i] === "\r" && original[i + 1] === "\n") continue;
    at.push(original[i] === "\n" && original[i - 1] === "\r" ? i - 1 : i);
    text += original[i];
  }
  return { text, at: [...at, original.length] };
}

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) count++;
  return count;
}

const isHalf = (text: string, at: number): boolean => /[\ud800-\udbff]/.test(text[at - 1] ?? "") && /[\udc00-\udfff]/.test(text[at] ?? "");

describe("an edit", () => {
  it("fault 21: is made exactly where its text stands once, in the file's line ends, and every other byte stays", () => {
    let made = 0;
    fc.assert(
      fc.property(FILE, fc.nat(), fc.nat(), fc.array(LINE, { minLength: 1, maxLength: 3 }), (original, from, length, lines) => {
        const { text, at } = positions(original);
        const start = from % (text.length + 1);
        const end = start + 1 + (length % 20);
        const oldText = text.slice(start, end);
        const newText = lines.join("\n");
        fc.pre(oldText.trim() !== "" && oldText !== newText && !(original.startsWith("\ufeff") && start === 0));
        const before = encodeText(original);
        const kept = before.slice();
        const outcome = applyEdit(before, { path: "a.js", oldText, newText, replaceAll: false });
        expect(before).toEqual(kept);
        if (isHalf(text, start) || isHalf(text, start + oldText.length)) return void expect(outcome.ok).toBe(false);
        if (occurrences(text, oldText) > 1) return void expect(outcome).toMatchObject({ ok: false, message: expect.stringMatching(/matches \d+ places/) });
        const crlf = (original.match(/\r\n/g) ?? []).length;
        const ending = crlf > (original.match(/(?<!\r)\n/g) ?? []).length ? "\r\n" : "\n";
        const expected = original.slice(0, at[start]) + newText.replaceAll("\n", ending) + original.slice(at[start + oldText.length]);
        if (expected === original) return void expect(outcome).toMatchObject({ ok: false, noop: true });
        made++;
        expect(outcome).toMatchObject({ ok: true, text: expected, matcher: "exact" });
      }),
      { numRuns: 3_000 },
    );
    expect(made).toBeGreaterThan(500);
  });

  it("fault 21: of half a character, or with half a character, is refused", () => {
    const file = encodeText("a🙂b\n");
    for (const [oldText, newText] of [["\ud83d", "x"], ["\ude42b", "x"], ["a", "\ud83d"], ["a\ud83d", "a"]] as const) {
      expect(applyEdit(file, { path: "a.js", oldText, newText, replaceAll: false }), JSON.stringify(oldText)).toMatchObject({ ok: false, noop: false });
    }
  });
});

describe("the edit tool", () => {
  let sandbox: NodeSandbox;
  beforeAll(async () => {
    sandbox = await NodeSandbox.open();
  });
  afterAll(() => sandbox.close());

  async function edit(path: string, oldText: string, newText: string): Promise<{ ok: boolean; result: string }> {
    const call = resolveCall("edit", { file_path: path, old_string: oldText, new_string: newText });
    if (!call.ok) throw new Error(call.message);
    return runTool(call.name, call.arguments, { sandbox, unlockTests: false, created: new Set() }, () => undefined, new AbortController().signal);
  }

  it("fault 21: works on what the file is now, not on what was read: others' changes stay, a stale text is refused", async () => {
    await sandbox.writeFile("notes.txt", encodeText("one\ntwo\nthree\n"));
    await sandbox.writeFile("notes.txt", encodeText("one, changed by hand\ntwo\nthree\n"));
    expect(await edit("notes.txt", "two", "TWO")).toMatchObject({ ok: true });
    expect(await sandbox.readFile("notes.txt")).toEqual(encodeText("one, changed by hand\nTWO\nthree\n"));
    expect(await edit("notes.txt", "one\ntwo", "x")).toMatchObject({ ok: false, result: expect.stringContaining("was not found") });
    expect(await sandbox.readFile("notes.txt")).toEqual(encodeText("one, changed by hand\nTWO\nthree\n"));
  });

  it.each<[string, Uint8Array]>([
    ["with a NUL byte", new Uint8Array([97, 0, 98, 10])],
    ["that is not UTF-8", new Uint8Array([97, 0xff, 0xfe, 10])],
    ["cut inside a character", new Uint8Array([97, 10, 0xf0, 0x9f, 0x99])],
  ])("fault 21: leaves a file %s as it is", async (_, bytes) => {
    await sandbox.writeFile("data.bin", bytes);
    expect(await edit("data.bin", "a", "b")).toMatchObject({ ok: false, result: expect.stringContaining("binary") });
    expect(await sandbox.readFile("data.bin")).toEqual(bytes);
  });
});

describe("a patch made for another state", () => {
  it("fault 21: is refused, or its lines go and come and nothing else does", async () => {
    const tree = fc.array(LINE, { maxLength: 12 }).map((lines) => treeOf({ "a.js": lines.map((line) => `${line}\n`).join(""), "other.js": "1\n" }));
    const lines = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes).match(/[^\n]*\n/g) ?? [];
    let [applied, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(tree, tree, tree, fc.boolean(), async (from, to, other, close) => {
        // Often a state that is near: only then do some hunks fit.
        const now = close ? treeOf({ "a.js": `zero\n${new TextDecoder().decode(from.get("a.js"))}`, "other.js": "1\n" }) : other;
        const patch = await patchText(from, to);
        fc.pre(patch !== "");
        const after = await applyPatch(now, patch).catch((error: { code?: string }) => {
          expect(error.code).toBe("project/patch");
          return undefined;
        });
        if (!after) return void refused++;
        applied++;
        const count = (of: readonly string[]) => of.reduce<Record<string, number>>((sum, line) => ({ ...sum, [line]: (sum[line] ?? 0) + 1 }), {});
        const change = (mark: string) => patch.split("\n").filter((line) => line.startsWith(mark) && !line.startsWith(mark.repeat(3))).map((line) => `${line.slice(1)}\n`);
        expect(count([...lines(after.get("a.js")), ...change("-")])).toEqual(count([...lines(now.get("a.js")), ...change("+")]));
        expect(after.get("other.js")).toBe(now.get("other.js"));
      }),
      { numRuns: 600 },
    );
    expect(applied).toBeGreaterThan(30);
    expect(refused).toBeGreaterThan(30);
  });
});
