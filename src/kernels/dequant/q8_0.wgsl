// Q8_0: a unit is a block: 32 signed bytes (2 × vec4<u32>); its scale, a half, lies in the plane behind all quants.

/// The four bytes, each times 2^(8 × its index), as exact floats. Masks instead of shifts: SwiftShader shifts lane by lane.
fn bytes_weights(word: u32) -> vec4<f32> {
  let sign = vec4<i32>(0x80, 0x8000, 0x800000, 0);
  let masked = bitcast<vec4<i32>>(vec4<u32>(word) & vec4<u32>(0xffu, 0xff00u, 0xff0000u, 0xff000000u));
  return vec4<f32>((masked ^ sign) - sign);
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = row * units + unit;
  let a = weights[start + block * 2u];
  let b = weights[start + block * 2u + 1u];
  let word = start * 4u + rows * units * 8u + (block >> 1u);
  let pair = unpack2x16float(weights[word >> 2u][word & 3u]);
  let d = select(pair.x, pair.y, (block & 1u) != 0u) * vec4<f32>(0x1p0, 0x1p-8, 0x1p-16, 0x1p-24);
  return array<vec4<f32>, 8>(
    d * bytes_weights(a.x), d * bytes_weights(a.y), d * bytes_weights(a.z), d * bytes_weights(a.w),
    d * bytes_weights(b.x), d * bytes_weights(b.y), d * bytes_weights(b.z), d * bytes_weights(b.w));
}
