// A project in an address: exact when it is ours, refused when it is not.
import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { type Handoff, readHandoff, writeHandoff } from "../../src/ui/project/handoff.ts";
import { treeOf } from "../support/trees.ts";

function fragmentOf(files: Parameters<typeof zipSync>[0], more = ""): string {
  return `#project=${Buffer.from(zipSync(files)).toString("base64url")}${more}`;
}

async function refusal(fragment: string): Promise<AppError> {
  try {
    await readHandoff(fragment);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}

describe("a project in an address", () => {
  it("arrives byte for byte, with its name, its open file and its words", async () => {
    const files = new Map([...treeOf({ "src/a b.js": "const ä = '🙂';\r\n", "package.json": "{}" }), ["logo.bin", Uint8Array.from({ length: 700 }, (_, i) => (i * 7) & 255)]]);
    const sent: Handoff = { name: "Körbe & Co #1", files, open: "src/a b.js", prompt: 'Fix "x" & y = 1 + 1' };
    const received = await readHandoff(await writeHandoff(sent));
    expect({ ...received, files: [...(received?.files ?? [])].sort() }).toEqual({ ...sent, files: [...files].sort() });
  });

  it("keeps the only folder of a project, which a zip from the disk would lose", async () => {
    const received = await readHandoff(await writeHandoff({ name: "x", files: treeOf({ "only/a.js": "1", "only/b.js": "2" }), open: "", prompt: "" }));
    expect([...(received?.files.keys() ?? [])]).toEqual(["only/a.js", "only/b.js"]);
  });

  it("is not looked for in other fragments", async () => {
    for (const fragment of ["", "#", "#top", "#/project=1", "?project=1"]) expect(await readHandoff(fragment)).toBeUndefined();
  });

  it("says what to do when the project is too large for an address", async () => {
    let seed = 1;
    const noise = Uint8Array.from({ length: LIMITS.handoffCharacters }, () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 24);
    await expect(writeHandoff({ name: "big", files: new Map([["noise.bin", noise]]), open: "", prompt: "" })).rejects.toThrow(/Save it as a zip/);
  });

  it("refuses what is damaged, cut off or too long", async () => {
    const whole = await writeHandoff({ name: "x", files: treeOf({ "a.js": "1".repeat(500) }), open: "", prompt: "" });
    for (const fragment of ["#project=", "#project=!!!", "#project=AAAA", whole.slice(0, 60), whole.replace("UEsD", "XXXX"), `#project=${"A".repeat(LIMITS.handoffCharacters)}`]) expect((await refusal(fragment)).code).toBe("project/archive");
  });

  it("lets no name out of the project: parents, absolute paths, control characters, doubles", async () => {
    const one = new Uint8Array([49]);
    for (const name of ["project/../../evil.js", "/etc/passwd", "C:\\x.js", "project/a\u0000.js"]) expect((await refusal(fragmentOf({ [name]: one, "project/b.js": one }))).code).toBe("project/archive");
    expect((await refusal(fragmentOf({ "project/a.js": one, "project/A.js": one }))).message).toContain("one file on many disks");
  });

  it("shows no file that is not in it, and cleans its name", async () => {
    const received = await readHandoff(fragmentOf({ "project/a.js": new Uint8Array([49]) }, `&open=${encodeURIComponent("../b.js")}&name=${encodeURIComponent(`a\u0007b${"c".repeat(999)}`)}&prompt=${"p".repeat(50_000)}`));
    expect(received?.open).toBe("");
    expect(received?.name).toMatch(/^a bc+$/);
    expect([received?.name.length, received?.prompt.length]).toEqual([LIMITS.widgetWordCharacters, LIMITS.widgetContextCharacters]);
  });
});
