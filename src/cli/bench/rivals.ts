// Other engines on the same file on the same machine: llama.cpp's CPU build (node-llama-cpp) and wllama, llama.cpp in a browser,
// on WebAssembly threads and on WebGPU. None is a dependency of the project: whoever compares installs them aside.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { toAppError } from "../../base/errors.ts";
import { fromWireError } from "../../base/wire-error.ts";
import type { Lab } from "../../ui/lab/lab.ts";
import { launchBrowser } from "../browser.ts";
import type { LabPage } from "../lab-page.ts";
import { llamaPackage, rivalsFolder, withLlama } from "./llama.ts";
import type { Measurement } from "./measurement.ts";

/** Tokens a second; NaN with the reason where the engine does not run the file. */
export interface RivalSpeed {
  readonly name: string;
  readonly prefill: number;
  readonly decode: number;
  readonly problem?: string;
}

/** llama.cpp's CPU build, on so many threads. The ids of the prompt and how many tokens follow. */
export async function llamaSpeed(model: string, ids: readonly number[], count: number, threads: number): Promise<RivalSpeed> {
  return withLlama({ model, gpu: false, contextTokens: ids.length + count + 16, threads }, async (time) => {
    const { prefillMs, decodeMs, made } = await time(ids, count);
    return { name: `llama.cpp, CPU, ${threads} threads`, prefill: ((ids.length - 1) * 1000) / prefillMs, decode: (made * 1000) / decodeMs };
  });
}

const WLLAMA = "@wllama/wllama";
/** An address that no server answers: the page's requests are answered from the package's folder. */
const ORIGIN = "http://localhost:9";
const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp", "cross-origin-resource-policy": "same-origin" };

interface WllamaAnswer {
  readonly timings: { readonly prompt_per_second: number; readonly predicted_per_second: number };
}
interface WllamaModule {
  readonly Wllama: new (paths: object) => {
    loadModel(files: readonly File[], options: object): Promise<void>;
    createCompletion(request: object): Promise<WllamaAnswer>;
  };
}

/** wllama in a browser of its own; `webgpu`: all layers on WebGPU, else none. */
export async function wllamaSpeed(model: string, prompt: string, count: number, webgpu: boolean): Promise<RivalSpeed> {
  const name = `wllama, ${webgpu ? "WebGPU" : "WebAssembly"}`;
  const root = join(rivalsFolder([WLLAMA]), WLLAMA, "esm");
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.route(`${ORIGIN}/**`, async (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname === "/") return route.fulfill({ headers: ISOLATED, contentType: "text/html", body: "<!doctype html><input type=file id=file>" });
      return route.fulfill({ headers: ISOLATED, contentType: pathname.endsWith(".wasm") ? "application/wasm" : "text/javascript", body: await readFile(join(root, pathname)) });
    });
    await page.goto(ORIGIN);
    await page.setInputFiles("#file", model);
    const { timings } = await page.evaluate(
      async ([text, max_tokens, layers]) => {
        const { Wllama } = (await import("/index.js" as string)) as WllamaModule;
        const wllama = new Wllama({ default: "/wasm/wllama.wasm" });
        const { files } = document.querySelector<HTMLInputElement>("#file")!;
        await wllama.loadModel([...files!], { n_gpu_layers: layers, n_ctx: 4096, n_threads: navigator.hardwareConcurrency });
        return wllama.createCompletion({ prompt: text, max_tokens, temperature: 0, ignore_eos: true });
      },
      [prompt, count, webgpu ? 999 : 0] as const,
    );
    return { name, prefill: timings.prompt_per_second, decode: timings.predicted_per_second };
  } catch (error) {
    return { name, prefill: Number.NaN, decode: Number.NaN, problem: toAppError(error).message.split("\n")[0] ?? "" };
  } finally {
    await browser.close();
  }
}

type LabWindow = typeof globalThis & { tabwrightLab?: Lab };

interface OwnSpeed extends RivalSpeed {
  readonly ids: readonly number[];
}

/** Ours, after a first run that compiles what has to be compiled. */
async function ownSpeed({ page }: LabPage, model: string, prompt: string, count: number): Promise<OwnSpeed> {
  await page.setInputFiles("#tabwright-lab-file", model);
  const run = async (text: string, generate: number) => {
    const result = await page.evaluate(
      ([asked, tokens]) => (globalThis as LabWindow).tabwrightLab!.engine.infer({ prompt: asked, generate: tokens, sampling: { temperature: 0 }, stop: [], options: {}, logits: false }, () => undefined),
      [text, generate] as const,
    );
    if ("error" in result) throw fromWireError(result.error);
    return result;
  };
  await run("const", 4);
  const { stats, tokens, promptTokens } = await run(prompt, count);
  return { name: "Tabwright", ids: promptTokens, prefill: (promptTokens.length * 1000) / stats!.prefillMs, decode: ((tokens.length - 1) * 1000) / stats!.decodeMs };
}

const PROMPT = "export function cartTotal(items) {\n  let total = 0;\n  for (const item of items) {\n    total += item.price;\n  }\n  return total;\n}\n";

/** Prefill and decode of ours and of the others on one file, one after another, and the ratios. Ours runs on the lab's page. */
export async function measureRivals(lab: LabPage, model: string, promptRepeats: number, count: number, threads: number): Promise<readonly Measurement[]> {
  rivalsFolder(["node-llama-cpp", llamaPackage(false), WLLAMA]); // before anything is measured
  const prompt = PROMPT.repeat(promptRepeats);
  const own = await ownSpeed(lab, model, prompt, count);
  const others = [await llamaSpeed(model, own.ids, count, threads), await wllamaSpeed(model, prompt, count, false), await wllamaSpeed(model, prompt, count, true)];
  const row = (what: string, value: number, unit: string): Measurement => ({ section: "rivals", what, value, unit });
  return [own, ...others].flatMap(({ name, prefill, decode, problem }) => [
    row(`${name}: prefill of ${own.ids.length} tokens`, prefill, problem ?? "tokens/s"),
    row(`${name}: decode of ${count} tokens`, decode, problem ?? "tokens/s"),
    ...(name === own.name || problem ? [] : [row(`Tabwright ÷ ${name}: prefill`, own.prefill / prefill, ""), row(`Tabwright ÷ ${name}: decode`, own.decode / decode, "")]),
  ]);
}
