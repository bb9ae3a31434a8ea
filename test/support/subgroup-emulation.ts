// Subgroups of any size on any device: the instructions become loops over shared memory. For the sizes that no adapter at hand
// has; the reductions themselves stay as they are.
import { type Kernel, PLAIN } from "../../src/gpu/kernel.ts";
import { specialise } from "../../src/kernels/weights.ts";

/** What an instruction gives that WGSL leaves undefined: large, so that a use of it shows. */
const UNDEFINED = "1e20";

function instruction(name: string, type: string, combine: string): string {
  return `
var<workgroup> ${name}_values: array<${type}, lanes>;
fn ${name}(value: ${type}) -> ${type} {
  ${name}_values[emulated_lane] = value;
  workgroupBarrier();
  let first = emulated_lane - emulated_lane % emulated_size;
  var all = ${name}_values[first];
  for (var i = 1u; i < emulated_size; i++) { all = ${combine.replaceAll("NEXT", `${name}_values[first + i]`)}; }
  workgroupBarrier();
  return all;
}
`;
}

const EXCHANGE = `
var<workgroup> exchange_values: array<vec4<f32>, lanes>;
fn exchange(value: vec4<f32>, bit: u32) -> vec4<f32> {
  exchange_values[emulated_lane] = value;
  workgroupBarrier();
  let other = exchange_values[min(emulated_lane ^ bit, lanes - 1u)];
  workgroupBarrier();
  return select(vec4<f32>(${UNDEFINED}), other, bit < emulated_size);
}
`;

/** The kernel with subgroups of \`size\` lanes, or of as many as the workgroup has. */
export function withEmulatedSubgroups<B extends string, P extends string, W extends string, C extends string>(kernel: Kernel<B, P, W, C>, size: number): Kernel<B, P, W, C> {
  const name = `${kernel.name}_${size}`;
  const typeOf = (reduction: string): string => new RegExp(`// reduce ${reduction}: (\\S+) in`).exec(kernel.source)?.[1] ?? "f32";
  return {
    ...kernel,
    name,
    specialise: (types) => {
      const code = specialise(kernel.source, types, { ...PLAIN, subgroups: true });
      if (!code.startsWith("enable subgroups;\n")) throw new Error(`${kernel.name} does not use subgroups`);
      return [
        code
          .replace("enable subgroups;\n", "")
          .replace(`fn ${kernel.name}(`, `fn ${name}(`)
          .replace("@builtin(local_invocation_index) lane: u32) {", "@builtin(local_invocation_index) lane: u32) {\n  emulated_lane = lane;")
          .replaceAll("subgroupAdd(1u)", "emulated_size")
          .replaceAll("subgroupAdd(", "add_all(")
          .replaceAll("subgroupMax(", "max_all(")
          .replaceAll("subgroupShuffleXor(", "exchange("),
        `var<private> emulated_lane: u32;\noverride emulated_size: u32 = min(${size}u, lanes);`,
        instruction("add_all", typeOf("total"), "all + NEXT"),
        instruction("max_all", typeOf("largest_of"), "max(all, NEXT)"),
        EXCHANGE,
      ].join("\n");
    },
  };
}
