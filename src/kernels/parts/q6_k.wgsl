// Q6_K by parts: one word of each 32 bytes of low nibbles, units 0 1 2 3 in `low`'s x y and 4 5 6 7 in its z w, one of each 32 bytes
// of high bit pairs, the sixteen scales, and the word that the block shares its d with.
struct Part_weights { low: vec4<u32>, high: vec2<u32>, scales: vec4<u32>, d: u32, odd: bool, late: u32 }

fn four_weights(low: u32, high: u32) -> vec4<f32> {
  return vec4<f32>((vec4<u32>((low & 0x0f0f0f0fu) | (high & 0x30303030u)) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u));
}

fn read_part_weights(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Part_weights {
  let blocks = units >> 3u;
  let block = row * blocks + (place >> 3u);
  let at = start + block * 13u;
  let late = (place & 7u) >> 2u;
  let q_at = at + late;
  let word = place & 3u;
  let d_word = start * 4u + rows * blocks * 52u + (block >> 1u);
  return Part_weights(
    vec4<u32>(weights[q_at][word], weights[q_at + 2u][word], weights[q_at + 4u][word], weights[q_at + 6u][word]),
    vec2<u32>(weights[q_at + 8u][word], weights[q_at + 10u][word]),
    weights[at + 12u], weights[d_word >> 2u][d_word & 3u], (block & 1u) != 0u, late);
}

/// The 32 that every weight has too much is taken off the sums.
fn dot_part_weights(part: Part_weights, x: Inputs) -> f32 {
  let low = part.low;
  let high = part.high;
  let near = vec4<f32>(
    dot(four_weights(low.x, high.x << 4u), x.v[0]), dot(four_weights(low.y, high.x << 2u), x.v[1]),
    dot(four_weights(low.x >> 4u, high.x), x.v[2]), dot(four_weights(low.y >> 4u, high.x >> 2u), x.v[3])) - 32.0 * x.near;
  let far = vec4<f32>(
    dot(four_weights(low.z, high.y << 4u), x.v[4]), dot(four_weights(low.w, high.y << 2u), x.v[5]),
    dot(four_weights(low.z >> 4u, high.y), x.v[6]), dot(four_weights(low.w >> 4u, high.y >> 2u), x.v[7])) - 32.0 * x.far;
  // Two scales a unit: for its first and its last four vec4s. Units 0 2 4 6, then 1 3 5 7.
  let scales = part.scales >> vec4<u32>(part.late * 8u);
  let s = vec4<f32>(bitcast<vec4<i32>>(scales << vec4<u32>(24u)) >> vec4<u32>(24u));
  let t = vec4<f32>(bitcast<vec4<i32>>(scales << vec4<u32>(8u)) >> vec4<u32>(24u));
  let pair = unpack2x16float(part.d);
  return select(pair.x, pair.y, part.odd) * (dot(vec4<f32>(s.x, t.x, s.y, t.y), near) + dot(vec4<f32>(s.z, t.z, s.w, t.w), far));
}
