// A GPU device on which chosen allocations fail, as WebGPU lets them fail: the buffer is there but invalid, and the
// innermost out-of-memory scope hears of it later; one that is mapped at its creation throws at once.

export interface FailingDevice {
  readonly device: GPUDevice;
  /** Buffers asked for so far. */
  calls(): number;
  /** Buffers that were made and not destroyed. */
  live(): number;
  /** Those themselves. */
  buffers(): readonly GPUBuffer[];
  /** Failures that no scope heard of. */
  uncaptured(): number;
}

/** `fails(n)`: whether the n-th call of createBuffer fails, from 1. */
export function failingDevice(real: GPUDevice, fails: (call: number) => boolean): FailingDevice {
  const live = new Set<GPUBuffer>();
  const scopes: { readonly filter: GPUErrorFilter; failed: boolean }[] = [];
  let calls = 0;
  let uncaptured = 0;

  const createBuffer = (descriptor: GPUBufferDescriptor): GPUBuffer => {
    const failed = fails(++calls);
    if (failed && descriptor.mappedAtCreation) throw new RangeError("createBuffer failed, size is too large for the implementation when mappedAtCreation == true");
    const buffer = real.createBuffer(descriptor);
    live.add(buffer);
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      live.delete(buffer);
      destroy();
    };
    if (failed) {
      const scope = scopes.findLast(({ filter }) => filter === "out-of-memory");
      if (scope) scope.failed = true;
      else uncaptured++;
    }
    return buffer;
  };
  const pushErrorScope = (filter: GPUErrorFilter): void => {
    scopes.push({ filter, failed: false });
    real.pushErrorScope(filter);
  };
  const popErrorScope = async (): Promise<GPUError | null> => {
    const scope = scopes.pop();
    const error = await real.popErrorScope();
    return scope?.failed ? new GPUOutOfMemoryError("out of memory, on purpose") : error;
  };

  const own: Readonly<Record<string | symbol, unknown>> = { createBuffer, pushErrorScope, popErrorScope };
  const device = new Proxy(real, {
    get(target, name) {
      if (name in own) return own[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
  return { device, calls: () => calls, live: () => live.size, buffers: () => [...live], uncaptured: () => uncaptured };
}
