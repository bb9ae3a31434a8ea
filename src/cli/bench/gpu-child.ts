// One job of `npm run bench -- gpu` in a process of its own: the job as JSON in the first argument, its result, or what is in its way,
// as the last line of standard output. The engine imports its WGSL as text, which vite resolves.
import { toAppError } from "../../base/errors.ts";
import { type Failed, type GpuJob, type GpuModules, runJob } from "./gpu-jobs.ts";

async function throughVite<T>(file: string): Promise<T> {
  const { runnerImport } = await import("vite");
  return (await runnerImport<T>(new URL(file, import.meta.url).pathname, { configFile: false, logLevel: "error" })).module;
}

const modules: GpuModules = { kernels: () => throughVite("./gpu-kernels.ts"), model: () => throughVite("./gpu-model.ts") };

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const answer = await runJob(JSON.parse(process.argv[2] ?? "") as GpuJob, modules, say).catch((thrown: unknown): Failed => ({ problem: toAppError(thrown).message }));
process.stdout.write(`\n${JSON.stringify(answer)}\n`, () => process.exit(0)); // drivers may keep threads
