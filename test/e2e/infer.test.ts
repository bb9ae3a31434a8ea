// npm run infer, as a user runs it: a process, its output, its exit code; and a model that the site itself ships.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Lab } from "../../src/ui/lab/lab.ts";
import { randomModel } from "../fixtures/models/random-model.ts";
import { SPECS } from "../fixtures/models/specs.ts";
import { VOCAB } from "../fixtures/models/vocabulary.ts";
import { openSite } from "../support/app-page.ts";

const spec = SPECS.find(({ name }) => name === "plain-f32")!;
const bytes = randomModel(spec);
let folder: string;
let model: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tabwright-infer-"));
  model = join(folder, "random.gguf");
  await writeFile(model, bytes);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function infer(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, ["node_modules/tsx/dist/cli.mjs", "src/cli/infer.ts", ...args], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error ? 1 : 0, stdout, stderr });
    });
  });
}

describe("npm run infer", () => {
  it("prints one JSON object, and writes the logits of every position as float32", async () => {
    const out = join(folder, "out.f32");
    const ran = await infer("--model", model, "--tokens", "10,20,30,40", "--generate", "5", "--logits", out, "--expert-mb", "0.2");
    expect(ran.stderr).not.toContain("Error");
    const printed = JSON.parse(ran.stdout) as { promptTokens: number[]; tokens: number[]; stats: { streamedBytes: number }; logits: { shape: number[] } };
    expect(printed.promptTokens).toEqual([10, 20, 30, 40]);
    expect(printed.logits.shape).toEqual([4, VOCAB]);
    const file = await readFile(out);
    const logits = new Float32Array(file.buffer, file.byteOffset, file.byteLength / 4);
    expect(logits).toHaveLength(4 * VOCAB);
    const last = logits.subarray(3 * VOCAB);
    expect(printed.tokens[0]).toBe(last.indexOf(Math.max(...last)));
    expect(printed.stats.streamedBytes).toBeGreaterThan(0);
    expect(ran.code).toBe(0);
  });

  it("a token id out of range is one sentence and exit code 1", async () => {
    const ran = await infer("--model", model, "--tokens", `5,${VOCAB}`);
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toContain(`Token id ${VOCAB} is not one of the model's ${VOCAB}`);
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });

  it("a file that is no model is one sentence and exit code 1", async () => {
    const page = join(folder, "page.gguf");
    await writeFile(page, "<!doctype html> this is no model file at all");
    const ran = await infer("--model", page, "--tokens", "1");
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toContain("page.gguf is not a GGUF file");
  });

  it.each([
    ["no model", ["--tokens", "1"], "--model is required"],
    ["a model that is not there", ["--model", "nothing.gguf", "--tokens", "1"], "--model nothing.gguf is no file"],
    ["no prompt", ["--model", "package.json"], "exactly one of --tokens, --prompt and --chat"],
    ["two prompts", ["--model", "package.json", "--tokens", "1", "--prompt", "x"], "exactly one of"],
    ["tokens that are no ids", ["--model", "package.json", "--tokens", "1,x"], '"x" is none'],
    ["a store that is not there", ["--model", "package.json", "--tokens", "1", "--store", "floppy"], "--store floppy is not there"],
    ["a count that is no number", ["--model", "package.json", "--tokens", "1", "--generate", "many"], "--generate must be a number"],
    ["a share above one", ["--model", "package.json", "--tokens", "1", "--top-p", "2"], "--top-p must be between 0 and 1"],
    ["a folder that is not there", ["--model", "package.json", "--tokens", "1", "--logits", "/no/such/folder/x.f32"], "its folder does not exist"],
    ["an unknown option", ["--modle", "x"], "--modle"],
  ])("%s is a usage error: exit code 2 at once", async (_name, args, words) => {
    const ran = await infer(...args);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toContain(words);
  });

  it("explains itself", async () => {
    const ran = await infer("--help");
    expect(ran.code).toBe(0);
    for (const option of ["--model", "--tokens", "--prompt", "--generate", "--logits", "--store", "--expert-mb"]) expect(ran.stdout).toContain(option);
  });
});

describe("a model that the site ships", () => {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const entry = { id: "shipped", name: "Shipped", file: "shipped.gguf", bytes: bytes.byteLength, sha256 };

  /** The app with exactly this list of models, after loading its first one. */
  async function load(list: unknown): Promise<{ phases: readonly string[]; error: string; again: readonly string[]; models: readonly string[] }> {
    const models = join(folder, "models.json");
    await writeFile(models, JSON.stringify(list));
    const site = await openSite({}, { files: new Map([["/models/models.json", models], ["/models/shipped.gguf", model]]) });
    try {
      const { page } = await site.open("/?lab");
      await page.waitForFunction(() => "tabwrightLab" in globalThis);
      return await page.evaluate(async () => {
        const { api } = (globalThis as unknown as { tabwrightLab: Lab }).tabwrightLab.engine.connect();
        const phases = new Set<string>();
        const again = new Set<string>();
        try {
          await api.load("shipped", {}, ({ phase }) => void phases.add(phase));
          await api.load("shipped", {}, ({ phase }) => void again.add(phase));
        } catch (error) {
          return { phases: [...phases], error: (error as Error).message, again: [...again], models: [] };
        }
        return { phases: [...phases], error: "", again: [...again], models: (await api.models()).map(({ id }) => id) };
      });
    } finally {
      await site.close();
    }
  }

  it("is fetched, checked and stored once, and is the first choice", async () => {
    const { phases, error, again, models } = await load([entry]);
    expect(error).toBe("");
    expect(phases).toEqual(["download", "read", "import", "upload", "compile", "ready"]);
    expect(again).toEqual(["upload", "compile", "ready"]);
    expect(models[0]).toBe("shipped");
    expect(models).toContain("Qwen2.5-Coder-1.5B-Instruct-q4f32_1-MLC");
  });

  it("is refused when its bytes are not the ones that were meant, and nothing is stored", async () => {
    const { phases, error } = await load([{ ...entry, sha256: "0".repeat(64) }]);
    expect(error).toMatch(/shipped\.gguf is not the file this page expects: its content is another one/);
    expect(phases).toEqual(["download"]);
  });
});
