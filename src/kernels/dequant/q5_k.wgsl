// Q5_K: a block of 256 is 11 × vec4<u32>: { d | min, three words of packed 6-bit scales and minima }, 32 bytes whose bit i is the
// fifth one of 32 weights of unit i, then 8 × 32 nibbles, two units sharing 32 bytes (even: low, odd: high).

/// Four low nibbles + 16 × four low bits, exact. Masks instead of shifts: SwiftShader shifts lane by lane.
fn five_weights(low: u32, high: u32) -> vec4<f32> {
  let nibbles = vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(low) & vec4<u32>(0xfu, 0xf00u, 0xf0000u, 0xf000000u)));
  let bits = vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(high) & vec4<u32>(0x1u, 0x100u, 0x10000u, 0x1000000u)));
  return (nibbles + 16.0 * bits) * vec4<f32>(0x1p0, 0x1p-8, 0x1p-16, 0x1p-24);
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let at = start + (row * (units >> 3u) + (unit >> 3u)) * 11u;
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
  let bit = vec4<u32>(sub);
  let ha = weights[at + 1u] >> bit;
  let hb = weights[at + 2u] >> bit;
  let shift = vec4<u32>((sub & 1u) * 4u);
  let a = weights[at + 3u + (sub >> 1u) * 2u] >> shift;
  let b = weights[at + 4u + (sub >> 1u) * 2u] >> shift;
  return array<vec4<f32>, 8>(
    d * five_weights(a.x, ha.x) - m, d * five_weights(a.y, ha.y) - m, d * five_weights(a.z, ha.z) - m, d * five_weights(a.w, ha.w) - m,
    d * five_weights(b.x, hb.x) - m, d * five_weights(b.y, hb.y) - m, d * five_weights(b.z, hb.z) - m, d * five_weights(b.w, hb.w) - m);
}
