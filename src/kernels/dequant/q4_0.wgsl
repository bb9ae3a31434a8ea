// Q4_0: a unit is a block: 16 bytes (1 × vec4<u32>), byte i holds weight i in its low and weight i + 16 in its high nibble;
// its scale, a half, lies in the plane behind all quants.
fn nibbles_weights(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u)) - 8.0;
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = row * units + unit;
  let q = weights[start + block];
  let word = start * 4u + rows * units * 4u + (block >> 1u);
  let d = unpack2x16float(weights[word >> 2u][word & 3u] >> ((block & 1u) * 16u)).x;
  return array<vec4<f32>, 8>(
    d * nibbles_weights(q.x), d * nibbles_weights(q.y), d * nibbles_weights(q.z), d * nibbles_weights(q.w),
    d * nibbles_weights(q.x >> 4u), d * nibbles_weights(q.y >> 4u), d * nibbles_weights(q.z >> 4u), d * nibbles_weights(q.w >> 4u));
}
