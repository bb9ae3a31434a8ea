// Whether this device's subgroups are what the kernels take them for. WGSL leaves open which lanes of a workgroup make a subgroup;
// every implementation known takes neighbours, and the reductions count on it (src/kernels/reduce).
import type { Gpu } from "./device.ts";
import { encode, prepare } from "./dispatch.ts";
import type { Kernel } from "./kernel.ts";
import { readBuffer } from "./readback.ts";

const LANES = 64;

const lookup = {
  name: "subgroup_lanes",
  source: `enable subgroups;
struct Params { pad: u32 }
@group(0) @binding(0) var<storage, read_write> seen: array<vec2<u32>>;
@group(0) @binding(1) var<uniform> p: Params;
@compute @workgroup_size(${LANES})
fn subgroup_lanes(@builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  seen[lane] = vec2<u32>(subgroupAdd(1u), id);
}`,
  bindings: { seen: { access: "write", shape: "[64] of { lanes of its subgroup, place in it }" } },
  params: ["pad"],
  weights: [],
  constants: {},
  workgroups: () => [1, 1, 1],
} as const satisfies Kernel<"seen", "pad", never, never>;

/**
 * Lanes of a subgroup. Runs one workgroup and looks: 0 unless every subgroup is as large as the others, a power of two, its lanes in
 * order; or where it cannot be seen. Needs the feature.
 */
export async function neighboursInSubgroup(gpu: Gpu): Promise<number> {
  const seen = gpu.memory.storage("subgroups", LANES * 8);
  try {
    const dispatch = await prepare(gpu, lookup, { label: lookup.name, params: { pad: 0 }, buffers: { seen }, types: {} });
    const encoder = gpu.device.createCommandEncoder();
    encode(encoder, lookup.name, [dispatch]);
    gpu.device.queue.submit([encoder.finish()]);
    return lanesInOrder(new Uint32Array(await readBuffer(gpu, seen)));
  } catch {
    // A compiler that refuses subgroups, or a lost device, which the next command reports: the plain path needs neither.
    return 0;
  } finally {
    gpu.memory.free(seen);
  }
}

/** `seen` as the kernel writes it. */
export function lanesInOrder(seen: ArrayLike<number>): number {
  const size = seen[0] ?? 0;
  if (size < 1 || (size & (size - 1)) !== 0) return 0;
  return Array.from({ length: LANES }, (_, lane) => lane).every((lane) => seen[2 * lane] === size && seen[2 * lane + 1] === lane % size) ? size : 0;
}
