// `npm run bench -- gpu`: the engine's kernels on this machine's GPU under Node, through Dawn's own binding. That package is no
// dependency of the project (130 MB for one command): whoever has a GPU at hand installs it aside.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { AppError } from "../../base/errors.ts";
import type { KernelBench } from "./gpu-kernels.ts";
import type { Measurement } from "./measurement.ts";

const MISSING = `npm run bench -- gpu runs the kernels under Node through the package "webgpu", which is not installed.
Install it anywhere and say where:
  npm install --prefix /tmp/dawn webgpu@0.6.2
  TABWRIGHT_DAWN=/tmp/dawn/node_modules/webgpu/index.js npm run bench -- gpu
Linux also needs the Vulkan loader (Debian, Ubuntu: apt install libvulkan1) and the GPU's Vulkan driver.`;

interface Dawn {
  create(options: readonly string[]): GPU;
  readonly globals: Readonly<Record<string, unknown>>;
}

async function findDawn(): Promise<Dawn> {
  const named = process.env["TABWRIGHT_DAWN"];
  try {
    const path = named ?? createRequire(import.meta.url).resolve("webgpu");
    return (await import(pathToFileURL(path).href)) as Dawn;
  } catch (cause) {
    if (named === undefined) throw new AppError("command/usage", MISSING, { cause });
    throw new AppError("command/usage", `${named} could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}. Give the path of the package's index.js.`, { cause });
  }
}

/** Gives Node what the engine finds in a browser: `navigator.gpu` and the constants of WebGPU. */
async function offerGpu(): Promise<void> {
  const { create, globals } = await findDawn();
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, "navigator", { value: { gpu: create([]) }, configurable: true });
}

/** The kernels import their WGSL as text, which vite resolves. */
async function loadKernels(): Promise<typeof import("./gpu-kernels.ts")> {
  const { runnerImport } = await import("vite");
  const { module } = await runnerImport<typeof import("./gpu-kernels.ts")>(new URL("./gpu-kernels.ts", import.meta.url).pathname, { configFile: false, logLevel: "error" });
  return module;
}

/** Throws `command/usage` saying what to install. `load` is for tests. */
export async function measureGpu(load = loadKernels): Promise<readonly Measurement[]> {
  await offerGpu();
  const { benchKernels } = await load();
  return rowsOf(await benchKernels((line) => process.stderr.write(`${line}\n`)));
}

function rowsOf({ adapter, copies, figures }: KernelBench): Measurement[] {
  const row = (what: string, value: number, unit: string): Measurement => ({ section: "gpu", what, value, unit });
  const rate = (bytes: number, microseconds: number): number => bytes / (microseconds * 1e-6);
  const roof = Math.max(...copies);
  return [
    row(`${adapter}: copyBufferToBuffer, read + written`, copies[0] / 1e9, "GB/s"),
    row(`${adapter}: copy by a kernel, read + written`, copies[1] / 1e9, "GB/s"),
    ...figures.flatMap(({ kernel, type, shape, bytes, inTurn, overlapped, error }) => {
      const name = `${kernel} ${type} ${shape}`;
      const pace = (how: string, time: number): Measurement[] =>
        Number.isNaN(time)
          ? []
          : [row(`${name}, ${how}`, time, "µs"), row(`${name}, ${how}`, rate(bytes, time) / 1e9, "GB/s"), row(`${name}, ${how}, ÷ the faster copy`, rate(bytes, time) / roof, "")];
      return [...pace("in turn", inTurn), ...pace("overlapped", overlapped), row(`${name}, largest error`, error, "of the largest result")];
    }),
  ];
}
