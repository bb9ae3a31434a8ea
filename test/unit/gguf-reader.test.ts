import { gguf } from "@huggingface/gguf";
import { describe, expect, it } from "vitest";
import { AppError, type ErrorCode } from "../../src/base/errors.ts";
import { expertLayout, expertTensors, readExpertRecords } from "../../src/gguf/expert-record.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { BROWSER_NETWORK } from "../../src/download/network.ts";
import { RemoteSource } from "../../src/download/remote-source.ts";
import { blobSource, bytesSource } from "../../src/gguf/source.ts";
import { writeGguf } from "../../src/gguf/writer.ts";
import { planModel, routedExperts } from "../../src/model/weights.ts";
import { randomModel, randomTensors } from "../fixtures/models/random-model.ts";
import { seededRandom } from "../fixtures/models/random.ts";
import { SPECS } from "../fixtures/models/specs.ts";

const spec = SPECS[1]!;
const model = randomModel(spec);

async function failure(bytes: Uint8Array): Promise<{ code: ErrorCode | "none"; message: string }> {
  try {
    await readGguf(bytesSource("model.gguf", bytes));
    return { code: "none", message: "" };
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    return error as AppError;
  }
}

/** The same file with `count` bytes at `at` replaced. */
function patched(at: number, value: readonly number[]): Uint8Array {
  const copy = model.slice();
  copy.set(value, at);
  return copy;
}

describe("reading a header", () => {
  it.each(SPECS.map((each) => [each.name, each] as const))("agrees with @huggingface/gguf on %s", async (_name, each) => {
    const bytes = randomModel(each);
    const ours = await readGguf(bytesSource("model.gguf", bytes));
    const theirs = await gguf("https://model.invalid/model.gguf", {
      fetch: async (_url, init) => {
        const [, from, to] = /bytes=(\d+)-(\d+)/.exec(new Headers(init?.headers).get("range")!)!;
        return new Response(bytes.slice(Number(from), Number(to) + 1), { status: 206 });
      },
    });
    const plain = (value: unknown): unknown => (typeof value === "bigint" ? Number(value) : Array.isArray(value) ? value.map(plain) : value);
    for (const [key, value] of Object.entries(ours.metadata)) expect([key, value]).toEqual([key, plain((theirs.metadata as Record<string, unknown>)[key])]);
    expect(ours.headerBytes).toBe(Number(theirs.tensorDataOffset));
    expect(ours.tensors.map(({ name, shape, type, offset }) => ({ name, shape, type, offset }))).toEqual(
      theirs.tensorInfos.map(({ name, shape, dtype, offset }) => ({ name, shape: shape.map(Number), type: dtype, offset: Number(offset + theirs.tensorDataOffset) })),
    );
  });

  it("reads the same from memory, from a Blob and from a server of ranges", async () => {
    const fromMemory = await readGguf(bytesSource("model.gguf", model));
    const ranges: string[] = [];
    const serve: typeof fetch = async (_url, init) => {
      const range = new Headers(init?.headers).get("range")!;
      ranges.push(range);
      const [, from, to] = /bytes=(\d+)-(\d+)/.exec(range)!;
      return new Response(model.slice(Number(from), Number(to) + 1), { status: 206 });
    };
    expect(await readGguf(blobSource("model.gguf", new Blob([model])))).toEqual(fromMemory);
    const remote = new RemoteSource({ name: "model.gguf", url: "https://model.invalid/", bytes: model.byteLength }, { network: { ...BROWSER_NETWORK, fetch: serve } });
    expect(await readGguf(remote)).toEqual(fromMemory);
    expect(ranges).toHaveLength(1);
  });

  it("reads on when the header is longer than the first window", async () => {
    const tokens = Array.from({ length: 160_000 }, (_, i) => `token number ${i} é`);
    const bytes = writeGguf({ "tokenizer.ggml.tokens": { type: "strings", value: tokens } }, []);
    expect(bytes.byteLength).toBeGreaterThan(3 << 20);
    expect((await readGguf(bytesSource("long.gguf", bytes))).metadata["tokenizer.ggml.tokens"]).toEqual(tokens);
  });
});

describe("bad files, each with its own sentence", () => {
  it("not a GGUF", async () => {
    expect(await failure(new TextEncoder().encode("<!doctype html><title>404</title> not here at all"))).toMatchObject({ code: "model/format", message: expect.stringContaining("is not a GGUF file") });
    expect(await failure(new Uint8Array())).toMatchObject({ code: "model/format", message: expect.stringContaining("is not a GGUF file") });
  });

  it("cut off at any byte of the header, or inside the tensors", async () => {
    const { headerBytes } = await readGguf(bytesSource("model.gguf", model));
    for (let cut = 24; cut < headerBytes; cut += 97) expect((await failure(model.slice(0, cut))).code).toBe("model/format");
    const short = await failure(model.slice(0, model.byteLength - 1));
    expect(short.code).toBe("model/format");
    expect(short.message).toMatch(/cut off: tensor blk\.4\.ffn_down_shexp\.weight ends at byte \d+, but the file ends at byte \d+/);
  });

  it("another version, the other byte order", async () => {
    expect(await failure(patched(4, [1, 0, 0, 0]))).toMatchObject({ code: "model/unsupported", message: expect.stringContaining("version 1") });
    expect(await failure(patched(4, [0, 0, 0, 3]))).toMatchObject({ code: "model/unsupported", message: expect.stringContaining("big-endian") });
  });

  it("a quantisation without kernels, by tensor and type", async () => {
    const tensor = { name: "blk.0.ffn_up_exps.weight", shape: [256, 4], type: 16, data: new Uint8Array(4 * 66) };
    expect(await failure(writeGguf({}, [tensor]))).toMatchObject({ code: "model/unsupported", message: expect.stringMatching(/blk\.0\.ffn_up_exps\.weight.*IQ2_XXS/) });
    expect((await failure(writeGguf({}, [{ ...tensor, type: 999 }]))).message).toContain("type 999");
  });

  it("impossible shapes, names and counts", async () => {
    const tensor = { name: "a", shape: [32, 2], type: 8, data: new Uint8Array(68) };
    expect((await failure(writeGguf({}, [{ ...tensor, shape: [31, 2] }]))).message).toContain("rows of 31");
    expect((await failure(writeGguf({}, [{ ...tensor, shape: [0, 2] }]))).message).toContain("impossible shape");
    expect((await failure(writeGguf({}, [tensor, tensor]))).message).toContain("same name");
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    expect((await failure(patched(8, huge))).code).toBe("model/format");
    expect((await failure(patched(16, huge))).code).toBe("model/format");
  });

  it("random damage never hangs, never allocates beyond the file, and is always an AppError", { timeout: 60_000 }, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seededRandom(seed);
    const small = randomModel({ ...spec, layers: 1 });
    const { headerBytes } = await readGguf(bytesSource("model.gguf", small));
    let refused = 0;
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 2000; round++) {
      const copy = small.slice();
      for (let n = 0; n <= Math.floor(random.uniform() * 4); n++) {
        const at = Math.floor(random.uniform() * headerBytes);
        copy[at] = random.uniform() < 0.5 ? 255 : Math.floor(random.uniform() * 256);
      }
      try {
        await readGguf(bytesSource("model.gguf", copy));
      } catch (error) {
        expect(error, `seed ${seed}, round ${round}`).toBeInstanceOf(AppError);
        expect((error as AppError).code, `seed ${seed}, round ${round}: ${String(error)}`).toMatch(/^model\/(format|unsupported)$/);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(200);
    expect(process.memoryUsage().rss - before).toBeLessThan(1e9);
  });
});

describe("expert records", () => {
  it("hold gate, up and down of one expert, wherever the runs are cut", async () => {
    const source = bytesSource("model.gguf", model);
    const file = await readGguf(source);
    const layers = expertTensors(file, routedExperts(planModel(file)));
    expect(layers.map(({ layer, experts }) => [layer, experts])).toEqual([0, 1, 2, 3, 4].map((layer) => [layer, spec.moe.experts]));
    const layer = layers[3]!;
    const layout = expertLayout(layer);
    const whole = await readExpertRecords(source, layer, 0, layer.experts);
    const single = await Promise.all(whole.map(async (_, expert) => (await readExpertRecords(source, layer, expert, expert + 1))[0]));
    expect(single).toEqual(whole);
    expect(whole.every((record) => record.byteLength === layout.bytes)).toBe(true);
    expect([layout.gate.offset, layout.up.offset, layout.down.offset].map((offset) => offset % 16)).toEqual([0, 0, 0]);
    // Q8_0 on the GPU: all quants, then all scales. The file has them block by block.
    const up = randomTensors(spec).find((tensor) => tensor.name === "blk.3.ffn_up_exps.weight")!;
    const blocks = (spec.hidden / 32) * spec.moe.width;
    const fileBlock = up.data.subarray((2 * blocks + 5) * 34, (2 * blocks + 6) * 34);
    expect(whole[2]!.slice(layout.up.offset + 5 * 32, layout.up.offset + 6 * 32)).toEqual(fileBlock.slice(2));
  });
});
