// What some adapters need that others do not. Each with its reason and how to know that it can go.

/**
 * True for adapters that compute on the CPU. There a barrier is a switch of coroutines and a lane is a quarter of a SIMD
 * register, so kernels use fewer lanes a row. (SwiftShader in Chromium 156, 2026-11-22: decode of the bundled model.)
 */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(`${info.vendor} ${info.architecture} ${info.device} ${info.description}`);
}
