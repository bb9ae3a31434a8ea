// Q8_0: a unit is a block: 32 signed bytes (2 × vec4<u32>); its scale, a half, lies in the plane behind all quants.
fn bytes_weights(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<i32>(bitcast<i32>(word)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = row * units + unit;
  let a = weights[start + block * 2u];
  let b = weights[start + block * 2u + 1u];
  let word = start * 4u + rows * units * 8u + (block >> 1u);
  let d = unpack2x16float(weights[word >> 2u][word & 3u] >> ((block & 1u) * 16u)).x;
  return array<vec4<f32>, 8>(
    d * bytes_weights(a.x), d * bytes_weights(a.y), d * bytes_weights(a.z), d * bytes_weights(a.w),
    d * bytes_weights(b.x), d * bytes_weights(b.y), d * bytes_weights(b.z), d * bytes_weights(b.w));
}
