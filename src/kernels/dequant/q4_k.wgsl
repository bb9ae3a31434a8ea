// Q4_K: a block of 256 is 9 × vec4<u32>: { d | min, three words of packed 6-bit scales and minima }, then 8 × 32 nibbles,
// two units sharing 32 bytes (even: low, odd: high).

/// The four low nibbles as exact floats. Masks instead of shifts: SwiftShader shifts lane by lane.
fn nibbles_weights(word: u32) -> vec4<f32> {
  let masked = bitcast<vec4<i32>>(vec4<u32>(word) & vec4<u32>(0xfu, 0xf00u, 0xf0000u, 0xf000000u));
  return vec4<f32>(masked) * vec4<f32>(0x1p0, 0x1p-8, 0x1p-16, 0x1p-24);
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let at = start + (row * (units >> 3u) + (unit >> 3u)) * 9u;
  let head = weights[at];
  let sub = unit & 7u;
  let at_bit = (sub & 3u) * 8u;
  let y = head.y >> at_bit;
  let z = head.z >> at_bit;
  let w = head.w >> at_bit;
  let late = sub >= 4u;
  let scale = select(y & 63u, (w & 15u) | ((y >> 2u) & 48u), late);
  let offset = select(z & 63u, ((w >> 4u) & 15u) | ((z >> 2u) & 48u), late);
  let d_min = unpack2x16float(head.x);
  let d = d_min.x * f32(scale);
  let m = d_min.y * f32(offset);
  let shift = vec4<u32>((sub & 1u) * 4u);
  let a = weights[at + 1u + (sub >> 1u) * 2u] >> shift;
  let b = weights[at + 2u + (sub >> 1u) * 2u] >> shift;
  return array<vec4<f32>, 8>(
    d * nibbles_weights(a.x) - m, d * nibbles_weights(a.y) - m, d * nibbles_weights(a.z) - m, d * nibbles_weights(a.w) - m,
    d * nibbles_weights(b.x) - m, d * nibbles_weights(b.y) - m, d * nibbles_weights(b.z) - m, d * nibbles_weights(b.w) - m);
}
