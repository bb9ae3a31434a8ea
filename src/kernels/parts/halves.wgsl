// F16 and BF16 by parts: half a vec4 of each unit. What a word means: halves_weights of dequant/f16.wgsl, bf16.wgsl.
struct Part_weights { v: array<vec2<u32>, 8> }

fn half_weights(at: u32, odd: bool) -> vec2<u32> {
  let eight = weights[at];
  return select(eight.xy, eight.zw, odd);
}

fn read_part_weights(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Part_weights {
  let at = start + (row * units + (place & ~7u)) * 4u + ((place & 7u) >> 1u);
  let odd = (place & 1u) != 0u;
  return Part_weights(array<vec2<u32>, 8>(
    half_weights(at, odd), half_weights(at + 4u, odd), half_weights(at + 8u, odd), half_weights(at + 12u, odd),
    half_weights(at + 16u, odd), half_weights(at + 20u, odd), half_weights(at + 24u, odd), half_weights(at + 28u, odd)));
}

fn dot_part_weights(part: Part_weights, x: Inputs) -> f32 {
  return dot32(array<vec4<f32>, 8>(
    halves_weights(part.v[0]), halves_weights(part.v[1]), halves_weights(part.v[2]), halves_weights(part.v[3]),
    halves_weights(part.v[4]), halves_weights(part.v[5]), halves_weights(part.v[6]), halves_weights(part.v[7])), x.v);
}
