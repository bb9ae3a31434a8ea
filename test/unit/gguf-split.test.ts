// Models in several files: read as one, and every way to choose the wrong files has its own sentence.
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { bytesSource, joinedSource } from "../../src/gguf/source.ts";
import { partName, partNames } from "../../src/gguf/split.ts";
import { type WritableValue, writeGguf } from "../../src/gguf/writer.ts";
import { modelMetadata, randomTensors, writable } from "../fixtures/models/random-model.ts";
import { seededRandom } from "../fixtures/models/random.ts";
import { SPECS } from "../fixtures/models/specs.ts";
import { type Part, splitGguf } from "../fixtures/models/split.ts";

const spec = { ...SPECS[1]!, layers: 2, hidden: 32, moe: { ...SPECS[1]!.moe, experts: 3 } };
const metadata = modelMetadata(spec);
const tensors = writable(randomTensors(spec));
const whole = writeGguf(metadata, tensors);

const source = ({ name, bytes }: Part) => bytesSource(name, bytes);
const joined = (parts: readonly Part[]) => joinedSource(parts.map(source));

async function failure(read: () => Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await read().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

describe("a model split anywhere between its tensors", () => {
  it("reads as the whole one: the same keys, tensors and bytes, in whatever order the files come", async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seededRandom(seed);
    const expected = await readGguf(bytesSource("model.gguf", whole));
    for (let round = 0; round < 24; round++) {
      const cuts = Array.from({ length: 1 + Math.floor(random.uniform() * 5) }, () => Math.floor(random.uniform() * (tensors.length + 1))).sort((a, b) => a - b);
      const parts = splitGguf("model", metadata, tensors, cuts);
      const shuffled = parts.toSorted(() => random.uniform() - 0.5);
      const one = joined(shuffled);
      const what = `seed ${seed}, cut before ${cuts.join(", ")}`;
      const file = await readGguf(one);
      expect(one.name, what).toBe("model.gguf");
      expect(file.metadata, what).toEqual(expected.metadata);
      expect(file.tensors.map(({ name, shape, type, bytes }) => ({ name, shape, type, bytes })), what).toEqual(expected.tensors.map(({ name, shape, type, bytes }) => ({ name, shape, type, bytes })));
      const each = Math.ceil(tensors.length / 7);
      for (let i = round % each; i < tensors.length; i += each) {
        const tensor = file.tensors[i]!;
        expect(Buffer.compare(await one.read(tensor.offset, tensor.bytes), tensors[i]!.data), `${what}: ${tensor.name}`).toBe(0);
      }
    }
  });

  it("is read across the ends of its files too", async () => {
    const parts = splitGguf("model", metadata, tensors, [3, 3, 20]);
    const all = new Uint8Array(await new Blob(parts.map(({ bytes }) => bytes)).arrayBuffer());
    const one = joined(parts);
    expect(one.files.map(({ name }) => name)).toEqual(parts.map(({ name }) => name));
    expect(Buffer.compare(await one.read(0, one.size), all)).toBe(0);
    const end = one.files[1]!.offset;
    expect(Buffer.compare(await one.read(end - 10, one.files[1]!.size + 20), all.slice(end - 10, end + one.files[1]!.size + 10))).toBe(0);
    expect(await one.read(end, 0)).toEqual(new Uint8Array());
    expect((await failure(() => one.read(one.size - 1, 2))).message).toContain("model.gguf ends too early");
  });
});

describe("names of parts", () => {
  it("say which part of how many, and the names of the others", () => {
    expect(partName("Qwen-Q4_K_M-00002-of-00003.gguf")).toEqual({ base: "Qwen-Q4_K_M", no: 2, count: 3 });
    expect(partNames("a/Qwen-00002-of-00003.gguf")).toEqual(["a/Qwen-00001-of-00003.gguf", "a/Qwen-00002-of-00003.gguf", "a/Qwen-00003-of-00003.gguf"]);
    for (const name of ["Qwen.gguf", "x-1-of-3.gguf", "x-00004-of-00003.gguf", "x-00000-of-00003.gguf"]) {
      expect(partName(name)).toBeUndefined();
      expect(partNames(name)).toEqual([name]);
    }
  });
});

describe("the wrong files, each with its own sentence", () => {
  const parts = splitGguf("model", metadata, tensors, [5, 11]);
  const renamed = (names: readonly string[], from: readonly Part[] = parts): readonly Part[] => from.map(({ bytes }, i) => ({ name: names[i]!, bytes }));

  it("one part alone", async () => {
    const message = "model-00002-of-00003.gguf is one of 3 parts of a model. Choose all 3 parts together (model-00001-of-00003.gguf to model-00003-of-00003.gguf).";
    expect(await failure(() => readGguf(source(parts[1]!)))).toMatchObject({ code: "model/unsupported", message });
    expect((await failure(() => readGguf(joined([parts[1]!])))).message).toBe(message);
    expect((await failure(() => readGguf(bytesSource("renamed.gguf", parts[0]!.bytes)))).message).toBe("renamed.gguf is one of 3 parts of a model. Choose all 3 parts together.");
  });

  it("a part missing, there twice, or of another model, by name", () => {
    expect(() => joined([parts[0]!, parts[2]!])).toThrow("model-00002-of-00003.gguf is missing: the model has 3 parts. Choose all of model-00001-of-00003.gguf to model-00003-of-00003.gguf together.");
    expect(() => joined([parts[2]!, parts[2]!, parts[1]!])).toThrow("model-00003-of-00003.gguf was chosen twice.");
    expect(() => joined([...parts, { name: "other.gguf", bytes: whole }])).toThrow("other.gguf is not a part of the same model as model-00001-of-00003.gguf.");
    expect(() => joined([parts[0]!, { ...parts[1]!, name: "other-00002-of-00003.gguf" }, parts[2]!])).toThrow("other-00002-of-00003.gguf is not a part of the same model");
  });

  it("names that lie, by what the headers say", async () => {
    const read = (given: readonly Part[]) => failure(() => readGguf(joined(given)));
    expect((await read(renamed(["b.gguf", "a.gguf", "c.gguf"], [parts[1]!, parts[0]!, parts[2]!]))).message).toBe(
      "b.gguf is part 2 of the model, but stands in the place of part 1. Give the files the names they were published with, and choose each once.",
    );
    expect((await read(renamed(["a.gguf", "b.gguf"], parts.slice(0, 2)))).message).toContain("a.gguf is one of 3 parts, but 2 files were chosen. Choose all 3 parts");
    expect((await read([{ name: "a.gguf", bytes: parts[0]!.bytes }, { name: "b.gguf", bytes: whole }, { name: "c.gguf", bytes: parts[2]!.bytes }])).message).toContain("b.gguf is not a part of a split model. Open it alone");
    expect(await readGguf(joined(renamed(["a.gguf", "b.gguf", "c.gguf"])))).toMatchObject({ tensors: { length: tensors.length } });
  });

  it("parts of two models under one name", async () => {
    const other = splitGguf("model", metadata, tensors.slice(0, -1), [5, 10]);
    expect((await failure(() => readGguf(joined([parts[0]!, other[1]!, parts[2]!])))).message).toMatch(/^model-00001-of-00003\.gguf belongs to a model of \d+ tensors, but the parts have \d+ together/);
    const shifted = splitGguf("model", metadata, tensors, [4, 10]);
    expect((await failure(() => readGguf(joined([parts[0]!, shifted[1]!, parts[2]!])))).message).toContain(`holds the tensor ${tensors[4]!.name}, which model-00001-of-00003.gguf holds too`);
  });

  it("a part cut off", async () => {
    const cut = { ...parts[1]!, bytes: parts[1]!.bytes.slice(0, -64) };
    expect((await failure(() => readGguf(joined([parts[0]!, cut, parts[2]!])))).message).toMatch(/^model-00002-of-00003\.gguf is cut off: tensor /);
  });

  it("a part without tensors is fine, and keys of one file may say that it is the only part", async () => {
    const only: Record<string, WritableValue> = { ...metadata, "split.no": { type: "u16", value: 0 }, "split.count": { type: "u16", value: 1 } };
    expect((await readGguf(bytesSource("only.gguf", writeGguf(only, tensors)))).tensors).toHaveLength(tensors.length);
    expect((await readGguf(joined(splitGguf("model", metadata, tensors, [0])))).tensors).toHaveLength(tensors.length);
  });
});
