// llama.cpp through node-llama-cpp, which is no dependency of the project: on the CPU, or with all layers on the GPU by one of
// its prebuilt packages.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { AppError } from "../../base/errors.ts";
import { type Generation, promptIds, type Workload } from "./gpu-jobs.ts";

/** What the other engines are fetched with; versions that these commands were tried with. */
export const RIVAL_VERSIONS = { "node-llama-cpp": "3.22.1", "@wllama/wllama": "3.13.0" } as const;

const PLATFORMS: Readonly<Record<string, string>> = { darwin: "mac", win32: "win" };

/** The package with llama.cpp built for this machine's processor, or its GPU. */
export function llamaPackage(gpu: false | "cuda" | "vulkan"): string {
  const platform = `${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`;
  return `@node-llama-cpp/${platform}${gpu === false ? "" : `-${gpu}`}`;
}

/** `node_modules` of the folder in TABWRIGHT_RIVALS that has all these packages. Throws `command/usage` naming the first that is missing. */
export function rivalsFolder(packages: readonly string[]): string {
  const folder = process.env["TABWRIGHT_RIVALS"];
  const modules = join(folder ?? "", "node_modules");
  const missing = packages.find((name) => !folder || !existsSync(join(modules, name)));
  if (missing === undefined) return modules;
  const version = (name: string): string => (name.startsWith("@node-llama-cpp/") ? RIVAL_VERSIONS["node-llama-cpp"] : (RIVAL_VERSIONS[name as keyof typeof RIVAL_VERSIONS] ?? "latest"));
  const to = folder ?? "/tmp/rivals";
  throw new AppError(
    "command/usage",
    `${missing} is not installed. The other engines are no dependency of the project: install them anywhere and say where.
  npm install --prefix ${to} --ignore-scripts --omit=optional ${packages.map((name) => `${name}@${version(name)}`).join(" ")}
  TABWRIGHT_RIVALS=${to} npm run bench -- …`,
    { data: { package: missing } },
  );
}

interface LlamaSequence {
  clearHistory(): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  evaluate(tokens: readonly number[], options: { readonly temperature: number }): AsyncIterable<number>;
}
interface Disposable {
  dispose(): Promise<void>;
}
interface LlamaModule {
  getLlama(options: object): Promise<{ loadModel(options: object): Promise<Disposable & { createContext(options: object): Promise<Disposable & { getSequence(): LlamaSequence }> }> }>;
}

/** What it is opened with; `threads` are the CPU's. */
export interface LlamaOptions {
  readonly model: string;
  readonly gpu: false | "cuda" | "vulkan";
  readonly contextTokens: number;
  readonly threads?: number;
}

/** Milliseconds of a prompt but its last token, and of the tokens that follow. */
export interface LlamaTimes {
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly made: number;
}

/** Lends one sequence of the model. Throws `command/usage` naming the package that is missing, or does not run here. */
export async function withLlama<T>({ model, gpu, contextTokens, threads }: LlamaOptions, use: (time: (ids: readonly number[], count: number) => Promise<LlamaTimes>) => Promise<T>): Promise<T> {
  const build = llamaPackage(gpu);
  const modules = rivalsFolder(["node-llama-cpp", build]);
  const { getLlama } = (await import(/* @vite-ignore */ pathToFileURL(join(modules, "node-llama-cpp/dist/index.js")).href)) as LlamaModule;
  const llama = await getLlama({ gpu, build: "never", skipDownload: true, logLevel: "error" }).catch((cause: unknown) => {
    throw new AppError("command/usage", `${build} does not run on this machine: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  const whole = gpu === false ? {} : { gpuLayers: "max", ignoreMemorySafetyChecks: true };
  const loaded = await llama.loadModel({ modelPath: model, ...whole });
  try {
    const context = await loaded.createContext({ contextSize: contextTokens, ...(threads === undefined ? {} : { threads }), ...(gpu === false ? {} : { ignoreMemorySafetyChecks: true }) });
    try {
      const sequence = context.getSequence();
      return await use((ids, count) => timeSequence(sequence, ids, count));
    } finally {
      await context.dispose();
    }
  } finally {
    await loaded.dispose();
  }
}

async function timeSequence(sequence: LlamaSequence, ids: readonly number[], count: number): Promise<LlamaTimes> {
  await sequence.clearHistory();
  const began = performance.now();
  await sequence.evaluateWithoutGeneratingNewTokens(ids.slice(0, -1));
  const filled = performance.now();
  let made = 0;
  if (count > 0) for await (const _token of sequence.evaluate(ids.slice(-1), { temperature: 0 })) if (++made === count) break;
  return { prefillMs: filled - began, decodeMs: performance.now() - filled, made };
}

/** On the GPU, after a first run that compiles what has to be compiled. */
export async function llamaGeneration({ model, gpu, layers, vocab, prompts, decoded }: Workload & { readonly gpu: "cuda" | "vulkan" }): Promise<Generation> {
  const longest = Math.max(...prompts);
  return withLlama({ model, gpu, contextTokens: longest + decoded + 16 }, async (time) => {
    let first = 0;
    // One id more: it begins the decode.
    const run = (tokens: number, count: number): Promise<LlamaTimes> => time(promptIds(tokens + 1, ++first, vocab), count);
    await run(longest, 4);
    const prefill: Generation["prefill"][number][] = [];
    let decode: Generation["decode"] | undefined;
    for (const tokens of prompts) {
      const { prefillMs, decodeMs, made } = await run(tokens, decode ? 0 : decoded);
      decode ??= { tokens: made, ms: decodeMs };
      prefill.push({ tokens, ms: prefillMs });
    }
    if (!decode) throw new AppError("bug", "There is no prompt to measure.");
    return { layers, prefill, decode };
  });
}
