// Compiled kernels, one per combination of weight types and constants. Compiling is asynchronous; asking twice compiles once.
import { AppError } from "../base/errors.ts";
import { type Kernel, type KernelFeatures, PLAIN } from "./kernel.ts";

export interface Variant {
  /** The type of every binding in the kernel's `weights`. */
  readonly types: Readonly<Record<string, string>>;
  /** All override constants. */
  readonly constants: Readonly<Record<string, number>>;
  /** Absent: those of the device that kernels are meant to use. */
  readonly features?: KernelFeatures;
}

export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  /** What kernels use here. Set by whoever opened the device, before anything is compiled. */
  features = PLAIN;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Pipelines compiled or compiling. */
  get size(): number {
    return this.#pipelines.size;
  }

  /** The layout follows the kernel's binding table, so that a binding the shader does not use can still be bound. */
  layout(kernel: Kernel): GPUBindGroupLayout {
    const known = this.#layouts.get(kernel.name);
    if (known) return known;
    const storage = Object.values(kernel.bindings).map(({ access }) => (access === "read" ? "read-only-storage" : "storage"));
    const layout = this.#device.createBindGroupLayout({
      label: kernel.name,
      entries: [...storage, "uniform" as const].map((type, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } })),
    });
    this.#layouts.set(kernel.name, layout);
    return layout;
  }

  /** Throws `bug` with the compiler's message when the kernel does not compile. */
  get(kernel: Kernel, { types, constants, features = this.features }: Variant): Promise<GPUComputePipeline> {
    const key = JSON.stringify([kernel.name, kernel.weights.map((name) => types[name]), constants, features.subgroups, features.f16, features.quads]);
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      pipeline = this.#compile(kernel, { types, constants, features });
      this.#pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  async #compile(kernel: Kernel, { types, constants, features }: Required<Variant>): Promise<GPUComputePipeline> {
    const code = kernel.specialise ? kernel.specialise(types, features) : kernel.source;
    // Caught here, or the device would count a kernel's typing mistake as its own failure.
    this.#device.pushErrorScope("validation");
    const module = this.#device.createShaderModule({ label: kernel.name, code });
    void this.#device.popErrorScope();
    try {
      return await this.#device.createComputePipelineAsync({
        label: kernel.name,
        layout: this.#device.createPipelineLayout({ bindGroupLayouts: [this.layout(kernel)] }),
        compute: { module, entryPoint: kernel.name, constants: { ...constants } },
      });
    } catch (cause) {
      const { messages } = await module.getCompilationInfo();
      const first = messages.find(({ type }) => type === "error");
      const why = first ? `line ${first.lineNum}: ${first.message}` : String(cause);
      throw new AppError("bug", `The kernel ${kernel.name} does not compile here: ${why}`, { cause });
    }
  }
}
