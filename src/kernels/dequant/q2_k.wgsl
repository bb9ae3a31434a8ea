// Q2_K: a block of 256 is 5 × vec4<u32>: 16 bytes of scales (low nibble) and offsets (high), one for 16 weights, then 64 bytes of
// bit pairs; a half of the block has 32 of them, whose bit pairs are 32 weights apart. Its { d | min }, a word, lies in the
// plane behind all of them. A unit has two scales.

/// The four low bit pairs, exact. Masks instead of shifts: SwiftShader shifts lane by lane.
fn pairs_weights(word: u32) -> vec4<f32> {
  let masked = bitcast<vec4<i32>>(vec4<u32>(word) & vec4<u32>(0x3u, 0x300u, 0x30000u, 0x3000000u));
  return vec4<f32>(masked) * vec4<f32>(0x1p0, 0x1p-8, 0x1p-16, 0x1p-24);
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let blocks = units >> 3u;
  let block = row * blocks + (unit >> 3u);
  let at = start + block * 5u;
  let sub = unit & 7u;
  let scales = weights[at][sub >> 1u] >> ((sub & 1u) * 16u);
  let word = start * 4u + rows * blocks * 20u + block;
  let d_min = unpack2x16float(weights[word >> 2u][word & 3u]);
  let s = d_min.x * f32(scales & 15u);
  let m = d_min.y * f32((scales >> 4u) & 15u);
  let t = d_min.x * f32((scales >> 8u) & 15u);
  let n = d_min.y * f32((scales >> 12u) & 15u);
  let shift = vec4<u32>((sub & 3u) * 2u);
  let a = weights[at + 1u + (sub >> 2u) * 2u] >> shift;
  let b = weights[at + 2u + (sub >> 2u) * 2u] >> shift;
  return array<vec4<f32>, 8>(
    s * pairs_weights(a.x) - m, s * pairs_weights(a.y) - m, s * pairs_weights(a.z) - m, s * pairs_weights(a.w) - m,
    t * pairs_weights(b.x) - n, t * pairs_weights(b.y) - n, t * pairs_weights(b.z) - n, t * pairs_weights(b.w) - n);
}
