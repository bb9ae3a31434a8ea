// Q4_K: a block of 256 is 9 × vec4<u32>: { d | min, three words of packed 6-bit scales and minima }, then 8 × 32 nibbles,
// two units sharing 32 bytes (even: low, odd: high).
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
  let shift = vec4<u32>(0u, 8u, 16u, 24u) + (sub & 1u) * 4u;
  let a = weights[at + 1u + (sub >> 1u) * 2u];
  let b = weights[at + 2u + (sub >> 1u) * 2u];
  let nibble = vec4<u32>(15u);
  return array<vec4<f32>, 8>(
    d * vec4<f32>((vec4<u32>(a.x) >> shift) & nibble) - m, d * vec4<f32>((vec4<u32>(a.y) >> shift) & nibble) - m,
    d * vec4<f32>((vec4<u32>(a.z) >> shift) & nibble) - m, d * vec4<f32>((vec4<u32>(a.w) >> shift) & nibble) - m,
    d * vec4<f32>((vec4<u32>(b.x) >> shift) & nibble) - m, d * vec4<f32>((vec4<u32>(b.y) >> shift) & nibble) - m,
    d * vec4<f32>((vec4<u32>(b.z) >> shift) & nibble) - m, d * vec4<f32>((vec4<u32>(b.w) >> shift) & nibble) - m);
}
