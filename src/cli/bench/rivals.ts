// Other engines on the same file on the same machine: llama.cpp's CPU build (node-llama-cpp) and wllama, llama.cpp in a browser,
// on WebAssembly threads and on WebGPU. None is a dependency of the project: whoever compares installs them aside.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { AppError, toAppError } from "../../base/errors.ts";
import { fromWireError } from "../../base/wire-error.ts";
import type { Lab } from "../../ui/lab/lab.ts";
import { launchBrowser } from "../browser.ts";
import type { LabPage } from "../lab-page.ts";
import type { Measurement } from "./measurement.ts";

/** Tokens a second; NaN with the reason where the engine does not run the file. */
export interface RivalSpeed {
  readonly name: string;
  readonly prefill: number;
  readonly decode: number;
  readonly problem?: string;
}

const MISSING = `npm run bench -- rivals and full compare with engines that are no dependency of the project. Install them anywhere and say where:
  npm install --prefix /tmp/rivals --ignore-scripts --omit=optional node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1 @wllama/wllama@3.13.0
  TABWRIGHT_RIVALS=/tmp/rivals npm run bench -- rivals`;

/** The folder with both. Throws `command/usage` saying what to install. */
export function rivalsFolder(): string {
  const folder = join(process.env["TABWRIGHT_RIVALS"] ?? "", "node_modules");
  if (process.env["TABWRIGHT_RIVALS"] && existsSync(join(folder, "node-llama-cpp")) && existsSync(join(folder, "@wllama/wllama"))) return folder;
  throw new AppError("command/usage", MISSING);
}

interface LlamaSequence {
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  evaluate(tokens: readonly number[], options: { readonly temperature: number }): AsyncIterable<number>;
}
interface LlamaModule {
  getLlama(options: object): Promise<{
    loadModel(options: object): Promise<{ createContext(options: object): Promise<{ getSequence(): LlamaSequence; dispose(): Promise<void> }>; dispose(): Promise<void> }>;
  }>;
}

/** llama.cpp's CPU build, on so many threads. The ids of the prompt and how many tokens follow. */
export async function llamaSpeed(model: string, ids: readonly number[], count: number, threads: number): Promise<RivalSpeed> {
  const name = `llama.cpp, CPU, ${threads} threads`;
  const { getLlama } = (await import(pathToFileURL(join(rivalsFolder(), "node-llama-cpp/dist/index.js")).href)) as LlamaModule;
  const llama = await getLlama({ gpu: false, build: "never", logLevel: "error" });
  const loaded = await llama.loadModel({ modelPath: model });
  const context = await loaded.createContext({ contextSize: ids.length + count + 16, threads });
  try {
    const sequence = context.getSequence();
    const began = performance.now();
    await sequence.evaluateWithoutGeneratingNewTokens(ids.slice(0, -1));
    const filled = performance.now();
    let made = 0;
    for await (const _token of sequence.evaluate(ids.slice(-1), { temperature: 0 })) if (++made === count) break;
    return { name, prefill: (ids.length - 1) / ((filled - began) / 1000), decode: made / ((performance.now() - filled) / 1000) };
  } finally {
    await context.dispose();
    await loaded.dispose();
  }
}

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
  const root = join(rivalsFolder(), "@wllama/wllama/esm");
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
  rivalsFolder();
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
