import { beforeEach, describe, expect, it } from "vitest";
import { type Correction, CorrectionLog, countCorrections, deleteCorrections, exportCorrections } from "../../src/ui/practice/correction-log.ts";

const tree = (files: Readonly<Record<string, string>>): ReadonlyMap<string, Uint8Array> => new Map(Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)]));
const before = tree({ "a.js": "broken", "b.js": "same", "gone.js": "old" });
const after = tree({ "a.js": "fixed", "b.js": "same", "new.js": "made" });
const answer = { workspace: "w1", project: "p", model: "m", ask: "Fix it", messages: [{ role: "user", content: "Fix it" }], before, after };

async function entries(): Promise<Correction[]> {
  return new TextDecoder().decode(await exportCorrections()).trim().split("\n").filter(Boolean).map((line) => JSON.parse(line) as Correction);
}

describe("the log of corrections", () => {
  beforeEach(() => deleteCorrections());

  it("keeps what the files were and what the model made of them, changed files alone", async () => {
    const log = await CorrectionLog.open();
    await log.answered(answer);
    expect(await entries()).toMatchObject([{ version: 1, ask: "Fix it", before: { "a.js": "broken", "gone.js": "old", "new.js": null }, after: { "a.js": "fixed", "gone.js": null, "new.js": "made" }, verdict: "kept" }]);
  });

  it("follows what the user makes of it until the next answer, in that workspace alone", async () => {
    const log = await CorrectionLog.open();
    const verdict = async (): Promise<string> => (await entries())[0]!.verdict;
    await log.answered(answer);
    await log.followed("w2", before);
    expect(await verdict()).toBe("kept");
    await log.followed("w1", before);
    expect(await verdict()).toBe("undone");
    await log.followed("w1", after);
    expect(await verdict()).toBe("kept");
    await log.followed("w1", tree({ "a.js": "fixed by hand", "new.js": "made" }));
    expect(await verdict()).toBe("edited");
    expect((await entries())[0]!.user["a.js"]).toBe("fixed by hand");
    await log.answered({ ...answer, before: after, after });
    await log.followed("w1", before);
    expect([await countCorrections(), await verdict()]).toEqual([1, "edited"]);
  });

  it("is deleted whole", async () => {
    const log = await CorrectionLog.open();
    await log.answered(answer);
    await log.answered(answer);
    expect(await countCorrections()).toBe(2);
    await deleteCorrections();
    expect([await countCorrections(), await entries()]).toEqual([0, []]);
  });
});
