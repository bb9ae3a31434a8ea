// npm run bench: measurements of the built app in a headless browser, as a table or as JSON. Nothing here is a test.
import { cpus } from "node:os";
import { AppError } from "../base/errors.ts";
import type { Lab } from "../ui/lab.ts";
import type { Figure } from "../ui/lab-bench.ts";
import { runCommand } from "./args.ts";
import { formatTable, type Measurement } from "./bench/measurement.ts";
import { measureSizes } from "./bench/sizes.ts";
import { buildIfNeeded } from "./build.ts";
import { type LabPage, openLabPage } from "./lab-page.ts";

const HELP = `
Usage: npm run bench -- [NAME…] [--model ID] [--json]

  engine      tokens/s of prefill and decode, dispatches and readbacks per token
  store       MB/s of expert records read from IndexedDB
  container   boot and spawn times
  sizes       bytes of each chunk of the built app, gzip

Without a name all of them. Numbers of a machine without a GPU are SwiftShader's: WebGPU on the CPU.

  --model ID  the model to measure (default: the first of the page's list)
  --json      one JSON object instead of a table
  --help      this text
`;

type LabWindow = typeof globalThis & { tabwrightLab?: Lab };

/** In this order: the store needs the model that the engine has imported. */
const PAGE_SECTIONS = ["engine", "store", "container"] as const;
const NAMES: readonly string[] = [...PAGE_SECTIONS, "sizes"];

async function inPage(lab: LabPage, section: (typeof PAGE_SECTIONS)[number], model: string | undefined): Promise<readonly Figure[]> {
  return lab.page.evaluate(
    async ([name, asked]) => {
      const { bench, engine } = (globalThis as LabWindow).tabwrightLab!;
      if (name === "container") return bench.container();
      const id = asked ?? (await engine.connect().api.models())[0]?.id;
      if (id === undefined) throw new Error("This site ships no model to measure.");
      // The store's records come from an import, so it loads the model even when the engine is not asked for.
      if (name === "store") await engine.connect().api.load(id, {}, () => undefined);
      return name === "engine" ? bench.engine(engine.connect, id) : bench.store();
    },
    [section, model] as const,
  );
}

await runCommand({
  help: HELP,
  options: { json: { type: "boolean" }, model: { type: "string" } },
  async run(values, positionals) {
    const unknown = positionals.find((name) => !NAMES.includes(name));
    if (unknown !== undefined) throw new AppError("command/usage", `There is no bench "${unknown}". Choose from ${NAMES.join(", ")}.`);
    const wanted = positionals.length > 0 ? positionals : NAMES;
    const model = typeof values["model"] === "string" ? values["model"] : undefined;
    await buildIfNeeded();
    const rows: Measurement[] = [];
    const sections = PAGE_SECTIONS.filter((section) => wanted.includes(section));
    if (sections.length > 0) {
      const lab = await openLabPage();
      try {
        for (const section of sections) {
          process.stderr.write(`Measuring the ${section} …\n`);
          rows.push(...(await inPage(lab, section, model)).map((figure) => ({ section, ...figure })));
        }
      } finally {
        await lab.close();
      }
    }
    if (wanted.includes("sizes")) rows.push(...(await measureSizes()));
    const machine = `${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores, ${process.env["TABWRIGHT_GPU"] === "1" ? "GPU" : "SwiftShader"}`;
    process.stdout.write(values["json"] === true ? `${JSON.stringify({ machine, measurements: rows })}\n` : `${machine}\n${formatTable(rows)}\n`);
    return 0;
  },
});
