// Where the browser stores nothing, a model is still imported, opened, kept for the page's life and deleted.
import { describe, expect, it } from "vitest";
import { deleteModel, findModel, openModel } from "../../src/storage/catalogue.ts";
import { memoryDatabase } from "../../src/storage/memory-database.ts";
import { ModelWriter } from "../../src/storage/model-writer.ts";
import { openShelf } from "../../src/storage/shelf.ts";
import { storeTiny, tinyWeights } from "../support/tiny-weights.ts";

const WEIGHTS = tinyWeights(false);
const ENTRY = WEIGHTS.entry("memory");

describe("the database in memory", () => {
  it("holds a model as the browser's storage would", async () => {
    const database = memoryDatabase();
    await ModelWriter.begin(database, ENTRY);
    await expect(openModel(database, "tiny")).rejects.toThrow(expect.objectContaining({ code: "storage/missing" }));
    await storeTiny(database, WEIGHTS, ENTRY);
    const model = await openModel(database, "tiny");
    expect(model.experts.kind).toBe("memory");
    expect(await model.readTensor("output_norm.weight")).toEqual(WEIGHTS.tensor("output_norm.weight"));
    (await model.experts.read(0, 1)).fill(0); // what was read is the reader's own
    expect(await model.experts.read(0, 1)).toEqual(WEIGHTS.record(0, 1));
    expect(await deleteModel(database, "tiny")).toBe(ENTRY.storedBytes);
    expect(await findModel(database, "tiny")).toBeUndefined();
    expect(await database.get("experts", ["tiny", 0, 0, 0])).toBeUndefined();
  });

  it("keeps shelves in key order and gives a prefix alone", async () => {
    const shelf = await openShelf<number>("settings", memoryDatabase());
    for (const [i, key] of ["b/2", "a", "b/1", "c"].entries()) await shelf.put(key, i);
    expect(await shelf.keys()).toEqual(["a", "b/1", "b/2", "c"]);
    expect(await shelf.list("b/")).toEqual([["b/1", 2], ["b/2", 0]]);
    await shelf.delete("a");
    expect(await shelf.get("a")).toBeUndefined();
  });
});
