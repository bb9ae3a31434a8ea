// IQ4_NL: a unit is a block: 16 bytes (1 × vec4<u32>), byte i holds weight i in its low and weight i + 16 in its high nibble; a
// nibble names one of 16 uneven levels. Its scale, a half, lies in the plane behind all quants.

/// The levels of four nibbles, one in each byte: −127 −104 −83 −65 −49 −35 −22 −10 1 13 25 38 53 69 89 113, kept + 128 in four
/// words. (An array indexed at run time would be copied into each lane's own memory.)
fn levels_weights(word: u32) -> vec4<f32> {
  let n = (vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
  let low = select(vec4<u32>(0x3f2d1801u), vec4<u32>(0x766a5d4fu), n >= vec4<u32>(4u));
  let high = select(vec4<u32>(0xa6998d81u), vec4<u32>(0xf1d9c5b5u), n >= vec4<u32>(12u));
  let four = select(low, high, n >= vec4<u32>(8u));
  let level = (four >> ((n & vec4<u32>(3u)) * 8u)) & vec4<u32>(255u);
  return vec4<f32>(bitcast<vec4<i32>>(level)) - 128.0;
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = row * units + unit;
  let q = weights[start + block];
  let word = start * 4u + rows * units * 4u + (block >> 1u);
  let high = q >> vec4<u32>(4u);
  let pair = unpack2x16float(weights[word >> 2u][word & 3u]);
  let d = select(pair.x, pair.y, (block & 1u) != 0u);
  return array<vec4<f32>, 8>(
    d * levels_weights(q.x), d * levels_weights(q.y), d * levels_weights(q.z), d * levels_weights(q.w),
    d * levels_weights(high.x), d * levels_weights(high.y), d * levels_weights(high.z), d * levels_weights(high.w));
}
