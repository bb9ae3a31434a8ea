// Gives the kernel tests WebGPU under Node, through Dawn's own binding (npm `webgpu`, installed aside): on whatever adapter there
// is, where the browser of the tests has SwiftShader only. TABWRIGHT_DAWN names the package's index.js.
import { pathToFileURL } from "node:url";

interface Dawn {
  create(options: readonly string[]): GPU;
  readonly globals: Readonly<Record<string, unknown>>;
}

const { create, globals } = (await import(/* @vite-ignore */ pathToFileURL(process.env["TABWRIGHT_DAWN"] ?? "").href)) as Dawn;
Object.assign(globalThis, globals);
Object.defineProperty(globalThis, "navigator", { value: { gpu: create([]) }, configurable: true });
