// MXFP4: a unit is a block: 16 bytes (1 × vec4<u32>), byte i holds weight i in its low and weight i + 16 in its high nibble: a
// 4-bit float E2M1. Its exponent, a byte, lies in the plane behind all quants: the block's scale is 2^(exponent − 127).

/// Twice the four low floats: 0 1 2 3 4 6 8 12 and the same below zero, by three lines that meet at 4 and at 6.
fn floats_weights(word: u32) -> vec4<f32> {
  let masked = bitcast<vec4<i32>>(vec4<u32>(word) & vec4<u32>(0xfu, 0xf00u, 0xf0000u, 0xf000000u));
  let n = vec4<f32>(masked) * vec4<f32>(0x1p0, 0x1p-8, 0x1p-16, 0x1p-24);
  let below = n >= vec4<f32>(8.0);
  let m = select(n, n - 8.0, below);
  let value = m + max(m - 4.0, vec4<f32>()) + 2.0 * max(m - 6.0, vec4<f32>());
  return select(value, -value, below);
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = row * units + unit;
  let q = weights[start + block];
  let word = start * 4u + rows * units * 4u + (block >> 2u);
  let e = (weights[word >> 2u][word & 3u] >> ((block & 3u) * 8u)) & 255u;
  // Half the scale, subnormal for the two lowest exponents.
  let d = bitcast<f32>(select((e - 1u) << 23u, 0x00200000u << e, e < 2u));
  let high = q >> vec4<u32>(4u);
  return array<vec4<f32>, 8>(
    d * floats_weights(q.x), d * floats_weights(q.y), d * floats_weights(q.z), d * floats_weights(q.w),
    d * floats_weights(high.x), d * floats_weights(high.y), d * floats_weights(high.z), d * floats_weights(high.w));
}
