// `npm run bench -- gpu`: the engine's kernels, and the engine on a random model of the full model's dimensions beside llama.cpp's
// CUDA and Vulkan builds, on this machine's GPU under Node. Each in a process of its own (gpu-child.ts).
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { probeGpu } from "../../gpu/adapter.ts";
import { offerGpu } from "./dawn.ts";
import { FULL, makeFullModel, SMALL } from "./full-model.ts";
import type { Failed, GpuJob, GpuResults, Workload } from "./gpu-jobs.ts";
import { kernelRows, modelRows, ownRows } from "./gpu-rows.ts";
import type { Measurement } from "./measurement.ts";

export interface GpuBenchOptions {
  /** Of the longer model; the other one has half of them. */
  readonly layers: number;
  readonly kernelsOnly: boolean;
}

const PROMPTS = [512, 2048];
const DECODED = 64;
/** For machines that compute on the CPU: enough to see that everything runs. */
const SMALL_PROMPTS = [24, 48];
const SMALL_DECODED = 4;
/** Of the experts, for the run that reads the others from the file. */
const FEW_SLOTS = 0.25;
const OWN = "Tabwright";

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs a job in a child. Whatever goes wrong there is its answer. */
function inChild<J extends GpuJob>(job: J): Promise<GpuResults[J["engine"]] | Failed> {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const child = spawn(process.execPath, ["--import", loader, fileURLToPath(new URL("./gpu-child.ts", import.meta.url)), JSON.stringify(job)], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ problem: error.message }));
    child.once("close", (code, signal) => {
      try {
        resolve(JSON.parse(output.trimEnd().split("\n").at(-1) ?? "") as GpuResults[J["engine"]]);
      } catch {
        resolve({ problem: `The process that measures ${job.engine} ended without a result (${signal ?? `exit code ${code}`}).` });
      }
    });
  });
}

/** Throws `command/usage` saying what to install. */
export async function measureGpu({ layers, kernelsOnly }: GpuBenchOptions): Promise<readonly Measurement[]> {
  await offerGpu();
  const { software } = await probeGpu();
  say("Measuring the kernels …");
  const kernels = await inChild({ engine: "kernels" });
  const rows = "problem" in kernels ? [{ section: "gpu", what: "kernels", value: Number.NaN, unit: kernels.problem }] : kernelRows(kernels);
  return kernelsOnly ? rows : [...rows, ...(await measureModels(layers, software))];
}

async function measureModels(layers: number, software: boolean): Promise<readonly Measurement[]> {
  const works: Workload[] = [];
  for (const count of [layers / 2, layers]) works.push(await workload(count, software));
  const [short, long] = works as [Workload, Workload];
  const both = async <J extends GpuJob>(job: (work: Workload) => J): Promise<[GpuResults[J["engine"]] | Failed, GpuResults[J["engine"]] | Failed]> => [await inChild(job(short)), await inChild(job(long))];
  say(`${OWN}: ${short.layers} and ${layers} layers, all experts on the GPU …`);
  const whole = await both((work) => ({ engine: "tabwright", ...work, slots: 1 }) as const);
  say(`${OWN}: a quarter of the experts on the GPU, the others in the file …`);
  const few = await both((work) => ({ engine: "tabwright", ...work, slots: FEW_SLOTS }) as const);
  const fewName = `${OWN}, slots for ${100 * FEW_SLOTS} % of the experts`;
  const others = [];
  for (const gpu of ["cuda", "vulkan"] as const) {
    say(`llama.cpp, ${gpu} …`);
    others.push({ name: `llama.cpp, ${gpu}`, runs: await both((work) => ({ engine: "llama.cpp", gpu, ...work }) as const) });
  }
  return [
    ...modelRows({ name: OWN, runs: whole }, others),
    ...("problem" in whole[1] ? [] : ownRows(OWN, whole[1])),
    ...modelRows({ name: fewName, runs: few }, []),
    ...("problem" in few[1] ? [] : ownRows(fewName, few[1])),
  ];
}

/** The model's file, made if it is not there, and what is generated with it. */
async function workload(layers: number, software: boolean): Promise<Workload> {
  const dimensions = software ? SMALL : FULL;
  const model = join(tmpdir(), `tabwright-${software ? "small" : "full"}-${layers}.gguf`);
  if (!existsSync(model)) say(`Writing ${model} …`);
  await makeFullModel(model, layers, dimensions);
  return { model, layers, vocab: dimensions.vocab, prompts: software ? SMALL_PROMPTS : PROMPTS, decoded: software ? SMALL_DECODED : DECODED };
}
