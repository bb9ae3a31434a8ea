// IQ4_XS: a block of 256 is 8 × vec4<u32>, one a unit, each as a block of IQ4_NL; behind all quants two words a block:
// { d | high two bits of the eight scales, their low four bits }.

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
  let blocks = units >> 3u;
  let block = row * blocks + (unit >> 3u);
  let sub = unit & 7u;
  let q = weights[start + block * 8u + sub];
  let word = start * 4u + rows * blocks * 32u + block * 2u;
  let head = weights[word >> 2u];
  let d_scales = head[word & 3u];
  let low = (head[(word & 3u) + 1u] >> (sub * 4u)) & 15u;
  let scale = low | (((d_scales >> (16u + sub * 2u)) & 3u) << 4u);
  let d = unpack2x16float(d_scales).x * (f32(scale) - 32.0);
  let high = q >> vec4<u32>(4u);
  return array<vec4<f32>, 8>(
    d * levels_weights(q.x), d * levels_weights(q.y), d * levels_weights(q.z), d * levels_weights(q.w),
    d * levels_weights(high.x), d * levels_weights(high.y), d * levels_weights(high.z), d * levels_weights(high.w));
}
