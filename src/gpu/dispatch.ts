// A kernel bound to its buffers, ready to be encoded as often as one likes. Everything costly happens in prepare();
// encode() sets a pipeline and a bind group and dispatches.
import { AppError } from "../base/errors.ts";
import type { Gpu } from "./device.ts";
import type { Kernel, KernelFeatures, Workgroups } from "./kernel.ts";

export interface Dispatch {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: Workgroups;
}

export interface Arguments<B extends string, P extends string, W extends string, C extends string> {
  /** For GPU tools and messages: `blk.3.experts_up`. */
  readonly label: string;
  readonly params: Readonly<Record<P, number>>;
  /** A whole buffer, or a part of one (its offset a multiple of 256). The same buffer may fill several `read` bindings. */
  readonly buffers: Readonly<Record<B, GPUBuffer | GPUBufferBinding>>;
  /** The type of each weight binding; exactly the kernel's `weights`. */
  readonly types: Readonly<Record<W, string>>;
  /** Override constants that differ from the kernel's own. */
  readonly constants?: Partial<Readonly<Record<C, number>>>;
  /** Other than the device's: for tests of both paths. */
  readonly features?: KernelFeatures;
}

/** Bytes of the uniform `p`: the parameters in order, 4 bytes each. */
function packParams(kernel: Kernel, params: Readonly<Record<string, number>>): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(Math.max(16, kernel.params.length * 4)));
  kernel.params.forEach((name, index) => {
    const value = params[name];
    if (value === undefined) throw new AppError("bug", `The kernel ${kernel.name} was not given its parameter ${name}.`);
    if (kernel.floats?.includes(name)) view.setFloat32(index * 4, value, true);
    else if (Number.isInteger(value) && value >= 0 && value <= 0xffffffff) view.setUint32(index * 4, value, true);
    else throw new AppError("bug", `The kernel ${kernel.name} was given ${value} as its whole-number parameter ${name}.`);
  });
  return new Uint8Array(view.buffer);
}

/** Compiles (or finds) the pipeline, uploads the parameters and builds the bind group. */
export async function prepare<B extends string, P extends string, W extends string, C extends string>(
  gpu: Gpu,
  kernel: Kernel<B, P, W, C>,
  { label, params, buffers, types, constants: overrides = {}, features }: Arguments<B, P, W, C>,
): Promise<Dispatch> {
  const constants = { ...kernel.constants, ...overrides };
  const erased = kernel as unknown as Kernel;
  const workgroups = kernel.workgroups(params, constants);
  const limit = gpu.device.limits.maxComputeWorkgroupsPerDimension;
  if (workgroups.some((count) => count > limit)) throw new AppError("bug", `${label} needs ${workgroups.join(" × ")} workgroups; ${limit} are possible along one axis.`);
  const uniform = gpu.memory.uniform(label, packParams(erased, params));
  const resources: readonly (GPUBuffer | GPUBufferBinding)[] = [...Object.keys(kernel.bindings).map((name) => buffers[name as B]), uniform];
  return {
    label,
    pipeline: await gpu.pipelines.get(erased, { types, constants, ...(features ? { features } : {}) }),
    bindGroup: gpu.device.createBindGroup({
      label,
      layout: gpu.pipelines.layout(erased),
      entries: resources.map((resource, binding) => ({ binding, resource: "buffer" in resource ? resource : { buffer: resource } })),
    }),
    workgroups,
  };
}

/** Encodes the dispatches in order into one pass: each sees what those before it wrote. */
export function encode(encoder: GPUCommandEncoder, label: string, dispatches: Iterable<Dispatch>, timestampWrites?: GPUComputePassTimestampWrites): void {
  const pass = encoder.beginComputePass({ label, ...(timestampWrites ? { timestampWrites } : {}) });
  let current: GPUComputePipeline | undefined;
  for (const { pipeline, bindGroup, workgroups } of dispatches) {
    if (pipeline !== current) pass.setPipeline(pipeline);
    current = pipeline;
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...workgroups);
  }
  pass.end();
}
