// npm run bench: measurements of the built app in a headless browser, as a table or as JSON. Nothing here is a test.
import { cpus } from "node:os";
import { AppError } from "../base/errors.ts";
import type { Lab } from "../ui/lab/lab.ts";
import type { Figure } from "../ui/lab/lab-bench.ts";
import { numberOption, runCommand } from "./args.ts";
import { measureFull } from "./bench/full.ts";
import { measureGpu } from "./bench/gpu.ts";
import { formatTable, type Measurement } from "./bench/measurement.ts";
import { measurePageLoad } from "./bench/page-load.ts";
import { measureRivals } from "./bench/rivals.ts";
import { measureSizes } from "./bench/sizes.ts";
import { measureStores } from "./bench/stores.ts";
import { measureStreaming, STREAMING_SECTIONS } from "./bench/streaming.ts";
import { buildIfNeeded } from "./build.ts";
import { type LabPage, openLabPage } from "./lab-page.ts";

const HELP = `
Usage: npm run bench -- [NAME…] [--model ID] [--json]

  engine      tokens/s of prefill and decode, dispatches and readbacks per token
  store       GB/s of expert records from file storage, the database and a file in place, cold and warm
  decode      dispatches, readbacks and time of a token with all experts resident
  upload      MB/s into GPU memory, by writeBuffer and by mapped staging; from the store into slots
  cache       hits of every cache policy, and their part of the most possible, on recorded and on synthetic routing
  heap        what JavaScript keeps while 500 tokens stream their experts
  container   boot and spawn times
  page        first paint, ready to type, what is fetched before a click
  sizes       bytes of each chunk of the built app, gzip
  rivals      prefill and decode beside llama.cpp and wllama on the bundled model's file; says what to install
  full        streaming, prefill and decode of a random model of the full model's dimensions (4.4 GB of disk, twice); with rivals, beside them too
  gpu         on this machine's GPU, under Node: the matrix kernels; a random model of the full model's dimensions, beside
              llama.cpp's CUDA and Vulkan builds (12 GB of disk); says what to install

Without a name all but the last three. Numbers of a machine without a GPU are SwiftShader's: WebGPU on the CPU.

  --layers N  of the full-size model, a multiple of 4 (default: 4); of gpu's, which also runs half of them, of 8 (default: 8)
  --kernels-only   of gpu, without the model
  --prompt N  tokens of its prompt (default: 2048)
  --model ID  the model to measure (default: the first of the page's list)
  --json      one JSON object instead of a table
  --help      this text
`;

type LabWindow = typeof globalThis & { tabwrightLab?: Lab };

const PAGE_SECTIONS = ["engine", "container"] as const;
const USUAL: readonly string[] = [...PAGE_SECTIONS, "store", ...STREAMING_SECTIONS, "page", "sizes"];
const NAMES: readonly string[] = [...USUAL, "rivals", "full", "gpu"];
const BUNDLED_FILE = "public/models/tabwright-micro.gguf";

/** The first of the page's list. */
async function firstModel(lab: LabPage): Promise<string> {
  const id = await lab.page.evaluate(async () => (await (globalThis as LabWindow).tabwrightLab!.engine.connect().api.models())[0]?.id);
  if (id === undefined) throw new AppError("command/usage", "This site ships no model to measure. Give one with --model.");
  return id;
}

async function inPage(lab: LabPage, section: (typeof PAGE_SECTIONS)[number], model: string): Promise<readonly Figure[]> {
  return lab.page.evaluate(
    async ([name, id]) => {
      const { bench, engine } = (globalThis as LabWindow).tabwrightLab!;
      if (name === "container") return bench.container();
      return bench.engine(engine.connect, id);
    },
    [section, model] as const,
  );
}

await runCommand({
  help: HELP,
  options: { json: { type: "boolean" }, model: { type: "string" }, layers: { type: "string" }, "kernels-only": { type: "boolean" }, prompt: { type: "string" } },
  async run(values, positionals) {
    const unknown = positionals.find((name) => !NAMES.includes(name));
    if (unknown !== undefined) throw new AppError("command/usage", `There is no bench "${unknown}". Choose from ${NAMES.join(", ")}.`);
    const wanted = positionals.length > 0 ? positionals : USUAL;
    const model = typeof values["model"] === "string" ? values["model"] : undefined;
    if (wanted.some((name) => name !== "gpu")) await buildIfNeeded();
    const rows: Measurement[] = [];
    const sections = PAGE_SECTIONS.filter((section) => wanted.includes(section));
    const streaming = STREAMING_SECTIONS.filter((section) => wanted.includes(section));
    if (sections.length + streaming.length > 0) {
      const lab = await openLabPage();
      try {
        const id = model ?? (await firstModel(lab));
        for (const section of sections) {
          process.stderr.write(`Measuring the ${section} …\n`);
          rows.push(...(await inPage(lab, section, id)).map((figure) => ({ section, ...figure })));
        }
        for (const section of streaming) {
          process.stderr.write(`Measuring the ${section} …\n`);
          rows.push(...(await measureStreaming(lab, section, id)));
        }
      } finally {
        await lab.close();
      }
    }
    if (wanted.includes("store")) rows.push(...(await measureStores()));
    if (wanted.includes("page")) {
      process.stderr.write("Measuring the page …\n");
      rows.push(...(await measurePageLoad()));
    }
    if (wanted.includes("sizes")) rows.push(...(await measureSizes()));
    if (wanted.includes("rivals")) {
      const lab = await openLabPage();
      try {
        rows.push(...(await measureRivals(lab, BUNDLED_FILE, 8, 64, cpus().length)));
      } finally {
        await lab.close();
      }
    }
    if (wanted.includes("full")) {
      const rivals = positionals.includes("rivals");
      const layers = numberOption(values, "layers", 4) ?? 4;
      const prompt = numberOption(values, "prompt", 2) ?? 2048;
      if (layers % 4 !== 0) throw new AppError("command/usage", `--layers must be a multiple of 4, not ${layers}: every fourth layer is the attention that the model needs.`);
      if (!Number.isInteger(prompt)) throw new AppError("command/usage", `--prompt must be a whole number of tokens, not ${prompt}.`);
      rows.push(...(await measureFull({ layers, prompt, decoded: 16, rivals })));
    }
    if (wanted.includes("gpu")) {
      const layers = numberOption(values, "layers", 8) ?? 8;
      if (layers % 8 !== 0) throw new AppError("command/usage", `--layers must be a multiple of 8 for gpu, not ${layers}: half of them must be a whole number of fours, each with one attention layer.`);
      rows.push(...(await measureGpu({ layers, kernelsOnly: values["kernels-only"] === true })));
    }
    const machine = `${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores, ${process.env["TABWRIGHT_GPU"] === "1" ? "GPU" : "SwiftShader"}`;
    process.stdout.write(values["json"] === true ? `${JSON.stringify({ machine, measurements: rows })}\n` : `${machine}\n${formatTable(rows)}\n`);
    return 0;
  },
});
