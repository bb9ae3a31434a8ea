// Q8_0 by parts: one word of each unit, and their eight scales, which are one vec4 of the plane.
struct Part_weights { near: vec4<u32>, far: vec4<u32>, halves: vec4<u32> }

fn signed_weights(word: u32) -> vec4<f32> {
  return vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(word) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}

fn read_part_weights(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Part_weights {
  let block = row * units + (place & ~7u);
  let at = start + block * 2u + ((place & 7u) >> 2u);
  let word = place & 3u;
  return Part_weights(
    vec4<u32>(weights[at][word], weights[at + 2u][word], weights[at + 4u][word], weights[at + 6u][word]),
    vec4<u32>(weights[at + 8u][word], weights[at + 10u][word], weights[at + 12u][word], weights[at + 14u][word]),
    weights[start + rows * units * 2u + (block >> 3u)]);
}

fn dot_part_weights(part: Part_weights, x: Inputs) -> f32 {
  let near = vec4<f32>(dot(signed_weights(part.near.x), x.v[0]), dot(signed_weights(part.near.y), x.v[1]), dot(signed_weights(part.near.z), x.v[2]), dot(signed_weights(part.near.w), x.v[3]));
  let far = vec4<f32>(dot(signed_weights(part.far.x), x.v[4]), dot(signed_weights(part.far.y), x.v[5]), dot(signed_weights(part.far.z), x.v[6]), dot(signed_weights(part.far.w), x.v[7]));
  let halves = part.halves;
  return dot(vec4<f32>(unpack2x16float(halves.x), unpack2x16float(halves.y)), near) + dot(vec4<f32>(unpack2x16float(halves.z), unpack2x16float(halves.w)), far);
}
