// The same weights as other converters write them come out as the same stored model, byte for byte.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { OTHER_FORMS, OTHER_FORMS_OF } from "../fixtures/models/other-forms.ts";
import { randomModel } from "../fixtures/models/random-model.ts";
import { SPECS } from "../fixtures/models/specs.ts";
import { importedParts } from "../support/memory-model.ts";

const spec = SPECS.find(({ name }) => name === OTHER_FORMS_OF)!;

const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function stored(file: Uint8Array) {
  const { model, layouts, records } = await importedParts(file);
  const tensors = await Promise.all(model.tensors.map(async (tensor) => [tensor, hash(await model.readTensor(tensor.name))] as const));
  return { tensors: placeless(tensors), layouts: placeless(layouts), records: records.map((layer) => layer.map(hash)) };
}

/** Without where in the file each piece lay, which is another place in another file. */
function placeless<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (key, part: unknown) => (key === "from" ? undefined : part))) as T;
}

const usual = stored(randomModel(spec));

describe("a model file with", () => {
  it.each(OTHER_FORMS.map((form) => [form.name, form] as const))("%s is stored as the usual one", async (_, form) => {
    const file = randomModel(spec, (tensors) => form.change(spec, tensors));
    expect(Buffer.compare(file, randomModel(spec))).not.toBe(0);
    expect(await stored(file)).toEqual(await usual);
  });

  it("all of that at once, too", async () => {
    const file = randomModel(spec, (tensors) => OTHER_FORMS.reduce((before, form) => form.change(spec, before), tensors));
    expect(await stored(file)).toEqual(await usual);
  });

  it("rows in an order that nobody writes is not", async () => {
    const other = randomModel(spec, (tensors) =>
      OTHER_FORMS[0]!.change(spec, tensors).map((tensor) => (tensor.name.endsWith("ssm_in.weight") ? { ...tensor, data: tensor.data.toReversed() } : tensor)),
    );
    expect((await stored(other)).tensors).not.toEqual((await usual).tensors);
  });
});
