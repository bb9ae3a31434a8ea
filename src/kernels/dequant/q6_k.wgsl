// Q6_K: a block of 256 is 13 × vec4<u32>: 128 bytes of low nibbles, 64 bytes of high bit pairs, 16 signed scales; its d,
// a half, lies in the plane behind all of them. A unit is a quarter of a half of the block, with two scales.

/// Four low nibbles + 16 × four low bit pairs − 32, exact. Masks instead of shifts: SwiftShader shifts lane by lane.
fn six_weights(low: u32, high: u32) -> vec4<f32> {
  let place = vec4<f32>(0x1p0, 0x1p-8, 0x1p-16, 0x1p-24);
  let nibbles = vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(low) & vec4<u32>(0xfu, 0xf00u, 0xf0000u, 0xf000000u)));
  let pairs = vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(high) & vec4<u32>(0x3u, 0x300u, 0x30000u, 0x3000000u)));
  return (nibbles + 16.0 * pairs) * place - 32.0;
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let blocks = units >> 3u;
  let block = row * blocks + (unit >> 3u);
  let at = start + block * 13u;
  let half = (unit >> 2u) & 1u;
  let quarter = unit & 3u;
  let low_at = at + half * 4u + (quarter & 1u) * 2u;
  let high_at = at + 8u + half * 2u;
  let low_shift = vec4<u32>((quarter >> 1u) * 4u);
  let high_shift = vec4<u32>(quarter * 2u);
  let la = weights[low_at] >> low_shift;
  let lb = weights[low_at + 1u] >> low_shift;
  let ha = weights[high_at] >> high_shift;
  let hb = weights[high_at + 1u] >> high_shift;
  let scales = bitcast<i32>(weights[at + 12u][half * 2u + (quarter >> 1u)] >> ((quarter & 1u) * 16u));
  let word = start * 4u + rows * blocks * 52u + (block >> 1u);
  let pair = unpack2x16float(weights[word >> 2u][word & 3u]);
  let d = select(pair.x, pair.y, (block & 1u) != 0u);
  let s = d * f32((scales << 24u) >> 24u);
  let t = d * f32((scales << 16u) >> 24u);
  return array<vec4<f32>, 8>(
    s * six_weights(la.x, ha.x), s * six_weights(la.y, ha.y), s * six_weights(la.z, ha.z), s * six_weights(la.w, ha.w),
    t * six_weights(lb.x, hb.x), t * six_weights(lb.y, hb.y), t * six_weights(lb.z, hb.z), t * six_weights(lb.w, hb.w));
}
