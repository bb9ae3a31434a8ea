// Q5_0: a unit is a block: 16 bytes (1 × vec4<u32>), byte i holds the low four bits of weight i in its low and of weight i + 16
// in its high nibble. Behind all quants the plane of the fifth bits, a word a block; behind that the scales, halves.

/// Four low nibbles + 16 × the four lowest of `bits`, exact. Masks instead of shifts: SwiftShader shifts lane by lane.
fn five_weights(word: u32, bits: u32) -> vec4<f32> {
  let low = vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(word) & vec4<u32>(0xfu, 0xf00u, 0xf0000u, 0xf000000u)));
  let high = vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(bits) & vec4<u32>(1u, 2u, 4u, 8u)));
  return low * vec4<f32>(0x1p0, 0x1p-8, 0x1p-16, 0x1p-24) + high * vec4<f32>(16.0, 8.0, 4.0, 2.0);
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = row * units + unit;
  let q = weights[start + block];
  let bits_word = start * 4u + rows * units * 4u + block;
  let bits = weights[bits_word >> 2u][bits_word & 3u];
  let word = start * 4u + rows * units * 5u + (block >> 1u);
  let high = q >> vec4<u32>(4u);
  let pair = unpack2x16float(weights[word >> 2u][word & 3u]);
  let d = select(pair.x, pair.y, (block & 1u) != 0u);
  return array<vec4<f32>, 8>(
    d * (five_weights(q.x, bits) - 16.0), d * (five_weights(q.y, bits >> 4u) - 16.0),
    d * (five_weights(q.z, bits >> 8u) - 16.0), d * (five_weights(q.w, bits >> 12u) - 16.0),
    d * (five_weights(high.x, bits >> 16u) - 16.0), d * (five_weights(high.y, bits >> 20u) - 16.0),
    d * (five_weights(high.z, bits >> 24u) - 16.0), d * (five_weights(high.w, bits >> 28u) - 16.0));
}
