// Q4_1: a unit is a block: 16 bytes (1 × vec4<u32>), byte i holds weight i in its low and weight i + 16 in its high nibble;
// its scale and minimum, a word, lie in the plane behind all quants.

/// The four low nibbles, exact. Masks instead of shifts: SwiftShader shifts lane by lane.
fn nibbles_weights(word: u32) -> vec4<f32> {
  let masked = bitcast<vec4<i32>>(vec4<u32>(word) & vec4<u32>(0xfu, 0xf00u, 0xf0000u, 0xf000000u));
  return vec4<f32>(masked) * vec4<f32>(0x1p0, 0x1p-8, 0x1p-16, 0x1p-24);
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = row * units + unit;
  let q = weights[start + block];
  let word = start * 4u + rows * units * 4u + block;
  let high = q >> vec4<u32>(4u);
  let d_min = unpack2x16float(weights[word >> 2u][word & 3u]);
  let d = d_min.x;
  let m = d_min.y;
  return array<vec4<f32>, 8>(
    d * nibbles_weights(q.x) + m, d * nibbles_weights(q.y) + m, d * nibbles_weights(q.z) + m, d * nibbles_weights(q.w) + m,
    d * nibbles_weights(high.x) + m, d * nibbles_weights(high.y) + m, d * nibbles_weights(high.z) + m, d * nibbles_weights(high.w) + m);
}
