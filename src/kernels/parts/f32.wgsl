// F32 by parts: one vec4 of each unit.
struct Part_weights { v: array<vec4<u32>, 8> }

fn read_part_weights(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Part_weights {
  let at = start + (row * units + (place & ~7u)) * 8u + (place & 7u);
  return Part_weights(array<vec4<u32>, 8>(
    weights[at], weights[at + 8u], weights[at + 16u], weights[at + 24u], weights[at + 32u], weights[at + 40u], weights[at + 48u], weights[at + 56u]));
}

fn dot_part_weights(part: Part_weights, x: Inputs) -> f32 {
  return dot32(array<vec4<f32>, 8>(
    bitcast<vec4<f32>>(part.v[0]), bitcast<vec4<f32>>(part.v[1]), bitcast<vec4<f32>>(part.v[2]), bitcast<vec4<f32>>(part.v[3]),
    bitcast<vec4<f32>>(part.v[4]), bitcast<vec4<f32>>(part.v[5]), bitcast<vec4<f32>>(part.v[6]), bitcast<vec4<f32>>(part.v[7])), x.v);
}
