// Q5_1: a unit is a block: 16 bytes (1 × vec4<u32>), byte i holds the low four bits of weight i in its low and of weight i + 16
// in its high nibble; behind all quants two words a block: { d | min, the fifth bits }.

/// Four low nibbles + 16 × the four lowest of `bits`, exact. Masks instead of shifts: SwiftShader shifts lane by lane.
fn five_weights(word: u32, bits: u32) -> vec4<f32> {
  let low = vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(word) & vec4<u32>(0xfu, 0xf00u, 0xf0000u, 0xf000000u)));
  let high = vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(bits) & vec4<u32>(1u, 2u, 4u, 8u)));
  return low * vec4<f32>(0x1p0, 0x1p-8, 0x1p-16, 0x1p-24) + high * vec4<f32>(16.0, 8.0, 4.0, 2.0);
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = row * units + unit;
  let q = weights[start + block];
  let word = start * 4u + rows * units * 4u + block * 2u;
  let head = weights[word >> 2u];
  let d_min = unpack2x16float(head[word & 3u]);
  let bits = head[(word & 3u) + 1u];
  let high = q >> vec4<u32>(4u);
  let d = d_min.x;
  let m = d_min.y;
  return array<vec4<f32>, 8>(
    d * five_weights(q.x, bits) + m, d * five_weights(q.y, bits >> 4u) + m,
    d * five_weights(q.z, bits >> 8u) + m, d * five_weights(q.w, bits >> 12u) + m,
    d * five_weights(high.x, bits >> 16u) + m, d * five_weights(high.y, bits >> 20u) + m,
    d * five_weights(high.z, bits >> 24u) + m, d * five_weights(high.w, bits >> 28u) + m);
}
