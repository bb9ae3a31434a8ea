// WebGPU under Node, through Dawn's own binding. That package is no dependency of the project (130 MB for one command): whoever
// has a GPU at hand installs it aside.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { AppError } from "../../base/errors.ts";

const MISSING = `npm run bench -- gpu runs the engine under Node through the package "webgpu", which is not installed.
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
    return (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Dawn;
  } catch (cause) {
    if (named === undefined) throw new AppError("command/usage", MISSING, { cause });
    throw new AppError("command/usage", `${named} could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}. Give the path of the package's index.js.`, { cause });
  }
}

/**
 * Gives Node what the engine finds in a browser: `navigator.gpu` and the constants of WebGPU. Timestamps are exact, where pages
 * get them in steps of 0.1 ms. Throws `command/usage` saying what to install.
 */
export async function offerGpu(): Promise<void> {
  const { create, globals } = await findDawn();
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, "navigator", { value: { gpu: create(["disable-dawn-features=timestamp_quantization"]) }, configurable: true });
}
