// What `npm run bench -- gpu` measures, each job in a process of its own, so that the GPU's memory is free for the next: the
// kernels, our engine on a model's file, llama.cpp on the same file. Jobs and results are plain data.
import { offerGpu } from "./dawn.ts";
import type { KernelBench } from "./gpu-kernels.ts";
import { llamaGeneration } from "./llama.ts";

/** What is generated with a model's file. */
export interface Workload {
  readonly model: string;
  readonly layers: number;
  readonly vocab: number;
  /** Tokens of each prompt whose prefill is timed. */
  readonly prompts: readonly number[];
  /** Tokens that follow the first of them. */
  readonly decoded: number;
}

export type GpuJob =
  | { readonly engine: "kernels" }
  /** `slots`: the part of the experts that has room on the GPU. */
  | (Workload & { readonly engine: "tabwright"; readonly slots: number })
  | (Workload & { readonly engine: "llama.cpp"; readonly gpu: "cuda" | "vulkan" });

/** How long an engine took. */
export interface Generation {
  readonly layers: number;
  readonly prefill: readonly { readonly tokens: number; readonly ms: number }[];
  readonly decode: { readonly tokens: number; readonly ms: number };
}

/** Of our engine, what it did meanwhile. */
export interface OwnGeneration extends Generation {
  readonly adapter: string;
  readonly loadMs: number;
  readonly dispatches: number;
  readonly readbacks: number;
  /** Of a decoded token's experts, those that were on the GPU. */
  readonly hits: number;
  readonly loadedBytes: number;
  /** Milliseconds of a token's parts, by the GPU's clock where it has one; per layer and kind. */
  readonly parts: Readonly<Record<"embedding" | "attention" | "deltanet" | "experts" | "output" | "roundTrip", number>>;
}

/** A result of each job, by its engine. */
export interface GpuResults {
  readonly kernels: KernelBench;
  readonly tabwright: OwnGeneration;
  readonly "llama.cpp": Generation;
}

/** In a result's place: why there is none. */
export interface Failed {
  readonly problem: string;
}

/** What imports WGSL, and has to be loaded by whoever knows how. */
export interface GpuModules {
  kernels(): Promise<typeof import("./gpu-kernels.ts")>;
  model(): Promise<typeof import("./gpu-model.ts")>;
}

/** Ids of a prompt: another one begins with another id, so that nothing is reused. */
export function promptIds(tokens: number, first: number, vocab: number): readonly number[] {
  return Array.from({ length: tokens }, (_, at) => 1 + ((first + at * 7919) % (vocab - 2)));
}

export async function runJob(job: GpuJob, modules: GpuModules, say: (line: string) => void): Promise<GpuResults[GpuJob["engine"]]> {
  if (job.engine === "llama.cpp") return llamaGeneration(job);
  await offerGpu();
  if (job.engine === "kernels") return (await modules.kernels()).benchKernels(say);
  return (await modules.model()).generateOnGpu(job);
}
