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

fn four_weights(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u));
}

fn part_weights(start: u32, rows: u32, units: u32, row: u32, place: u32) -> array<vec4<f32>, 8> {
  let at = start + (row * (units >> 3u) + (place >> 3u)) * 9u;
  let head = weights[at];
  let q_at = at + 1u + ((place & 7u) >> 2u);
  let word = place & 3u;
  let q = vec4<u32>(weights[q_at][word], weights[q_at + 2u][word], weights[q_at + 4u][word], weights[q_at + 6u][word]);
  let d_min = unpack2x16float(head.x);
  let d = d_min.x * four_weights(head.y & 0x3f3f3f3fu);
  let e = d_min.x * four_weights((head.w & 0x0f0f0f0fu) | ((head.y >> 2u) & 0x30303030u));
  let m = d_min.y * four_weights(head.z & 0x3f3f3f3fu);
  let n = d_min.y * four_weights(((head.w >> 4u) & 0x0f0f0f0fu) | ((head.z >> 2u) & 0x30303030u));
  let even = q & vec4<u32>(0x0f0f0f0fu);
  let odd = (q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu);
  return array<vec4<f32>, 8>(
    d.x * four_weights(even.x) - m.x, d.y * four_weights(odd.x) - m.y, d.z * four_weights(even.y) - m.z, d.w * four_weights(odd.y) - m.w,
    e.x * four_weights(even.z) - n.x, e.y * four_weights(odd.z) - n.y, e.z * four_weights(even.w) - n.z, e.w * four_weights(odd.w) - n.w);
}
