// Q3_K: a block of 256 is 6 × vec4<u32>: 32 bytes whose bit i is the third one of 32 weights of unit i, then 64 bytes of bit
// pairs as in Q2_K. Behind all of them the plane of scales, three words a block (16 of 6 bits: 8 bytes of nibbles, 4 of pairs),
// behind that the plane of d, halves. A unit has two scales.

/// Four low bit pairs + 4 × four low bits − 4, exact. Masks instead of shifts: SwiftShader shifts lane by lane.
fn three_weights(low: u32, high: u32) -> vec4<f32> {
  let place = vec4<f32>(0x1p0, 0x1p-8, 0x1p-16, 0x1p-24);
  let pairs = vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(low) & vec4<u32>(0x3u, 0x300u, 0x30000u, 0x3000000u)));
  let bits = vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(high) & vec4<u32>(0x1u, 0x100u, 0x10000u, 0x1000000u)));
  return (pairs + 4.0 * bits) * place - 4.0;
}

fn word_weights(word: u32) -> u32 {
  return weights[word >> 2u][word & 3u];
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let blocks = units >> 3u;
  let block = row * blocks + (unit >> 3u);
  let at = start + block * 6u;
  let sub = unit & 7u;
  let scales_at = start * 4u + rows * blocks * 24u + block * 3u;
  let nibbles = word_weights(scales_at + ((sub & 3u) >> 1u)) >> ((sub & 1u) * 16u + (sub >> 2u) * 4u);
  let pairs = word_weights(scales_at + 2u) >> ((sub & 1u) * 16u + (sub >> 1u) * 2u);
  let halves = unpack2x16float(word_weights(start * 4u + rows * blocks * 27u + (block >> 1u)));
  let d = select(halves.x, halves.y, (block & 1u) != 0u);
  let s = d * (f32((nibbles & 15u) | ((pairs & 3u) << 4u)) - 32.0);
  let t = d * (f32(((nibbles >> 8u) & 15u) | (((pairs >> 8u) & 3u) << 4u)) - 32.0);
  let bit = vec4<u32>(sub);
  let ha = weights[at] >> bit;
  let hb = weights[at + 1u] >> bit;
  let shift = vec4<u32>((sub & 3u) * 2u);
  let a = weights[at + 2u + (sub >> 2u) * 2u] >> shift;
  let b = weights[at + 3u + (sub >> 2u) * 2u] >> shift;
  return array<vec4<f32>, 8>(
    s * three_weights(a.x, ha.x), s * three_weights(a.y, ha.y), s * three_weights(a.z, ha.z), s * three_weights(a.w, ha.w),
    t * three_weights(b.x, hb.x), t * three_weights(b.y, hb.y), t * three_weights(b.z, hb.z), t * three_weights(b.w, hb.w));
}
